package routes

import (
	"maps"
	"slices"

	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes/internal/expr"
	"github.com/spine-engine/spine-engine/transforms"
)

// output is one entry of deliver: its own copy, and a queue of its own or a peer's.
type output struct {
	queue   string
	feed    *feed // another feed instead of a queue
	way     int   // which of the ways to that feed this is
	when    *condition
	steps   transforms.Chain
	emit    []transforms.Chain // several copies, in order
	charset *charset
	order   order
	name    transforms.Value // declared file name; nil = the message id
	body    *decode          // a field's content instead of the message; nil = the message
	retired bool
	place   message.Place
}

// decode is a field whose content is delivered instead of the message.
type decode struct {
	at    message.Selector
	place message.Place
}

// order says which lane a copy waits in.
type order struct {
	sel    message.Selector // nil: strict, or prg
	prg    *expr.Program
	strict bool // written out, so that somebody counts on it
}

func (o order) perKey() bool { return o.sel != nil || o.prg != nil }

var deliverKeys = append([]string{"to", "peer", "when", "transform", "emit", "feed"}, queueKeys...)

// deliver reads all destinations of a feed.
func (f *feed) deliver(root, n *conf.Node) {
	items := n.Items()
	if len(items) == 0 {
		root.Errorf("add deliver: [ { to: NAME, ... } ]", "the feed delivers nothing")
	}
	seen := map[string]message.Place{}
	for _, item := range items {
		if !item.IsMap() {
			item.Errorf("write { to: NAME, ... }", "a destination is a mapping")
			continue
		}
		to := item.Get("to")
		if !to.Present() {
			item.Errorf("add to: NAME", "the destination has no name")
			continue
		}
		if first, dup := seen[to.Text()]; dup {
			to.Errorf("rename one", "a destination %q exists already in this feed, in line %d", to.Text(), first.Line)
			continue
		}
		seen[to.Text()] = to.Place()
		if checkName(to, "destination", to.Text()) {
			f.output(item, to)
		}
	}
}

func (f *feed) output(item, to *conf.Node) {
	l := f.loader
	if only := item.Get("only_in").OneOf(l.plan.Environment, "test", "live"); only != l.plan.Environment {
		l.skipped(nil, []*conf.Node{item})
		return
	}
	asked, cur := f.asksCA, f.cur // by the feed's own transform, for every destination
	end := f.begin()
	defer end()
	o := &output{place: item.Place(), when: f.condition(item.Get("when"))}
	ok := false
	switch {
	case item.Get("feed").Present():
		ok = f.toFeed(o, item)
	case item.Get("peer").Present():
		ok = f.toPeer(o, item)
	default:
		ok = f.toOwn(o, item, to)
	}
	o.steps = f.chain(item.Get("transform"))
	if item.Get("feed").Present() {
		l.links[len(l.links)-1].gives = f.cur.format
	}
	f.emit(o, item.Get("emit"), item.Get("feed").Present())
	if o.charset != nil && f.cur.format != message.HL7 && !item.Get("emit").Present() {
		at := item.Get("charset")
		if !at.Present() {
			at = to
		}
		at.Errorf("leave it out; XML and texts leave in UTF-8", "a character set is for HL7, and what is delivered here is %s", f.cur.format)
	}
	if ok && f.asksCA {
		f.needsCA(o, to)
	}
	f.asksCA = asked
	f.become(cur)
	if ok && !o.retired {
		f.outputs = append(f.outputs, o)
	}
}

// emit reads several copies of one message: each entry is a step of its own.
func (f *feed) emit(o *output, n *conf.Node, handsOn bool) {
	cur := f.cur
	for _, item := range n.Items() {
		end := f.begin()
		if s := f.step(item); s != nil {
			o.emit = append(o.emit, transforms.Chain{{Step: s, Place: item.Place()}})
		}
		end()
		f.become(cur)
	}
	if n.Present() && handsOn {
		n.Errorf("emit from the feed it is handed to", "what is handed to a feed is one message")
	}
}

// toFeed hands the message to another feed.
func (f *feed) toFeed(o *output, item *conf.Node) bool {
	m := item.Map("destination", "to", "feed", "when", "transform", "emit", "only_in")
	f.loader.links = append(f.loader.links, link{from: f, to: m["feed"], output: o})
	return m["feed"].Present()
}

// needsCA: a message that asks for an accept acknowledgement gets CA, and
// whether that is all there is to wait for only the integrator knows.
func (f *feed) needsCA(o *output, at *conf.Node) {
	for i := range f.loader.plan.destinations {
		d := &f.loader.plan.destinations[i]
		if d.Queue != o.queue || !d.Config.Traits().NeedsReply {
			continue
		}
		if _, ok := d.Policy.Reply["CA"]; !ok {
			at.Errorf("add CA: done, or what else it means, to the reply table of "+o.queue, "the transform sets MSH-15 or MSH-16, and what the reply CA means is not declared")
		}
	}
}

// toPeer shares a queue: what is common to all its feeds is said at the peer.
func (f *feed) toPeer(o *output, item *conf.Node) bool {
	l := f.loader
	for _, k := range slices.Sorted(maps.Keys(l.kinds)) {
		if n := item.Get(k); n.Present() {
			n.Errorf("keep one of the two", "a destination is a peer or has a %s of its own", k)
		}
	}
	for _, k := range []string{"order", "reply", "retry", "rate", "pause", "retired", "was", "charset", "alert"} {
		if n := item.Get(k); n.Present() {
			n.Errorf("write it at the peer in spine.yaml", "%s of a peer is the same for all feeds", k)
		}
	}
	item.Without(slices.Collect(maps.Keys(l.kinds))...).Map("destination", deliverKeys...)
	ref := item.Get("peer")
	p, declared := l.peers[ref.Text()]
	switch {
	case p == nil && declared: // its own problem is known
		return false
	case p == nil:
		ref.Errorf(hint(ref.Text(), slices.Sorted(maps.Keys(l.peers))), "spine.yaml has no peer %q", ref.Text())
		return false
	}
	p.used = true
	o.queue, o.order, o.retired, o.charset = ref.Text(), p.order, p.retired, p.charset
	if o.order.sel != nil && f.cur.format != message.HL7 {
		ref.Errorf("write order: { per: '= expression' } at the peer, or a destination of its own", "the peer's key of order %s is a selector of HL7, and this feed delivers %s", o.order.sel, f.cur.format)
	}
	return true
}

// toOwn has a queue of its own, named feed/destination.
func (f *feed) toOwn(o *output, item, to *conf.Node) bool {
	l := f.loader
	kind, node, m := l.kindOf(item, "destination", deliverKeys...)
	if kind == "" {
		return false
	}
	if kind == "mailbox" && node.IsMap() {
		if n := node.Get("name"); n.Present() {
			o.name = f.value(n)
		}
		if o.body = f.decode(node.Get("body")); o.body != nil {
			onlyBody(m)
		}
		node = node.Without("name", "body")
	}
	o.charset = readUnfit(m["charset"])
	o.queue = f.name + "/" + to.Text()
	o.order = readOrder(f, m["order"])
	d, ok := l.destination(o.queue, kind, to, item, node, m, o.order)
	if ok {
		l.plan.destinations = append(l.plan.destinations, d)
	}
	o.retired = d.Retired
	return ok
}

// onlyBody: what stands beside body about the message would be done to nothing.
func onlyBody(m map[string]*conf.Node) {
	for _, k := range []string{"transform", "emit", "charset"} {
		if n := m[k]; n.Present() {
			n.Errorf("write it into the feed's transform, or leave it out", "%s does nothing beside body: the content of a field is delivered as it is", k)
		}
	}
}

// decode reads { decode: SELECTOR, as: base64 }.
func (f *feed) decode(n *conf.Node) *decode {
	if !n.Present() {
		return nil
	}
	m := n.Map("body", "decode", "as")
	m["as"].OneOf("base64", "base64")
	if m["decode"] == nil || m["as"] == nil {
		if n.IsMap() {
			n.Errorf("write { decode: OBX(2=ED)-5.5, as: base64 }", "body does not say what to deliver instead of the message")
		}
		return nil
	}
	return &decode{at: f.cur.of(m["decode"]), place: n.Place()}
}

// readOrder reads strict, or { per: SELECTOR } or { per: "= expression" }.
func readOrder(f *feed, n *conf.Node) order {
	if !n.IsMap() {
		n.OneOf("strict", "strict")
		return order{strict: n.Present()}
	}
	m := n.Map("order", "per", "on_merge")
	notYet(m, "on_merge")
	per := m["per"]
	switch {
	case per == nil:
		n.Errorf("write order: strict, or { per: PID-3(5=PI).1 }", "order does not say per what")
	case isExpression(per):
		return order{prg: compileExpr(f.env, per, expr.Text)}
	default:
		sel := f.cur.of(per)
		if sel != nil && sel.IsList() {
			per.Errorf("name one value", "a key of order is one value, %s is a list", sel)
		}
		return order{sel: sel}
	}
	return order{}
}

func isExpression(n *conf.Node) bool {
	s := n.Source()
	return len(s) > 1 && s[:2] == "= "
}
