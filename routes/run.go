package routes

import (
	"cmp"
	"slices"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes/internal/expr"
	"github.com/spine-engine/spine-engine/transforms"
)

// run is the work on one message. It is reused, so that deciding allocates
// little more than the decision.
type run struct {
	plan    *Plan
	env     *message.Envelope
	now     time.Time
	source  *source
	orig    message.Doc // as it came in
	scope   *expr.Scope
	answers *expr.Scope // of the answers that sources declare
	input   transforms.Input
	again   Again
	d       *message.Decision
	reject  message.Reply         // of the first feed that rejected
	handed  []handed              // what feeds hand to feeds
	trace   func(Trace)           // nil: nobody asks
	began   func(doc message.Doc) // before steps, when changes are asked for

	// Of the feed at work.
	in       message.Doc // what it takes: orig, or what another feed handed on
	detached bool        // the document at work has no bytes in common with the envelope's body
	number   int         // of the document or part at work; see numbers.go
	asked    bool        // the feed's word on it is wanted
	gaveUp   error       // a document that steps have left behind was not read to its end
	found    []message.Finding
	ids      []string           // of the parts
	room     []message.Delivery // where copies are collected
}

func newRun(p *Plan) *run {
	r := &run{plan: p, scope: expr.NewScope(), answers: expr.NewScope()}
	r.input.Scope = r.scope
	r.input.Swap = func(doc message.Doc) {
		r.gaveUp = cmp.Or(r.gaveUp, unread(r.scope.Msg()))
		r.scope.SetMsg(doc)
		r.detached = true
	}
	return r
}

// Again says how a message is decided that was decided before.
type Again struct {
	// Waived are rules that do not stop the message this time: a person has
	// looked and released it.
	Waived []message.Place
	// Feeds and Parts, when any is there, are all that is asked: those that were
	// held, and the feeds to which these now hand on. The others have had their
	// copies delivered already.
	Feeds []string
	Parts []PartOf
}

// PartOf names one document that a feed took, or one part of a message that it splits.
type PartOf struct {
	Feed   string
	Number int // as in message.Part
}

func (a *Again) waives(p message.Place) bool { return slices.Contains(a.Waived, p) }

func (a *Again) all() bool { return len(a.Feeds)+len(a.Parts) == 0 }

// asks reports whether a feed's word is wanted on the document, or part, of a number.
func (a *Again) asks(f *feed, number int) bool {
	return a.all() || slices.Contains(a.Feeds, f.name) || slices.Contains(a.Parts, PartOf{f.name, number})
}

// reaches reports whether any word of a feed is wanted, or of one that it hands on to.
func (a *Again) reaches(f *feed) bool {
	return a.all() || slices.Contains(a.Feeds, f.name) || slices.ContainsFunc(a.Parts, func(p PartOf) bool { return p.Feed == f.name }) || a.leadsOn(f)
}

// leadsOn reports whether the word of a feed is wanted to which f hands on.
func (a *Again) leadsOn(f *feed) bool {
	for to := range f.leadsTo {
		if slices.Contains(a.Feeds, to.name) || slices.ContainsFunc(a.Parts, func(p PartOf) bool { return p.Feed == to.name }) {
			return true
		}
	}
	return false
}

// keptRoom is for how many copies room is kept from one message to the next.
const keptRoom = 64

func (r *run) clear() {
	r.scope.Clear()
	r.env, r.source, r.orig, r.in, r.input.Doc, r.input.Skip, r.input.Trace, r.d, r.trace, r.began = nil, nil, nil, nil, nil, nil, nil, nil, nil, nil
	r.again, r.reject, r.number, r.detached, r.asked, r.found = Again{}, message.Reply{}, 0, false, false, nil
	if cap(r.room) > keptRoom {
		r.room = nil
	}
	clear(r.room[:cap(r.room)])
	r.room = r.room[:0]
	clear(r.handed)
	r.handed = r.handed[:0]
	clear(r.ids)
}
