package lanes

import "time"

// Pause stops sending in the scope; what is being sent finishes, and nothing is
// given up meanwhile. It ends at until, or with Resume if until is zero. A second
// pause of the same scope replaces the first.
func (q *Queue) Pause(now time.Time, s Scope, until time.Time) {
	q.tick(now)
	resume := never
	if !until.IsZero() {
		resume = q.in(until.Sub(now))
	}
	switch {
	case resume <= q.v:
		q.Resume(now, s)
	case !s.one:
		q.pause, q.resume = true, resume
	default:
		q.pauses[s.lane] = resume
		if l := q.lanes[s.lane]; l != nil {
			l.pause, l.resume = true, resume
			q.place(l)
		}
	}
}

// Resume ends a pause. Waiting heads are tried at once, and none is given up
// before it was tried again.
func (q *Queue) Resume(now time.Time, s Scope) {
	q.tick(now)
	if !s.one {
		if q.pause {
			q.endPause()
		}
		return
	}
	delete(q.pauses, s.lane)
	if l := q.lanes[s.lane]; l != nil && l.pause {
		q.endLanePause(l)
		q.place(l)
	}
}

func (q *Queue) endPause() {
	q.pause = false
	q.outage.doubt(q.v)
	q.each(func(l *lane) { l.head.again(q.v) })
}

func (q *Queue) endLanePause(l *lane) {
	l.pause = false
	delete(q.pauses, l.name)
	l.head.again(q.v)
}

// again lets a head be tried now, and before it is given up.
func (h *head) again(v instant) {
	h.tried = false
	h.until = min(h.until, v)
}

// Kick tries every waiting head now: a connection came back, or a person asks.
// What has stopped stays so, and while nothing answers it is still one at a time.
func (q *Queue) Kick(now time.Time) {
	q.tick(now)
	q.outage.retryAt = min(q.outage.retryAt, q.v)
	q.each(func(l *lane) {
		l.head.until = min(l.head.until, q.v)
		l.loadAt = min(l.loadAt, q.v)
	})
}
