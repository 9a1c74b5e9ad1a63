package routes

import (
	"cmp"
	"fmt"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
)

// feeds asks every feed that takes from the source, and then those to which
// these hand on.
func (r *run) feeds() {
	taken := false
	var last *feed // to take it: by one of its sources is enough
	for i := range r.source.takes {
		t := &r.source.takes[i]
		if t.feed != last && (!r.again.reaches(t.feed) || r.take(t, handed{doc: r.orig})) {
			taken, last = true, t.feed
		}
	}
	for i := 0; i < len(r.handed); i++ { // it grows meanwhile; feeds in a circle do not load
		r.enter(r.handed[i])
	}
	switch {
	case !taken:
		r.unmatched()
	case len(r.d.Parts) == 0:
		r.whole(message.Held, r.source.place, "none of the feeds that held it takes it any more")
	}
}

// handed is a document on its way into a feed.
type handed struct {
	feed     *feed
	doc      message.Doc
	detached bool // made by a step; it has no bytes in common with the envelope's body
	number   int  // within feed; see numbers.go
	asked    bool // who hands it on was asked, so that it is new to feed
}

// take asks whether a feed wants a document, and takes it through.
func (r *run) take(t *take, h handed) (taken bool) {
	r.scope.Set(t.feed.env, h.doc, r.env, r.now)
	mine, err := r.holds(t.when)
	if err != nil && r.again.waives(t.when.place) || err == nil && !mine {
		return false
	}
	r.in, r.detached, r.number, r.asked = h.doc, h.detached, h.number, h.asked || r.again.asks(t.feed, h.number)
	if err != nil {
		r.part(t.feed, &transforms.Stop{Outcome: message.Held, Reason: err.Error(), Place: t.when.place}, 0)
	} else {
		r.feed(t.feed)
	}
	return true
}

// enter takes a document into a feed that another one hands it to.
func (r *run) enter(h handed) {
	if !h.asked && !r.again.reaches(h.feed) {
		return
	}
	for i := range h.feed.inbound {
		if r.take(&h.feed.inbound[i], h) {
			return
		}
	}
	r.number, r.asked = h.number, h.asked || r.again.asks(h.feed, h.number)
	r.part(h.feed, &transforms.Stop{Outcome: message.Dropped, Reason: "the feed does not take what another feed hands it", Place: h.feed.place}, 0)
}

// holds evaluates a condition; nil holds always.
func (r *run) holds(c *condition) (bool, error) {
	if c == nil {
		return true, nil
	}
	yes, err := c.prg.Bool(r.scope)
	if r.trace != nil {
		result := fmt.Sprint(yes)
		if err != nil {
			result = err.Error()
		}
		r.note(c.place, TraceCondition, result)
	}
	return yes, err
}

// part records a feed's word on the message, or on one part of it; copies are the
// last deliveries. A word that is not wanted goes, and they with it: the feed was
// asked only for what it hands on.
func (r *run) part(f *feed, s *transforms.Stop, copies int) {
	if !r.asked {
		r.d.Deliveries, r.found = r.d.Deliveries[:len(r.d.Deliveries)-copies], nil
		return
	}
	if s.Outcome == message.Rejected && r.reject.Code == "" {
		r.reject = s.Reply
	}
	r.d.Parts = append(r.d.Parts, message.Part{Feed: f.name, Outcome: s.Outcome, Rule: s.Place, Reason: s.Reason,
		Copies: copies, Number: r.number, Findings: r.found})
	r.found = nil
	if r.trace != nil {
		r.note(s.Place, TraceOutcome, s.Outcome.String())
	}
}

// feed takes what is in r.in through one feed.
func (r *run) feed(f *feed) {
	r.found = nil
	if r.trace != nil {
		r.trace(Trace{Place: f.place, What: TraceFeed, Key: f.name, Result: "takes it"})
	}
	stop := r.accept(f)
	if stop == nil && len(f.checks) > 0 {
		stop, r.found = r.validate(f)
	}
	if err := unread(r.in); err != nil {
		stop = &transforms.Stop{Outcome: message.Held, Reason: err.Error(), Place: f.place}
	}
	if stop != nil {
		r.part(f, stop, 0)
		return
	}
	if f.split != nil {
		r.parts(f)
		return
	}
	r.onward(f, r.in)
}

// onward takes a document through transform and deliver.
func (r *run) onward(f *feed, doc message.Doc) {
	if len(f.steps) > 0 {
		r.work(doc.Clone())
		if stop := r.apply(f.place, f.steps); stop != nil {
			r.part(f, stop, 0)
			return
		}
		doc = r.input.Doc
	}
	r.deliver(f, doc)
}

// apply does steps. What they did by what could not be read to its end does not
// hold, neither an edit nor a stop.
func (r *run) apply(at message.Place, chains ...transforms.Chain) *transforms.Stop {
	r.gaveUp = nil
	var err error
	for i := 0; i < len(chains) && err == nil; i++ {
		err = chains[i].Apply(&r.input)
	}
	if gaveUp := cmp.Or(r.gaveUp, unread(r.input.Doc), unread(r.in)); gaveUp != nil {
		return &transforms.Stop{Outcome: message.Held, Reason: gaveUp.Error(), Place: at}
	}
	if err != nil {
		return err.(*transforms.Stop)
	}
	return nil
}

// work makes doc what steps and expressions see.
func (r *run) work(doc message.Doc) {
	r.input.Doc = doc
	r.scope.SetMsg(doc)
	if r.began != nil {
		r.began(doc)
	}
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

// isResponse tells an acknowledgement or answer from a message.
func isResponse(doc message.Doc) bool {
	d, ok := doc.(*hl7doc.Doc)
	return ok && d.M.IsResponse()
}

// unmatched: no feed of the source wanted the message.
func (r *run) unmatched() {
	s := &r.source.unmatched
	switch {
	case isResponse(r.orig):
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
