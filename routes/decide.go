package routes

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
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
func (p *Plan) DecideAgain(env *message.Envelope, now time.Time, again Again) (d *message.Decision) {
	r := p.runs.Get().(*run)
	r.env, r.now, r.again = env, now, again
	if len(again.Waived) > 0 {
		r.input.Skip = r.again.waives
	}
	r.d = newDecision(env, p.hash)
	defer func() {
		if v := recover(); v != nil {
			d = p.broken(env, v)
			return // r may be half-way through anything: it is not reused
		}
		r.clear()
		p.runs.Put(r)
	}()
	r.decide()
	return r.d
}

// newDecision makes a decision with room for what it usually holds, in one piece of memory.
func newDecision(env *message.Envelope, plan message.Hash) *message.Decision {
	room := &struct {
		d          message.Decision
		parts      [1]message.Part
		deliveries [2]message.Delivery
	}{}
	room.d = message.Decision{Envelope: env, Plan: plan, Parts: room.parts[:0], Deliveries: room.deliveries[:0]}
	return &room.d
}

// broken is the decision after a panic. Only texts of the runtime are shown:
// any other value might hold content.
func (p *Plan) broken(env *message.Envelope, v any) *message.Decision {
	why := fmt.Sprintf("internal error of type %T", v)
	if e, ok := v.(runtime.Error); ok {
		why = "internal error: " + e.Error()
	}
	return &message.Decision{Envelope: env, Plan: p.hash, Outcome: message.Held, Reply: message.Reply{Code: "AA"},
		Parts: []message.Part{{Outcome: message.Held, Rule: message.Place{File: "panic"}, Reason: why + panicSite()}}}
}

// panicSite is where in the program the panic began: the first function below
// the runtime's own.
func panicSite() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs[:])])
	raised := false
	for {
		f, more := frames.Next()
		switch {
		case f.Function == "runtime.gopanic":
			raised = true
		case raised && !strings.HasPrefix(f.Function, "runtime."):
			return fmt.Sprintf(" in %s, line %d", f.Function, f.Line)
		}
		if !more {
			return ""
		}
	}
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
	if r.env.Format != message.HL7 {
		r.unreadable(r.env.Format.String() + " messages cannot be read by this version yet")
		return
	}
	doc, err := hl7doc.Parse(b, r.source.parse)
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

// whole gives the message one part that belongs to no feed.
func (r *run) whole(o message.Outcome, at message.Place, reason string) {
	r.d.Outcome = o
	r.d.Parts = append(r.d.Parts, message.Part{Outcome: o, Rule: at, Reason: reason})
}

// feeds asks every feed that takes from the source.
func (r *run) feeds() {
	taken := false
	for i := range r.source.takes {
		t := &r.source.takes[i]
		if !r.again.asks(t.feed.name) {
			taken = true
			continue
		}
		r.scope.Set(t.feed.env, r.orig, r.env, r.now)
		mine, err := r.holds(t.when)
		switch {
		case err != nil && r.again.waives(t.when.place):
		case err != nil:
			taken = true
			r.part(t.feed, &transforms.Stop{Outcome: message.Held, Reason: err.Error(), Place: t.when.place}, 0)
		case mine:
			taken = true
			r.feed(t.feed)
		}
	}
	switch {
	case !taken:
		r.unmatched()
	case len(r.d.Parts) == 0:
		r.whole(message.Held, r.source.place, "none of the feeds that held it takes it any more")
	}
}

// holds evaluates a condition; nil holds always.
func (r *run) holds(c *condition) (bool, error) {
	if c == nil {
		return true, nil
	}
	yes, err := c.prg.Bool(r.scope)
	if r.trace != nil {
		r.note(c.place, "condition", fmt.Sprint(yes))
	}
	return yes, err
}

// part records a feed's word.
func (r *run) part(f *feed, s *transforms.Stop, copies int) {
	if s.Outcome == message.Rejected && r.reject.Code == "" {
		r.reject = s.Reply
	}
	r.d.Parts = append(r.d.Parts, message.Part{Feed: f.name, Outcome: s.Outcome, Rule: s.Place, Reason: s.Reason, Copies: copies})
}

// feed takes the message through one feed.
func (r *run) feed(f *feed) {
	if stop := r.accept(f); stop != nil {
		r.part(f, stop, 0)
		return
	}
	doc := message.Doc(r.orig)
	if len(f.steps) > 0 {
		doc = r.orig.Clone()
		r.input.Doc = doc
		r.scope.SetMsg(doc)
		if err := f.steps.Apply(&r.input); err != nil {
			r.part(f, err.(*transforms.Stop), 0)
			return
		}
	}
	r.deliver(f, doc)
}

// accept asks the rules in order; the first that decides ends it.
func (r *run) accept(f *feed) *transforms.Stop {
	for i := range f.rules {
		rule := &f.rules[i]
		ok, err := r.holds(rule.cond)
		switch {
		case err == nil && ok == rule.want:
		case r.again.waives(rule.place):
		case err != nil:
			return &transforms.Stop{Outcome: message.Held, Reason: err.Error(), Place: rule.place}
		default:
			return &rule.stop
		}
	}
	return nil
}

// unmatched: no feed of the source wanted the message.
func (r *run) unmatched() {
	s := &r.source.unmatched
	switch {
	case r.orig.M.IsResponse():
		r.whole(message.Quarantined, s.Place, "an acknowledgement or answer came in where messages are expected, and no feed takes it")
	case s.Outcome != message.Dropped && r.again.waives(s.Place):
		r.whole(message.Dropped, s.Place, "released, and no feed takes it")
	default:
		if s.Outcome == message.Rejected {
			r.reject = s.Reply
		}
		r.whole(s.Outcome, s.Place, s.Reason)
	}
}

// weight orders outcomes: the weightiest part is the outcome of the message.
func weight(o message.Outcome) int {
	switch o {
	case message.Rejected:
		return 6
	case message.Quarantined:
		return 5
	case message.Held:
		return 4
	case message.Routed:
		return 3
	case message.Unrouted:
		return 2
	}
	return 1
}

// conclude makes one outcome of the parts. A rejected message was not accepted,
// so nothing of it may be delivered.
func (r *run) conclude() {
	d := r.d
	for i := range d.Parts {
		if o := d.Parts[i].Outcome; weight(o) > weight(d.Outcome) || d.Outcome == 0 {
			d.Outcome = o
		}
	}
	if d.Outcome == message.Rejected {
		d.Deliveries = nil
		for i := range d.Parts {
			d.Parts[i].Copies = 0
		}
	}
}
