package transforms

import (
	"errors"
	"fmt"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Input is what a step works on: the document, and whatever the values of the
// steps need to be computed (the scope of their expressions).
type Input struct {
	Doc   message.Doc
	Scope any
	// Swap makes another document the one that steps and expressions work on from
	// here (template, to_xml, from_xml). Nil: the step only sets Doc.
	Swap func(doc message.Doc)
	// Skip, when not nil, names places that do not count this time, because a
	// person released the message: a step there that fails is left out, unless it
	// is Firm. What it had not yet written is not written.
	Skip func(message.Place) bool
	// Trace, when not nil, is told of every step that was done and how it ended
	// (nil: well), and of every row of a table that was used.
	Trace func(t Event)
}

// Event is what a step tells of itself.
type Event struct {
	Place  message.Place
	Err    error
	Others bool   // it is a step that does others, which told of themselves
	Table  *Table // of a row; nil: a step
	Key    string
	Found  bool // the table has it
}

// Become makes doc the message from here on.
func (in *Input) Become(doc message.Doc) {
	in.Doc = doc
	if in.Swap != nil {
		in.Swap(doc)
	}
}

// Step is one edit. An error means that the message cannot go on as it is: a
// *Stop says what is to become of it, any other error holds it.
type Step interface {
	Apply(in *Input) error
}

// Firm is a step that is never left out, for what follows would find another
// message than it was written for, or somebody would see what he must not.
type Firm interface {
	Step
	Firm()
}

// Value is a text that a step writes: a constant or an expression.
type Value interface {
	Text(in *Input) (string, error)
}

// Constant is a Value known beforehand.
type Constant string

// Text gives the constant.
func (c Constant) Text(*Input) (string, error) { return string(c), nil }

// Condition is a yes or no about the message.
type Condition interface {
	Bool(in *Input) (bool, error)
}

// Stop ends the work on a message with a declared outcome. Reason is the feed's
// own text, or names selectors and tables; it holds no content.
type Stop struct {
	Outcome message.Outcome // Held, Dropped or Rejected
	Reason  string
	Reply   message.Reply // for Rejected
	Place   message.Place
	Firm    bool // of a step that is never left out; see Firm
}

func (s *Stop) Error() string { return fmt.Sprintf("%s: %s", s.Outcome, s.Reason) }

// Placed is a step and where in the project it is written.
type Placed struct {
	Step
	Place message.Place
}

// Chain is a list of steps in order.
type Chain []Placed

// Apply runs the steps in order up to the first that fails; its error is always
// a *Stop that knows the place.
func (c Chain) Apply(in *Input) error {
	for i := range c {
		s := &c[i]
		err := s.Apply(in)
		if in.Trace != nil {
			in.Trace(Event{Place: s.Place, Err: err, Others: Within(s.Step) != nil})
		}
		if err == nil {
			continue
		}
		stop := placed(err, s.Place)
		if _, firm := s.Step.(Firm); firm && !stop.Firm {
			c := *stop
			c.Firm, stop = true, &c
		}
		if in.Skip == nil || stop.Firm || !in.Skip(stop.Place) {
			return stop
		}
	}
	return nil
}

// Within gives the steps that a step does in its turn.
func Within(s Step) Chain {
	switch s := s.(type) {
	case *When:
		return s.Do
	case *Use:
		return s.Do
	case *Each:
		return s.Do
	}
	return nil
}

// unread is what becomes of a message of which a step could not read what it
// decides by or writes: whoever releases it cannot know what would be left in it,
// so the step is not left out.
func unread(err error) error {
	var s *Stop
	if err == nil || errors.As(err, &s) {
		return err
	}
	return &Stop{Outcome: message.Held, Reason: err.Error(), Firm: true}
}

func placed(err error, at message.Place) *Stop {
	var s *Stop
	if !errors.As(err, &s) {
		return &Stop{Outcome: message.Held, Reason: err.Error(), Place: at}
	}
	if s.Place != (message.Place{}) {
		return s
	}
	c := *s
	c.Place = at
	return &c
}
