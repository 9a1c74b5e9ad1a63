package transforms

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spine-engine/spine-engine/internal/message"
)

// CheckSpec is what a rule of validate has beside at, rule and its outcomes. Each
// rule takes its own keys only: see CheckKeys.
type CheckSpec struct {
	From, To string   // date: the first and last that are good, as hl7 or iso
	Form     string   // date: hl7 (the default), iso, uk or a layout
	Min, Max string   // number: the least and greatest; length: of characters
	Pattern  string   // pattern: RE2, at most 1000 characters, for the whole value
	OneOf    []string // one_of
	Table    *Table   // table: the value is one of its keys
}

// Check is one rule of validate about a value. It is immutable.
type Check struct {
	name string
	good func(string) bool // nil for present
}

// Verdict is what a check says of a value. The later ones weigh more.
type Verdict uint8

// The verdicts.
const (
	Good    Verdict = iota
	Missing         // absent or empty: what if_absent says
	Nulled          // HL7 null: what if_null says
	Failed          // what if_bad says
)

func (v Verdict) String() string { return [...]string{"good", "missing", "null", "bad"}[v&3] }

// CheckNames lists the rules there are.
func CheckNames() []string {
	return []string{"present", "nhs_number", "ods_code", "uk_postcode", "base64", "date", "number", "length", "pattern", "one_of", "table"}
}

// CheckKeys lists the keys of its own that a rule takes, nil when it takes none.
func CheckKeys(name string) []string {
	switch name {
	case "date":
		return []string{"form", "from", "to"}
	case "number", "length":
		return []string{"min", "max"}
	case "pattern", "one_of", "table":
		return []string{name}
	}
	return nil
}

// given names the keys that a spec has.
func (s *CheckSpec) given() []string {
	var out []string
	for _, k := range []struct {
		name string
		is   bool
	}{
		{"form", s.Form != ""}, {"from", s.From != ""}, {"to", s.To != ""}, {"min", s.Min != ""}, {"max", s.Max != ""},
		{"pattern", s.Pattern != ""}, {"one_of", len(s.OneOf) > 0}, {"table", s.Table != nil},
	} {
		if k.is {
			out = append(out, k.name)
		}
	}
	return out
}

// NewCheck makes the check of a name. The error is a *SpecError.
func NewCheck(name string, s CheckSpec) (*Check, error) {
	if !slices.Contains(CheckNames(), name) {
		return nil, &SpecError{Key: "rule", Text: fmt.Sprintf("there is no rule %q", name), Known: CheckNames()}
	}
	keys := CheckKeys(name)
	for _, k := range s.given() {
		if !slices.Contains(keys, k) {
			return nil, &SpecError{Key: k, Text: "it does not belong to the rule " + name, Known: keys}
		}
	}
	good, err := s.good(name)
	if err != nil {
		return nil, err
	}
	return &Check{name: name, good: good}, nil
}

// Name is the rule's name.
func (c *Check) Name() string { return c.name }

// Ok tells whether a value is good. For present every value is.
func (c *Check) Ok(value string) bool { return c.good == nil || c.good(value) }

// Judged is what a check says of all that a selector selects.
type Judged struct {
	Verdict Verdict
	At      message.Selector // the first place of the weightiest verdict
}

// Judge checks every value that at selects; the weightiest verdict counts. The
// rule present is about presence: absent, empty and null are all bad, for null
// asks to delete a value and is none. All other rules are about values: they
// never call bad what is not there, and tell null from the rest. A list that
// selects nothing is missing, and bad for present; so is one that leaves
// something out, as OBX(*)-11 does where one OBX ends before its eleventh field.
func (c *Check) Judge(doc message.Doc, at message.Selector) (Judged, error) {
	each, ok := doc.Expand(at)
	if !ok {
		return Judged{}, fmt.Errorf("the rule %s cannot walk the list %s one by one", c.name, at)
	}
	if len(each) == 0 {
		each = []message.Selector{at}
	}
	worst := Judged{At: at}
	for i, one := range each {
		if v := c.judge(doc, one); i == 0 || v > worst.Verdict {
			worst = Judged{Verdict: v, At: one}
		}
	}
	if l, ok := doc.(lacking); ok && at.IsList() && l.Lacks(at) {
		if v := c.absent(); v > worst.Verdict {
			worst = Judged{Verdict: v, At: at}
		}
	}
	return worst, nil
}

// lacking is a document whose lists leave out what is absent in one of the places
// they choose.
type lacking interface{ Lacks(s message.Selector) bool }

// absent is the verdict on what is not there.
func (c *Check) absent() Verdict {
	if c.good == nil {
		return Failed
	}
	return Missing
}

func (c *Check) judge(doc message.Doc, at message.Selector) Verdict {
	p := doc.Presence(at)
	switch {
	case p == message.Present && c.Ok(doc.Text(at)):
		return Good
	case p == message.Present:
		return Failed
	case p == message.Null && c.good != nil:
		return Nulled
	}
	return c.absent()
}

// Says describes a bad value without showing it, for a rule that gives no reason.
func (c *Check) Says() string {
	if c.good == nil {
		return "there is no value"
	}
	return "it does not pass the rule " + strings.ReplaceAll(c.name, "_", " ")
}
