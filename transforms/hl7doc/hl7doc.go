package hl7doc

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
)

// Doc is a message.Doc, and a message.Walker, over HL7 v2 ER7.
type Doc struct {
	M     *hl7.Message
	slots []slot
}

// Parse reads one message.
func Parse(b []byte, o hl7.Options) (*Doc, error) {
	m, err := hl7.ParseWith(b, o)
	if err != nil {
		return nil, err
	}
	return &Doc{M: m}, nil
}

// Format is HL7.
func (d *Doc) Format() message.Format { return message.HL7 }

// Type is MSH-9.1.
func (d *Doc) Type() string { return d.M.Type() }

// Event is MSH-9.2.
func (d *Doc) Event() string { return d.M.Event() }

// ControlID is MSH-10, byte for byte.
func (d *Doc) ControlID() string { return d.M.ControlID() }

// Text is the first match; null reads as "".
func (d *Doc) Text(s message.Selector) string {
	p := d.reading(s)
	t := d.M.Get(p)
	if t == `""` && d.M.State(p) == hl7.Null {
		return ""
	}
	return t
}

// Presence of the first match.
func (d *Doc) Presence(s message.Selector) message.Presence {
	switch d.M.State(d.reading(s)) {
	case hl7.Empty:
		return message.Empty
	case hl7.Null:
		return message.Null
	case hl7.Value:
		return message.Present
	}
	return message.Absent
}

// List gives all matches.
func (d *Doc) List(s message.Selector) []string {
	out := d.M.Column(d.reading(s))
	for i, t := range out {
		if t == `""` { // null reads as nothing
			out[i] = ""
		}
	}
	return out
}

// Expand fixes the nodes of a list: OBX(*)-5 is OBX(#1)-5, OBX(#2)-5 and so on,
// and each stays that one whatever is edited.
func (d *Doc) Expand(s message.Selector) ([]message.Selector, bool) {
	p, err := d.path(s)
	switch {
	case err != nil:
		return nil, isNoMatch(err)
	case !p.IsList():
		return []message.Selector{s}, true
	}
	each := d.M.Each(p)
	out := make([]message.Selector, len(each))
	for i, e := range each {
		out[i] = e
	}
	return out, true
}

// Lacks tells whether a segment or repetition that a list chooses has nothing
// where the list leads, which Expand therefore leaves out.
func (d *Doc) Lacks(s message.Selector) bool { return d.M.Lacks(d.reading(s)) }

// Set writes a text.
func (d *Doc) Set(s message.Selector, text string) error {
	p, err := d.path(s)
	if err != nil {
		return err
	}
	return mark(d.M.Set(p, text))
}

// SetRaw writes ER7.
func (d *Doc) SetRaw(s message.Selector, raw string) error {
	p, err := d.path(s)
	if err != nil {
		return err
	}
	return mark(d.M.SetRaw(p, []byte(raw)))
}

// SetNull writes HL7 null.
func (d *Doc) SetNull(s message.Selector) error {
	p, err := d.path(s)
	if err != nil {
		return err
	}
	return mark(d.M.SetNull(p))
}

// Remove takes out segments, or empties deeper nodes. What matches nothing
// needs no removing.
func (d *Doc) Remove(s message.Selector) (int, error) {
	p, err := d.path(s)
	if err == nil {
		var n int
		if n, err = d.M.Remove(p); err == nil {
			return n, nil
		}
	}
	if isNoMatch(err) {
		return 0, nil
	}
	return 0, err
}

// Copy writes what from selects in src to to. Items of either side are those
// that its own document has bound.
func (d *Doc) Copy(src message.Doc, from, to message.Selector) error {
	o, ok := src.(*Doc)
	if !ok {
		return fmt.Errorf("cannot copy from a %s document into an hl7 one", src.Format())
	}
	source, err := o.path(from)
	if err != nil && !isNoMatch(err) {
		return err
	}
	if err != nil { // no such item: as absent as any other source
		source = absent
	}
	target, err := d.path(to)
	if err != nil {
		return err
	}
	return mark(d.M.CopyFrom(o.M, source, target))
}

// absent selects a field that no message can have.
var absent = hl7.MustPath("MSH-9999")

// Clone gives an independent copy that has the same items bound.
func (d *Doc) Clone() message.Doc { return &Doc{M: d.M.Clone(), slots: d.cloneSlots()} }

func (d *Doc) cloneSlots() []slot { return slices.Clone(d.slots) }

// noMatch carries hl7's own text and is message.ErrNoMatch.
type noMatch struct{ error }

func (noMatch) Is(target error) bool { return target == message.ErrNoMatch }

func mark(err error) error {
	if errors.Is(err, hl7.ErrNoMatch) {
		return noMatch{err}
	}
	return err
}

// isNoMatch: hl7's word for it or that of the documents.
func isNoMatch(err error) bool {
	return errors.Is(err, hl7.ErrNoMatch) || errors.Is(err, message.ErrNoMatch)
}
