// Package expr compiles and runs the expressions of the feed language: CEL with
// typed access to the message by constant selectors.
//
// Everything that can be known before a message comes is found at compile time,
// with its position: types, selectors, tables, named values, regular expressions.
// What is left to fail when a message is there is an error that names the fault
// and never a value; it is never "false".
//
// The package reads no file and no clock. Only routes imports it.
package expr
