package lanes

import (
	"math/rand/v2"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Queue schedules the copies of one destination. Make one with New.
type Queue struct {
	clock
	policy Policy
	rnd    *rand.Rand

	lanes map[string]*lane
	all   []*lane // the same, in an order that does not depend on the map
	spare []*lane

	timers  timers
	ready   ring
	hungry  ring
	resting ring
	overdue ring
	failed  ring
	empty   ring

	announced Cursor // the last place heard of by Added
	restored  Cursor // ... and by Restore
	count     int    // copies in memory
	bytes     int64  // of bodies
	reserved  int    // copies that loads under way may bring
	loading   int    // loads under way
	starved   bool   // a lane could not load for want of room
	sending   int    // Sends under way
	inFlight  int    // copies of these

	outage  outage
	bucket  bucket
	pause   bool
	resume  instant
	pauses  map[string]instant // of lanes, also of those without work
	finish  []message.Finished
	notes   []message.Finished
	actions []Action
}

// New makes an empty queue. The seed decides the jitter of retries.
func New(p Policy, seed uint64) *Queue {
	q := &Queue{
		policy:  p.withDefaults(),
		rnd:     rand.New(rand.NewPCG(seed, 0)),
		lanes:   map[string]*lane{},
		pauses:  map[string]instant{},
		ready:   ring{flag: inReady},
		hungry:  ring{flag: inHungry},
		resting: ring{flag: inResting},
		overdue: ring{flag: inOverdue},
		failed:  ring{flag: inFailed},
		empty:   ring{flag: inEmpty},
	}
	q.bucket.fill(q.policy.Rate, 0)
	return q
}

// SetPolicy replaces the policy. It applies to the backlog: deadlines are
// reckoned anew and no wait stays longer than the new Cap. What has stopped stays
// stopped; Kick tries waiting heads at once.
func (q *Queue) SetPolicy(now time.Time, p Policy) {
	q.tick(now)
	q.policy = p.withDefaults()
	q.bucket.fill(q.policy.Rate, q.v)
	latest := q.in(q.policy.Retry.Cap)
	q.outage.retryAt = min(q.outage.retryAt, latest)
	q.each(func(l *lane) {
		if l.head.known {
			l.head.until = min(l.head.until, latest)
			l.head.deadline = q.deadline(l.head.base)
		}
	})
}

// Next gives what is to be done now, each action once, and when to ask again if
// no event comes first: always after now, zero when only an event can change
// anything. Ask again after every event. The slice is reused by the next call.
func (q *Queue) Next(now time.Time) (actions []Action, wake time.Time) {
	q.tick(now)
	q.fire()
	q.actions = q.actions[:0]
	q.records()
	q.sends()
	q.loads()
	return q.actions, q.time(q.wake())
}

// records turns what is to be recorded into actions, ahead of the sends that
// follow from it.
func (q *Queue) records() {
	if len(q.finish) > 0 {
		q.actions = append(q.actions, Finish{q.finish})
		q.finish = nil
	}
	if len(q.notes) > 0 {
		q.actions = append(q.actions, Note{q.notes})
		q.notes = nil
	}
}

// fire lets everything happen that is due.
func (q *Queue) fire() {
	if q.pause && q.resume <= q.v {
		q.endPause()
	}
	for q.timers.next() <= q.v {
		l := q.timers[0]
		if l.pause && l.resume <= q.v {
			q.endLanePause(l)
		}
		q.place(l)
	}
}

// wake is the next instant at which Next would do something by itself.
func (q *Queue) wake() instant {
	at := q.timers.next()
	if q.pause {
		return min(at, q.resume)
	}
	if q.ready.n > 0 && q.sending < q.policy.Concurrency {
		at = min(at, max(q.outage.next(), q.bucket.next(q.v)))
	}
	return at
}

// place puts the lane where its state says: among those that are ready, among
// the timers, among those that want a page, or out of the queue. It is called
// after everything that may have changed a lane, and only it decides.
func (q *Queue) place(l *lane) {
	if l.gone {
		return
	}
	at := never
	if l.sent == 0 {
		q.lapse(l)
		at = q.settle(l)
	}
	if q.wants(l) {
		if l.loadAt > q.v {
			at = min(at, l.loadAt)
		} else {
			q.hungry.push(l)
		}
	}
	q.timers.set(l, at)
	if l.copies.len() == 0 && l.sent == 0 && !l.head.known && !l.more() && l.page == nil {
		q.forget(l)
	}
}

// each changes every lane and places it. Placing may forget a lane and put
// another one in its place.
func (q *Queue) each(change func(l *lane)) {
	for i := 0; i < len(q.all); {
		l := q.all[i]
		change(l)
		q.place(l)
		if i < len(q.all) && q.all[i] == l {
			i++
		}
	}
}

// settle says when a lane that is not being sent must be looked at again, and
// makes it ready if it is.
func (q *Queue) settle(l *lane) instant {
	h := &l.head
	switch {
	case l.pause:
		q.rest(l)
		return l.resume
	case !h.known:
		return never
	case h.stopped:
		q.rest(l)
		return never
	case h.until > q.v:
		q.rest(l)
		if h.deadline > q.v {
			return min(h.until, h.deadline)
		}
		return h.until
	}
	if l.copies.len() > 0 {
		q.ready.push(l)
	}
	if h.deadline > q.v {
		return h.deadline
	}
	q.late(l)
	return never
}

// sendable reports whether the lane's head may be sent.
func (q *Queue) sendable(l *lane) bool {
	return !l.gone && l.sent == 0 && l.copies.len() > 0 && !l.pause && !l.head.stopped && l.head.until <= q.v
}

// adopt makes the first copy in memory the head.
func (q *Queue) adopt(l *lane) {
	if l.head.known || l.copies.len() == 0 {
		return
	}
	q.setHead(l, l.copies.at(0), l.copies.at(0).Queued)
}

func (q *Queue) setHead(l *lane, d *message.Delivery, base time.Time) {
	l.head = head{
		known: true, at: cursorOf(d), queue: d.Queue, message: d.Message, base: base, queued: d.Queued,
		attempts: d.Attempts, step: d.Attempts, stopped: d.Stopped, deadline: q.deadline(base),
	}
}

// lane gives the lane of that name, making it if it has none: everything before
// at has left then.
func (q *Queue) lane(name string, at Cursor) (l *lane, made bool) {
	if l := q.lanes[name]; l != nil {
		return l, false
	}
	l = q.blank()
	l.name, l.index, l.done, l.loaded, l.tail = name, len(q.all), at, at, at
	if until, ok := q.pauses[name]; ok && until > q.v {
		l.pause, l.resume = true, until
	}
	q.lanes[name] = l
	q.all = append(q.all, l)
	return l, true
}

const mostSpare = 64 // forgotten lanes that are kept for use under another name

// blank gives a lane without anything. Most lanes live for one copy.
func (q *Queue) blank() *lane {
	n := len(q.spare)
	if n == 0 {
		return &lane{timer: -1}
	}
	l := q.spare[n-1]
	q.spare = q.spare[:n-1]
	*l = lane{timer: -1, copies: line{buf: l.copies.buf[:0]}}
	return l
}

// forget drops a lane without work. It must stay while memory is ahead of the
// journal's news: a page may have brought a copy, sent by now, that Added is
// about to announce, and only the lane knows that it is not new.
func (q *Queue) forget(l *lane) {
	if q.announced.Before(l.loaded) {
		q.empty.push(l)
		return
	}
	q.timers.set(l, never)
	l.gone = true
	delete(q.lanes, l.name)
	last := len(q.all) - 1
	q.all[l.index] = q.all[last]
	q.all[l.index].index = l.index
	q.all[last] = nil
	q.all = q.all[:last]
	if l.in == 0 && len(q.spare) < mostSpare { // it stands in no ring
		q.spare = append(q.spare, l)
	}
}

// sweep looks at two of the lanes that wait to be forgotten.
func (q *Queue) sweep() {
	for range min(2, q.empty.n) {
		q.place(q.empty.pop())
	}
}
