// Package format writes project files in their canonical form: two spaces of
// indentation, keys in the order the language's reference shows them, quotes where
// they are needed, short mappings on one line as they were, one blank line where
// there were several. It changes no meaning and loses no comment: what it is about
// to give back is read again and compared with what came in, value by value and
// comment by comment, and formatted again, which must change nothing. Where any of
// that fails, or the file has faults, the file is left alone and the reason told.
//
// It works on the positions that internal/conf gives and on the text itself, and
// knows nothing of what the keys mean. It opens no file. Commands may import it.
package format
