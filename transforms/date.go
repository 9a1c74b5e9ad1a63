package transforms

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms/forms"
)

// DateSpec is the step as a feed writes it. The keys say, in the order in which
// they take effect:
//
//	date:
//	  at: OBR-7              one place or a list of them
//	  from: uk               how it is written: hl7 (the default), iso, uk, or a layout such as DD/MM/YYYY[ HH:mm]
//	  zone: Europe/London    shows times as clocks there do, with the offset; a time without one is taken as such a time
//	  shift: '= "-3"'        moves it by whole days, from a text or an expression
//	  as: day                cuts it to year, month, day, hour, minute or second; never adds what was not written
//	  to: iso                how it is to be written: hl7 (the default), iso, uk, or a layout
//	  if_bad: hold           hold (the default), keep, empty: no date of the form, less than to or shift asks for
//
// So { at: PID-7, as: day } shortens, { at: ZPI-3, from: uk, to: hl7 } rewrites, and
// { at: OBR-7, shift: '= vars.days' } moves.
type DateSpec struct {
	At    []message.Selector
	From  string
	To    string
	As    string
	Zone  *time.Location
	Shift Value
	IfBad string
}

// Date rewrites dates: their form, precision, zone and day. Absent, empty and null
// values are left alone.
type Date struct {
	at       []message.Selector
	from, to forms.DateForm
	as       forms.Precision
	zone     *time.Location
	shift    Value
	bad      Bad
}

// NewDate makes the step. The error is a *SpecError.
func NewDate(s DateSpec) (*Date, error) {
	if err := needsTarget(s.At); err != nil {
		return nil, err
	}
	d := &Date{at: s.At, zone: s.Zone, shift: s.Shift}
	var err error
	if d.from, err = dateForm("from", s.From); err != nil {
		return nil, err
	}
	if d.to, err = dateForm("to", s.To); err != nil {
		return nil, err
	}
	if d.as, err = datePrecision(s.As); err != nil {
		return nil, err
	}
	if d.from.String() == d.to.String() && d.as == forms.None && d.zone == nil && d.shift == nil {
		return nil, &SpecError{Key: "at", Text: "the step would change nothing", Hint: "say what to do: from, to, as, zone or shift"}
	}
	if c, ok := s.Shift.(Constant); ok {
		if _, err := days(string(c)); err != nil {
			return nil, &SpecError{Key: "shift", Text: err.Error(), Hint: "write whole days, such as \"-3\""}
		}
	}
	d.bad, err = readBad(s.IfBad)
	return d, err
}

func dateForm(key, text string) (forms.DateForm, error) {
	if text == "" {
		return forms.HL7Dates(), nil
	}
	f, err := forms.NewDateForm(text)
	if err == nil {
		return f, nil
	}
	e := &SpecError{Key: key, Text: fmt.Sprintf("%q is no form of dates: %v", text, err)}
	if strings.ToLower(text) == text {
		e.Known = forms.DateFormNames()
	}
	return f, e
}

// datePrecision reads as; what people write there by mistake is a form.
func datePrecision(text string) (forms.Precision, error) {
	if text == "" {
		return forms.None, nil
	}
	p, ok := forms.ParsePrecision(text)
	switch {
	case ok && p < forms.Fraction:
		return p, nil
	case slices.Contains(forms.DateFormNames(), text) || strings.Contains(text, "YYYY"):
		return 0, &SpecError{Key: "as", Text: fmt.Sprintf("%q is a form; as cuts to a precision", text), Hint: "write to: " + text}
	}
	return 0, &SpecError{Key: "as", Text: fmt.Sprintf("%q is no precision", text), Known: forms.PrecisionNames()[:forms.Second]}
}

var errDays = errors.New("the shift is no whole number of days")

// days reads a number of days within ten thousand years.
func days(text string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n > 3660000 || n < -3660000 {
		return 0, errDays
	}
	return n, nil
}

// Apply rewrites every date that is there. The shift is computed once, and only
// when there is a date to move.
func (d *Date) Apply(in *Input) error {
	n, known := 0, d.shift == nil
	return eachValue(in.Doc, "date", d.at, func(at message.Selector, text string) (err error) {
		if !known {
			if n, err = d.days(in); err != nil {
				return err
			}
			known = true
		}
		out, wrong := d.rewrite(text, n)
		switch {
		case wrong != "":
			return d.bad.settle(in.Doc, at, wrong)
		case out == text:
			return nil
		}
		return put(in.Doc, at, out)
	})
}

func (d *Date) days(in *Input) (int, error) {
	text, err := d.shift.Text(in)
	if err != nil {
		return 0, unread(err)
	}
	return days(text)
}

// rewrite gives the new text, or what is wrong with the old one.
func (d *Date) rewrite(text string, n int) (out, wrong string) {
	date, ok := d.from.Parse(text)
	if !ok {
		return "", fmt.Sprintf("is no date of the form %s", d.from)
	}
	date = date.InZone(d.zone)
	if d.shift != nil {
		if date, ok = date.AddDays(n); !ok {
			return "", "is not precise enough to be moved by days, or leaves the years 1 to 9999"
		}
	}
	if out, ok = d.to.Format(date.Truncate(d.as)); !ok {
		return "", fmt.Sprintf("has less than the form %s asks for", d.to)
	}
	return out, ""
}
