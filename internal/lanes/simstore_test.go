package lanes_test

import (
	"slices"

	"github.com/spine-engine/spine-engine/internal/lanes"
	"github.com/spine-engine/spine-engine/internal/message"
)

// append commits a message with some copies; the queue learns of it later.
func (s *sim) append() {
	s.seq++
	for n := range 1 + s.rnd.IntN(3)*s.rnd.IntN(2) {
		s.add(message.Delivery{
			Key: message.Key{Seq: s.seq, N: uint16(n)}, Pos: s.seq, Queue: "epr", Lane: s.names[s.rnd.IntN(len(s.names))],
			Queued: s.now, State: message.Queued, Body: message.InMemory(make([]byte, s.rnd.IntN(200))),
		})
	}
}

func (s *sim) add(d message.Delivery) {
	c := &copyModel{d: d, state: message.Queued}
	s.copies[d.Key] = c
	s.byLane[d.Lane] = append(s.byLane[d.Lane], c)
	s.n.Copies++
	given := d
	s.events = append(s.events, event{added: &given})
}

// publish hands the oldest commits to the queue, as the journal's observer does.
func (s *sim) publish() {
	for range min(len(s.events), 1+s.rnd.IntN(4)) {
		e := s.events[0]
		s.events = s.events[1:]
		if e.again { // a page may have brought it before, and it may have stopped again
			c := s.copies[e.added.Key]
			c.stopped, c.d.Attempts = false, 0
		}
		if e.added != nil {
			s.q.Added(s.now, []*message.Delivery{e.added})
			continue
		}
		s.q.Removed(s.now, []message.Finished{*e.removed})
		for _, send := range s.sends {
			for _, d := range send.Deliveries {
				if d.Key == e.removed.Key {
					s.strike[d.Key] = true
					s.n.Struck++
				}
			}
		}
	}
}

// complete ends a random send.
func (s *sim) complete() {
	if len(s.sends) == 0 {
		return
	}
	i := s.rnd.IntN(len(s.sends))
	send := s.sends[i]
	s.sends = slices.Delete(s.sends, i, i+1)
	s.q.Done(s.now, send.Lane, s.answers(send))
}

// answers makes up what the destination says, and keeps what arrived.
func (s *sim) answers(send lanes.Send) []lanes.Result {
	var rs []lanes.Result
	for _, d := range send.Deliveries {
		if !s.calm && s.rnd.IntN(20) == 0 {
			break // the rest was not tried
		}
		r, arrives, ends := s.answer(d)
		if arrives {
			s.arrive(d, ends)
		}
		rs = append(rs, r)
		if !ends {
			break
		}
	}
	return rs
}

// answer makes up one answer; ends = the copy leaves by the policy whatever its
// history, so the adapter may go on with the next.
func (s *sim) answer(d *message.Delivery) (r lanes.Result, arrives, ends bool) {
	r.Key = d.Key
	if s.calm || s.rnd.Float64() < s.health {
		r.Code = []string{"AA", "204", "written"}[s.rnd.IntN(3)]
		return r, true, true
	}
	switch s.rnd.IntN(9) {
	case 0:
		r.Code = "AE"
	case 1:
		r.Code = "AR"
		return r, false, true
	case 2:
		r.Code = "CE"
		return r, false, true
	case 3:
		r.Code = "none"
		return r, s.rnd.IntN(2) == 0, false
	case 4:
		r.Code = "wrong_id"
	case 5:
		r.Code = "999"
	case 6:
		r.Err, r.Permanent = errRefused, true
		return r, false, true
	default:
		r.Err = errRefused
	}
	return r, false, false
}

// arrive: the destination takes a copy. In a lane nothing arrives after something
// behind it; the same copy comes again only when nobody knew that it had arrived.
func (s *sim) arrive(d *message.Delivery, told bool) {
	c := s.copies[d.Key]
	at := lanes.Cursor{Pos: d.Pos, Key: d.Key}
	last := s.last[d.Lane]
	if at.Before(last) {
		s.fatalf("copy %v arrived after %v in lane %s", at, last, d.Lane)
	}
	if c.arrived > 0 && c.by == at {
		if !c.unknown {
			s.fatalf("copy %v arrived again though its answer was known", at)
		}
		s.n.Repeats++
	}
	c.arrived, c.by, c.unknown = c.arrived+1, at, !told
	s.last[d.Lane] = at
}

// page goes on with a random load: the store reads it, or the queue gets it.
func (s *sim) page() {
	if len(s.pages) == 0 {
		return
	}
	i := s.rnd.IntN(len(s.pages))
	p := s.pages[i]
	if !p.read {
		p.ds, p.read = s.pending(p.load), true
		return
	}
	s.pages = slices.Delete(s.pages, i, i+1)
	if !s.calm && s.rnd.IntN(20) == 0 {
		s.q.Loaded(s.now, p.load.Lane, nil, errRefused)
		return
	}
	s.q.Loaded(s.now, p.load.Lane, p.ds, nil)
}

// pending is store.Journal.Pending.
func (s *sim) pending(l lanes.Load) (out []*message.Delivery) {
	if l.Limit <= 0 {
		s.fatalf("load of %d copies", l.Limit)
	}
	for _, c := range s.byLane[l.Lane] {
		if c.state == message.Queued && l.After.Before(c.at()) && len(out) < l.Limit {
			d := c.d
			out = append(out, &d)
		}
	}
	return out
}

// record makes ordered states durable, oldest first.
func (s *sim) record() {
	for range min(len(s.finish), 1+s.rnd.IntN(5)) {
		f := s.finish[0]
		s.finish = s.finish[1:]
		if c := s.copies[f.Key]; c.state == message.Queued && c.d.Pos == f.Pos {
			c.state = f.State
			s.count(f.State)
		}
	}
}

func (s *sim) count(st message.CopyState) {
	switch st {
	case message.Delivered:
		s.n.Delivered++
	case message.DeadLettered:
		s.n.Dead++
	case message.CopyHeld:
		s.n.Held++
	case message.Expired:
		s.n.Expired++
	}
}
