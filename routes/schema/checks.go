package schema

import (
	"slices"

	"github.com/spine-engine/spine-engine/transforms"
)

// Check is one entry of validate.
type Check struct {
	_ struct{} `title:"check of validate" doc:"A rule about the values at a place, or a requirement by an expression."`
}

func (Check) picks() []any { return []any{Requirement{}, ValueCheck{}} }

// Requirement is a check by an expression.
type Requirement struct {
	_       struct{}   `what:"check" by:"require" refuses:"at rule if_absent if_null form from to min max pattern one_of table"`
	Name    Text       `key:"name" doc:"for people"`
	Require Expression `key:"require" doc:"true for messages that are right"`
	IfBad   Finding    `key:"if_bad" doc:"what becomes of the others" missing:"the check names no outcome"`
}

// ValueCheck is a rule about values.
type ValueCheck struct {
	_        struct{} `what:"check" by:"at" refuses:"require"`
	Name     Text     `key:"name" doc:"for people"`
	At       Selector `key:"at" doc:"one place, or a list: then each value is checked"`
	Rule     RuleName `key:"rule" doc:"what a value must be" missing:"the check does not say what it checks"`
	IfAbsent PassOr   `key:"if_absent" doc:"what becomes of a message without the value; required, but not with rule present" missing:"what becomes of a message without the value is not declared" sometimes:"true"`
	IfNull   PassOr   `key:"if_null" def:"as if_absent" doc:"of one whose value is HL7 null"`
	IfBad    Finding  `key:"if_bad" doc:"of one whose value is not as the rule says" missing:"the check names no outcome"`
	Form     Text     `key:"form" def:"hl7" doc:"of date: hl7, iso, uk or a layout"`
	From     Text     `key:"from" doc:"of date: the first that is good"`
	To       Text     `key:"to" doc:"of date: the last that is good"`
	Min      Text     `key:"min" doc:"of number and length"`
	Max      Text     `key:"max" doc:"of number and length"`
	Pattern  Pattern  `key:"pattern" doc:"of pattern: what the whole value must be" missing:"the rule pattern needs one" sometimes:"true"`
	OneOf    []Text   `key:"one_of" doc:"of one_of: the values that are good" missing:"the rule one_of needs" sometimes:"true"`
	Table    Name     `key:"table" doc:"of table: the feed's table that has the value" missing:"the rule table needs" sometimes:"true"`
}

// rules: each rule of validate takes its own keys only.
func (ValueCheck) rules() []Condition {
	out := []Condition{
		{If: is("rule", "present"), Forbid: []string{"if_absent", "if_null"}},
		{If: isNot("rule", "present"), Require: []string{"if_absent"}},
	}
	for _, name := range transforms.CheckNames() {
		var others []string
		for _, k := range []string{"form", "from", "to", "min", "max", "pattern", "one_of", "table"} {
			if !slices.Contains(transforms.CheckKeys(name), k) {
				others = append(others, k)
			}
		}
		c := Condition{If: is("rule", name), Forbid: others}
		if name == "pattern" || name == "one_of" || name == "table" {
			c.Require = []string{name}
		}
		out = append(out, c)
	}
	return out
}

// RuleName is one of the rules.
type RuleName string

func (RuleName) scalar() Scalar { return Scalar{Words: transforms.CheckNames()} }

// PassOr is pass, or an outcome.
type PassOr struct{}

func (PassOr) forms() []any { return []any{Pass(""), Finding{}} }

// Pass is a word.
type Pass string

func (Pass) scalar() Scalar { return Scalar{Words: []string{"pass"}} }
