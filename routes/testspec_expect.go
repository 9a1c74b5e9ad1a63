package routes

import (
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
)

var partKeys = []string{"held", "rejected", "dropped", "unrouted", "quarantined", "duplicate"}

var fateKeys = []string{string(FateDeadLettered), string(FateHeld), string(FateExpired), string(FateStopped), string(FateQueued)}

// expect reads what a test expects.
func (r *testReader) expect(n *conf.Node, sends []SpecSend) SpecExpect {
	known := append([]string{"ack", "outcome", "delivered", "attempts", "arrived", "warnings"}, append(partKeys, fateKeys...)...)
	m := n.Map("expect", known...)
	if n.IsMap() && len(n.Fields()) == 0 {
		n.Errorf("write what it shows: ack, delivered, held, ...", "the test expects nothing")
	}
	e := SpecExpect{Place: n.Place(), Delivered: r.delivered(m["delivered"])}
	for _, a := range m["ack"].Items() {
		e.Acks = append(e.Acks, readTestAck(a))
	}
	if len(sends) > 0 && sends[0].Mailbox && m["ack"].Present() {
		m["ack"].Errorf("expect outcome, held or rejected", "a mailbox gives no acknowledgement")
	}
	for _, o := range m["outcome"].Items() {
		e.Outcomes = append(e.Outcomes, SpecText{Place: o.Place(), Text: o.OneOf("routed", append([]string{"routed"}, partKeys...)...)})
	}
	for _, k := range partKeys {
		if m[k].Present() {
			e.Parts = append(e.Parts, readTestParts(k, m[k]))
		}
	}
	for _, k := range fateKeys {
		if m[k].Present() {
			e.Copies = append(e.Copies, r.copies(CopyFate(k), m[k]))
		}
	}
	r.sendings(&e, m)
	if w := m["warnings"]; w.Present() {
		e.Warnings = &SpecTexts{Place: w.Place(), Texts: w.Texts()}
	}
	return e
}

// sendings reads attempts and arrived.
func (r *testReader) sendings(e *SpecExpect, m map[string]*conf.Node) {
	for _, f := range m["attempts"].Fields() {
		d, _ := r.destination(f.Name, f.Key)
		t := SpecTries{SpecDestination: d}
		for _, i := range f.Node.Items() {
			t.Tries = append(t.Tries, i.Int(0, 0, 1_000_000))
		}
		e.Attempts = append(e.Attempts, t)
	}
	for _, f := range m["arrived"].Fields() {
		d, _ := r.destination(f.Name, f.Key)
		e.Arrived = append(e.Arrived, SpecArrived{SpecDestination: d, ControlIDs: f.Node.Texts()})
	}
}

// readTestAck reads AA, or { code: AE, text: ..., error: "101", at: PID-3, http: 422 }.
func readTestAck(n *conf.Node) SpecAck {
	codes := []string{"AA", "AE", "AR", "CA", "CE", "CR", "none"}
	a := SpecAck{Place: n.Place()}
	if n.IsText() {
		a.Code = n.OneOf("", codes...)
		return a
	}
	m := n.Map("ack", "code", "text", "error", "at", "http", "body")
	a.Code = m["code"].OneOf("", codes...)
	a.Text, a.Error, a.Body = optional(m["text"]), optional(m["error"]), optional(m["body"])
	a.HTTP = m["http"].Int(0, 100, 599)
	if at := m["at"]; at.Present() {
		a.At = optional(at)
		if a.At.Kind == ValueText && a.At.Text != "" {
			if s, err := (dialect{}).selector(a.At.Text); err == nil {
				a.At.Text = s.String() // as a rule would put it
			}
		}
	}
	if n.IsMap() && len(m) == 0 {
		n.Errorf("write AA, or { code: AE, text: ... }", "nothing is expected of the acknowledgement")
	}
	return a
}

// readTestParts reads true, false, a reason or a list of reasons.
func readTestParts(key string, n *conf.Node) SpecParts {
	o, _ := message.ParseOutcome(key)
	p := SpecParts{Place: n.Place(), Outcome: o}
	switch {
	case n.IsList():
		p.Each, p.None = true, len(n.Items()) == 0
		for _, i := range n.Items() {
			p.Reasons = append(p.Reasons, readReason(i))
		}
	case n.Source() == "false" && n.IsText():
		p.None = true
	default:
		p.Reasons = []SpecValue{readReason(n)}
	}
	return p
}

// readReason reads a reason, or true for any.
func readReason(n *conf.Node) SpecValue {
	if n.IsText() && !n.Quoted() && n.Source() == "true" {
		return SpecValue{Kind: ValuePresent}
	}
	return readTestValue(n)
}

// copies reads dead_lettered: { epr: 1 }, { epr: ["0001"] } or { epr: "reason" }.
func (r *testReader) copies(fate CopyFate, n *conf.Node) SpecCopies {
	out := SpecCopies{Place: n.Place(), Fate: fate}
	for _, f := range n.Fields() {
		d, _ := r.destination(f.Name, f.Key)
		c := SpecCount{SpecDestination: d, Count: -1}
		switch {
		case f.Node.IsList():
			c.ControlIDs, c.Count = f.Node.Texts(), len(f.Node.Items())
		case f.Node.IsText() && isNumber(f.Node.Source()):
			c.Count = f.Node.Int(0, 0, 1_000_000)
		default:
			v := readReason(f.Node)
			c.Reason = &v
		}
		out.To = append(out.To, c)
	}
	return out
}

func isNumber(s string) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}
