package routes

import (
	"slices"
	"strings"

	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
)

// outcome reads { hold: reason }, { drop: reason } or { reject: {...} }.
func (d dialect) outcome(n *conf.Node, what string, allowed ...string) transforms.Stop {
	m := n.Map(what, allowed...)
	if len(m) != 1 {
		if n.IsMap() && len(n.Fields()) != 1 { // else the one key is not known
			n.Errorf("write "+strings.Join(allowed, ": ... or ")+": ...", "%s needs exactly one outcome", what)
		}
		return transforms.Stop{Outcome: message.Held}
	}
	if !slices.Contains(allowed, "reject") || m["reject"] == nil {
		if h := m["hold"]; h.Present() {
			return transforms.Stop{Outcome: message.Held, Reason: reason(h), Place: n.Place()}
		}
		return transforms.Stop{Outcome: message.Dropped, Reason: reason(m["drop"]), Place: n.Place()}
	}
	return d.reject(m["reject"])
}

// reason is a text for people, written by the integrator.
func reason(n *conf.Node) string {
	s := n.Text()
	switch {
	case n.IsText() && strings.TrimSpace(s) == "":
		n.Errorf("say why, for whoever reads the list", "the reason is empty")
	case strings.HasPrefix(s, "= "):
		n.Errorf("write plain words", "a reason is no expression: lists and logs show it, so it holds no values of messages")
	}
	return s
}

// reject reads { ack: AE, code: "101", at: PID-3, http: 422, text: ... }.
func (d dialect) reject(n *conf.Node) transforms.Stop {
	m := n.Map("reject", "ack", "code", "at", "text", "http")
	if n.IsMap() && m["ack"] == nil && m["http"] == nil {
		n.Errorf("add ack: AE (an error the sender should look at) or AR (refused)", "reject does not say which acknowledgement")
	}
	if n.IsMap() && m["text"] == nil {
		n.Errorf("add text: ...", "reject does not say why")
	}
	text := ""
	if m["text"].Present() {
		text = reason(m["text"])
	}
	r := message.Reply{Code: m["ack"].OneOf("AE", "AE", "AR"), Text: text, HTTP: m["http"].Int(0, 400, 599)}
	e := message.ReplyError{Code: "207", Text: text, Severity: "E"}
	if c := m["code"]; c.Present() {
		e.Code = c.OneOf("207", "100", "101", "102", "103", "104", "200", "201", "202", "203", "204", "205", "206", "207")
	}
	if at := m["at"]; at.Present() {
		if s := d.of(at); s != nil {
			e.Location = s.String()
		}
	}
	r.Errors = []message.ReplyError{e}
	return transforms.Stop{Outcome: message.Rejected, Reason: text, Reply: r, Place: n.Place()}
}
