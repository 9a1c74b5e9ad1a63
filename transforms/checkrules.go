package transforms

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/spine-engine/spine-engine/transforms/forms"
)

// good makes the test of a rule; nil for present.
func (s *CheckSpec) good(name string) (func(string) bool, error) {
	switch name {
	case "nhs_number":
		return func(v string) bool { _, ok := forms.NHSNumber(v); return ok }, nil
	case "ods_code":
		return forms.ODSCode, nil
	case "uk_postcode":
		return func(v string) bool { _, ok := forms.UKPostcode(v); return ok }, nil
	case "base64":
		return forms.Base64, nil
	case "date":
		return s.date()
	case "number":
		return s.number()
	case "length":
		return s.length()
	case "pattern":
		return s.pattern()
	case "one_of":
		return s.oneOf()
	case "table":
		return s.table()
	}
	return nil, nil // present
}

// date is good within its bounds, both of them included; a bound is as precise as
// it is written, so to: 2026 takes in all of that year.
func (s *CheckSpec) date() (func(string) bool, error) {
	form, err := dateForm("form", s.Form)
	if err != nil {
		return nil, err
	}
	from, err := dateBound("from", s.From)
	if err != nil {
		return nil, err
	}
	to, err := dateBound("to", s.To)
	if err != nil {
		return nil, err
	}
	if s.From != "" && s.To != "" && from.Compare(to) > 0 {
		return nil, &SpecError{Key: "to", Text: "it comes before from, so no date is good"}
	}
	return func(v string) bool {
		d, ok := form.Parse(v)
		return ok && (from.IsZero() || d.Compare(from) >= 0) && (to.IsZero() || d.Compare(to) <= 0)
	}, nil
}

func dateBound(key, text string) (forms.Date, error) {
	if text == "" {
		return forms.Date{}, nil
	}
	d, ok := forms.ParseISO(text)
	if !ok {
		d, ok = forms.ParseHL7(text)
	}
	if !ok {
		return d, &SpecError{Key: key, Text: fmt.Sprintf("%q is no date", text), Hint: "write 2026-10-01 or 20261001"}
	}
	return d, nil
}

// number is good as HL7's NM has it (v2.5.1 chapter 2A.46): a sign, digits and a
// point, without an exponent.
func (s *CheckSpec) number() (func(string) bool, error) {
	lo, err := numberBound("min", s.Min)
	if err != nil {
		return nil, err
	}
	hi, err := numberBound("max", s.Max)
	if err != nil {
		return nil, err
	}
	if lo != nil && hi != nil && lo.Cmp(hi) > 0 {
		return nil, &SpecError{Key: "max", Text: "it is less than min, so no number is good"}
	}
	return func(v string) bool {
		if !decimal(v) {
			return false
		}
		if lo == nil && hi == nil {
			return true
		}
		n, ok := new(big.Rat).SetString(v)
		return ok && (lo == nil || n.Cmp(lo) >= 0) && (hi == nil || n.Cmp(hi) <= 0)
	}, nil
}

func numberBound(key, text string) (*big.Rat, error) {
	if text == "" {
		return nil, nil
	}
	n, ok := new(big.Rat), decimal(text)
	if ok {
		n, ok = n.SetString(text)
	}
	if !ok {
		return nil, &SpecError{Key: key, Text: fmt.Sprintf("%q is no number", text), Hint: "write digits, such as -1.5"}
	}
	return n, nil
}

// decimal bounds what is computed with, too: nobody measures with more than 64 digits.
func decimal(s string) bool {
	if s != "" && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	digits, points := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '.':
			points++
		default:
			return false
		}
	}
	return digits > 0 && digits <= 64 && points <= 1
}

// length counts characters.
func (s *CheckSpec) length() (func(string) bool, error) {
	lo, err := lengthBound("min", s.Min, 0)
	if err != nil {
		return nil, err
	}
	hi, err := lengthBound("max", s.Max, 1<<31-1)
	if err != nil {
		return nil, err
	}
	switch {
	case s.Min == "" && s.Max == "":
		return nil, &SpecError{Key: "max", Text: "the rule length needs a min or a max"}
	case lo > hi:
		return nil, &SpecError{Key: "max", Text: "it is less than min, so no length is good"}
	}
	return func(v string) bool {
		n := utf8.RuneCountInString(v)
		return n >= lo && n <= hi
	}, nil
}

func lengthBound(key, text string, def int) (int, error) {
	if text == "" {
		return def, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, &SpecError{Key: key, Text: fmt.Sprintf("%q is no number of characters", text)}
	}
	return n, nil
}

// pattern matches the whole value: a rule that looked for its pattern anywhere
// would pass what it was written to catch.
func (s *CheckSpec) pattern() (func(string) bool, error) {
	if s.Pattern == "" {
		return nil, &SpecError{Key: "pattern", Text: "the rule pattern needs one"}
	}
	if _, err := compilePattern("pattern", s.Pattern); err != nil {
		return nil, err
	}
	re, err := compileWhole(s.Pattern)
	if err != nil {
		return nil, err
	}
	return re.MatchString, nil
}

func (s *CheckSpec) oneOf() (func(string) bool, error) {
	if len(s.OneOf) == 0 {
		return nil, &SpecError{Key: "one_of", Text: "the rule one_of needs a list of texts"}
	}
	list := slices.Clone(s.OneOf)
	return func(v string) bool { return slices.Contains(list, v) }, nil
}

func (s *CheckSpec) table() (func(string) bool, error) {
	if s.Table == nil {
		return nil, &SpecError{Key: "table", Text: "the rule table needs the name of one"}
	}
	t := s.Table
	return func(v string) bool { _, ok := t.Get(v); return ok }, nil
}
