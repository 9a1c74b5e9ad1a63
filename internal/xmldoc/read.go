package xmldoc

import (
	"fmt"

	"github.com/spine-engine/spine-engine/internal/message"
)

// first is the first node that s selects.
func (d *Doc) first(s *Selector) (uint32, bool) {
	if s.plain != nil {
		if i, known := d.quick(s.plain); known {
			return i, i != 0
		}
	}
	v, err := d.eval(s)
	d.note(err)
	if len(v.set) == 0 {
		return 0, false
	}
	return v.set[0], true
}

// quick finds the first node of a path of children and attributes without
// predicates, as most are, without making sets. known is false for others.
func (d *Doc) quick(p *path) (i uint32, known bool) {
	if p.from == fromExpr {
		return 0, false
	}
	for k := range p.steps {
		if s := &p.steps[k]; len(s.preds) > 0 || s.axis != child && s.axis != attributes {
			return 0, false
		}
	}
	from := uint32(0)
	if p.from == fromItem {
		var ok bool
		if from, ok = d.bound(p.slot); !ok {
			return 0, true
		}
	}
	if len(p.steps) == 0 {
		return from, from != 0
	}
	return d.firstBelow(from, p.steps), true
}

func (d *Doc) firstBelow(from uint32, steps []step) uint32 {
	s := &steps[0]
	i := d.at(from).first
	if s.axis == attributes {
		i = d.at(from).attr
	}
	for ; i != 0; i = d.at(i).next {
		if !s.test.passes(d, s.axis, i) {
			continue
		}
		if len(steps) == 1 {
			return i
		}
		if found := d.firstBelow(i, steps[1:]); found != 0 {
			return found
		}
	}
	return 0
}

// mine is a selector of this package, or nil.
func mine(s message.Selector) *Selector {
	x, _ := s.(*Selector)
	return x
}

// Text is the string-value of the first match, or what the selector computes.
func (d *Doc) Text(s message.Selector) string {
	x := mine(s)
	switch {
	case x == nil:
		return ""
	case x.Computes():
		return d.computed(x)
	}
	if i, ok := d.first(x); ok && !d.isNil(i) {
		return d.value(i)
	}
	return ""
}

func (d *Doc) computed(x *Selector) string {
	r := run{d: d}
	out := r.string(x.x.eval(&r, context{0, 1, 1}))
	if r.err != nil {
		d.note(fmt.Errorf("xml: %s: %w", x, r.err))
		return ""
	}
	return out
}

// Presence of the first match. What a selector computes is present, or empty.
func (d *Doc) Presence(s message.Selector) message.Presence {
	x := mine(s)
	if x == nil {
		return message.Absent
	}
	if x.Computes() {
		if d.computed(x) == "" {
			return message.Empty
		}
		return message.Present
	}
	i, ok := d.first(x)
	switch {
	case !ok:
		return message.Absent
	case d.isNil(i):
		return message.Null
	case !d.hasValue(i):
		return message.Empty
	}
	return message.Present
}

// isNil: xsi:nil="true" (XML Schema part 1, section 2.6.2).
func (d *Doc) isNil(i uint32) bool {
	if d.at(i).kind != kElement {
		return false
	}
	a := d.attribute(i, inXSI, "nil")
	if a == 0 {
		return false
	}
	v := d.value(a)
	return v == "true" || v == "1"
}

// List gives the texts of all matches.
func (d *Doc) List(s message.Selector) []string {
	x := mine(s)
	if x == nil {
		return nil
	}
	if x.Computes() {
		return []string{d.computed(x)}
	}
	set, err := d.all(x)
	d.note(err)
	out := make([]string, 0, len(set))
	for _, i := range set {
		t := ""
		if !d.isNil(i) {
			t = d.value(i)
		}
		out = append(out, t)
	}
	return out
}

// Expand gives one selector for each match, in order; each means its node for
// as long as that is there, in this document and its clones. The selector itself
// when it matches one node or none, or computes.
func (d *Doc) Expand(s message.Selector) ([]message.Selector, bool) {
	x := mine(s)
	if x == nil || x.Computes() {
		return []message.Selector{s}, x != nil
	}
	set, err := d.all(x)
	if d.note(err); err != nil {
		return nil, false
	}
	if len(set) < 2 {
		return []message.Selector{s}, true
	}
	out := make([]message.Selector, len(set))
	for k, i := range set {
		out[k] = &Selector{in: x.in, x: x.x, preds: x.preds, settled: &item{d.src, i}}
	}
	return out, true
}

// foreign is the error for a selector of another format.
func foreign(s message.Selector) error {
	return fmt.Errorf("xml: %v is not a selector of XML: %w", s, message.ErrUnsupported)
}
