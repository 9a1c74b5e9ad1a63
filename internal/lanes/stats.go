package lanes

import (
	"iter"
	"time"
)

// Stats sums up the queue. It looks at every lane, so ask now and then, not after
// every event.
func (q *Queue) Stats(now time.Time) Stats {
	q.tick(now)
	s := Stats{Loaded: q.count, Bytes: q.bytes, InFlight: q.inFlight, Paused: q.pause, Down: q.outage.certain()}
	if q.pause {
		s.Until = q.time(q.resume)
	}
	for _, l := range q.all {
		if l.queued() == 0 {
			continue
		}
		s.Lanes++
		s.Queued += l.queued()
		switch h := &l.head; {
		case !h.known:
		case h.stopped:
			s.Stopped++
		case h.tried:
			s.Retrying++
		}
		if at := l.oldest(); !at.IsZero() && (s.Oldest.IsZero() || at.Before(s.Oldest)) {
			s.Oldest = at
		}
	}
	return s
}

func (l *lane) queued() int { return l.copies.len() + l.disk }

// oldest is when the front of the lane was queued; zero if that is on disk.
func (l *lane) oldest() time.Time {
	switch {
	case l.head.known:
		return l.head.queued
	case l.copies.len() > 0:
		return l.copies.at(0).Queued
	default:
		return time.Time{}
	}
}

// LaneStates gives every lane with work, in no order that means anything. The
// queue must not be used before the iteration ends.
func (q *Queue) LaneStates(now time.Time) iter.Seq[LaneState] {
	q.tick(now)
	return func(yield func(LaneState) bool) {
		for _, l := range q.all {
			if l.queued() > 0 && !yield(q.laneState(l)) {
				return
			}
		}
	}
}

func (q *Queue) laneState(l *lane) LaneState {
	h := &l.head
	s := LaneState{Lane: l.name, State: q.state(l), Queued: l.queued()}
	if !h.known {
		return s
	}
	s.Known, s.Head, s.Message, s.Oldest = true, h.at, h.message, h.queued
	s.Attempts, s.Code, s.Reason = h.attempts, h.code, h.reason
	if s.State == Waiting {
		s.Next = q.time(h.until)
	}
	return s
}

func (q *Queue) state(l *lane) State {
	switch {
	case l.sent > 0:
		return Sending
	case l.pause || q.pause:
		return Paused
	case l.head.stopped:
		return Stopped
	case l.head.until > q.v:
		return Waiting
	case l.copies.len() == 0:
		return Loading
	default:
		return Ready
	}
}
