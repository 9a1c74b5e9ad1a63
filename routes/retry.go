package routes

import (
	"strconv"
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/internal/conf"
)

func positive(n *conf.Node) time.Duration {
	d := n.Duration(-1)
	if n.Present() && d == 0 {
		n.Errorf("write a length of time such as 30s", "a time above zero is wanted")
	}
	return max(d, 0)
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
		at := m["cap"]
		if !at.Present() {
			at = m["first"]
		}
		at.Errorf("make cap longer than first", "the longest wait (cap, %s) is shorter than the first (%s)", b.Cap, b.First)
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
