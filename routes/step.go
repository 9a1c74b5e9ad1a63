package routes

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
)

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// chain compiles a list of steps.
func (f *feed) chain(n *conf.Node) transforms.Chain {
	var out transforms.Chain
	for _, item := range n.Items() {
		if s := f.step(item); s != nil {
			out = append(out, transforms.Placed{Step: s, Place: item.Place()})
		}
	}
	return out
}

// step compiles one step: the one key that names it, and for some if_none beside it.
func (f *feed) step(item *conf.Node) transforms.Step {
	var key conf.Field
	var ifNone *conf.Node
	for _, e := range item.Fields() {
		switch {
		case e.Key == "if_none":
			ifNone = e.Node
		case key.Name != nil:
			e.Name.Errorf("begin it with a dash of its own", "a step is one thing; %q is a second", e.Key)
		default:
			key = e
		}
	}
	if key.Name == nil {
		if item.IsMap() {
			item.Errorf("", "the step is empty")
		}
		return nil
	}
	return f.named(key, ifNone)
}

func (f *feed) named(key conf.Field, ifNone *conf.Node) transforms.Step {
	known := transforms.Vocabulary()
	i := slices.IndexFunc(known, func(v transforms.Word) bool { return v.Name == key.Key })
	switch {
	case i < 0:
		key.Name.Errorf(hint(key.Key, transforms.Names()), "there is no step %q", key.Key)
		return nil
	case !known[i].Ready:
		key.Name.Errorf("leave it out", "the step %q is not supported by this version yet", key.Key)
		return nil
	case ifNone != nil && !known[i].IfNoneBeside:
		ifNone.Errorf("", "if_none does not stand beside %s", key.Key)
	}
	switch n := key.Node; key.Key {
	case "set":
		return f.set(n, ifNone)
	case "default":
		s := f.set(n, ifNone)
		return &transforms.Default{Set: *s}
	case "copy":
		from, to, none := fromTo(n, "copy step")
		return &transforms.Copy{From: from, To: to, IfNone: none}
	case "move":
		from, to, none := fromTo(n, "move step")
		return &transforms.Move{From: from, To: to, IfNone: none}
	case "remove":
		return &transforms.Remove{At: f.removable(n)}
	case "nullify":
		return &transforms.Nullify{At: selectorsOf(n), IfNone: readIfNone(ifNone)}
	case "map":
		return f.mapStep(n)
	case "when":
		return f.when(n)
	default:
		return f.end(key)
	}
}

func readIfNone(n *conf.Node) transforms.IfNone {
	switch n.OneOf("hold", "hold", "skip", "create") {
	case "skip":
		return transforms.SkipIfNone
	case "create":
		return transforms.CreateIfNone
	}
	return transforms.HoldIfNone
}

func fromTo(n *conf.Node, what string) (from, to message.Selector, none transforms.IfNone) {
	m := n.Map(what, "from", "to", "if_none")
	for _, k := range []string{"from", "to"} {
		if n.IsMap() && m[k] == nil {
			n.Errorf("write { from: SELECTOR, to: SELECTOR }", "the %s has no %s", what, k)
		}
	}
	if m["from"].Present() {
		from = selectorOf(m["from"])
	}
	if m["to"].Present() {
		to = selectorOf(m["to"])
	}
	if from != nil && from.IsList() {
		m["from"].Errorf("name one, as in OBX(#2)-5", "a list cannot be copied to one place")
	}
	return from, to, readIfNone(m["if_none"])
}

func (f *feed) removable(n *conf.Node) []message.Selector {
	out := selectorsOf(n)
	for i, s := range out {
		if p, ok := s.(hl7.Path); ok && p.Segment() == "MSH" && (p.Field() <= 2) {
			n.Items()[i].Errorf("", "%s cannot be removed: a message begins with it", s)
		}
	}
	return out
}

// set reads { SELECTOR: value, ... }.
func (f *feed) set(n, ifNone *conf.Node) *transforms.Set {
	s := &transforms.Set{IfNone: readIfNone(ifNone)}
	fields := n.Fields()
	if n.IsMap() && len(fields) == 0 {
		n.Errorf("write { MSH-3: SPINE }", "nothing to set")
	}
	for _, e := range fields {
		f.assign(s, e.Name, e.Key, e.Node)
	}
	return s
}

// assign reads one target. Parts ({ 1: ADT, 2: A31 }) become targets of their own.
func (f *feed) assign(s *transforms.Set, at *conf.Node, target string, v *conf.Node) {
	switch {
	case v.IsMap() && (v.Get("raw") != nil || v.Get("copy") != nil):
		f.special(s, at, target, v)
		return
	case v.IsMap():
		for _, part := range v.Fields() {
			if n, err := strconv.Atoi(part.Key); err != nil || n < 1 {
				part.Name.Errorf("write { 1: ADT, 2: A31 }, { raw: ... } or { copy: SELECTOR }", "%q is no number of a part", part.Key)
				continue
			}
			f.assign(s, at, target+joint(target)+part.Key, part.Node)
		}
		return
	}
	sel := f.settable(at, target)
	val := f.value(v)
	if sel == nil || val == nil {
		return
	}
	if c, ok := val.(transforms.Constant); ok {
		checkDelimiters(v, sel, string(c))
	}
	s.Assignments = append(s.Assignments, transforms.Assignment{At: sel, Value: val})
}

// joint: parts of a segment are fields, parts of anything deeper components.
func joint(target string) string {
	if p, err := hl7.ParsePath(target); err == nil && p.DeepestLevel() == hl7.SegmentLevel {
		return "-"
	}
	return "."
}

func (f *feed) special(s *transforms.Set, at *conf.Node, target string, v *conf.Node) {
	m := v.Map("set step", "raw", "copy")
	sel := f.settable(at, target)
	a := transforms.Assignment{At: sel}
	switch {
	case m["raw"] != nil && m["copy"] != nil:
		m["copy"].Errorf("keep one of the two", "raw and copy exclude each other")
		return
	case m["raw"] != nil:
		a.Raw = f.value(m["raw"])
	default:
		a.From = selectorOf(m["copy"])
	}
	if sel != nil && (a.Raw != nil || a.From != nil) {
		s.Assignments = append(s.Assignments, a)
	}
}

func (f *feed) settable(at *conf.Node, target string) message.Selector {
	sel := compileSelector(at, target)
	p, ok := sel.(hl7.Path)
	switch {
	case !ok:
		return nil
	case p.DeepestLevel() == hl7.SegmentLevel:
		at.Errorf("name a field: "+p.Segment()+"-1", "a whole segment cannot be set to a text")
		return nil
	case p.Segment() == "MSH" && p.Field() <= 2:
		at.Errorf("", "%s cannot be set: it declares the delimiters of the message", sel)
		return nil
	case p.Segment() == "MSH" && (p.Field() == 15 || p.Field() == 16):
		f.asksCA = true
	}
	return sel
}

// checkDelimiters: everyone writes MSH-9: ADT^A31 once, and gets ADT\S\A31.
func checkDelimiters(n *conf.Node, sel message.Selector, text string) {
	p, _ := sel.(hl7.Path)
	if p.DeepestLevel() > hl7.RepetitionLevel || !strings.ContainsAny(text, "^~") {
		return
	}
	n.Errorf("write { 1: ..., 2: ... } for parts, { raw: ... } for ER7 as it is, or an expression for a text that holds them",
		"the text for %s holds delimiters, which set would escape", sel)
}

// mapStep reads { at, table, from, put, unmapped }.
func (f *feed) mapStep(n *conf.Node) transforms.Step {
	m := n.Map("map step", "at", "table", "from", "put", "unmapped", "if_none")
	for _, k := range []string{"at", "table", "unmapped"} {
		if n.IsMap() && m[k] == nil {
			n.Errorf("write { at: PID-8, table: sex, unmapped: keep }", "the map step has no %s", k)
		}
	}
	s := &transforms.Map{IfNone: readIfNone(m["if_none"])}
	if m["at"].Present() {
		s.At = f.settable(m["at"], m["at"].Source())
	}
	if f.unmapped(s, m["unmapped"]); !m["table"].Present() {
		return s
	}
	name := m["table"].Text()
	var declared bool
	if s.Table, declared = f.tables[name]; !declared {
		m["table"].Errorf(hint(name, slices.Sorted(maps.Keys(f.tables))), "there is no table %q in this feed", name)
		return s
	}
	if s.Table != nil { // else its own problem is known
		f.env.UseTable(name)
		f.columns(s, n, m)
	}
	return s
}

// columns decides which column goes where.
func (f *feed) columns(s *transforms.Map, n *conf.Node, m map[string]*conf.Node) {
	column := func(c *conf.Node) int {
		i := s.Table.Column(c.Text())
		if i < 0 {
			c.Errorf(hint(c.Text(), s.Table.Columns), "table %q has no column %q", s.Table.Name, c.Text())
		}
		return i
	}
	switch {
	case m["from"].Present():
		s.Column = column(m["from"])
	case m["put"].Present():
		s.Column = -1
	case len(s.Table.Columns) == 1:
		s.Column = 0
	default:
		n.Errorf("add from: COLUMN", "table %q has several columns", s.Table.Name)
	}
	if m["put"].Present() && s.At != nil && s.At.IsList() {
		m["put"].Errorf("name one place", "put cannot stand with a list")
	}
	for _, p := range m["put"].Fields() {
		if at := f.settable(p.Name, p.Key); at != nil {
			s.Put = append(s.Put, transforms.Put{At: at, Column: column(p.Node)})
		}
	}
}

func (f *feed) unmapped(s *transforms.Map, n *conf.Node) {
	if n.IsMap() {
		m := n.Map("unmapped", "default")
		if d := m["default"]; d.Present() {
			s.Unmapped, s.Default = transforms.DefaultUnmapped, d.Text()
		}
		return
	}
	switch n.OneOf("hold", "keep", "hold", "reject") {
	case "keep":
		s.Unmapped = transforms.KeepUnmapped
	case "reject":
		s.Unmapped = transforms.RejectUnmapped
		at := ""
		if s.At != nil {
			at = s.At.String()
		}
		s.Reply = message.Reply{Code: "AE", Text: "unknown code", Errors: []message.ReplyError{{Location: at, Code: "103", Text: "unknown code", Severity: "E"}}}
	}
}

func (f *feed) when(n *conf.Node) transforms.Step {
	m := n.Map("when step", "if", "do")
	if n.IsMap() && (m["if"] == nil || m["do"] == nil) {
		n.Errorf("write { if: EXPRESSION, do: [...] }", "a when step has an if and a do")
		return nil
	}
	w := &transforms.When{Do: f.chain(m["do"])}
	if c := f.condition(m["if"]); c != nil {
		w.If = c
	}
	return w
}

// end reads hold, drop and reject as steps.
func (f *feed) end(key conf.Field) transforms.Step {
	var stop transforms.Stop
	switch key.Key {
	case "hold":
		stop = transforms.Stop{Outcome: message.Held, Reason: reason(key.Node)}
	case "drop":
		stop = transforms.Stop{Outcome: message.Dropped, Reason: reason(key.Node)}
	default:
		stop = readReject(key.Node)
	}
	stop.Place = key.Name.Place()
	return &transforms.End{Stop: stop}
}
