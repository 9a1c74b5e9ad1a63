package hl7

import (
	"strconv"
	"strings"
)

// A Level says how deep a path goes.
type Level int

// The levels of a message, from the outside in.
const (
	SegmentLevel Level = iota
	FieldLevel
	RepetitionLevel
	ComponentLevel
	SubcomponentLevel
)

// A Path is a parsed selector, such as PID-5.1 or OBX(3.1=8302-2)(*)-5. It is
// immutable and may be shared by goroutines. The zero Path selects nothing.
type Path struct{ p *path }

// all is the which of (*).
const all = -1

type path struct {
	group     *step // OBR(#2)/ or OBR(#2)>
	run       bool  // > : directly after the group's anchor
	seg       step
	field     int // 0: the segment
	rep       choice
	comp, sub int // 0: not given
	text      string
	simple    bool // no group, no condition, no (*), no anchor

	at    Anchor // given: the path is below an anchor
	below byte   // then: '/' or '>' when it selects segments below it, 0 when the anchor itself
}

// sealed makes the Path of a path that is complete.
func (p *path) sealed() Path {
	if !p.at.given() { // below an anchor the text has the item's name
		p.text = p.canonical()
	}
	p.simple = !p.at.given() && p.group == nil && len(p.seg.conds)+len(p.rep.conds) == 0 && p.seg.which != all && p.rep.which != all
	return Path{p}
}

// step selects segments.
type step struct {
	id string
	choice
}

// choice is what stands in parentheses: conditions, then which of those that meet them.
type choice struct {
	conds []cond
	which int // 0 = not written (the first), all, or n from 1
}

func (c *choice) given() bool { return c.which != 0 || len(c.conds) > 0 }

// cond: the text at field.comp.sub must equal text. Within a field's selector field is 0.
type cond struct {
	field, comp, sub int
	text             string
}

// IsZero tells whether p is the zero Path.
func (p Path) IsZero() bool { return p.p == nil }

// String is the canonical form.
func (p Path) String() string {
	if p.p == nil {
		return ""
	}
	return p.p.text
}

// Segment is the id of the selected segment.
func (p Path) Segment() string {
	if p.p == nil {
		return ""
	}
	return p.p.seg.id
}

// Field is the field's number, 0 for a path to a segment.
func (p Path) Field() int {
	if p.p == nil {
		return 0
	}
	return p.p.field
}

// Component is the component's number, 0 if the path does not go that deep.
func (p Path) Component() int {
	if p.p == nil {
		return 0
	}
	return p.p.comp
}

// Subcomponent is the subcomponent's number, 0 if the path does not go that deep.
func (p Path) Subcomponent() int {
	if p.p == nil {
		return 0
	}
	return p.p.sub
}

// IsList tells whether the path holds (*), or is a group of segments, and so may
// match more than one node.
func (p Path) IsList() bool {
	return p.p != nil && (p.p.at.group > 0 && p.p.below == 0 || p.p.seg.which == all || p.p.rep.which == all || p.p.group != nil && p.p.group.which == all)
}

// HasCondition tells whether the path selects by value, as in PID-3(5=NH).
func (p Path) HasCondition() bool {
	return p.p != nil && (len(p.p.seg.conds) > 0 || len(p.p.rep.conds) > 0 || p.p.group != nil && len(p.p.group.conds) > 0)
}

// InGroup tells whether the path starts from an anchor, as in OBR(#2)/OBX-5.
func (p Path) InGroup() bool { return p.p != nil && p.p.group != nil }

// DeepestLevel is the level of the selected node. PID-3 is a field, PID-3(#1) a repetition.
func (p Path) DeepestLevel() Level {
	switch {
	case p.p == nil || p.p.field == 0:
		return SegmentLevel
	case p.p.sub > 0:
		return SubcomponentLevel
	case p.p.comp > 0:
		return ComponentLevel
	case p.p.rep.given():
		return RepetitionLevel
	}
	return FieldLevel
}

// Occurrence gives the same path into the n-th (from 1) of the segments p's own
// segment selector would choose among: OBX(*)-5 becomes OBX(#2)-5.
func (p Path) Occurrence(n int) Path {
	if p.p == nil || n < 1 {
		return Path{}
	}
	c := *p.p
	c.seg.which = n
	return c.sealed()
}

func (p *path) canonical() string {
	var s strings.Builder
	if p.group != nil {
		p.group.write(&s)
		if p.run {
			s.WriteByte('>')
		} else {
			s.WriteByte('/')
		}
	}
	p.seg.write(&s)
	if p.field > 0 {
		s.WriteString("-" + strconv.Itoa(p.field))
		p.rep.write(&s)
	}
	for _, n := range []int{p.comp, p.sub} {
		if n > 0 {
			s.WriteString("." + strconv.Itoa(n))
		}
	}
	return s.String()
}

func (s *step) write(w *strings.Builder) {
	w.WriteString(s.id)
	s.choice.write(w)
}

func (c *choice) write(w *strings.Builder) {
	for i, k := range c.conds {
		w.WriteByte("(&"[min(i, 1)])
		k.write(w)
	}
	if len(c.conds) > 0 {
		w.WriteByte(')')
	}
	switch {
	case c.which == all:
		w.WriteString("(*)")
	case c.which > 0:
		w.WriteString("(#" + strconv.Itoa(c.which) + ")")
	}
}

func (k *cond) write(w *strings.Builder) {
	dot := ""
	for _, n := range []int{k.field, k.comp, k.sub} {
		if n > 0 {
			w.WriteString(dot + strconv.Itoa(n))
			dot = "."
		}
	}
	w.WriteByte('=')
	if k.text != "" && strings.IndexFunc(k.text, notBare) < 0 {
		w.WriteString(k.text)
		return
	}
	w.WriteString(`"` + quoting.Replace(k.text) + `"`)
}

var quoting = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// notBare: characters that need quotes in a condition, because the grammar or YAML uses them.
func notBare(r rune) bool { return r <= ' ' || strings.ContainsRune(`()&,#:"`, r) }
