package xmldoc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Create makes the node that a selector asks for and writes the values of its
// conditions, so that the selector matches afterwards:
//
//	/v:A/v:Id[@type="NH"]            a further v:Id with type="NH"
//	/v:A/v:Id[v:Kind="NH"]/v:Value   a further v:Id with a v:Kind in it, and a v:Value
func (d *Doc) Create(s message.Selector) error {
	x, err := settable(s)
	if err != nil {
		return err
	}
	set, err := d.all(x)
	if err != nil || len(set) > 0 {
		return err
	}
	_, err = d.makeNode(x, true)
	return err
}

// noMatch says that nothing is there and nothing can be made.
func noMatch(x *Selector, why string) error {
	return &SetError{Selector: x.in, Text: message.ErrNoMatch.Error() + ": " + why, Err: message.ErrNoMatch}
}

// makeNode makes what x selects, below the deepest part of its path that is there.
func (d *Doc) makeNode(x *Selector, conditions bool) (uint32, error) {
	if x.plain == nil {
		return 0, noMatch(x, "only a path of names can be made")
	}
	p := x.plain
	r := run{d: d}
	at := p.begin(&r, context{})
	steps := p.steps
	for k := len(steps) - 1; k >= 0; k-- {
		if set := r.steps(slices.Clone(at), steps[:k]); len(set) > 0 || k == 0 {
			at, steps = set, steps[k:]
			break
		}
	}
	switch {
	case r.err != nil:
		return 0, fmt.Errorf("xml: %s: %w", x, r.err)
	case len(at) == 0:
		return 0, noMatch(x, "the item it begins at is not there")
	}
	why := makeable(steps, conditions)
	switch {
	case why != "":
		return 0, noMatch(x, why)
	case len(at) > 1:
		return 0, several(x, len(at))
	}
	if why = d.roomFor(at[0], len(steps)); why != "" {
		return 0, noMatch(x, why)
	}
	return d.makeSteps(at[0], steps)
}

// roomFor says why no steps can be made below a node; "" when they can.
func (d *Doc) roomFor(at uint32, steps int) string {
	switch {
	case d.at(at).kind == kRoot:
		return "the root element has another name"
	case d.at(at).kind != kElement:
		return "what is there is no element"
	case d.depth(at)+steps > d.lim.MaxDepth || int(d.count)+4*steps > d.lim.MaxNodes:
		return "the document is at its limits"
	}
	return ""
}

// makeable says why steps are not of the kind that can be made; "" when they are.
func makeable(steps []step, conditions bool) string {
	for k := range steps {
		s := &steps[k]
		last := k == len(steps)-1
		switch {
		case last && s.axis == child && s.test.nodes == textNode && len(s.preds) == 0:
		case s.axis != child && (s.axis != attributes || !last), s.test.nodes != principal, s.test.anyName:
			return "only steps that are names can be made"
		case len(s.preds) == 0:
		case !conditions || s.axis == attributes:
			return "no node meets the condition"
		default:
			if _, ok := wishes(s.preds); !ok {
				return `only conditions like [@a="x"] and [b="x"] can be made true`
			}
		}
	}
	return ""
}

// wish is one condition that a new element shall meet.
type wish struct {
	s    *step
	text string
}

// wishes reads conditions of the form [@a="x"], [b="x"], and those joined by and.
func wishes(preds []expr) (out []wish, ok bool) {
	for _, p := range preds {
		o, is := p.(*operation)
		if !is {
			return nil, false
		}
		if o.op == "and" {
			both, ok := wishes([]expr{o.l, o.r})
			if !ok {
				return nil, false
			}
			out = append(out, both...)
			continue
		}
		l, r := o.l, o.r
		if _, swap := l.(literal); swap {
			l, r = r, l
		}
		at, isPath := l.(*path)
		text, isText := r.(literal)
		if o.op != "=" || !isPath || !isText || at.from != fromContext || len(at.steps) != 1 {
			return nil, false
		}
		s := &at.steps[0]
		if s.axis != child && s.axis != attributes || s.test.nodes != principal || s.test.anyName || len(s.preds) > 0 {
			return nil, false
		}
		out = append(out, wish{s, string(text)})
	}
	return out, true
}

func (d *Doc) makeSteps(at uint32, steps []step) (uint32, error) {
	for k := range steps {
		s := &steps[k]
		if s.test.nodes == textNode {
			return at, nil
		}
		var err error
		if at, err = d.makeStep(at, s); err != nil {
			return 0, err
		}
		list, _ := wishes(s.preds)
		for _, w := range list {
			i, err := d.makeStep(at, w.s)
			if err == nil {
				err = d.setText(&Selector{}, i, w.text)
			}
			if err != nil {
				return 0, err
			}
		}
	}
	return at, nil
}

func (d *Doc) makeStep(at uint32, s *step) (uint32, error) {
	if s.axis == attributes {
		return d.addNamed(at, s.test.space, s.test.local, s.test.prefix, "")
	}
	return d.addElement(at, s.test.space, s.test.local, s.test.prefix), nil
}

// addElement puts an empty element behind the last element of at; white space
// that ends a pretty-printed element stays behind it.
func (d *Doc) addElement(at uint32, uri, local, want string) uint32 {
	prefix, declare := d.prefixFor(at, uri, want, false)
	name := local
	if prefix != "" {
		name = prefix + ":" + local
	}
	decl := ""
	if declare {
		decl = " " + declaration(prefix) + `="` + mustEscape(uri, d.src.enc) + `"`
	}
	last, end := uint32(0), uint32(0)
	for c := d.at(at).first; c != 0; c = d.at(c).next {
		if end = c; d.at(c).kind == kElement {
			last = c
		}
	}
	if last == 0 || d.at(last).next != end || d.at(end).kind != kText || strings.TrimSpace(d.value(end)) != "" {
		last = end
	}
	return d.graft(at, last, []byte("<"+name+decl+"></"+name+">"))
}
