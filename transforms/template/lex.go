package template

import (
	"strings"
	"unicode/utf8"
)

// kind is what a piece of a template is.
type kind uint8

const (
	text kind = iota
	value
	each
	cond
	end
)

// words are what tags begin with.
var words = [...]string{each: "each", cond: "if", end: "end"}

// piece is a run of literal text, or one tag.
type piece struct {
	kind      kind
	src       string // the text; what stands in the tag, without each or if
	line, col int    // of the piece, from 1, in characters
	inner     int    // offset of src within the piece's source
	whole     string // the source of the piece
}

// lexer cuts a template into pieces.
type lexer struct {
	file      string
	rest      string
	line, col int
	pieces    []piece
	problems  []Problem
}

func (l *lexer) problem(line, col int, hint, text string) {
	l.problems = append(l.problems, Problem{File: l.file, Line: line, Column: col, Text: text, Hint: hint})
}

// run cuts the whole template. Where a tag has no end it stops.
func (l *lexer) run() {
	for l.rest != "" {
		i := strings.Index(l.rest, "{{")
		if i < 0 {
			l.add(text, len(l.rest))
			return
		}
		if i > 0 {
			l.add(text, i)
		}
		if strings.HasPrefix(l.rest, "{{{") {
			l.problem(l.line, l.col, "put a blank between a { of your own and the {{", "{{{ can be read in two ways")
			l.add(text, 1) // read on as if the blank were there
			continue
		}
		n := tagEnd(l.rest)
		if n < 0 {
			l.problem(l.line, l.col, `write }} behind it; for {{ itself write {{ "{{" }}`, "the {{ is not closed")
			return
		}
		l.add(tagKind(l.rest[2:n-2]), n)
	}
}

// add takes n bytes as one piece.
func (l *lexer) add(k kind, n int) {
	p := piece{kind: k, whole: l.rest[:n], line: l.line, col: l.col}
	p.src = p.whole
	if k != text {
		p.strip()
	}
	l.pieces = append(l.pieces, p)
	l.line, l.col = after(l.line, l.col, p.whole)
	l.rest = l.rest[n:]
}

// strip leaves of a tag what is its own: the expression, the selector and name.
func (p *piece) strip() {
	body := p.whole[2 : len(p.whole)-2]
	p.inner = 2 + blanks(body)
	body = strings.TrimSpace(body)
	if p.kind >= each {
		skip := len(words[p.kind])
		skip += blanks(body[skip:])
		p.inner += skip
		body = body[skip:]
	}
	p.src = body
}

func blanks(s string) int { return len(s) - len(strings.TrimLeft(s, " \t\r\n")) }

// at is the line and column, from 1, of an offset within the piece.
func (p *piece) at(offset int) (line, col int) { return after(p.line, p.col, p.whole[:offset]) }

// after is where one stands behind s.
func after(line, col int, s string) (int, int) {
	if n := strings.Count(s, "\n"); n > 0 {
		line, col = line+n, 1
		s = s[strings.LastIndexByte(s, '\n')+1:]
	}
	return line, col + utf8.RuneCountInString(s)
}

// tagKind tells a tag by its first word.
func tagKind(body string) kind {
	body = strings.TrimSpace(body)
	for k := each; k <= end; k++ {
		rest, ok := strings.CutPrefix(body, words[k])
		if ok && (rest == "" || strings.IndexByte(" \t\r\n(\"'", rest[0]) >= 0) {
			return k
		}
	}
	return value
}

// tagEnd is the length of the tag that s begins with, -1 when it has no end. The
// }} that ends it stands outside of quotes and of braces that an expression opens:
//
//	{{ {"a": {"b": "}}"}}["a"]["b"] }}
func tagEnd(s string) int {
	depth := 0
	for i := 2; i < len(s); {
		switch c := s[i]; {
		case c == '"' || c == '\'':
			n := quoted(s[i:], i > 0 && (s[i-1]|0x20) == 'r')
			if n < 0 {
				return -1
			}
			i += n
			continue
		case c == '{':
			depth++
		case c == '}' && depth > 0:
			depth--
		case c == '}' && strings.HasPrefix(s[i:], "}}"):
			return i + 2
		}
		i++
	}
	return -1
}

// quoted is the length of the string literal of CEL that s begins with: in one or
// three quotes, raw ones without escapes.
func quoted(s string, raw bool) int {
	q := s[:1]
	if triple := strings.Repeat(q, 3); strings.HasPrefix(s, triple) {
		q = triple
	}
	for i := len(q); i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], q):
			return i + len(q)
		case s[i] == '\\' && !raw:
			i++
		case s[i] == '\n' && len(q) == 1:
			return -1
		}
	}
	return -1
}
