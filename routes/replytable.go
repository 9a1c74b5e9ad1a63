package routes

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/conf"
)

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
	if !n.Present() {
		whole.Errorf(replyExample(config), "what replies mean is not declared")
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

// replyExample is a table of the codes that the kind of destination asks for.
func replyExample(config adapters.DestinationConfig) string {
	c, ok := config.(ReplyCoder)
	if !ok {
		return "add reply: { AA: done, AE: { retry: 5, then: stop }, AR: dead_letter, none: { after: 30s, do: retry } }"
	}
	usual := map[string]string{"2xx": "done", "4xx": "dead_letter", adapters.NoReply: "{ after: 30s, do: retry }"}
	var rows []string
	for _, code := range c.ReplyCodes() {
		rows = append(rows, code+": "+cmp.Or(usual[code], string(DoRetry)))
	}
	return "add reply: { " + strings.Join(rows, ", ") + " }"
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
