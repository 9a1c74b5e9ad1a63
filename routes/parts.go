package routes

import (
	"fmt"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
)

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
