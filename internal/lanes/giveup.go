package lanes

import (
	"fmt"
	"strings"
	"time"
)

// deadline is the instant at which trying ends for a copy that waits since base.
// A clock that was moved back makes nobody wait longer than GiveUpAfter from now.
func (q *Queue) deadline(base time.Time) instant {
	limit := q.policy.Retry.GiveUpAfter
	if limit <= 0 {
		return never
	}
	age := max(q.wall.Sub(base), 0)
	return q.in(limit - min(age, limit))
}

// lapsed reports whether the head is to be given up: its time is over, and it was
// tried since this queue knows it, or the destination is known to be down. So
// nothing is given up untried after a restart or a pause that outlasted its time.
func (q *Queue) lapsed(l *lane) bool {
	h := &l.head
	if !h.known || h.stopped || l.pause || q.pause || h.deadline > q.v {
		return false
	}
	return h.tried || q.outage.certain()
}

// lapse gives up as many heads of the lane as are to be given up.
func (q *Queue) lapse(l *lane) {
	for q.adopt(l); q.lapsed(l); q.adopt(l) {
		if !q.giveUp(l) {
			return
		}
	}
}

// late remembers a head that is past its deadline but was not tried: it is sent
// in its turn, or given up with the rest when the destination proves to be down.
func (q *Queue) late(l *lane) {
	for range min(2, q.overdue.n) { // so that the ring holds no lanes of long ago
		if o := q.overdue.pop(); !o.gone && o.head.known && o.head.deadline <= q.v {
			q.overdue.push(o)
		}
	}
	q.overdue.push(l)
}

// giveUpLate gives up what is past its deadline while the destination is down.
func (q *Queue) giveUpLate() {
	if q.pause || !q.outage.certain() {
		return
	}
	for n := q.overdue.n; n > 0 && q.overdue.n > 0; n-- {
		q.place(q.overdue.pop())
	}
}

func (q *Queue) giveUp(l *lane) bool {
	reason := fmt.Sprintf("given up %s after it was queued", q.policy.Retry.GiveUpAfter)
	switch {
	case l.head.reason != "":
		reason += "; last: " + l.head.reason
	case !l.head.tried:
		reason += "; the destination is down"
	}
	return q.end(l, q.policy.Retry.Then, l.head.code, reason)
}

// why puts a result that was not good into words.
func why(r *Result, rule Rule) string {
	var b strings.Builder
	switch {
	case r.Err != nil:
		b.WriteString(clip(r.Err.Error()))
	case r.Code == codeNone:
		b.WriteString("no answer in time")
	case r.Code == codeWrongID:
		b.WriteString("the answer was to another message")
	case r.Code == codeUnreadable:
		b.WriteString("the answer could not be read")
	default:
		fmt.Fprintf(&b, "answered %q", clip(r.Code))
	}
	if at := rule.Place.String(); at != "" {
		b.WriteString(", see " + at)
	}
	return b.String()
}

func usedUp(rule Rule, last string) string {
	return fmt.Sprintf("%d retries used up; last: %s", rule.Retries, last)
}

const longestReason = 300 // bytes of an error that a reason keeps

func clip(s string) string {
	if len(s) > longestReason {
		s = strings.ToValidUTF8(s[:longestReason], "") + "..."
	}
	return s
}
