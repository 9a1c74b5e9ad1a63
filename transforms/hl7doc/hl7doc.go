package hl7doc

import (
	"errors"
	"fmt"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
)

// Doc is a message.Doc over HL7 v2 ER7.
type Doc struct{ M *hl7.Message }

var _ message.Doc = (*Doc)(nil)

// Parse reads one message.
func Parse(b []byte, o hl7.Options) (*Doc, error) {
	m, err := hl7.ParseWith(b, o)
	if err != nil {
		return nil, err
	}
	return &Doc{M: m}, nil
}

// Selector compiles the text of a selector. The error is a *hl7.PathError.
func Selector(text string) (message.Selector, error) {
	p, err := hl7.ParsePath(text)
	if err != nil {
		return nil, err
	}
	return p, nil
}

func path(s message.Selector) hl7.Path {
	p, _ := s.(hl7.Path)
	return p
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
	t := d.M.Get(path(s))
	if t == `""` && d.M.State(path(s)) == hl7.Null {
		return ""
	}
	return t
}

// Presence of the first match.
func (d *Doc) Presence(s message.Selector) message.Presence {
	switch d.M.State(path(s)) {
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
	var out []string
	for n := range d.M.All(path(s)) {
		t := n.Text()
		if n.State() == hl7.Null {
			t = ""
		}
		out = append(out, t)
	}
	return out
}

// Expand walks lists of segments: OBX(*)-5 is OBX(#1)-5, OBX(#2)-5 and so on.
func (d *Doc) Expand(s message.Selector) ([]message.Selector, bool) {
	p := path(s)
	if !p.IsList() {
		return []message.Selector{s}, true
	}
	if p.InGroup() || p.Occurrence(1).IsList() {
		return nil, false
	}
	var out []message.Selector
	for n := 1; d.M.State(segmentOf(p, n)) != hl7.Absent; n++ {
		out = append(out, p.Occurrence(n))
	}
	return out, true
}

// segmentOf is the n-th segment that p's list walks, whatever its field holds.
func segmentOf(p hl7.Path, n int) hl7.Path {
	seg, _ := cutSegment(p.Occurrence(n).String())
	return mustSegment(seg)
}

// Set writes a text.
func (d *Doc) Set(s message.Selector, text string) error { return mark(d.M.Set(path(s), text)) }

// SetRaw writes ER7.
func (d *Doc) SetRaw(s message.Selector, raw string) error {
	return mark(d.M.SetRaw(path(s), []byte(raw)))
}

// SetNull writes HL7 null.
func (d *Doc) SetNull(s message.Selector) error { return mark(d.M.SetNull(path(s))) }

// Remove takes out segments, or empties deeper nodes. A condition that matches
// nothing has nothing to remove.
func (d *Doc) Remove(s message.Selector) (int, error) {
	n, err := d.M.Remove(path(s))
	if errors.Is(err, hl7.ErrNoMatch) {
		return 0, nil
	}
	return n, err
}

// Copy writes what from selects in src to to.
func (d *Doc) Copy(src message.Doc, from, to message.Selector) error {
	o, ok := src.(*Doc)
	if !ok {
		return fmt.Errorf("cannot copy from a %s document into an hl7 one", src.Format())
	}
	return mark(d.M.CopyFrom(o.M, path(from), path(to)))
}

// Clone gives an independent copy.
func (d *Doc) Clone() message.Doc { return &Doc{M: d.M.Clone()} }

// noMatch carries hl7's own text and is message.ErrNoMatch.
type noMatch struct{ error }

func (noMatch) Is(target error) bool { return target == message.ErrNoMatch }

func mark(err error) error {
	if errors.Is(err, hl7.ErrNoMatch) {
		return noMatch{err}
	}
	return err
}
