package template

import (
	"strings"

	"github.com/spine-engine/spine-engine/hl7"
)

// tracker follows the literal text of a template and knows at each value how it
// is to be escaped there.
type tracker interface {
	// literal reads on. What it answers, if anything, is a problem at the given
	// offset of s, with a hint.
	literal(s string) (offset int, problem, hint string)
	// value gives the escape for a value here, nil and a problem when none may be.
	value() (esc escape, problem, hint string)
	// state is comparable: a block must end where it began.
	state() any
}

func newTracker(f Format, d *hl7.Delimiters) tracker {
	switch f {
	case XML:
		return &xmlPlace{}
	case JSON:
		return &jsonPlace{}
	case HL7:
		return &er7Place{delims: d, fresh: true}
	}
	return textPlace{}
}

type textPlace struct{}

func (textPlace) literal(string) (int, string, string) { return 0, "", "" }
func (textPlace) value() (escape, string, string)      { return asIs, "", "" }
func (textPlace) state() any                           { return nil }

// er7Place looks for the headers, which declare the delimiters.
type er7Place struct {
	delims *hl7.Delimiters
	found  bool
	fresh  bool   // nothing but literal text stands on this line so far
	line   string // that text, as far as a header reaches
}

func (e *er7Place) literal(s string) (int, string, string) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\n' {
			bad := e.fresh && e.header() && !e.declared() && !e.declare()
			e.fresh, e.line = true, ""
			if bad {
				return i, notDelimiters, delimiterHint
			}
			continue
		}
		if !e.fresh || len(e.line) == 0 && (c == ' ' || c == '\t') || len(e.line) > 12 || e.declared() {
			continue
		}
		e.line += s[i : i+1]
		if e.header() && e.declared() && !e.declare() {
			return i, notDelimiters, delimiterHint
		}
	}
	return 0, "", ""
}

const (
	notDelimiters = "MSH-1 and MSH-2 declare no delimiters that can be used, or others than an MSH before"
	delimiterHint = `begin it with MSH|^~\&|`
)

func (e *er7Place) header() bool { return strings.HasPrefix(e.line, "MSH") }

// declared tells whether MSH-2 is complete on this line: MSH|^~\&|
func (e *er7Place) declared() bool {
	return len(e.line) > 5 && e.header() && strings.IndexByte(e.line[4:], e.line[3]) > 0
}

// declare takes over what the header on this line says.
func (e *er7Place) declare() bool {
	m, err := hl7.Parse([]byte(e.line + "\r"))
	if err != nil || e.found && m.Delimiters() != *e.delims {
		return false
	}
	*e.delims, e.found = m.Delimiters(), true
	return true
}

func (e *er7Place) value() (escape, string, string) {
	if e.fresh && e.header() && !e.declared() {
		return nil, "MSH-1 and MSH-2 cannot be computed", delimiterHint
	}
	e.fresh = false
	return er7(e.delims), "", ""
}

func (e *er7Place) state() any { return nil }

// jsonPlace tells strings from what is between them.
type jsonPlace struct{ in, escaped bool }

func (j *jsonPlace) literal(s string) (int, string, string) {
	for i := range len(s) {
		switch {
		case j.escaped:
			j.escaped = false
		case j.in && s[i] == '\\':
			j.escaped = true
		case s[i] == '"':
			j.in = !j.in
		}
	}
	return 0, "", ""
}

func (j *jsonPlace) value() (escape, string, string) {
	switch {
	case j.escaped:
		return nil, "a value cannot stand behind a backslash", "write the backslash twice, or compute the whole string"
	case j.in:
		return jsonWithin, "", ""
	}
	return jsonString, "", ""
}

func (j *jsonPlace) state() any { return *j }
