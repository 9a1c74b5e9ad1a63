package routes

import (
	"regexp"
	"slices"

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
	var ifNone conf.Field
	if !item.IsMap() {
		item.Errorf(anyStep, "a step is a mapping")
		return nil
	}
	for _, e := range item.Fields() {
		switch {
		case e.Key == "if_none":
			ifNone = e
		case key.Name != nil:
			e.Name.Errorf("begin it with a dash of its own", "a step is one thing; %q is a second", e.Key)
		default:
			key = e
		}
	}
	if key.Name == nil {
		item.Errorf(anyStep, "the step is empty")
		return nil
	}
	return f.named(key, ifNone)
}

const anyStep = "write { set: { MSH-3: SPINE } }, or another step"

func (f *feed) named(key, beside conf.Field) transforms.Step {
	ifNone := beside.Node
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
		beside.Name.Errorf("write it within "+key.Key+": {...}, or leave it out", "if_none does not stand beside %s", key.Key)
	}
	switch n := key.Node; key.Key {
	case "set":
		return f.set(n, ifNone)
	case "default":
		s := f.set(n, ifNone)
		return &transforms.Default{Set: *s}
	case "copy":
		from, to, none := f.fromTo(n, "copy step")
		return &transforms.Copy{From: from, To: to, IfNone: none}
	case "move":
		from, to, none := f.fromTo(n, "move step")
		return &transforms.Move{From: from, To: to, IfNone: none}
	case "remove":
		return &transforms.Remove{At: f.removable(n)}
	case "nullify":
		return &transforms.Nullify{At: f.cur.all(n), IfNone: readIfNone(ifNone)}
	case "map":
		return f.mapStep(n)
	case "when":
		return f.when(n)
	case "tidy":
		return f.tidy(n)
	case "date":
		return f.date(n)
	case "pad":
		return f.pad(n)
	case "replace":
		return f.replace(n)
	case "keep":
		return &transforms.Keep{At: f.cur.all(n)}
	case "insert":
		return f.insert(n)
	case "each":
		return f.each(n)
	case "use":
		return f.use(n)
	case "let":
		return f.letStep(n)
	case "template", "to_xml", "from_xml":
		return f.remake(key)
	default:
		return f.end(key)
	}
}

// targets reads the places a step works on: one, or a list of them.
func (f *feed) targets(n *conf.Node) []message.Selector {
	var out []message.Selector
	for _, c := range n.Items() {
		if s := f.settable(c, c.Source()); s != nil {
			out = append(out, s)
		}
	}
	return out
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

func (f *feed) fromTo(n *conf.Node, what string) (from, to message.Selector, none transforms.IfNone) {
	m := n.Map(what, "from", "to", "if_none")
	for _, k := range []string{"from", "to"} {
		if n.IsMap() && m[k] == nil {
			n.Errorf("write { from: SELECTOR, to: SELECTOR }", "the %s has no %s", what, k)
		}
	}
	if m["from"].Present() {
		from = f.cur.of(m["from"])
	}
	if m["to"].Present() {
		to = f.cur.of(m["to"])
	}
	if from != nil && from.IsList() {
		m["from"].Errorf("name one, as in OBX(#2)-5", "a list cannot be copied to one place")
	}
	return from, to, readIfNone(m["if_none"])
}

func (f *feed) removable(n *conf.Node) []message.Selector {
	out := f.cur.all(n)
	for i, s := range out {
		if p, ok := s.(hl7.Path); ok && p.Segment() == "MSH" && (p.Field() <= 2) {
			n.Items()[i].Errorf("leave it out", "%s cannot be removed: a message begins with it", s)
		}
	}
	return out
}

func (f *feed) when(n *conf.Node) transforms.Step {
	m := n.Map("when step", "if", "do")
	if n.IsMap() && (m["if"] == nil || m["do"] == nil) {
		n.Errorf("write { if: EXPRESSION, do: [...] }", "a when step has an if and a do")
		return nil
	}
	c := f.condition(m["if"]) // in its place: it cannot name what the steps name
	end := f.begin()
	f.depth++
	w := &transforms.When{Do: f.chain(m["do"])}
	f.depth--
	end()
	if c != nil {
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
		stop = f.cur.reject(key.Node)
	}
	stop.Place = key.Name.Place()
	return &transforms.End{Stop: stop}
}
