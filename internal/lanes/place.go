package lanes

import (
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
)

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
