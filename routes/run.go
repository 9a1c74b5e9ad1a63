package routes

import (
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes/internal/expr"
	"github.com/spine-engine/spine-engine/transforms"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
)

// run is the work on one message. It is reused, so that deciding allocates
// little more than the decision.
type run struct {
	plan   *Plan
	env    *message.Envelope
	now    time.Time
	source *source
	orig   *hl7doc.Doc
	scope  *expr.Scope
	input  transforms.Input
	again  Again
	d      *message.Decision
	reject message.Reply // of the first feed that rejected
	trace  func(at message.Place, what, result string)
}

func newRun(p *Plan) *run {
	r := &run{plan: p, scope: expr.NewScope()}
	r.input.Scope = r.scope
	return r
}

// Again says how a held message is decided again.
type Again struct {
	// Waived are rules that do not stop the message this time: a person has
	// looked and released it.
	Waived []message.Place
	// Feeds, when not empty, are the only feeds asked: those whose part was held.
	// The others have had their copies delivered already.
	Feeds []string
}

func (a *Again) waives(p message.Place) bool {
	for _, w := range a.Waived {
		if w == p {
			return true
		}
	}
	return false
}

func (a *Again) asks(feed string) bool {
	if len(a.Feeds) == 0 {
		return true
	}
	for _, f := range a.Feeds {
		if f == feed {
			return true
		}
	}
	return false
}

func (r *run) note(at message.Place, what, result string) {
	if r.trace != nil {
		r.trace(at, what, result)
	}
}

func (r *run) clear() {
	r.scope.Clear()
	r.env, r.source, r.orig, r.input.Doc, r.input.Skip, r.d, r.trace = nil, nil, nil, nil, nil, nil, nil
	r.again, r.reject = Again{}, message.Reply{}
}
