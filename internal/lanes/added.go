package lanes

import (
	"slices"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Restore tells of lanes with work on disk. Call it once, before anything is sent,
// with what the store lists at start. A queue that is read anew while copies keep
// coming is paused meanwhile; Added may have told of some of them already, or may
// tell of them afterwards: none is sent twice.
func (q *Queue) Restore(ls []Lane) {
	for _, s := range ls {
		l, _ := q.lane(s.Name, Cursor{})
		if l.sent == 0 && l.page == nil {
			q.pageOut(l, 0)
			l.head, l.done, l.loaded = head{}, Cursor{}, Cursor{}
		}
		l.tail = later(l.tail, endOf(s.Last))
		q.restored = later(q.restored, endOf(s.Last))
		l.disk = s.Count
		q.place(l)
	}
}

// Added tells of copies that the journal has committed to the queue, in journal
// order. One with the place of a copy that has stopped starts it anew.
func (q *Queue) Added(now time.Time, ds []*message.Delivery) {
	q.tick(now)
	for _, d := range ds {
		if d.State <= message.Queued {
			q.add(d)
		}
	}
	q.sweep()
}

func (q *Queue) add(d *message.Delivery) {
	at := cursorOf(d)
	old := !later(q.announced, q.restored).Before(at)
	q.announced = later(q.announced, at)
	l, made := q.lane(d.Lane, justBefore(at))
	switch {
	case !made && !l.tail.Before(at):
		if old {
			q.again(l, d, at)
		} // else a page was ahead of the news
		return
	case l.page != nil:
		q.aside(l, d)
		l.disk++
	case !l.more() && q.keeps(l, d):
		q.hold(d)
		l.copies.push(d)
		l.loaded = at
	default:
		l.disk++
	}
	l.tail = at
	q.place(l)
}

// again: the copy's place was announced before, so a person has started a stopped
// copy again.
func (q *Queue) again(l *lane, d *message.Delivery, at Cursor) {
	if l.page != nil {
		l.page.note(at, d)
	}
	if i := l.copies.find(at); i >= l.sent {
		q.bytes += d.Body.Footprint() - l.copies.at(i).Body.Footprint()
		l.copies.put(i, d)
	}
	if l.sent > 0 || !l.head.known || l.head.at != at || !l.head.stopped {
		return
	}
	q.setHead(l, d, q.wall)
	l.head.stopped, l.head.step = false, 0
	q.outage.retryAt = min(q.outage.retryAt, q.v)
	q.place(l)
}

// keeps reports whether a copy at the end of a lane that is wholly in memory may
// stay there too. The last quarter of the room is for lanes that hold nothing, so
// that neither backlogs nor busy lanes keep out the first copy of a quiet one.
func (q *Queue) keeps(l *lane, d *message.Delivery) bool {
	n, p := l.copies.len(), &q.policy
	used := q.count + q.reserved
	switch {
	case q.bytes+d.Body.Footprint() > p.MaxBytes && q.count > 0:
		return false
	case n == 0:
		return used < p.MaxLoaded
	case used >= q.ordinary() || q.starved:
		return false
	case l.resting(q.v):
		return n < q.few()
	default:
		return len(q.all) == 1 || n < max(q.few(), p.MaxLoaded/4)
	}
}

// ordinary is how many copies in memory leave room for quiet lanes.
func (q *Queue) ordinary() int { return q.policy.MaxLoaded - q.policy.MaxLoaded/4 }

// few is how many copies a lane that waits may keep in memory.
func (q *Queue) few() int { return max(1, min(max(16, q.policy.Batch), q.policy.MaxLoaded/4)) }

// resting reports whether the lane sends nothing for now by its own state.
func (l *lane) resting(v instant) bool {
	return l.sent == 0 && (l.pause || l.head.known && (l.head.stopped || l.head.until > v))
}

// hold and release count what is in memory.
func (q *Queue) hold(d *message.Delivery) {
	q.count++
	q.bytes += d.Body.Footprint()
}

func (q *Queue) release(d *message.Delivery) {
	q.count--
	q.bytes -= d.Body.Footprint()
}

// Removed tells of queued copies that a person has discarded. One that is being
// sent can not be called back: whatever comes of it, nothing is recorded of it.
func (q *Queue) Removed(now time.Time, fs []message.Finished) {
	q.tick(now)
	for i := range fs {
		if l := q.lanes[fs[i].Lane]; l != nil {
			q.remove(l, Cursor{fs[i].Pos, fs[i].Key})
		}
	}
}

func (q *Queue) remove(l *lane, at Cursor) {
	if l.page != nil {
		l.page.note(at, nil)
		q.removeAside(l, at)
	}
	i := l.copies.find(at)
	if i >= 0 && i < l.sent {
		l.struck = append(l.struck, at)
		return
	}
	if i >= 0 {
		q.release(l.copies.remove(i))
	} else if l.loaded.Before(at) {
		l.disk = max(l.disk-1, 0)
	}
	if l.head.known && l.head.at == at {
		l.head = head{}
	}
	q.place(l)
}

func (l *lane) isStruck(at Cursor) bool { return slices.Contains(l.struck, at) }

// strike takes out what was discarded while it was being sent and has not left.
func (q *Queue) strike(l *lane) {
	for _, at := range l.struck {
		if i := l.copies.find(at); i >= 0 {
			q.release(l.copies.remove(i))
		}
		if l.head.known && l.head.at == at {
			l.head = head{}
		}
	}
	l.struck = nil
}
