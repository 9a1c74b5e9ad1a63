package routes

import (
	"errors"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
)

// Decide says what follows from a message. It is pure: it does no I/O but view
// the envelope's body, and reads no clock. It never returns nil and never
// panics: a fault of its own holds the message.
//
// For sources that declare duplicates it sets env.Origin where the source gave none.
func (p *Plan) Decide(env *message.Envelope, now time.Time) *message.Decision {
	return p.DecideAgain(env, now, Again{})
}

// DecideWaiving is Decide for a message that a person releases: the rules at the
// waived places do not hold, drop or reject it this time.
func (p *Plan) DecideWaiving(env *message.Envelope, now time.Time, waived []message.Place) *message.Decision {
	return p.DecideAgain(env, now, Again{Waived: waived})
}

// DecideAgain is Decide with choices for a message that was decided before.
func (p *Plan) DecideAgain(env *message.Envelope, now time.Time, again Again) *message.Decision {
	return p.DecideTraced(env, now, again, nil)
}

// DecideTraced is DecideAgain and tells trace, when not nil, what happens on the way.
func (p *Plan) DecideTraced(env *message.Envelope, now time.Time, again Again, trace func(Trace)) *message.Decision {
	return p.decideTraced(env, now, again, trace, false)
}

func (p *Plan) decideTraced(env *message.Envelope, now time.Time, again Again, trace func(Trace), changes bool) (d *message.Decision) {
	r := p.runs.Get().(*run)
	r.env, r.now, r.again = env, now, again
	if trace != nil {
		r.follow(trace, changes)
	}
	if len(again.Waived) > 0 {
		r.input.Skip = r.again.waives
	}
	r.d = newDecision(env, p.hash)
	r.d.Deliveries = r.room
	defer func() {
		if v := recover(); v != nil {
			d = p.broken(env, v)
			return // r may be half-way through anything: it is not reused
		}
		r.clear()
		p.runs.Put(r)
	}()
	r.decide()
	r.room = r.d.Deliveries
	r.d.Deliveries = append([]message.Delivery(nil), r.room...)
	return r.d
}

// newDecision makes a decision with room for its one part, in one piece of memory.
func newDecision(env *message.Envelope, plan message.Hash) *message.Decision {
	room := &struct {
		d     message.Decision
		parts [1]message.Part
	}{}
	room.d = message.Decision{Envelope: env, Plan: plan, Parts: room.parts[:0]}
	return &room.d
}

func (r *run) decide() {
	r.source = r.plan.bySource[r.env.Source]
	switch {
	case r.source == nil:
		r.whole(message.Held, message.Place{}, "no source of this name is configured any more")
		r.acknowledge()
		return
	case r.env.Problem != "":
		r.unreadable(r.env.Problem)
		return
	case r.env.Body.Size() > r.plan.Settings.Limits.Parse:
		r.tooLarge()
		return
	}
	if b, ok := r.env.Body.Bytes(); ok {
		r.parsed(b)
		return
	}
	view, err := r.env.Body.View()
	if err != nil {
		r.whole(message.Held, message.Place{}, "the body cannot be read: "+err.Error())
		r.acknowledge()
		return
	}
	// What outlives this call is copied or refers to the body, never to the view.
	defer view.Close()
	r.parsed(oneRun(view))
}

func oneRun(v message.View) []byte {
	if len(v.Runs) == 1 {
		return v.Runs[0]
	}
	var all []byte
	for _, b := range v.Runs {
		all = append(all, b...)
	}
	return all
}

func (r *run) parsed(b []byte) {
	doc, err := r.source.read(r.env.Format, b)
	if err != nil {
		r.unreadable(err.Error())
		return
	}
	r.orig = doc
	r.d.Type, r.d.Event, r.d.ControlID = doc.Type(), doc.Event(), doc.ControlID()
	if err := r.origin(); err != nil {
		r.whole(message.Held, r.source.place, "the key of duplicates: "+err.Error())
		r.acknowledge()
		return
	}
	r.feeds()
	r.conclude()
	r.acknowledge()
}

// read parses a body as what the source declares; by is what its transport says.
func (s *source) read(by message.Format, b []byte) (message.Doc, error) {
	switch {
	case s.dialect.format == message.XML:
		return s.dialect.parseXML(b)
	case by == message.XML:
		return nil, errNotDeclared
	}
	return hl7doc.Parse(b, s.parse)
}

var errNotDeclared = errors.New("this is XML, and the source does not declare format: xml")

// whole gives the message one part that belongs to no feed.
func (r *run) whole(o message.Outcome, at message.Place, reason string) {
	r.d.Outcome = o
	r.d.Parts = append(r.d.Parts, message.Part{Outcome: o, Rule: at, Reason: reason})
}
