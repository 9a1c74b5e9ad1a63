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
