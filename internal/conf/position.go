package conf

import (
	"strings"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"
)

// ErrorAt is Errorf for a fault offset characters into a one-line scalar, as within an expression.
func (n *Node) ErrorAt(offset int, hint, format string, args ...any) {
	n.ErrorIn(1, offset, hint, format, args...)
}

// ErrorIn is Errorf for a fault within a scalar: line counts from 1, column
// (characters) from 0, both in the text as Source gives it. Where the file shows
// the text in another shape (folded lines), the fault stands at the scalar's start.
func (n *Node) ErrorIn(line, column int, hint, format string, args ...any) {
	at := *n.y
	at.Line, at.Column = n.within(line, column)
	n.child(&at).Errorf(hint, format, args...)
}

func (n *Node) within(line, column int) (int, int) {
	switch {
	case n.y.Style&yaml.LiteralStyle != 0:
		l := n.y.Line + line
		return l, n.blockIndent(line, n.line(l)) + column + 1
	case n.y.Style&yaml.FoldedStyle != 0:
		return n.y.Line, n.y.Column
	case line > 1 || n.sourceText() == "":
		return n.y.Line, n.y.Column
	}
	return n.y.Line, n.y.Column + rawOffset(n.sourceText(), column)
}

// line is line number l of the file, from 1; "" beyond its end.
func (n *Node) line(l int) string {
	if l < 1 || l > len(n.lines) {
		return ""
	}
	return n.lines[l-1]
}

// blockIndent is how far a literal block is indented: a line of the file less
// the spaces that belong to the text.
func (n *Node) blockIndent(line int, raw string) int {
	text := strings.Split(n.y.Value, "\n")
	if line > len(text) {
		return len(indentation(raw))
	}
	return len(indentation(raw)) - len(indentation(text[line-1]))
}

func indentation(s string) string { return s[:len(s)-len(strings.TrimLeft(s, " "))] }

// sourceText is the file's line from the first character of the scalar on.
func (n *Node) sourceText() string {
	s := n.line(n.y.Line)
	for c := 1; c < n.y.Column && s != ""; c++ {
		_, w := utf8.DecodeRuneInString(s)
		s = s[w:]
	}
	return s
}

// rawOffset finds character column of a scalar's text in the line it is written
// in: after the opening quote, with ” and \" counted as the two that they are.
//
//	'it''s'     text: it's     column 3 is at raw 5
func rawOffset(raw string, column int) int {
	quote := raw[0]
	if quote != '"' && quote != '\'' {
		return column
	}
	chars, at := []rune(raw), 1
	for ; column > 0 && at < len(chars); column-- {
		if at+1 < len(chars) && (quote == '"' && chars[at] == '\\' || quote == '\'' && chars[at] == '\'' && chars[at+1] == '\'') {
			at++
		}
		at++
	}
	return at
}

// CutByComment reports whether a comment follows an unquoted one-line scalar on
// its line. If the scalar is an expression, it was probably meant to go on: YAML
// reads " #" as the start of a comment.
func (n *Node) CutByComment() bool {
	if n == nil || !n.IsText() || n.quoted() || n.y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return false
	}
	rest, ok := strings.CutPrefix(n.sourceText(), n.y.Value)
	return ok && strings.HasPrefix(strings.TrimLeft(rest, " \t"), "#")
}

// Without gives the same mapping less some keys, for handing a node on to a room
// that does not know them. The nodes that stay are the same.
func (n *Node) Without(keys ...string) *Node {
	if !n.IsMap() {
		return n
	}
	m := *n.y
	m.Content = nil
	for i := 0; i+1 < len(n.y.Content); i += 2 {
		if !contains(keys, n.y.Content[i].Value) {
			m.Content = append(m.Content, n.y.Content[i], n.y.Content[i+1])
		}
	}
	return n.child(&m)
}

// Get is the value of one key of a mapping, nil if there is none.
func (n *Node) Get(key string) *Node {
	if !n.IsMap() {
		return nil
	}
	for i := 0; i+1 < len(n.y.Content); i += 2 {
		if n.y.Content[i].Value == key {
			return n.child(n.y.Content[i+1])
		}
	}
	return nil
}
