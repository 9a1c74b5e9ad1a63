package lanes

import (
	"slices"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
)

// sends starts as many sends as may be under way, one lane after the other.
func (q *Queue) sends() {
	for !q.pause && q.sending < q.policy.Concurrency && q.outage.next() <= q.v && q.bucket.next(q.v) <= q.v {
		l := q.ready.pop()
		if l == nil {
			return
		}
		if q.sendable(l) {
			q.send(l)
		}
	}
}

func (q *Queue) send(l *lane) {
	n := q.bucket.take(q.v, l.batch(q.policy.Batch))
	l.sent = n
	l.probe = q.outage.begins()
	q.sending++
	q.inFlight += n
	ds := make([]*message.Delivery, n)
	copy(ds, l.copies.slice(n))
	q.actions = append(q.actions, Send{l.name, ds})
	q.place(l)
}

// batch is how many copies go together: up to one that waits for a person.
func (l *lane) batch(most int) int {
	most = min(most, l.copies.len())
	for n := 1; n < most; n++ {
		if l.copies.at(n).Stopped {
			return n
		}
	}
	return most
}

// Done tells what became of the copies of a Send, in their order. Fewer results
// than copies mean that the rest was not tried. The first copy that stays at the
// head ends the batch: what stands behind it is sent again after it, in order.
func (q *Queue) Done(now time.Time, name string, results []Result) {
	q.tick(now)
	l := q.lanes[name]
	if l == nil || l.sent == 0 {
		return
	}
	n := l.sent
	q.landed(l)
	if len(results) == 0 {
		q.untried(l)
	}
	for i := range results[:min(n, len(results))] {
		if results[i].Key != l.copies.at(0).Key || !q.judge(l, &results[i]) {
			break
		}
	}
	q.strike(l)
	q.place(l)
	q.giveUpLate()
}

// landed ends the send of a lane.
func (q *Queue) landed(l *lane) {
	q.sending--
	q.inFlight -= l.sent
	l.sent = 0
	if l.probe {
		l.probe = false
		q.outage.probing--
	}
}

// untried: a send that tried nothing and says nothing. Sending again at once
// would spin, so it waits as after a failure, without counting one.
func (q *Queue) untried(l *lane) {
	q.adopt(l)
	q.postpone(l)
	l.head.reason = "the destination tried nothing"
}

// judge applies one result to the copy at the front. It reports whether that copy
// has left, so that the next result counts.
func (q *Queue) judge(l *lane, r *Result) bool {
	q.adopt(l)
	h := &l.head
	h.attempts++
	rule := Rule{Do: DeadLetter}
	switch {
	case r.Err == nil:
		rule = q.policy.rule(r.Code)
		if r.Code == codeNone {
			q.silence(l)
		} else {
			q.answered(l)
		}
	case !r.Permanent:
		rule = Rule{}
		q.silence(l)
	}
	if l.isStruck(h.at) {
		q.drop(l)
		return true
	}
	return q.follow(l, r, rule)
}

// follow does what the rule says.
func (q *Queue) follow(l *lane, r *Result, rule Rule) bool {
	switch rule.Do {
	case Done:
		q.leave(l, message.Delivered, r.Code, "")
		return true
	case Retry:
		return q.retry(l, r, rule)
	default:
		return q.end(l, rule.Do, r.Code, why(r, rule))
	}
}

// retry lets the head wait, unless its tries are used up; place looks at its time.
func (q *Queue) retry(l *lane, r *Result, rule Rule) bool {
	h := &l.head
	h.tried, h.code, h.reason = true, r.Code, why(r, rule)
	if rule.Retries > 0 {
		if h.answers == nil {
			h.answers = map[string]int{}
		}
		h.answers[r.Code]++
		if h.answers[r.Code] > rule.Retries {
			return q.end(l, rule.Then, r.Code, usedUp(rule, h.reason))
		}
	}
	q.postpone(l)
	q.note(l)
	return false
}

// postpone sets the wait before the head's next try.
func (q *Queue) postpone(l *lane) {
	h := &l.head
	h.wait = q.policy.Retry.wait(h.step, h.wait, q.rnd)
	h.step++
	h.until = q.in(h.wait)
}

// end takes the head out, or stops it. It reports whether the head has left.
func (q *Queue) end(l *lane, do Then, code, reason string) bool {
	switch do {
	case DeadLetter:
		q.leave(l, message.DeadLettered, code, reason)
	case Hold:
		q.leave(l, message.CopyHeld, code, reason)
	case Expire:
		q.leave(l, message.Expired, code, reason)
	default:
		h := &l.head
		h.stopped, h.code, h.reason = true, code, reason
		q.note(l)
		return false
	}
	return true
}

// note records what is new of the head while it stays.
func (q *Queue) note(l *lane) {
	q.unnote(l)
	q.notes = append(q.notes, q.news(l, message.Queued))
}

// unnote drops news of the head that were not fetched yet and are old now.
func (q *Queue) unnote(l *lane) {
	q.notes = slices.DeleteFunc(q.notes, func(f message.Finished) bool { return f.Key == l.head.at.Key })
}

// leave records the head's final state and takes it out.
func (q *Queue) leave(l *lane, s message.CopyState, code, reason string) {
	q.unnote(l)
	l.head.code, l.head.reason = code, reason
	q.finish = append(q.finish, q.news(l, s))
	q.drop(l)
}

// drop takes the head out, wherever its copy is.
func (q *Queue) drop(l *lane) {
	at := l.head.at
	if l.copies.len() > 0 && cursorOf(l.copies.at(0)) == at {
		q.release(l.copies.pop())
	} else {
		l.disk = max(l.disk-1, 0)
	}
	l.done, l.loaded = at, later(l.loaded, at)
	l.head = head{}
}

func (q *Queue) news(l *lane, s message.CopyState) message.Finished {
	h := &l.head
	return message.Finished{
		Key: h.at.Key, Pos: h.at.Pos, Queue: h.queue, Lane: l.name, State: s, At: q.wall,
		Attempts: h.attempts, Stopped: h.stopped && s == message.Queued, Code: h.code, Reason: h.reason,
	}
}
