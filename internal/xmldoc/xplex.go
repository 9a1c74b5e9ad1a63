package xmldoc

import (
	"strings"
)

// lexKind is the kind of a token of XPath (XPath 1.0 section 3.7).
type lexKind uint8

const (
	tEnd     lexKind = iota
	tSign            // ( ) [ ] . .. @ , ::
	tOp              // and or mod div * / // | + - = != < <= > >=
	tName            // a, p:a, p:*, * as a name test
	tLiteral         // text without its quotes
	tNumber
)

type lexeme struct {
	kind   lexKind
	text   string // for tName the local part, "*" for any
	prefix string
	at     int // bytes into the selector
}

// is tells whether it is a certain sign or operator.
func (l lexeme) is(text string) bool { return (l.kind == tSign || l.kind == tOp) && l.text == text }

// lexer cuts a selector into tokens.
type lexer struct {
	in   string
	i    int
	list []lexeme
}

var signs = [...]string{"::", "..", "//", "!=", "<=", ">=", "(", ")", "[", "]", ".", "@", ",", "/", "|", "+", "-", "=", "<", ">", "*"}

func (l *lexer) all() ([]lexeme, *SelectorError) {
	for {
		for l.i < len(l.in) && isSpace(l.in[l.i]) {
			l.i++
		}
		if l.i == len(l.in) {
			l.list = append(l.list, lexeme{kind: tEnd, at: l.i})
			return l.list, nil
		}
		if err := l.one(); err != nil {
			return nil, err
		}
	}
}

// afterOperand: a * or a name here is an operator, by the rule of section 3.7.
func (l *lexer) afterOperand() bool {
	if len(l.list) == 0 {
		return false
	}
	last := l.list[len(l.list)-1]
	switch last.kind {
	case tOp:
		return false
	case tSign:
		return last.text == ")" || last.text == "]" || last.text == "." || last.text == ".."
	}
	return true
}

func (l *lexer) one() *SelectorError {
	rest := l.in[l.i:]
	c := rest[0]
	switch {
	case c == '"' || c == '\'':
		end := strings.IndexByte(rest[1:], c)
		if end < 0 {
			return l.fail("a text without its closing quote", "")
		}
		l.add(tLiteral, rest[1:1+end], end+2)
		return nil
	case digit(c) || c == '.' && len(rest) > 1 && digit(rest[1]):
		n := 0
		for n < len(rest) && (digit(rest[n]) || rest[n] == '.') {
			n++
		}
		if strings.Count(rest[:n], ".") > 1 {
			return l.fail("not a number", "")
		}
		l.add(tNumber, rest[:n], n)
		return nil
	case c == '$':
		return l.fail("variables are not available", "write the value as a text in quotes; a selector is not put together from values")
	}
	if end := ncName([]byte(rest[:min(len(rest), 1024)]), 0); end > 0 {
		return l.name(rest, end)
	}
	for _, s := range signs {
		if strings.HasPrefix(rest, s) {
			return l.sign(s)
		}
	}
	return l.fail("a character that has no meaning in XPath", "")
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func (l *lexer) sign(s string) *SelectorError {
	kind := tOp
	switch s {
	case "::", "..", "(", ")", "[", "]", ".", "@", ",":
		kind = tSign
	case "*":
		if !l.afterOperand() {
			kind = tName
		}
	}
	l.add(kind, s, len(s))
	return nil
}

// name reads a name, p:name or p:*, or an operator that is written as a name.
func (l *lexer) name(rest string, end int) *SelectorError {
	if l.afterOperand() {
		switch word := rest[:end]; word {
		case "and", "or", "mod", "div":
			l.add(tOp, word, end)
			return nil
		}
		return l.fail("a name where an operator must stand", "put and, or, =, | between two paths, and / between two steps")
	}
	if end+1 >= len(rest) || rest[end] != ':' || rest[end+1] == ':' {
		l.add(tName, rest[:end], end)
		return nil
	}
	local := ncName([]byte(rest), end+1)
	if rest[end+1] == '*' {
		local = end + 2
	}
	if local == end+1 {
		return l.fail("a prefix without a name", "")
	}
	l.list = append(l.list, lexeme{kind: tName, text: rest[end+1 : local], prefix: rest[:end], at: l.i})
	l.i += local
	return nil
}

func (l *lexer) add(k lexKind, text string, n int) {
	l.list = append(l.list, lexeme{kind: k, text: text, at: l.i})
	l.i += n
}

func (l *lexer) fail(text, hint string) *SelectorError {
	return &SelectorError{Input: l.in, Offset: l.i, Text: text, Hint: hint}
}
