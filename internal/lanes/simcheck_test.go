package lanes_test

import (
	"fmt"
	"slices"

	"github.com/spine-engine/spine-engine/internal/lanes"
	"github.com/spine-engine/spine-engine/internal/message"
)

// next takes the actions and checks them.
func (s *sim) next() {
	actions, wake := s.q.Next(s.now)
	s.wake = wake
	for _, a := range actions {
		s.check(a)
	}
	if !wake.IsZero() && !wake.After(s.now) {
		s.fatalf("wake is %v before now", s.now.Sub(wake))
	}
	again, same := s.q.Next(s.now)
	if len(again) > 0 || !same.Equal(wake) {
		s.fatalf("a second Next without an event gives %d actions, wake %v after %v", len(again), same, wake)
	}
	st := s.q.Stats(s.now)
	s.most = max(s.most, 2*s.policy.Batch, s.policy.MaxLoaded)
	if s.policy.MaxLoaded > 0 && st.Loaded > s.most {
		s.fatalf("%d copies in memory, at most %d allowed", st.Loaded, s.most)
	}
	if s.policy.MaxBytes > 0 && st.Bytes > s.policy.MaxBytes+8*200 {
		s.fatalf("%d bytes in memory, about %d allowed", st.Bytes, s.policy.MaxBytes)
	}
	if st.Loaded < 0 || st.Bytes < 0 || st.InFlight < 0 || (st.Loaded == 0) != (st.Bytes == 0 && st.Loaded == 0) {
		s.fatalf("counts do not fit: %+v", st)
	}
}

func (s *sim) check(a lanes.Action) {
	switch a := a.(type) {
	case lanes.Send:
		s.checkSend(a)
		s.sends = append(s.sends, a)
		s.n.Sends++
		fmt.Fprint(s.trace, "S", a.Lane, len(a.Deliveries), a.Deliveries[0].Key)
	case lanes.Load:
		if slices.ContainsFunc(s.pages, func(p *pageModel) bool { return p.load.Lane == a.Lane }) {
			s.fatalf("two loads of lane %s", a.Lane)
		}
		s.pages = append(s.pages, &pageModel{load: a})
		s.n.Loads++
		fmt.Fprint(s.trace, "L", a.Lane, a.After, a.Limit)
	case lanes.Finish:
		for _, f := range a.Finished {
			s.checkFinish(f)
		}
	case lanes.Note:
		for _, f := range a.Finished {
			s.checkNote(f)
		}
	}
}

// checkSend: one send per lane, and everything before it in its lane has left.
func (s *sim) checkSend(a lanes.Send) {
	if s.pause {
		s.fatalf("sent while paused")
	}
	if len(s.sends) >= s.policy.Concurrency || len(a.Deliveries) == 0 || len(a.Deliveries) > s.policy.Batch {
		s.fatalf("send %d of %d copies; concurrency %d, batch %d", len(s.sends)+1, len(a.Deliveries), s.policy.Concurrency, s.policy.Batch)
	}
	if slices.ContainsFunc(s.sends, func(o lanes.Send) bool { return o.Lane == a.Lane }) {
		s.fatalf("two sends of lane %s", a.Lane)
	}
	var open []lanes.Cursor // what has to go next
	for _, c := range s.byLane[a.Lane] {
		if c.state == message.Queued && !c.final {
			open = append(open, c.at())
		}
	}
	i := 0
	for _, d := range a.Deliveries {
		c := s.copies[d.Key]
		switch {
		case c == nil || c.d.Lane != a.Lane:
			s.fatalf("copy %v is not of lane %s", d.Key, a.Lane)
		case c.final && c.d.Pos == d.Pos:
			s.fatalf("copy %v is sent after its end", d.Key)
		case c.stopped && c.d.Pos == d.Pos:
			s.fatalf("copy %v is sent though it has stopped", d.Key)
		case c.state == message.Discarded && !s.announcing(d.Key):
			s.fatalf("copy %v is sent though it was discarded", d.Key)
		case c.state == message.Discarded:
			continue // the queue has not heard yet
		case i >= len(open) || open[i] != (lanes.Cursor{Pos: d.Pos, Key: d.Key}):
			s.fatalf("copy %v of lane %s is sent out of turn; open: %v", d.Key, a.Lane, open)
		}
		i++
	}
}

// announcing reports whether the queue is still to hear that k was discarded.
func (s *sim) announcing(k message.Key) bool {
	return slices.ContainsFunc(s.events, func(e event) bool { return e.removed != nil && e.removed.Key == k })
}

func (s *sim) checkFinish(f message.Finished) {
	c := s.copies[f.Key]
	fmt.Fprint(s.trace, "F", f.Key, f.State, f.Attempts, f.Code, f.Reason)
	switch {
	case c.final:
		s.fatalf("copy %v ends twice, now %v", f.Key, f.State)
	case c.d.Pos != f.Pos || c.d.Lane != f.Lane || f.Queue != "epr":
		s.fatalf("copy %v ends under another name: %+v", f.Key, f)
	case s.strike[f.Key]:
		s.fatalf("copy %v ends as %v after it was discarded", f.Key, f.State)
	case f.State == message.Delivered && c.by != c.at():
		s.fatalf("copy %v is delivered but has not arrived", f.Key)
	case f.State == message.Queued:
		s.fatalf("copy %v ends as queued", f.Key)
	}
	c.final = true
	s.finish = append(s.finish, f)
}

func (s *sim) checkNote(f message.Finished) {
	c := s.copies[f.Key]
	fmt.Fprint(s.trace, "N", f.Key, f.Stopped, f.Attempts, f.Code, f.Reason)
	if c.final || f.State != message.Queued {
		s.fatalf("note of copy %v: %+v", f.Key, f)
	}
	if f.Attempts < c.d.Attempts {
		s.fatalf("copy %v had %d attempts and now has %d", f.Key, c.d.Attempts, f.Attempts)
	}
	c.stopped = f.Stopped
	if f.Stopped {
		s.n.Stops++
	}
	if c.d.Pos == f.Pos && s.rnd.IntN(3) > 0 || f.Stopped { // recorded some time soon
		c.d.Attempts, c.d.Stopped = f.Attempts, f.Stopped
	}
}
