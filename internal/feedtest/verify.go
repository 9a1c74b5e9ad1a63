package feedtest

import (
	"fmt"
	"slices"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
)

// verifier compares what happened with what was expected.
type verifier struct {
	*world
	feeds    []string // whose copies and words count
	golden   goldenFiles
	update   bool
	failures []Failure
}

func verify(w *world, golden goldenFiles, update bool) []Failure {
	v := &verifier{world: w, feeds: w.plan.Reaches(w.test.Feed), golden: golden, update: update}
	e := &w.test.Expect
	if e.Delivered != nil {
		for _, to := range e.Delivered.To {
			v.feeds = append(v.feeds, to.Feed)
		}
	}
	if w.exceeded {
		v.fail(w.test.Place, "ended after %d sends; give the test a shorter time with for:", w.sends)
	}
	v.acks(e.Acks)
	v.outcomes(e.Outcomes)
	for i := range e.Parts {
		v.parts(&e.Parts[i])
	}
	v.warnings(e.Warnings)
	v.delivered(e.Delivered)
	for i := range e.Copies {
		v.fates(&e.Copies[i])
	}
	v.attempts(e.Attempts)
	v.arrived(e.Arrived)
	return v.failures
}

func (v *verifier) fail(at message.Place, format string, args ...any) {
	v.failures = append(v.failures, Failure{Place: at, Text: fmt.Sprintf(format, args...)})
}

// counts reports whether a feed's copies and words count in this test: the
// listener may serve other feeds too, and they have tests of their own.
func (v *verifier) counts(feed string) bool { return slices.Contains(v.feeds, feed) }

// which names a message where there are several.
func (v *verifier) which(s *sent) string {
	if len(v.sent) == 1 {
		return ""
	}
	id := s.decision.ControlID
	if id == "" {
		return fmt.Sprintf("message %d: ", s.number)
	}
	return fmt.Sprintf("message %d (control id %s): ", s.number, id)
}

// each calls f for every message with its expectation: one for all, or one each.
func each[T any](v *verifier, at func(*T) message.Place, what string, wants []T, f func(*T, *sent)) {
	if len(wants) == 0 {
		return
	}
	if len(wants) > 1 && len(wants) != len(v.sent) {
		v.fail(at(&wants[0]), "%s: expected %d, and %d messages were sent", what, len(wants), len(v.sent))
	}
	for i, s := range v.sent {
		switch {
		case len(wants) == 1:
			f(&wants[0], s)
		case i < len(wants):
			f(&wants[i], s)
		}
	}
}

func (v *verifier) acks(wants []routes.SpecAck) {
	each(v, func(a *routes.SpecAck) message.Place { return a.Place }, "ack", wants, v.ack)
}

func (v *verifier) ack(a *routes.SpecAck, s *sent) {
	r := &s.decision.Reply
	code := r.Code
	if code == "" {
		code = "none"
	}
	if a.Code != "" && a.Code != code {
		v.fail(a.Place, "%sexpected ack %s, got %s%s", v.which(s), a.Code, code, v.told(s))
		return
	}
	var first message.ReplyError
	if len(r.Errors) > 0 {
		first = r.Errors[0]
	}
	for _, c := range []struct {
		what string
		want *routes.SpecValue
		got  string
	}{{"text", a.Text, r.Text}, {"error", a.Error, first.Code}, {"at", a.At, first.Location}, {"body", a.Body, r.Body}} {
		if c.want != nil && !matchesText(c.want, c.got) {
			v.fail(a.Place, "%sexpected ack %s %s, got %q", v.which(s), c.what, describe(c.want), c.got)
		}
	}
	if a.HTTP != 0 && a.HTTP != r.HTTP {
		v.fail(a.Place, "%sexpected ack http %d, got %d", v.which(s), a.HTTP, r.HTTP)
	}
}

func (v *verifier) outcomes(wants []routes.SpecText) {
	each(v, func(t *routes.SpecText) message.Place { return t.Place }, "outcome", wants, func(t *routes.SpecText, s *sent) {
		switch got := v.outcome(s); {
		case got == 0:
			v.fail(t.Place, "%sexpected outcome %s, and feed %s did not take it", v.which(s), t.Text, v.test.Feed)
		case got.String() != t.Text:
			v.fail(t.Place, "%sexpected outcome %s, got %s%s", v.which(s), t.Text, got, v.told(s))
		}
	})
}
