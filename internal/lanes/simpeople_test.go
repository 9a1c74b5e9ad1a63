package lanes_test

import (
	"slices"
	"time"

	"github.com/spine-engine/spine-engine/internal/lanes"
	"github.com/spine-engine/spine-engine/internal/message"
)

// pass lets time pass: to the next wake, a bit, or by a clock that was set.
func (s *sim) pass() {
	switch n := s.rnd.IntN(10); {
	case n < 6 && !s.wake.IsZero():
		s.now = later(s.now, s.wake)
	case n == 9 && s.jumps:
		d := []time.Duration{time.Hour, 72 * time.Hour, 10 * 366 * 24 * time.Hour}[s.rnd.IntN(3)]
		if s.rnd.IntN(2) == 0 {
			d = -d
		}
		s.now = s.now.Add(d)
	default:
		s.now = s.now.Add(time.Duration(s.rnd.Int64N(int64(5 * time.Second))))
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// person does what people do.
func (s *sim) person() {
	switch s.rnd.IntN(8) {
	case 0, 1:
		s.requeue(s.rnd.IntN(3) + 1)
	case 2, 3:
		s.discard()
	case 4:
		s.pause = true
		s.q.Pause(s.now, lanes.Whole(), time.Time{})
	case 5:
		s.pause = false
		s.q.Resume(s.now, lanes.Whole())
	case 6:
		s.q.Kick(s.now)
	case 7:
		lane := lanes.One(s.names[s.rnd.IntN(len(s.names))])
		s.q.Pause(s.now, lane, s.now.Add(time.Duration(s.rnd.IntN(20))*time.Second))
	}
}

// requeue queues up to n set aside copies again at the end of their lanes, and
// stopped ones in their places.
func (s *sim) requeue(n int) {
	for _, name := range s.names {
		for _, c := range slices.Clone(s.byLane[name]) {
			if n == 0 {
				return
			}
			inPlace := false
			switch {
			case c.state == message.Queued && c.d.Stopped:
				inPlace = true
				c.d.Stopped, c.stopped, c.d.Attempts = false, false, 0
			case c.state == message.CopyHeld || c.state == message.DeadLettered || c.state == message.Expired:
				s.seq++
				s.byLane[name] = slices.DeleteFunc(s.byLane[name], func(o *copyModel) bool { return o == c })
				s.byLane[name] = append(s.byLane[name], c)
				c.d.Pos, c.d.Queued, c.d.Attempts, c.state, c.final = s.seq, s.now, 0, message.Queued, false
			default:
				continue
			}
			n--
			s.n.Requeued++
			d := c.d
			s.events = append(s.events, event{added: &d, again: inPlace})
		}
	}
}

func (s *sim) discard() {
	lane := s.byLane[s.names[s.rnd.IntN(len(s.names))]]
	if len(lane) == 0 {
		return
	}
	if c := lane[s.rnd.IntN(len(lane))]; c.state == message.Queued {
		c.state = message.Discarded
		s.n.Discarded++
		s.events = append(s.events, event{removed: &message.Finished{Key: c.d.Key, Pos: c.d.Pos, Queue: c.d.Queue, Lane: c.d.Lane, State: message.Discarded}})
	}
}

// restart drops the queue. What was in hand may have arrived; what was ordered but
// not durable is forgotten.
func (s *sim) restart() {
	s.n.Restarts++
	for _, send := range s.sends {
		for _, d := range send.Deliveries[:s.rnd.IntN(len(send.Deliveries)+1)] {
			s.arrive(d, false)
		}
	}
	for _, f := range s.finish {
		if c := s.copies[f.Key]; f.State == message.Delivered {
			c.unknown = true
		}
	}
	s.events, s.sends, s.pages, s.finish = nil, nil, nil, nil
	s.pause = false
	clear(s.last)
	clear(s.strike)
	var known []lanes.Lane
	for _, name := range s.names {
		l := lanes.Lane{Name: name}
		for _, c := range s.byLane[name] {
			c.final, c.stopped = false, c.d.Stopped
			if c.state == message.Queued {
				l.Count, l.Last = l.Count+1, c.d.Pos
			}
		}
		if l.Count > 0 {
			known = append(known, l)
		}
	}
	s.q = lanes.New(s.policy, s.seed)
	s.q.Restore(known)
}

func (s *sim) policyChange() {
	loaded, bytes := s.policy.MaxLoaded, s.policy.MaxBytes
	s.policy = s.anyPolicy()
	s.policy.MaxBytes = bytes // what is in memory may stay there, so the bounds only grow
	if s.policy.MaxLoaded = max(loaded, s.policy.MaxLoaded); loaded == 0 {
		s.policy.MaxLoaded = 0
	}
	s.q.SetPolicy(s.now, s.policy)
}
