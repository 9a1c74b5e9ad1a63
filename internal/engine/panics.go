package engine

import (
	"bytes"
)

// stackWithoutArguments keeps the function and file lines of a stack trace and
// drops the argument words in parentheses and the panic's own text, which can
// hold content.
func stackWithoutArguments(stack []byte) []byte {
	var out []byte
	for line := range bytes.Lines(stack) {
		switch {
		case bytes.HasPrefix(line, []byte("panic(")):
			out = append(out, "panic\n"...)
		case line[0] == '\t', bytes.HasPrefix(line, []byte("goroutine ")):
			out = append(out, line...)
		default:
			if i := bytes.LastIndexByte(line, '('); i > 0 {
				out = append(append(out, line[:i]...), '\n')
			}
		}
	}
	return out
}
