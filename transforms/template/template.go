package template

import (
	"fmt"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
)

// Format is what a template makes.
type Format uint8

// The formats.
const (
	HL7 Format = iota
	XML
	JSON
	Text
)

// FormatNames lists the names that ParseFormat knows.
func FormatNames() []string { return []string{"hl7", "xml", "json", "text"} }

func (f Format) String() string {
	if int(f) < len(FormatNames()) {
		return FormatNames()[f]
	}
	return "unknown"
}

// ParseFormat is the inverse of String; false for a name that is none.
func ParseFormat(name string) (Format, bool) {
	for i, n := range FormatNames() {
		if n == name {
			return Format(i), true
		}
	}
	return 0, false
}

// Problem is something wrong with a template. Line and Column count from 1, the
// column in characters.
type Problem struct {
	File         string
	Line, Column int
	Text, Hint   string
}

func (p Problem) String() string {
	out := fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Text)
	if p.Hint != "" {
		out += "; " + p.Hint
	}
	return out
}

// Compiler makes what stands in tags executable. line and col say where in the
// template src begins, as in Problem. What it cannot compile it reports on its own
// and answers nil.
type Compiler interface {
	// Value compiles the expression of {{ src }}, whose result is a text.
	Value(src string, line, col int) transforms.Value
	// Condition compiles the expression of {{if src}}.
	Condition(src string, line, col int) transforms.Condition
	// Each compiles the selector of {{each selector as name}} and opens a scope in
	// which expressions know the name; slot is where the items are bound while the
	// block is rendered. done, which may be nil, closes the scope at {{end}}.
	Each(selector, name string, line, col int) (s message.Selector, slot int, done func())
}

// Template is a parsed template. It is read-only and serves many goroutines.
type Template struct {
	// Limit is the most that Render makes, in bytes; 0 means DefaultLimit. It is
	// set before the template is used.
	Limit  int
	file   string
	format Format
	nodes  []node
	delims hl7.Delimiters
}

// DefaultLimit is the most that a template makes when nothing else is said.
const DefaultLimit = 16 << 20

// Limits of the template's own text.
const (
	maxSource = 4 << 20
	maxDepth  = 32
)

// node is one thing to render.
type node struct {
	kind    kind
	line    int
	literal string
	value   transforms.Value
	esc     escape
	cond    transforms.Condition
	sel     message.Selector
	slot    int
	body    []node
}

// File is the name the template was parsed with.
func (t *Template) File() string { return t.file }

// Format is what it makes.
func (t *Template) Format() Format { return t.format }
