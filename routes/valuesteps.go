package routes

import (
	"errors"
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/transforms"
)

// specProblem shows what a step says of its settings at the key it is about.
func specProblem(n *conf.Node, m map[string]*conf.Node, err error) {
	var e *transforms.SpecError
	if !errors.As(err, &e) {
		n.Errorf("", "%v", err)
		return
	}
	if v := m[e.Key]; v.Present() {
		wrote := ""
		if v.IsText() {
			wrote = v.Source()
		}
		text := e.Text
		if rest, ok := strings.CutPrefix(text, "it "); ok {
			text = e.Key + " " + rest
		}
		v.Errorf(specHint(e, wrote), "%s", text)
		return
	}
	h := specHint(e, "")
	if h == "" {
		h = "add " + e.Key + ": ..."
	}
	n.Errorf(h, "%s: %s", e.Key, e.Text)
}

func specHint(e *transforms.SpecError, wrote string) string {
	switch {
	case e.Hint != "":
		return e.Hint
	case len(e.Known) == 0 && strings.Contains(e.Text, "does not belong"):
		return "leave it out"
	case len(e.Known) == 0:
		return ""
	}
	if h := hint(wrote, e.Known); h != "" {
		return h
	}
	return "write one of " + strings.Join(e.Known, ", ")
}

// textOf is the text of an optional key.
func textOf(n *conf.Node) string {
	if !n.Present() {
		return ""
	}
	return n.Text()
}

func (f *feed) tidy(n *conf.Node) transforms.Step {
	m := n.Map("tidy step", "at", "as", "if_bad", "if_none")
	s, err := transforms.NewTidy(transforms.TidySpec{At: f.targets(m["at"]), As: textOf(m["as"]), IfBad: textOf(m["if_bad"]), IfNone: textOf(m["if_none"])})
	return made(n, m, s, err)
}

func (f *feed) date(n *conf.Node) transforms.Step {
	m := n.Map("date step", "at", "from", "zone", "shift", "as", "to", "if_bad")
	spec := transforms.DateSpec{At: f.targets(m["at"]), From: textOf(m["from"]), To: textOf(m["to"]), As: textOf(m["as"]), IfBad: textOf(m["if_bad"])}
	if z := m["zone"]; z.Present() {
		var err error
		if spec.Zone, err = time.LoadLocation(z.Text()); err != nil || z.Text() == "" {
			z.Errorf("write Europe/London", "the time zone %q is not known", z.Text())
			return nil
		}
	}
	if v := m["shift"]; v.Present() {
		if spec.Shift = f.value(v); spec.Shift == nil {
			return nil
		}
	}
	s, err := transforms.NewDate(spec)
	return made(n, m, s, err)
}

func (f *feed) pad(n *conf.Node) transforms.Step {
	m := n.Map("pad step", "at", "to", "with", "side", "too_long")
	to := m["to"].Int(0, 1, 1000)
	if to == 0 && m["to"].Present() {
		return nil // its own problem is known
	}
	s, err := transforms.NewPad(transforms.PadSpec{At: f.targets(m["at"]), To: to, With: textOf(m["with"]),
		Side: textOf(m["side"]), TooLong: textOf(m["too_long"])})
	return made(n, m, s, err)
}

func (f *feed) replace(n *conf.Node) transforms.Step {
	m := n.Map("replace step", "at", "text", "pattern", "by", "all")
	spec := transforms.ReplaceSpec{At: f.targets(m["at"]), Text: textOf(m["text"]), By: textOf(m["by"]), All: m["all"].Bool(false)}
	if p := m["pattern"]; p.Present() {
		spec.Pattern = p.Source()
	}
	s, err := transforms.NewReplace(spec)
	return made(n, m, s, err)
}

// made gives the step, or says what is wrong with its settings.
func made[S transforms.Step](n *conf.Node, m map[string]*conf.Node, s S, err error) transforms.Step {
	if err == nil {
		return s
	}
	if n.IsMap() {
		specProblem(n, m, err)
	}
	return nil
}
