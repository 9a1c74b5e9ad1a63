package transforms

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms/forms"
)

// TidySpec is the step as a feed writes it:
//
//	tidy: { at: PID-3(5=NH).1, as: nhs_number, if_bad: hold, if_none: skip }
type TidySpec struct {
	At     []message.Selector
	As     string // one of TidyForms
	IfBad  string // hold (the default), keep, empty: a value that has not the form
	IfNone string // skip (the default), hold: nothing matches a condition of At
}

// Tidy brings values into their usual form. Absent, empty and null values are left
// alone.
type Tidy struct {
	at   []message.Selector
	as   string
	tidy func(string) (string, bool)
	bad  Bad
	need bool
}

// TidyForms lists what As can be.
func TidyForms() []string {
	return []string{"nhs_number", "postcode", "ods_code", "phone", "trim", "spaces", "upper", "lower"}
}

// tidier finds the form of a name; nil when there is none.
func tidier(name string) func(string) (string, bool) {
	always := func(f func(string) string) func(string) (string, bool) {
		return func(s string) (string, bool) { return f(s), true }
	}
	switch name {
	case "nhs_number":
		return forms.NHSNumber
	case "postcode":
		return forms.UKPostcode
	case "ods_code":
		return forms.TidyODS
	case "phone":
		return forms.Phone
	case "trim":
		return always(strings.TrimSpace)
	case "spaces":
		return always(func(s string) string { return strings.Join(strings.FieldsFunc(s, unicode.IsSpace), " ") })
	case "upper":
		return always(strings.ToUpper)
	case "lower":
		return always(strings.ToLower)
	}
	return nil
}

// NewTidy makes the step. The error is a *SpecError.
func NewTidy(s TidySpec) (*Tidy, error) {
	if err := needsTarget(s.At); err != nil {
		return nil, err
	}
	t := &Tidy{at: s.At, as: s.As, tidy: tidier(s.As)}
	if t.tidy == nil {
		return nil, &SpecError{Key: "as", Text: fmt.Sprintf("%q is no form", s.As), Known: TidyForms()}
	}
	var err error
	if t.bad, err = readBad(s.IfBad); err != nil {
		return nil, err
	}
	none, err := choose("if_none", s.IfNone, "skip", "hold")
	t.need = none == 1
	return t, err
}

// Apply tidies every value that is there.
func (t *Tidy) Apply(in *Input) error {
	if t.need {
		if err := t.matched(in.Doc); err != nil {
			return err
		}
	}
	return eachValue(in.Doc, "tidy", t.at, func(at message.Selector, text string) error {
		tidy, ok := t.tidy(text)
		switch {
		case !ok:
			return t.bad.settle(in.Doc, at, "has not the form "+t.as)
		case tidy == text:
			return nil
		}
		return put(in.Doc, at, tidy)
	})
}

func (t *Tidy) matched(doc message.Doc) error {
	for _, at := range t.at {
		if at.HasCondition() && doc.Presence(at) == message.Absent {
			return fmt.Errorf("nothing matches %s, so there is nothing to tidy; the step says if_none: hold", at)
		}
	}
	return nil
}
