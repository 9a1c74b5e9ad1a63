package routes

import (
	"slices"
	"strconv"
	"strings"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/conf"
)

// lint warns of what can run and is probably not meant. It reads a project that
// has no errors.
func (l *loader) lint() {
	for _, f := range l.plan.feeds {
		f.lintAccept()
		f.lintConstants()
		lintChain(f.nodes["transform"], true)
		for _, d := range f.nodes["deliver"].Items() {
			lintChain(d.Get("transform"), true)
		}
		l.lintShared(f.nodes["steps"])
		f.untested()
		f.unusedTables(f.nodes["tables"])
	}
	l.lintShared(l.steps)
	l.unusedFiles()
	l.mailboxCircles()
	l.overtaking()
}

// truth is what an expression is known to give without a message: true, false,
// or nothing.
func truth(n *conf.Node) (value, known bool) {
	if !n.IsText() {
		return false, false
	}
	s := asWritten(n)
	return s == "true", s == "true" || s == "false"
}

// asWritten is a condition's text as two of them are compared.
func asWritten(n *conf.Node) string {
	return strings.TrimSpace(strings.TrimPrefix(n.Source(), "= "))
}

// lintAccept finds rules that never decide, and rules that let nothing pass. A
// message reaches a rule when every condition above it had the value that goes on.
func (f *feed) lintAccept() {
	type fact struct {
		value bool
		line  int
	}
	known := map[string]fact{"true": {value: true}, "false": {}}
	for _, item := range f.nodes["accept"].Items() {
		cond, passes := item.Get("require"), true
		if cond == nil {
			cond, passes = item.Get("if"), false
		}
		was, ok := known[asWritten(cond)]
		switch {
		case !ok:
			known[asWritten(cond)] = fact{passes, cond.Place().Line}
		case was.value != passes:
			cond.Warnf("remove it, or what follows", "no message passes this rule, so that nothing after it is ever done%s", sameAs(was.line))
			return
		default:
			cond.Warnf("remove it", "this rule never decides%s", sameAs(was.line))
		}
	}
}

func sameAs(line int) string {
	if line == 0 {
		return ""
	}
	return ": line " + strconv.Itoa(line) + " has the same condition"
}

// lintConstants finds conditions that no message can change, elsewhere than in accept.
func (f *feed) lintConstants() {
	for _, s := range f.nodes["sources"].Fields() {
		if v, known := truth(s.Node.Get("when")); known && !v {
			s.Node.Get("when").Warnf("remove the source, or the condition", "the feed takes nothing from %q", s.Key)
		}
	}
	for _, c := range f.nodes["validate"].Items() {
		if v, known := truth(c.Get("require")); known && v {
			c.Get("require").Warnf("remove it", "this check never finds anything")
		}
	}
	for _, d := range f.nodes["deliver"].Items() {
		if v, known := truth(d.Get("when")); known && !v {
			d.Get("when").Warnf("remove the destination, or write retired: true while its queue empties", "nothing is ever delivered to %q", d.Get("to").Text())
		}
	}
}

// lintChain finds steps that are never reached. A list that ends the work on
// every message is meant only where it stands within another (whole is false).
func lintChain(n *conf.Node, whole bool) {
	items := n.Items()
	for i, item := range items {
		for _, key := range item.Fields() {
			switch {
			case slices.Contains([]string{"hold", "drop", "reject"}, key.Key) && (whole || i+1 < len(items)):
				key.Name.Warnf("put it into a when, or remove what follows", "no message passes this step, so that nothing after it is ever done")
				return
			case key.Key == "when":
				if v, known := truth(key.Node.Get("if")); known && !v {
					key.Node.Get("if").Warnf("remove the step", "these steps are never done")
				}
				lintChain(key.Node.Get("do"), false)
			case key.Key == "each":
				unrankedGroup(key.Node.Get("group"))
				lintChain(key.Node.Get("do"), false)
			}
		}
	}
}

// unrankedGroup warns of each over groups that no segment opens by itself: such
// a group is all that stands until the next of its kind, whatever it is.
func unrankedGroup(group *conf.Node) {
	ids := group.Texts()
	for _, id := range ids {
		if opensGroup(id) {
			return
		}
	}
	if len(ids) > 0 {
		group.Warnf(`write in: "`+ids[0]+`(*)"`, "%s opens no group of its own: an item would be all segments up to the next one", ids[0])
	}
}

// opensGroup asks hl7 itself: what stands before a PID ends there when it has a
// rank among the groups.
func opensGroup(id string) bool {
	m, err := hl7.Parse([]byte("MSH|^~\\&|\r" + id + "|1\rPID|1\r"))
	if err != nil {
		return true
	}
	_, to := m.Group(1)
	return to == 2
}

// lintShared warns of named steps that nothing uses, and looks into those that
// something uses.
func (l *loader) lintShared(n *conf.Node) {
	for _, s := range n.Fields() {
		switch {
		case l.used[where(s.Node)]:
			lintChain(s.Node, false)
		case !l.elsewhere:
			s.Name.Warnf("remove them, or write use: "+s.Key, "no feed uses the steps %q, so they are not checked either", s.Key)
		}
	}
}

// where tells nodes apart.
func where(n *conf.Node) string {
	line, column := n.Position()
	return n.File + ":" + strconv.Itoa(line) + ":" + strconv.Itoa(column)
}
