// Package forms knows the forms of values that hospitals exchange: NHS numbers,
// ODS codes, postcodes, telephone numbers, base64, and dates with the precision
// and the offset they were written with.
//
// Every reader gives the tidy value and whether the text has the form; a text
// that has not is never an error with content in it and never a panic. The empty
// text has no form.
//
// The package is pure and imports the standard library only. It reads no clock
// and no zone data: time zones are handed in. Any package may import it.
package forms
