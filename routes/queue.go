package routes

import (
	"time"

	"github.com/spine-engine/spine-engine/internal/conf"
)

// peer is a queue that feeds share.
type peer struct {
	node    *conf.Node
	order   order
	charset *charset
	used    bool
	retired bool
}

var queueKeys = []string{"order", "reply", "retry", "rate", "pause", "retired", "was", "charset", "alert", "only_in"}

// peer reads one entry of spine.yaml's peers.
func (l *loader) peer(f conf.Field) {
	if !checkName(f.Name, "peer", f.Key) {
		return
	}
	kind, node, m := l.kindOf(f.Node, "peer", queueKeys...)
	if kind == "" {
		l.peers[f.Key] = nil // its own problem is known
		return
	}
	p := &peer{node: f.Name}
	notYet(m, "only_in")
	if name := node.Get("name"); kind == "mailbox" && name.Present() {
		name.Errorf("leave it out, or give each feed a destination of its own", "files of a peer are named by the message id")
		node = node.Without("name")
	}
	env := l.exprEnv(f.Node, nil, dialect{}.both)
	p.order = readOrder(&feed{env: env, loader: l}, m["order"])
	p.charset = readUnfit(m["charset"])
	d, ok := l.destination(f.Key, kind, f.Name, f.Node, node, m, p.order)
	p.retired = d.Retired
	if ok {
		l.plan.destinations = append(l.plan.destinations, d)
	}
	l.peers[f.Key] = p
}

// replyTimeout is a destination that is told how long to wait for a reply.
type replyTimeout interface{ SetReplyTimeout(time.Duration) }

// destination reads what a peer and a feed's own destination have in common.
func (l *loader) destination(queue, kind string, at, whole, node *conf.Node, m map[string]*conf.Node, o order) (Destination, bool) {
	notYet(m, "alert", "was")
	if l.kinds[kind].Destination == nil {
		node.Errorf("", "%s only receives; it cannot be a destination", kind)
		return Destination{}, false
	}
	config := l.kinds[kind].Destination(node)
	t := config.Traits()
	d := Destination{Queue: queue, Kind: kind, Config: config, Place: at.Place(), node: at,
		Retired: m["retired"].Bool(false)}
	d.Policy = Policy{Batch: max(t.Batch, 1), Concurrency: max(t.Concurrency, 1), PerKey: o.perKey(),
		Retry: readRetry(whole, m["retry"]), Rate: readRate(m["rate"]), Pause: readPauses(m["pause"])}
	d.Policy.Reply, d.Policy.ReplyAfter = readReplies(whole, m["reply"], config)
	if c, ok := config.(replyTimeout); ok && d.Policy.ReplyAfter > 0 {
		c.SetReplyTimeout(d.Policy.ReplyAfter)
	}
	return d, true
}
