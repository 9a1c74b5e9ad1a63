package transforms

import "github.com/spine-engine/spine-engine/internal/message"

// Copy writes a node over another one, raw and null included. Copying one
// repetition to a whole field replaces all repetitions of that field.
type Copy struct {
	From, To message.Selector
	IfNone   IfNone
}

// Apply copies; an absent source leaves the message as it is.
func (c *Copy) Apply(in *Input) error {
	if in.Doc.Presence(c.From) == message.Absent {
		return nil
	}
	return c.IfNone.write(in.Doc, c.To, func() error { return in.Doc.Copy(in.Doc, c.From, c.To) })
}

// Move is Copy and then Remove of the source.
type Move struct {
	From, To message.Selector
	IfNone   IfNone
}

// Apply moves; an absent source leaves the message as it is.
func (m *Move) Apply(in *Input) error {
	if in.Doc.Presence(m.From) == message.Absent {
		return nil
	}
	before := in.Doc.Clone()
	if _, err := in.Doc.Remove(m.From); err != nil {
		return err
	}
	return m.IfNone.write(in.Doc, m.To, func() error { return in.Doc.Copy(before, m.From, m.To) })
}

// Remove takes out segments, or empties fields, repetitions and components.
type Remove struct{ At []message.Selector }

// Firm implements Firm.
func (*Remove) Firm() {}

// Apply removes; what is not there needs no removing.
func (r *Remove) Apply(in *Input) error {
	for _, s := range r.At {
		if _, err := in.Doc.Remove(s); err != nil {
			return err
		}
	}
	return nil
}

// Nullify writes HL7 null: the receiver is asked to delete its value.
type Nullify struct {
	At     []message.Selector
	IfNone IfNone
}

// Apply writes null to every target, whether it had a value or not.
func (n *Nullify) Apply(in *Input) error {
	for _, s := range n.At {
		if err := n.IfNone.write(in.Doc, s, func() error { return in.Doc.SetNull(s) }); err != nil {
			return err
		}
	}
	return nil
}

// Default is Set for targets that are absent or empty. Null counts as a value:
// the sender said "delete".
type Default struct{ Set Set }

// Apply fills what is missing.
func (d *Default) Apply(in *Input) error {
	missing := Set{IfNone: d.Set.IfNone}
	var room [8]Assignment
	missing.Assignments = room[:0]
	for _, a := range d.Set.Assignments {
		if p := in.Doc.Presence(a.At); p == message.Absent || p == message.Empty {
			missing.Assignments = append(missing.Assignments, a)
		}
	}
	if len(missing.Assignments) == 0 {
		return nil
	}
	return missing.Apply(in)
}
