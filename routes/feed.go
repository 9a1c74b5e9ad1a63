package routes

import (
	"maps"
	"slices"

	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes/internal/expr"
	"github.com/spine-engine/spine-engine/transforms"
)

// feed is a compiled feed, in the order a message travels.
type feed struct {
	name     string
	place    message.Place
	env      *expr.Env
	tables   map[string]*transforms.Table
	rules    []rule
	checks   []check
	split    *split
	steps    transforms.Chain
	outputs  []*output
	unrouted transforms.Stop
	inbound  []take // from other feeds
	leadsTo  map[*feed]bool
	ways     int // on which messages come: see numbers.go

	// While loading.
	loader *loader
	orig   dialect // of messages as received
	cur    dialect // of msg at the place being read
	depth  int     // of when and each around it
	using  []string
	shared map[string]*conf.Node // steps by name
	asksCA bool                  // a step sets MSH-15 or MSH-16
	tests  []*Test
	nodes  map[string]*conf.Node // as written, by key
	made   map[string]string     // namespaces that templates declare, by prefix
}

// rule is one entry of accept.
type rule struct {
	cond  *condition
	want  bool // what the condition must be for the message to go on
	stop  transforms.Stop
	place message.Place
}

var feedKeys = []string{"spine", "feed", "description", "owner", "only_in", "sources", "tables", "steps", "let", "accept", "validate", "split",
	"transform", "deliver", "unrouted", "tests", "newest", "alert"}

// feed reads one file of feeds/.
func (l *loader) feed(root *conf.Node) {
	m := root.Map("feed", feedKeys...)
	version(m["spine"], root)
	notYet(m, "newest", "alert")
	justTexts(m, "description", "owner")
	f := &feed{name: l.feedName(root, m["feed"]), place: root.Place(), loader: l, nodes: m, tables: map[string]*transforms.Table{},
		leadsTo: map[*feed]bool{}, made: map[string]string{}}
	if only := m["only_in"].OneOf(l.plan.Environment, "test", "live"); only != l.plan.Environment {
		l.skipped(valuesOf(m["sources"]), m["deliver"].Items())
		return
	}
	f.readTables(m["tables"])
	f.orig = l.dialectOf(m["sources"])
	f.cur = f.orig
	f.env = l.exprEnv(root, f.sound(), f.selector)
	f.shared = l.sharedSteps(m["steps"])
	f.readLet(m["let"])
	f.sources(root, m["sources"])
	f.accept(m["accept"])
	f.validate(m["validate"])
	f.readSplit(m["split"])
	f.steps = f.chain(m["transform"])
	f.deliver(root, m["deliver"])
	f.readUnrouted(root, m["unrouted"])
	f.readTests(m)
	l.plan.feeds = append(l.plan.feeds, f)
}

// selector compiles what msg[...] and orig[...] name at the place being read.
func (f *feed) selector(text string, orig bool) (message.Selector, error) {
	if orig {
		return f.orig.inExpression(text)
	}
	return f.cur.inExpression(text)
}

// dialectOf finds the format of a feed's messages before its rules are read.
func (l *loader) dialectOf(sources *conf.Node) dialect {
	var first dialect
	for i, s := range mapFields(sources) {
		d := dialect{}
		if ref := s.Node.Get("listener"); !ref.Present() {
			d = readFormat(s.Node.Get("format"), s.Node.Get("namespaces"))
		} else if from := l.listeners[ref.Text()]; from != nil {
			d = from.dialect
		}
		switch {
		case i == 0:
			first = d
		case !first.same(d):
			s.Name.Errorf("make a feed for each, and one feed for what they share (to: ..., feed: NAME)",
				"the sources of a feed bring one format; this one brings %s, the first brings %s", d, first)
		}
	}
	return first
}

func (l *loader) feedName(root, n *conf.Node) string {
	if !n.Present() {
		root.Errorf("add feed: NAME", "the feed has no name")
		return ""
	}
	s := n.Text()
	if first, dup := l.feedNames[s]; dup {
		n.Errorf("rename one", "a feed %q exists already, in %s", s, first)
	}
	l.feedNames[s] = n.Place()
	checkName(n, "feed", s)
	return s
}

func (f *feed) readTables(n *conf.Node) {
	for _, t := range n.Fields() {
		f.tables[t.Key] = f.loader.table(t) // nil after a problem
	}
}

// sound gives the tables that could be read.
func (f *feed) sound() []*transforms.Table {
	var out []*transforms.Table
	for _, name := range slices.Sorted(maps.Keys(f.tables)) {
		if t := f.tables[name]; t != nil {
			out = append(out, t)
		}
	}
	return out
}

func (f *feed) unusedTables(n *conf.Node) {
	for _, t := range n.Fields() {
		if f.tables[t.Key] != nil && !f.env.TableUsed(t.Key) {
			t.Name.Warnf("remove it, or use it in map or table(...)", "table %q is not used", t.Key)
		}
	}
}

// readLet compiles the named values in order; each may use those before it.
func (f *feed) readLet(n *conf.Node) {
	for _, v := range n.Fields() {
		if !identifier.MatchString(v.Key) {
			v.Name.Errorf("letters, digits and _", "%q cannot be read as vars.%s", v.Key, v.Key)
			continue
		}
		if p := compileExpr(f.env, v.Node, expr.Any); p != nil {
			f.env.Define(v.Key, p)
		}
	}
}

// sources reads where the feed takes messages from.
func (f *feed) sources(root, n *conf.Node) {
	fields := n.Fields()
	if len(fields) == 0 {
		root.Errorf("add sources: { NAME: { listener: ... } }", "the feed has no source")
	}
	for _, s := range fields {
		if checkName(s.Name, "source", s.Key) {
			f.source(s)
		}
	}
}

func (f *feed) source(s conf.Field) {
	l := f.loader
	t := take{feed: f}
	var from *source
	var when *conf.Node
	if s.Node.Get("feed").Present() {
		m := s.Node.Map("source", "feed", "when", "format", "namespaces")
		m["feed"].OneOf("true", "true")
		t.when = f.condition(m["when"])
		f.inbound = append(f.inbound, t)
		return
	}
	f.ways = 1
	if ref := s.Node.Get("listener"); ref.Present() {
		m := s.Node.Map("source", "listener", "when")
		when = m["when"]
		known := slices.Sorted(maps.Keys(l.listeners))
		declared := false
		if from, declared = l.listeners[ref.Text()]; !declared {
			ref.Errorf(hint(ref.Text(), known), "spine.yaml has no listener %q", ref.Text())
		}
	} else {
		when = s.Node.Get("when")
		from = l.source(f.name+"/"+s.Key, s.Name, s.Node)
	}
	t.when = f.condition(when)
	if from != nil {
		from.takes = append(from.takes, t)
	}
}

// accept reads the rules that decide on the message as received.
func (f *feed) accept(n *conf.Node) {
	for _, item := range n.Items() {
		if !item.IsMap() {
			item.Errorf(`write { require: EXPRESSION, otherwise: { drop: "why" } }`, "a rule is a mapping")
			continue
		}
		m := item.Map("accept rule", "name", "require", "otherwise", "if", "then")
		r := rule{place: item.Place()}
		switch {
		case m["require"] != nil && m["if"] == nil && m["then"] == nil:
			r.want, r.cond = true, f.condition(m["require"])
			r.stop = f.ruleOutcome(item, m["otherwise"], "otherwise")
		case m["if"] != nil && m["require"] == nil && m["otherwise"] == nil:
			r.cond = f.condition(m["if"])
			r.stop = f.ruleOutcome(item, m["then"], "then")
		default:
			mixed(item, m)
			continue
		}
		r.stop.Place = r.place
		if r.cond != nil {
			f.rules = append(f.rules, r)
		}
	}
}

// mixed says what keeps a rule from being a requirement or a condition.
func mixed(item *conf.Node, m map[string]*conf.Node) {
	switch {
	case m["require"] != nil && m["if"] != nil:
		m["if"].Errorf("make a rule of each", "a rule is either a requirement (require) or a condition (if)")
	case m["require"] != nil:
		m["then"].Errorf("write otherwise", "then belongs to if")
	case m["if"] != nil:
		m["otherwise"].Errorf("write then", "otherwise belongs to require")
	default:
		item.Errorf("write require and otherwise, or if and then", "the rule is neither a requirement nor a condition")
	}
}

func (f *feed) ruleOutcome(item, n *conf.Node, key string) transforms.Stop {
	if !n.Present() {
		item.Errorf("add "+key+`: { drop: "why" }, { hold: "why" } or { reject: {...} }`, "the rule names no outcome")
		return transforms.Stop{}
	}
	return f.orig.outcome(n, key, "drop", "hold", "reject")
}

// readUnrouted reads what becomes of messages that no destination took.
func (f *feed) readUnrouted(root, n *conf.Node) {
	const reason = "no destination took it"
	switch {
	case !n.Present():
		root.Errorf(`add unrouted: hold, or unrouted: { drop: "why" }`, "what becomes of messages that no destination takes is not declared")
	case n.IsText() && n.Source() == "drop":
		n.Errorf(`write unrouted: { drop: "why" }`, "a drop needs a reason")
	case n.IsText():
		n.OneOf("hold", "hold")
		f.unrouted = transforms.Stop{Outcome: message.Unrouted, Reason: reason, Place: n.Place()}
	default:
		f.unrouted = f.cur.outcome(n, "unrouted", "drop", "hold")
		f.unrouted.Place = n.Place()
		if f.unrouted.Outcome == message.Held {
			f.unrouted.Outcome = message.Unrouted
		}
	}
}
