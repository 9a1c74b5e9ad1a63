package transforms

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spine-engine/spine-engine/internal/message"
)

// SpecError says what is wrong with what a feed wrote for a step or a check.
type SpecError struct {
	Key   string   // the key at fault, such as "as"
	Text  string   // what is wrong with it
	Known []string // what it could be, for a did-you-mean; may be nil
	Hint  string   // how to mend it; may be empty
}

func (e *SpecError) Error() string {
	out := e.Key + ": " + e.Text
	if e.Hint != "" {
		out += "; " + e.Hint
	}
	if len(e.Known) > 0 {
		out += "; it can be " + strings.Join(e.Known, ", ")
	}
	return out
}

// choose finds which of the names a text is: its index, 0 for the empty text.
func choose(key, text string, names ...string) (int, error) {
	if text == "" {
		return 0, nil
	}
	if i := slices.Index(names, text); i >= 0 {
		return i, nil
	}
	return 0, &SpecError{Key: key, Text: fmt.Sprintf("%q is no choice", text), Known: names}
}

// needsTarget is the error of a step that names no place, or nil.
func needsTarget(at []message.Selector) error {
	if len(at) == 0 {
		return &SpecError{Key: "at", Text: "the step names no place", Hint: "write at: SELECTOR"}
	}
	return nil
}

// Bad says what becomes of a value that a step cannot work on.
type Bad uint8

// The choices of if_bad.
const (
	HoldBad  Bad = iota // the default: the message is held
	KeepBad             // the value stays as it is
	EmptyBad            // the value is taken out
)

// BadNames lists what if_bad can be.
func BadNames() []string { return []string{"hold", "keep", "empty"} }

func readBad(text string) (Bad, error) {
	i, err := choose("if_bad", text, BadNames()...)
	return Bad(i), err
}

// settle does what if_bad says. what ends a sentence that begins with the place:
// "the value at PID-7 is no date of the form hl7".
func (b Bad) settle(doc message.Doc, at message.Selector, what string) error {
	switch b {
	case KeepBad:
		return nil
	case EmptyBad:
		return doc.Set(at, "")
	}
	return fmt.Errorf("the value at %s %s; mend it at its source, or say if_bad: keep or empty", at, what)
}

// eachValue calls f for every value that the selectors select: f gets the place
// and the text there. Absent, empty and null are left alone, and so is a value for
// which nothing is to do. step names the step in errors.
func eachValue(doc message.Doc, step string, ats []message.Selector, f func(at message.Selector, text string) error) error {
	for _, at := range ats {
		if !at.IsList() {
			if err := oneValue(doc, step, at, f); err != nil {
				return err
			}
			continue
		}
		each, ok := doc.Expand(at)
		if !ok {
			return fmt.Errorf("%s cannot walk the list %s one by one; use an each step", step, at)
		}
		for _, one := range each {
			if err := oneValue(doc, step, one, f); err != nil {
				return err
			}
		}
	}
	return nil
}

func oneValue(doc message.Doc, step string, at message.Selector, f func(at message.Selector, text string) error) error {
	text := doc.Text(at)
	if text == "" {
		return nil
	}
	if hasParts(doc, at, text) {
		return fmt.Errorf("what %s selects has parts, and %s works on one value; name a part of it, such as its .1", at, step)
	}
	return f(at, text)
}

// put writes the result of a step that works on a value. Two quotes would be null,
// which asks the receiver to delete: no such step means that.
func put(doc message.Doc, at message.Selector, text string) error {
	if text == `""` {
		return fmt.Errorf("the result at %s would be read as null, which asks to delete; where that is meant, use nullify", at)
	}
	return doc.Set(at, text)
}
