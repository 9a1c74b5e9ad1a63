package template

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spine-engine/spine-engine/hl7"
)

// Parse reads a template. file names it in problems and errors. The template is
// nil when anything is wrong with it: the problems are those found here, beside
// those that c has reported on its own.
func Parse(file string, src []byte, f Format, c Compiler) (*Template, []Problem) {
	one := func(line, col int, hint, text string) (*Template, []Problem) {
		return nil, []Problem{{File: file, Line: line, Column: col, Text: text, Hint: hint}}
	}
	if len(src) > maxSource {
		return one(1, 1, "", fmt.Sprintf("the template is larger than %d bytes", maxSource))
	}
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	if i := invalidUTF8(src); i >= 0 {
		line, col := after(1, 1, string(src[:i]))
		return one(line, col, "save it as UTF-8", "the template is not UTF-8 here")
	}
	t := &Template{file: file, format: f, delims: hl7.StandardDelimiters()}
	l := lexer{file: file, rest: lineEnds(string(src), f), line: 1, col: 1}
	l.run()
	dropTagLines(l.pieces)
	p := parser{lexer: l, c: c, tracker: newTracker(f, &t.delims)}
	t.nodes, _ = p.block(0)
	if len(p.problems) == 0 {
		if problem, hint := whole(p.tracker); problem != "" {
			return one(p.line, p.col, hint, problem)
		}
	}
	if len(p.problems) > 0 || p.failed {
		return nil, p.problems
	}
	return t, nil
}

// whole says what the template as a whole lacks.
func whole(t tracker) (problem, hint string) {
	switch t := t.(type) {
	case *er7Place:
		if !t.found {
			return "an hl7 template has an MSH", delimiterHint
		}
	case *xmlPlace:
		switch n := t.unclosed(); {
		case n > 0:
			return "the template ends with an element open", "close every element"
		case n < 0:
			return "the template closes more elements than it opens", "remove what closes nothing"
		}
		if t.at.m != content {
			return "the template ends within a tag, a comment or CDATA", "close it"
		}
	case *jsonPlace:
		if t.in {
			return "the template ends within a string", "close its quotes"
		}
	}
	return "", ""
}

func invalidUTF8(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// lineEnds makes the line ends of an hl7 template LF; they become CR as they are
// written. Other formats keep theirs.
func lineEnds(s string, f Format) string {
	if f != HL7 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// parser makes nodes of pieces.
type parser struct {
	lexer
	c       Compiler
	tracker tracker
	next    int
	failed  bool // the compiler has reported a problem
}

// block reads up to the {{end}} that closes it, or to the end of the template.
func (p *parser) block(depth int) (out []node, closed bool) {
	for p.next < len(p.pieces) {
		x := &p.pieces[p.next]
		p.next++
		switch x.kind {
		case text:
			if n, ok := p.text(x); ok {
				out = append(out, n)
			}
		case value:
			out = append(out, p.value(x))
		case end:
			if x.src != "" {
				p.problem(x.line, x.col, "write {{end}}", "an end takes nothing")
			}
			if depth > 0 {
				return out, true
			}
			p.problem(x.line, x.col, "remove it, or write the {{each}} or {{if}} it closes", "{{end}} closes nothing")
		default:
			out = append(out, p.open(x, depth+1))
		}
	}
	return out, false
}

func (p *parser) text(x *piece) (node, bool) {
	offset, problem, hint := p.tracker.literal(x.whole)
	if problem != "" {
		line, col := x.at(offset)
		p.problem(line, col, hint, problem)
	}
	n := node{kind: text, line: x.line, literal: x.src}
	if _, er7 := p.tracker.(*er7Place); er7 {
		n.literal = indents.ReplaceAllString(n.literal, "\n")
	}
	return n, n.literal != ""
}

// indents are blank lines, and blanks before a segment.
var indents = regexp.MustCompile(`\n[ \t\n]+`)

func (p *parser) value(x *piece) node {
	line, col := x.at(x.inner)
	n := node{kind: value, line: x.line}
	switch word, _, _ := strings.Cut(x.src, " "); {
	case x.src == "":
		p.problem(x.line, x.col, "", "the tag is empty")
		return n
	case word == "else" || word == "elseif":
		p.problem(line, col, "write {{end}} and a second {{if}} with the opposite condition", "there is no else")
		return n
	case strings.IndexByte("/#>^&", x.src[0]) >= 0:
		p.problem(line, col, "tags are {{ expression }}, {{each SELECTOR as name}}, {{if EXPRESSION}} and {{end}}", "there is no such tag")
		return n
	}
	esc, problem, hint := p.tracker.value()
	if problem != "" {
		p.problem(x.line, x.col, hint, problem)
	}
	n.esc = esc
	if n.value = p.c.Value(x.src, line, col); n.value == nil {
		p.failed = true
	}
	return n
}

// open reads a block: its tag, its body, and that it ends where it began.
func (p *parser) open(x *piece, depth int) node {
	n := node{kind: x.kind, line: x.line}
	var done func()
	if x.kind == each {
		done = p.each(x, &n)
	} else {
		p.cond(x, &n)
	}
	before := p.tracker.state()
	if depth > maxDepth {
		p.problem(x.line, x.col, "", fmt.Sprintf("blocks stand more than %d deep", maxDepth))
		p.next = len(p.pieces)
		return n
	}
	body, closed := p.block(depth)
	if n.body = body; done != nil {
		done()
	}
	switch {
	case !closed:
		p.problem(x.line, x.col, "write {{end}} where it ends", "the block is not closed")
	case p.tracker.state() != before:
		p.problem(x.line, x.col, "a block holds whole elements, attributes or strings", "the block ends in another place of the "+p.format()+" than it begins in")
	}
	return n
}

func (p *parser) format() string {
	if _, ok := p.tracker.(*xmlPlace); ok {
		return "XML"
	}
	return "JSON"
}

func (p *parser) cond(x *piece, n *node) {
	line, col := x.at(x.inner)
	if x.src == "" {
		p.problem(x.line, x.col, "write {{if EXPRESSION}}", "the if has no expression")
		return
	}
	if n.cond = p.c.Condition(x.src, line, col); n.cond == nil {
		p.failed = true
	}
}

// eachTag is SELECTOR as name, the selector bare or in quotes.
var eachTag = regexp.MustCompile(`(?s)^(.*\S)\s+as\s+([a-z][a-z0-9_]*)$`)

func (p *parser) each(x *piece, n *node) (done func()) {
	m := eachTag.FindStringSubmatch(x.src)
	if m == nil {
		p.problem(x.line, x.col, `write {{each SELECTOR as name}}, such as {{each "OBX(*)" as obx}}; names are lower case`, "the each cannot be read")
		return nil
	}
	sel, skip := unquote(m[1])
	line, col := x.at(x.inner + skip)
	n.sel, n.slot, done = p.c.Each(sel, m[2], line, col)
	if n.sel == nil {
		p.failed = true
	}
	return done
}

// unquote takes the quotes off a selector; skip is how many bytes stood before it.
func unquote(s string) (sel string, skip int) {
	if len(s) < 2 || s[0] != s[len(s)-1] {
		return s, 0
	}
	switch s[0] {
	case '\'':
		return s[1 : len(s)-1], 1
	case '"':
		if u, err := strconv.Unquote(s); err == nil {
			return u, 1
		}
	}
	return s, 0
}
