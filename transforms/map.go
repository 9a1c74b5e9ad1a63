package transforms

import (
	"fmt"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Unmapped says what becomes of a code that its table does not have.
type Unmapped uint8

// The choices of unmapped.
const (
	HoldUnmapped Unmapped = iota
	KeepUnmapped
	RejectUnmapped
	DefaultUnmapped
)

// Map recodes a value by a table. Absent, empty and null values are left alone.
type Map struct {
	At       message.Selector
	Table    *Table
	Column   int   // what goes to At; -1 = At keeps its value (only Put is wanted)
	Put      []Put // further columns of the row
	Unmapped Unmapped
	Default  string // for DefaultUnmapped
	Reply    message.Reply
	IfNone   IfNone
}

// Put writes a column of the row found.
type Put struct {
	At     message.Selector
	Column int
}

// Apply recodes every value At selects.
func (m *Map) Apply(in *Input) error {
	if !m.At.IsList() {
		return m.one(in, m.At)
	}
	each, ok := in.Doc.Expand(m.At)
	if !ok {
		return fmt.Errorf("map cannot walk the list %s", m.At)
	}
	for _, s := range each {
		if err := m.one(in, s); err != nil {
			return err
		}
	}
	return nil
}

func (m *Map) one(in *Input, at message.Selector) error {
	doc := in.Doc
	code := doc.Text(at)
	if code == "" {
		return nil
	}
	row, ok := m.Table.Get(code)
	if in.Trace != nil {
		in.Trace(Event{Table: m.Table, Key: code, Found: ok})
	}
	if !ok {
		return m.unmapped(doc, at)
	}
	if m.Column >= 0 && row[m.Column] != code {
		if err := doc.Set(at, row[m.Column]); err != nil {
			return err
		}
	}
	for _, p := range m.Put {
		if err := m.IfNone.write(doc, p.At, func() error { return doc.Set(p.At, row[p.Column]) }); err != nil {
			return err
		}
	}
	return nil
}

func (m *Map) unmapped(doc message.Doc, at message.Selector) error {
	switch m.Unmapped {
	case KeepUnmapped:
		return nil
	case DefaultUnmapped:
		return doc.Set(at, m.Default)
	case RejectUnmapped:
		return &Stop{Outcome: message.Rejected, Reply: m.Reply, Reason: fmt.Sprintf("the code at %s is not in table %q", at, m.Table.Name)}
	}
	return &Stop{Outcome: message.Held, Reason: fmt.Sprintf("the code at %s is not in table %q", at, m.Table.Name)}
}
