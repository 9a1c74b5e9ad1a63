package engine

import (
	"slices"
	"strings"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
	"github.com/spine-engine/spine-engine/store"
)

// decide makes what the plan now makes of the message for this queue, and lays it
// over the old copies: each new one takes the place of the old one that is the
// same of its feed's copies (store.Slot).
//
//	old, undelivered   new       then
//	yes                yes       the new one, in the old one's place
//	yes                no        discarded; held when the plan holds the message now
//	no, delivered ...  yes       nothing: that one has been sent
//	never there        yes       added, behind the one before it
//
// When anything changes, all of them are replaced: copies in one place keep their
// order only together.
func (r *reprocess) decide(rec *store.Record, old []int) (store.Replacement, Reprocessed) {
	feeds, left := r.feeds(rec, old)
	deed := Reprocessed{Copies: len(old), Left: len(left), Why: map[string]int{}}
	for _, why := range left {
		deed.Why[why]++
	}
	if len(feeds) == 0 {
		return store.Replacement{}, deed
	}
	again := routes.Again{Feeds: feeds}
	if r.Only != (message.Key{}) {
		for _, i := range old {
			again.Waived = append(again.Waived, rec.Copies[i].Rule)
		}
	}
	d := r.plan.DecideAgain(rec.Envelope, r.now, again)
	l := layer{queue: r.Queue, rec: rec, d: d, slots: store.Slots(d)}
	for _, i := range old {
		if slices.Contains(feeds, rec.Copies[i].Feed) {
			l.old = append(l.old, i)
		}
	}
	if l.unsure() {
		return store.Replacement{}, Reprocessed{Copies: len(old), Left: len(old),
			Why: map[string]int{"some of its copies have been sent, and the project makes another number of them now": len(old)}}
	}
	l.lay()
	if !l.changed {
		deed.Unchanged = len(l.old)
		return store.Replacement{}, deed
	}
	rep := store.Replacement{Message: rec.ID, In: l.in}
	for n, i := range l.old {
		out := store.Outgoing{Key: rec.Copies[i].Key, State: message.Discarded, Reason: "reprocessed: another copy took its place"}
		if !l.taken[n] {
			out.State, out.Reason = l.fate(&rec.Copies[i])
			deed.Why[out.Reason]++
		}
		switch {
		case l.taken[n]:
			deed.Replaced++
		case out.State == message.CopyHeld:
			deed.Held++
		default:
			deed.Discarded++
		}
		rep.Old = append(rep.Old, out)
	}
	deed.Added = len(l.in) - deed.Replaced
	if len(l.news) > 0 {
		rep.New = &message.Decision{Envelope: rec.Envelope, Outcome: message.Routed, Plan: d.Plan, Type: d.Type, Event: d.Event,
			ControlID: d.ControlID, Parts: d.Parts, Deliveries: l.news}
	}
	return rep, deed
}

// feeds are those that are to decide again. Copies whose feed or source the
// project no longer has are left: nobody knows what it would make of them.
func (r *reprocess) feeds(rec *store.Record, old []int) (feeds, left []string) {
	known := slices.ContainsFunc(r.plan.Sources(), func(s routes.Source) bool { return s.Name == rec.Source })
	all := r.plan.Feeds()
	for _, i := range old {
		feed := rec.Copies[i].Feed
		switch {
		case !known:
			left = append(left, "the project has no source "+rec.Source+" any more")
		case !slices.Contains(all, feed):
			left = append(left, "the project has no feed "+feed+" any more")
		case !slices.Contains(feeds, feed):
			feeds = append(feeds, feed)
		}
	}
	return feeds, left
}

// layer lays new deliveries over old copies.
type layer struct {
	queue   string
	rec     *store.Record
	old     []int // numbers of copies in rec, in the order in which they were made
	d       *message.Decision
	slots   []store.Slot // of d's deliveries
	news    []message.Delivery
	in      []store.Incoming
	taken   []bool // by number in old: a new copy takes its place
	changed bool
}

func (l *layer) lay() {
	l.taken = make([]bool, len(l.old))
	last := 0
	for i := range l.d.Deliveries {
		d := &l.d.Deliveries[i]
		if d.Queue != l.queue {
			continue
		}
		found := false
		for n, c := range l.old {
			if o := &l.rec.Copies[c]; o.Feed == d.Feed && o.Slot == l.slots[i] {
				l.take(n, i)
				l.taken[n], found, last = true, true, n
				l.changed = l.changed || differs(o, d)
			}
		}
		if !found && !l.had(d.Feed, l.slots[i]) {
			l.take(last, i)
			l.changed = true
		}
	}
	l.changed = l.changed || slices.Contains(l.taken, false)
}

func (l *layer) take(n, i int) {
	l.news = append(l.news, l.d.Deliveries[i])
	l.in = append(l.in, store.Incoming{Of: n, Slot: l.slots[i]})
}

// had reports whether there is, or was, such a copy, whatever became of it.
func (l *layer) had(feed string, s store.Slot) bool {
	return slices.ContainsFunc(l.rec.Copies, func(c store.Copy) bool { return c.Queue == l.queue && c.Feed == feed && c.Slot == s })
}

// unsure reports whether copies could be taken for others: the plan makes another
// number of them for one part now, and some have been sent. A copy is known by its
// number among them, so one that has been sent might be made for one that has not.
func (l *layer) unsure() bool {
	type group struct {
		feed string
		part int
	}
	had, makes, sent := map[group]map[int]bool{}, map[group]int{}, map[group]bool{}
	for i := range l.rec.Copies {
		c := &l.rec.Copies[i]
		if c.Queue != l.queue {
			continue
		}
		g := group{c.Feed, c.Part}
		if had[g] == nil {
			had[g] = map[int]bool{}
		}
		had[g][c.Slot.Number] = true
		sent[g] = sent[g] || c.State == message.Delivered || c.State == message.Expired
	}
	for i := range l.d.Deliveries {
		if d := &l.d.Deliveries[i]; d.Queue == l.queue {
			makes[group{d.Feed, l.slots[i].Part}]++
		}
	}
	for g := range sent {
		if sent[g] && makes[g] > 0 && makes[g] != len(had[g]) {
			return true
		}
	}
	return false
}

// fate is what becomes of a copy that the plan does not make any more.
func (l *layer) fate(c *store.Copy) (message.CopyState, string) {
	p := l.partOf(c)
	if l.d.Outcome == message.Rejected { // by any part: then nothing of it is delivered
		place, reason := l.d.Why()
		p = &message.Part{Outcome: message.Rejected, Rule: place, Reason: reason}
	}
	if p == nil {
		return message.Discarded, "reprocessed: no longer routed here"
	}
	why := strings.TrimSuffix(strings.Join([]string{p.Rule.String(), p.Reason}, " "), " ")
	switch p.Outcome {
	case message.Held, message.Rejected, message.Unrouted, message.Quarantined:
		return message.CopyHeld, "reprocessed: " + p.Outcome.String() + " by " + why
	case message.Dropped:
		return message.Discarded, "reprocessed: dropped by " + why
	}
	return message.Discarded, "reprocessed: no longer routed here"
}

// partOf finds the word on a copy: its own part's, its feed's, or the one on the
// message as a whole.
func (l *layer) partOf(c *store.Copy) *message.Part {
	var best *message.Part
	for i := range l.d.Parts {
		switch p := &l.d.Parts[i]; {
		case p.Feed == c.Feed && p.Number == c.Part:
			return p
		case p.Feed == c.Feed && p.Number == 0, p.Feed == "" && best == nil:
			best = p
		}
	}
	return best
}

// differs reports whether a new copy is another than the old one.
func differs(o *store.Copy, d *message.Delivery) bool {
	state := d.State
	if state == 0 {
		state = message.Queued
	}
	if o.State != state || o.Lane != d.Lane || o.Name != d.Name || o.ControlID != d.ControlID || o.Body.Size() != d.Body.Size() ||
		state == message.CopyHeld && (o.Rule != d.Rule || o.Reason != d.Reason) {
		return true
	}
	a, err1 := o.Body.Sum()
	b, err2 := d.Body.Sum()
	return err1 != nil || err2 != nil || a != b
}
