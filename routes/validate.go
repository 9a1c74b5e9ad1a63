package routes

import (
	"maps"
	"slices"

	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
)

// warned is the outcome of a finding that only warns: not one of a message.
const warned = message.Outcome(0)

// check is one entry of validate.
type check struct {
	at       message.Selector
	rule     *transforms.Check // nil: cond
	cond     *condition
	ifAbsent *transforms.Stop
	ifNull   *transforms.Stop
	ifBad    transforms.Stop
	place    message.Place
}

var checkKeys = []string{"name", "at", "rule", "require", "if_absent", "if_null", "if_bad",
	"form", "from", "to", "min", "max", "pattern", "one_of", "table"}

// validate reads the checks of the message as received.
func (f *feed) validate(n *conf.Node) {
	for _, item := range n.Items() {
		if !item.IsMap() {
			item.Errorf("write { name: ..., at: PID-3, rule: present, if_bad: { hold: why } }", "a check is a mapping")
			continue
		}
		m := item.Map("check", checkKeys...)
		justTexts(m, "name")
		c := check{place: item.Place(), ifBad: f.finding(item, m["if_bad"], "if_bad")}
		c.ifBad.Place = c.place
		if m["require"].Present() {
			f.requirement(&c, item, m)
		} else {
			f.valueCheck(&c, item, m)
		}
	}
}

// requirement is a check by an expression.
func (f *feed) requirement(c *check, item *conf.Node, m map[string]*conf.Node) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if k != "name" && k != "require" && k != "if_bad" {
			m[k].Errorf("leave it out, or write at and rule", "%s does not stand beside require", k)
		}
	}
	if c.cond = f.condition(m["require"]); c.cond != nil {
		f.checks = append(f.checks, *c)
	}
}

// valueCheck is a check of what a selector selects.
func (f *feed) valueCheck(c *check, item *conf.Node, m map[string]*conf.Node) {
	if m["at"] == nil || m["rule"] == nil {
		item.Errorf("write at: SELECTOR and rule: NAME, or require: EXPRESSION", "the check does not say what it checks")
		return
	}
	c.at = f.cur.of(m["at"])
	name := m["rule"].Text()
	f.presence(c, item, m, name == "present")
	spec := f.checkSpec(m)
	if spec.Table == nil && m["table"].Present() {
		return // its own problem is known
	}
	rule, err := transforms.NewCheck(name, spec)
	if err != nil {
		specProblem(item, m, err)
		return
	}
	if c.rule = rule; c.at != nil {
		f.checks = append(f.checks, *c)
	}
}

func (f *feed) checkSpec(m map[string]*conf.Node) transforms.CheckSpec {
	s := transforms.CheckSpec{Form: textOf(m["form"]), From: textOf(m["from"]), To: textOf(m["to"]), Min: textOf(m["min"]), Max: textOf(m["max"]),
		OneOf: m["one_of"].Texts()}
	if p := m["pattern"]; p.Present() {
		s.Pattern = p.Source()
	}
	if t := m["table"]; t.Present() {
		s.Table = f.tableOf(t)
	}
	return s
}

// tableOf finds a table by its name; nil after a problem.
func (f *feed) tableOf(n *conf.Node) *transforms.Table {
	name := n.Text()
	t, declared := f.tables[name]
	switch {
	case !declared:
		n.Errorf(hint(name, slices.Sorted(maps.Keys(f.tables))), "there is no table %q in this feed", name)
	case t != nil && f.env != nil: // else its own problem is known
		f.env.UseTable(name)
	}
	return t
}

// presence reads what becomes of a message that has no value to check.
func (f *feed) presence(c *check, item *conf.Node, m map[string]*conf.Node, present bool) {
	absent, null := m["if_absent"], m["if_null"]
	switch {
	case present:
		for _, k := range []*conf.Node{absent, null} {
			if k.Present() {
				k.Errorf("leave it out; if_bad is for all three", "rule present is itself about what is absent, empty or null")
			}
		}
		return
	case !absent.Present():
		item.Errorf("add if_absent: pass, or an outcome such as { hold: why }", "what becomes of a message without the value is not declared")
	default:
		c.ifAbsent = f.pass(absent, "if_absent", c.place)
	}
	c.ifNull = c.ifAbsent
	if null.Present() {
		c.ifNull = f.pass(null, "if_null", c.place)
	}
}

// pass reads pass (nil) or an outcome.
func (f *feed) pass(n *conf.Node, key string, at message.Place) *transforms.Stop {
	if n.IsText() {
		n.OneOf("pass", "pass")
		return nil
	}
	s := f.finding(n, n, key)
	s.Place = at
	return &s
}

// finding reads { warn: why } or an outcome.
func (f *feed) finding(item, n *conf.Node, key string) transforms.Stop {
	switch {
	case !n.Present():
		item.Errorf("add "+key+`: { hold: "why" }, or reject, drop, warn`, "the check names no outcome")
		return transforms.Stop{}
	case n.IsMap() && n.Get("warn").Present() && len(n.Fields()) == 1:
		return transforms.Stop{Outcome: warned, Reason: reason(n.Map(key, "warn", "hold", "drop", "reject")["warn"])}
	}
	return f.orig.outcome(n, key, "hold", "drop", "reject", "warn")
}

// validate collects what all checks find. Reject beats hold beats drop beats
// warn; of equals the first decides, and what rejects says so together.
func (r *run) validate(f *feed) (*transforms.Stop, []message.Finding) {
	var worst *transforms.Stop
	var found []message.Finding
	for i := range f.checks {
		c := &f.checks[i]
		s, err := r.check(c)
		if err != nil {
			s = &transforms.Stop{Outcome: message.Held, Reason: err.Error(), Place: c.place}
		}
		r.note(c.place, TraceCheck, checked(s))
		switch {
		case s == nil || s.Outcome != warned && r.again.waives(c.place):
		case s.Outcome == message.Held && r.releases(f): // the findings said so to whoever released it
		case s.Outcome == warned:
			found = append(found, message.Finding{Rule: c.place, Text: s.Reason})
		case worst == nil:
			worst = s
		case weight(s.Outcome) > weight(worst.Outcome):
			found = append(found, message.Finding{Rule: worst.Place, Text: worst.Reason})
			worst = s
		default:
			if s.Outcome == message.Rejected {
				worst = alsoRejected(worst, s)
			}
			found = append(found, message.Finding{Rule: s.Place, Text: s.Reason})
		}
	}
	return worst, found
}

// releases reports whether one of the feed's checks held the message that is
// being released.
func (r *run) releases(f *feed) bool {
	return slices.ContainsFunc(f.checks, func(c check) bool { return r.again.waives(c.place) })
}

func checked(s *transforms.Stop) string {
	switch {
	case s == nil:
		return "passed"
	case s.Outcome == warned:
		return "warned"
	}
	return s.Outcome.String()
}

func alsoRejected(first, more *transforms.Stop) *transforms.Stop {
	both := *first
	both.Reply.Errors = append(slices.Clone(first.Reply.Errors), more.Reply.Errors...)
	return &both
}

// check gives nil when there is nothing to say.
func (r *run) check(c *check) (*transforms.Stop, error) {
	if c.cond != nil {
		if yes, err := r.holds(c.cond); err != nil || yes {
			return nil, err
		}
		return &c.ifBad, nil
	}
	judged, err := c.rule.Judge(r.scope.Msg(), c.at)
	switch judged.Verdict {
	case transforms.Failed:
		return &c.ifBad, err
	case transforms.Nulled:
		return c.ifNull, err
	case transforms.Missing:
		return c.ifAbsent, err
	}
	return nil, err
}
