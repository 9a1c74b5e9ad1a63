package routes

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/conf"
)

// peer is a queue that feeds share.
type peer struct {
	node    *conf.Node
	order   order
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
		return
	}
	p := &peer{node: f.Name}
	notYet(m, "only_in")
	env := l.exprEnv(f.Node, nil)
	p.order = readOrder(&feed{env: env, loader: l}, m["order"])
	p.order.env = env
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
	notYet(m, "charset", "alert")
	if l.kinds[kind].Destination == nil {
		node.Errorf("", "%s only receives; it cannot be a destination", kind)
		return Destination{}, false
	}
	config := l.kinds[kind].Destination(node)
	t := config.Traits()
	d := Destination{Queue: queue, Kind: kind, Config: config, Place: at.Place(), node: at,
		Retired: m["retired"].Bool(false), Was: m["was"].Text()}
	d.Policy = Policy{Batch: max(t.Batch, 1), Concurrency: max(t.Concurrency, 1), PerKey: o.perKey(),
		Retry: readRetry(whole, m["retry"]), Rate: readRate(m["rate"]), Pause: readPauses(m["pause"])}
	d.Policy.Reply, d.Policy.ReplyAfter = readReplies(whole, m["reply"], config)
	if c, ok := config.(replyTimeout); ok && d.Policy.ReplyAfter > 0 {
		c.SetReplyTimeout(d.Policy.ReplyAfter)
	}
	return d, true
}

// ReplyCoder is a DestinationConfig whose replies are not HL7 acknowledgements.
type ReplyCoder interface {
	// ReplyCodes lists the codes a reply table must have.
	ReplyCodes() (required []string)
}

var knownCodes = []string{"AA", "AE", "AR", "CA", "CE", "CR", adapters.NoReply, adapters.WrongID, adapters.Unreadable, "other"}

// readReplies reads a reply table. Where replies exist it must be written,
// because no two systems mean the same by them.
func readReplies(whole, n *conf.Node, config adapters.DestinationConfig) (map[string]Rule, time.Duration) {
	if !config.Traits().NeedsReply {
		if n.Present() {
			n.Errorf("leave it out", "this kind of destination gets no replies")
		}
		return map[string]Rule{adapters.Written: {Do: DoDone, Retries: -1}}, 0
	}
	const example = "add reply: { AA: done, AE: { retry: 5, then: stop }, AR: dead_letter, none: { after: 30s, do: retry } }"
	if !n.Present() {
		whole.Errorf(example, "what replies mean is not declared")
		return nil, 0
	}
	out := map[string]Rule{adapters.WrongID: {Do: DoRetry, Retries: -1}, adapters.Unreadable: {Do: DoRetry, Retries: -1}}
	written := map[string]bool{}
	var after time.Duration
	for _, f := range n.Fields() {
		if !knownCode(f.Key) {
			f.Name.Errorf(hint(f.Key, knownCodes), "%q is no reply code", f.Key)
			continue
		}
		rule, a := readRule(f.Node, f.Key == adapters.NoReply)
		out[f.Key], written[f.Key] = rule, true
		after = max(after, a)
	}
	required := []string{"AA", "AE", "AR", adapters.NoReply}
	if c, ok := config.(ReplyCoder); ok {
		required = c.ReplyCodes()
	}
	for _, c := range required {
		if n.IsMap() && !written[c] {
			n.Errorf("add "+c+": ...", "what the reply %q means is not declared", c)
		}
	}
	return out, after
}

func knownCode(s string) bool {
	if slices.Contains(knownCodes, s) {
		return true
	}
	return len(s) == 3 && s[0] >= '1' && s[0] <= '5' && (s[1:] == "xx" || strings.Trim(s[1:], "0123456789") == "")
}

var thens = []string{string(DoDeadLetter), string(DoHold), string(DoStop)}

// readRule reads done, retry, ... or { retry: 5, then: stop } or { after: 30s, do: retry }.
func readRule(n *conf.Node, silence bool) (Rule, time.Duration) {
	rule := Rule{Do: DoRetry, Retries: -1, Place: n.Place()}
	does := append([]string{string(DoDone), string(DoRetry)}, thens...)
	if n.IsText() {
		rule.Do = Do(n.OneOf(string(DoRetry), does...))
		if silence && rule.Do == DoDone {
			n.Errorf("write retry", "no reply is no proof of delivery")
		}
		if silence {
			n.Errorf("write none: { after: 30s, do: "+n.Text()+" }", "how long a reply is waited for is not declared")
		}
		return rule, 0
	}
	m := n.Map("reply rule", "retry", "then", "do", "after", "feed")
	notYet(m, "feed")
	var after time.Duration
	switch {
	case silence:
		if m["after"] == nil && n.IsMap() {
			n.Errorf("add after: 30s", "how long a reply is waited for is not declared")
		}
		after = positive(m["after"])
	case m["after"] != nil:
		m["after"].Errorf("leave it out", "only none has a time to wait")
	}
	switch {
	case m["retry"] != nil && m["do"] != nil:
		m["do"].Errorf("keep one of the two", "do and retry exclude each other")
	case m["retry"] != nil:
		rule.Retries = m["retry"].Int(-1, 0, 1_000_000)
		if m["then"] == nil {
			n.Errorf("add then: stop, hold or dead_letter", "what comes after %s retries is not declared", m["retry"].Text())
		}
		rule.Then = Do(m["then"].OneOf(string(DoStop), thens...))
	case m["do"] != nil:
		rule.Do = Do(m["do"].OneOf(string(DoRetry), does...))
		if silence && rule.Do == DoDone {
			m["do"].Errorf("write retry", "no reply is no proof of delivery")
		}
		if m["then"] != nil {
			m["then"].Errorf("write retry: 5 beside it", "then belongs to a number of retries")
		}
	case n.IsMap():
		n.Errorf("add do: retry", "the rule does not say what to do")
	}
	return rule, after
}

func positive(n *conf.Node) time.Duration {
	d := n.Duration(0)
	if n.Present() && d <= 0 {
		n.Errorf("", "a time above zero is wanted")
	}
	return d
}

// readRetry reads how often and how long; when to give up is never a default.
func readRetry(whole, n *conf.Node) Backoff {
	b := Backoff{First: 2 * time.Second, Factor: 2, Cap: 5 * time.Minute, Jitter: 0.2, Place: n.Place()}
	if !n.Present() {
		whole.Errorf("add retry: { first: 2s, factor: 2, cap: 5m, give_up_after: never }", "how deliveries are tried again is not declared")
		return b
	}
	m := n.Map("retry", "first", "factor", "cap", "jitter", "give_up_after", "then")
	if f := m["first"]; f.Present() {
		b.First = positive(f)
	}
	if c := m["cap"]; c.Present() {
		b.Cap = positive(c)
	}
	if b.Cap < b.First {
		n.Errorf("", "the longest wait (cap) is shorter than the first")
	}
	b.Factor = number(m["factor"], b.Factor, 1, 100)
	b.Jitter = percent(m["jitter"], b.Jitter)
	g := m["give_up_after"]
	switch {
	case g == nil && n.IsMap():
		n.Errorf("add give_up_after: never, or a time such as 72h and then: dead_letter", "when to give up is not declared")
	case g.Present() && g.Text() != "never":
		b.GiveUpAfter = positive(g)
		if m["then"] == nil {
			n.Errorf("add then: dead_letter, hold or stop", "what becomes of a copy that was given up is not declared")
		}
		b.Then = Do(m["then"].OneOf(string(DoDeadLetter), thens...))
	case m["then"] != nil:
		m["then"].Errorf("leave it out", "a copy that is never given up has no then")
	}
	return b
}

func number(n *conf.Node, def, lo, hi float64) float64 {
	if !n.Present() {
		return def
	}
	v, err := strconv.ParseFloat(n.Text(), 64)
	if err != nil || v < lo || v > hi {
		n.Errorf("", "%q is no number from %g to %g", n.Text(), lo, hi)
		return def
	}
	return v
}

func percent(n *conf.Node, def float64) float64 {
	if !n.Present() {
		return def
	}
	num, ok := strings.CutSuffix(n.Text(), "%")
	v, err := strconv.ParseFloat(num, 64)
	if !ok || err != nil || v < 0 || v > 90 {
		n.Errorf("write 20%", "%q is no share from 0%% to 90%%", n.Text())
		return def
	}
	return v / 100
}

// readRate reads 20/s, 600/m, 5000/h.
func readRate(n *conf.Node) float64 {
	if !n.Present() {
		return 0
	}
	num, unit, _ := strings.Cut(n.Text(), "/")
	per := map[string]float64{"s": 1, "m": 60, "h": 3600}[unit]
	v, err := strconv.ParseFloat(strings.TrimSpace(num), 64)
	if err != nil || per == 0 || v <= 0 || v > 1e6 {
		n.Errorf("write 20/s, 600/m or 5000/h", "%q is no rate", n.Text())
		return 0
	}
	return v / per
}
