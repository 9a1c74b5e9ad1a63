package transforms

import (
	"errors"
	"fmt"

	"github.com/spine-engine/spine-engine/internal/message"
)

// IfNone says what a write does when a condition of its selector matches nothing.
type IfNone uint8

// The choices of if_none.
const (
	HoldIfNone   IfNone = iota // the default: the message is held
	SkipIfNone                 // leave the message as it is
	CreateIfNone               // make the node, with the values of the condition
)

// Creator is a document that can make the node a condition asks for.
type Creator interface {
	Create(s message.Selector) error
}

// write runs put and applies the choice when it found no place to write to.
func (n IfNone) write(doc message.Doc, at message.Selector, put func() error) error {
	err := put()
	if err == nil || !errors.Is(err, message.ErrNoMatch) {
		return err
	}
	switch n {
	case SkipIfNone:
		return nil
	case CreateIfNone:
		c, ok := doc.(Creator)
		if !ok {
			return fmt.Errorf("cannot create what %s selects: %s documents have no such step", at, doc.Format())
		}
		if err := c.Create(at); err != nil {
			return err
		}
		return put()
	}
	return fmt.Errorf("nothing matches %s, so there is nothing to write to; add if_none: skip or create", at)
}

// Set writes values. All of them are read from the message as it was before the step.
type Set struct {
	Assignments []Assignment
	IfNone      IfNone
}

// Assignment is one target with exactly one of Value, Raw and From.
type Assignment struct {
	At    message.Selector
	Value Value            // escaped
	Raw   Value            // in the format's own notation
	From  message.Selector // raw copy, null included
}

// Apply computes every value, then writes.
func (s *Set) Apply(in *Input) error {
	if len(s.Assignments) == 1 {
		return s.one(in, &s.Assignments[0], in.Doc)
	}
	var room [8]string
	texts := room[:0]
	before := in.Doc
	for i := range s.Assignments {
		a := &s.Assignments[i]
		t, err := a.text(in)
		if err != nil {
			return err
		}
		texts = append(texts, t)
		if a.From != nil && before == in.Doc {
			before = in.Doc.Clone()
		}
	}
	for i := range s.Assignments {
		if err := s.put(in.Doc, &s.Assignments[i], texts[i], before); err != nil {
			return err
		}
	}
	return nil
}

func (s *Set) one(in *Input, a *Assignment, before message.Doc) error {
	t, err := a.text(in)
	if err != nil {
		return err
	}
	return s.put(in.Doc, a, t, before)
}

func (a *Assignment) text(in *Input) (string, error) {
	switch {
	case a.Value != nil:
		t, err := a.Value.Text(in)
		return t, unread(err)
	case a.Raw != nil:
		t, err := a.Raw.Text(in)
		return t, unread(err)
	}
	return "", nil
}

func (s *Set) put(doc message.Doc, a *Assignment, text string, before message.Doc) error {
	return s.IfNone.write(doc, a.At, func() error {
		switch {
		case a.From != nil:
			return doc.Copy(before, a.From, a.At)
		case a.Raw != nil:
			return doc.SetRaw(a.At, text)
		}
		return doc.Set(a.At, text)
	})
}
