package hl7

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Bounds of the numbers in a selector. The widest segment of any version has
// about 100 fields; an edit must not be able to make a gigabyte of separators.
const (
	maxField      = 9999
	maxOccurrence = 9_999_999
)

// ParsePath reads a selector.
//
//	path   = [ group ( "/" | ">" ) ] seg [ sel ] [ "-" field [ sel ] [ "." comp [ "." sub ] ] ]
//	group  = seg [ sel ]
//	sel    = "(" which ")" | "(" cond { "&" cond } ")" [ "(" which ")" ]
//	which  = "#" n | "*"
//	cond   = field [ "." comp [ "." sub ] ] "=" text     for a segment
//	       | comp [ "." sub ] "=" text                   for a field
//	text   = bare | "quoted", where \" and \\ stand for a quote and a backslash
//
// PID.5.1, PID-5-1 and OBX[3]-5[2] are read too; String gives the canonical
// form. All numbers count from 1. Errors: *PathError.
func ParsePath(s string) (Path, error) {
	r := &pathReader{s: s}
	p := &path{}
	r.path(p)
	if r.err != nil {
		return Path{}, r.err
	}
	return p.sealed(), nil
}

// MustPath is ParsePath for selectors written in code; it panics on a bad one.
func MustPath(s string) Path {
	p, err := ParsePath(s)
	if err != nil {
		panic(err)
	}
	return p
}

type pathReader struct {
	s   string
	i   int
	err error
}

func (r *pathReader) fail(at int, text, hint string) {
	if r.err == nil {
		r.err = &PathError{Input: r.s, Offset: at, Text: text, Hint: hint}
	}
}

func (r *pathReader) peek() byte {
	if r.err == nil && r.i < len(r.s) {
		return r.s[r.i]
	}
	return 0
}

func (r *pathReader) skip(c byte) bool {
	if r.peek() != c {
		return false
	}
	r.i++
	return true
}

func (r *pathReader) path(p *path) {
	r.step(&p.seg)
	if c := r.peek(); c == '/' || c == '>' {
		r.i++
		anchor := p.seg
		p.group, p.run, p.seg = &anchor, c == '>', step{}
		r.step(&p.seg)
	}
	if r.separator() {
		p.field = r.number(maxField)
		r.choice(&p.rep, false)
		if r.separator() {
			p.comp = r.number(maxField)
			if r.separator() {
				p.sub = r.number(maxField)
			}
		}
	}
	if r.err == nil && r.i < len(r.s) {
		r.fail(r.i, "unexpected character", "write SEG-field.component.subcomponent, such as PID-5.1")
	}
}

// separator takes - or . wherever one of them is meant: PID-5.1, PID.5.1, PID-5-1.
func (r *pathReader) separator() bool { return r.skip('-') || r.skip('.') }

func (r *pathReader) step(s *step) {
	at := r.i
	if at+3 > len(r.s) {
		r.fail(at, "a segment id has three characters", "such as PID")
		return
	}
	id := r.s[at : at+3]
	if !idOK([]byte(id)) {
		hint := "such as PID"
		if up := strings.ToUpper(id); len(up) == 3 && idOK([]byte(up)) {
			hint = "write " + up
		}
		r.fail(at, "a segment id is an upper-case letter and two upper-case letters or digits", hint)
		return
	}
	s.id = id
	r.i += 3
	r.choice(&s.choice, true)
}

// choice reads the optional selector of a segment or field.
func (r *pathReader) choice(c *choice, segment bool) {
	if r.peek() == '[' {
		r.bracket(c)
		return
	}
	if !r.skip('(') {
		return
	}
	if r.which(c) {
		return
	}
	for {
		c.conds = append(c.conds, r.cond(segment))
		if r.skip(')') {
			break
		}
		if !r.skip('&') {
			r.fail(r.i, "a condition ends with ) or goes on with &", `quote a text that holds blanks or ( ) & , # : "`)
			return
		}
	}
	switch {
	case r.peek() == '[':
		r.bracket(c)
	case r.skip('('):
		if !r.which(c) {
			r.fail(r.i, "after a condition only (#n) or (*) may follow", "join conditions with &")
		}
	}
}

// which reads #n) or *) after the opening parenthesis.
func (r *pathReader) which(c *choice) bool {
	at := r.i
	switch {
	case r.skip('*'):
		c.which = all
	case r.skip('#'):
		c.which = r.number(maxOccurrence)
	default:
		digits := strings.IndexByte(r.s[at:], ')')
		if digits > 0 && isNumber(r.s[at:at+digits]) {
			r.fail(at, "(n) is counted from 0 by some and from 1 by others", fmt.Sprintf("write (#%s), counted from 1", r.s[at:at+digits]))
			return true
		}
		return false
	}
	if !r.skip(')') {
		r.fail(r.i, "missing )", "")
	}
	return true
}

// bracket reads [n] and [*], which all who write them count from 1.
func (r *pathReader) bracket(c *choice) {
	r.i++
	if r.skip('*') {
		c.which = all
	} else {
		c.which = r.number(maxOccurrence)
	}
	if !r.skip(']') {
		r.fail(r.i, "missing ]", "")
	}
}

func (r *pathReader) cond(segment bool) (k cond) {
	nums := []*int{&k.field, &k.comp, &k.sub}
	if !segment {
		nums = nums[1:]
	}
	for i, n := range nums {
		if *n = r.number(maxField); i == len(nums)-1 || !r.skip('.') {
			break
		}
	}
	if !r.skip('=') {
		r.fail(r.i, "a condition needs =", "such as PID-3(5=NH) or OBX(3.1=8302-2)")
		return k
	}
	k.text = r.text()
	return k
}

func (r *pathReader) text() string {
	if r.skip('"') {
		return r.quoted()
	}
	at := r.i
	rest := r.s[min(at, len(r.s)):]
	n := strings.IndexFunc(rest, notBare)
	if n < 0 {
		n = len(rest)
	}
	if n == 0 {
		r.fail(at, "a condition needs a text after =", `write "" for the empty text`)
	}
	r.valid(rest[:n], at)
	r.i += n
	return rest[:n]
}

func (r *pathReader) quoted() string {
	at, start := r.i-1, r.i
	var s strings.Builder
	for ; r.i < len(r.s); r.i++ {
		switch c := r.s[r.i]; {
		case c == '"':
			r.i++
			r.valid(r.s[start:r.i-1], start)
			return s.String()
		case c == '\\' && r.i+1 < len(r.s) && (r.s[r.i+1] == '"' || r.s[r.i+1] == '\\'):
			r.i++
			s.WriteByte(r.s[r.i])
		default:
			s.WriteByte(c)
		}
	}
	r.fail(at, "missing closing quote", "")
	return ""
}

func (r *pathReader) valid(s string, at int) {
	if !utf8.ValidString(s) {
		r.fail(at, "the text of a condition is not valid UTF-8", "")
	}
}

// number reads a number from 1 to limit.
func (r *pathReader) number(limit int) int {
	at, n := r.i, 0
	for isDigit(r.peek()) {
		n = min(n*10+int(r.s[r.i]-'0'), limit+1)
		r.i++
	}
	switch {
	case r.err != nil:
	case r.i == at:
		r.fail(at, "a number is missing", "such as PID-5.1")
	case n == 0:
		r.fail(at, "indexes start at 1", "")
	case n > limit:
		r.fail(at, fmt.Sprintf("the number is above %d", limit), "")
	}
	return n
}

func isNumber(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}
