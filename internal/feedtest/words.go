package feedtest

import (
	"fmt"
	"slices"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
)

// told is what became of a message, for the end of a sentence.
func (v *verifier) told(s *sent) string {
	out := ""
	for _, p := range v.words(s) {
		if p.Outcome != message.Routed {
			out += fmt.Sprintf("; it was %s: %s", p.Outcome, because(p.Reason, p.Rule))
		}
	}
	return out
}

func because(reason string, at message.Place) string {
	if at.File == "" {
		return reason
	}
	return fmt.Sprintf("%s (%s)", reason, at)
}

// words are the parts of a message that count. A message that no feed took has
// one of its own.
func (v *verifier) words(s *sent) []message.Part {
	if s.duplicate {
		return []message.Part{{Outcome: message.Duplicate, Reason: "its like came before"}}
	}
	var out []message.Part
	for _, p := range s.decision.Parts {
		if p.Feed == "" || v.counts(p.Feed) {
			out = append(out, p)
		}
	}
	return out
}

// weightiest is the order of what a message's outcome is made of.
var weightiest = []message.Outcome{message.Duplicate, message.Rejected, message.Quarantined, message.Held, message.Routed, message.Unrouted, message.Dropped}

func (v *verifier) outcome(s *sent) message.Outcome {
	words := v.words(s)
	for _, o := range weightiest {
		if slices.ContainsFunc(words, func(p message.Part) bool { return p.Outcome == o }) {
			return o
		}
	}
	return 0
}

// parts compares the reasons of one outcome.
func (v *verifier) parts(want *routes.SpecParts) {
	var got []message.Part
	var from []*sent
	for _, s := range v.sent {
		for _, p := range v.words(s) {
			if p.Outcome == want.Outcome {
				got, from = append(got, p), append(from, s)
			}
		}
	}
	switch {
	case want.None:
		for i, p := range got {
			v.fail(want.Place, "%sexpected nothing %s; it was: %s", v.which(from[i]), want.Outcome, because(p.Reason, p.Rule))
		}
		return
	case len(got) == 0:
		v.fail(want.Place, "expected %s%s%s", want.Outcome, v.reasonOf(&want.Reasons[0]), v.instead())
		return
	case want.Each && len(got) != len(want.Reasons):
		v.fail(want.Place, "expected %d %s, got %d", len(want.Reasons), want.Outcome, len(got))
	}
	for i, p := range got {
		r := &want.Reasons[0]
		if want.Each {
			r = &want.Reasons[min(i, len(want.Reasons)-1)]
		}
		if (!want.Each || i < len(want.Reasons)) && !matchesText(r, p.Reason) {
			v.fail(want.Place, "%sexpected %s %s, got %s", v.which(from[i]), want.Outcome, describe(r), because(fmt.Sprintf("%q", p.Reason), p.Rule))
		}
	}
}

func (v *verifier) reasonOf(r *routes.SpecValue) string {
	if r.Kind == routes.ValuePresent {
		return ""
	}
	return " " + describe(r)
}

// instead says what the messages became.
func (v *verifier) instead() string {
	out := ""
	for _, s := range v.sent {
		for _, p := range v.words(s) {
			out += fmt.Sprintf("; %s%s", v.which(s), p.Outcome)
			if p.Reason != "" {
				out += ": " + because(p.Reason, p.Rule)
			}
		}
	}
	if out == "" {
		return "; feed " + v.test.Feed + " took nothing"
	}
	return out
}

func (v *verifier) warnings(want *routes.SpecTexts) {
	if want == nil {
		return
	}
	var got []string
	for _, s := range v.sent {
		for _, p := range v.words(s) {
			for _, f := range p.Findings {
				got = append(got, f.Text)
			}
		}
	}
	if !slices.Equal(got, want.Texts) {
		v.fail(want.Place, "expected warnings %q, got %q", want.Texts, got)
	}
}
