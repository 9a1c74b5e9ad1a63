package lanes_test

import (
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/spine-engine/spine-engine/internal/lanes"
	"github.com/spine-engine/spine-engine/internal/message"
)

// The simulation plays journal, destination, clock and people against a Queue,
// in an order that a seed decides, and checks every action against what the
// model knows. LANES_SEED=n replays one seed, LANES_SEEDS=n tries so many.

func TestSimulation(t *testing.T) {
	if s := os.Getenv("LANES_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(simulate(t, seed))
		return
	}
	n := 1000
	if s := os.Getenv("LANES_SEEDS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	var total counts
	for seed := range uint64(n) {
		total.add(simulate(t, seed))
	}
	t.Logf("%d seeds: %v", n, total)
	if n >= 1000 {
		total.check(t)
	}
}

func TestSameSeedSameActions(t *testing.T) {
	for seed := range uint64(20) {
		if a, b := simulate(t, seed), simulate(t, seed); a != b {
			t.Fatalf("seed %d: two runs differ:\n%v\n%v", seed, a, b)
		}
	}
}

// counts say what a simulation met, so that it can not pass by doing nothing.
type counts struct {
	Copies, Sends, Delivered, Dead, Held, Expired, Discarded, Loads, Restarts, Stops, Requeued, Repeats, Struck int
	Trace                                                                                                       uint64
}

func (c *counts) add(o counts) {
	c.Copies += o.Copies
	c.Sends += o.Sends
	c.Delivered += o.Delivered
	c.Dead += o.Dead
	c.Held += o.Held
	c.Expired += o.Expired
	c.Discarded += o.Discarded
	c.Loads += o.Loads
	c.Restarts += o.Restarts
	c.Stops += o.Stops
	c.Requeued += o.Requeued
	c.Repeats += o.Repeats
	c.Struck += o.Struck
}

func (c counts) check(t *testing.T) {
	for name, n := range map[string]int{"sends": c.Sends, "delivered": c.Delivered, "dead letters": c.Dead, "held": c.Held,
		"expired": c.Expired, "discarded": c.Discarded, "loads": c.Loads, "restarts": c.Restarts, "stops": c.Stops,
		"requeued": c.Requeued, "repeats": c.Repeats, "discarded while sent": c.Struck} {
		if n < 100 {
			t.Errorf("only %d %s: the simulation does not reach them", n, name)
		}
	}
}

// copyModel is what the journal and the test know of a copy.
type copyModel struct {
	d        message.Delivery // as the store would give it
	state    message.CopyState
	final    bool // a final state was ordered by the queue of this run
	stopped  bool // ordered by the queue of this run
	unknown  bool // it arrived, but the sender was told otherwise
	sentOnce bool
	by       lanes.Cursor // place under which it arrived last
	arrived  int
}

func (c *copyModel) at() lanes.Cursor { return lanes.Cursor{Pos: c.d.Pos, Key: c.d.Key} }

type event struct {
	added   *message.Delivery
	removed *message.Finished
}

type pageModel struct {
	load lanes.Load
	read bool
	ds   []*message.Delivery
}

type sim struct {
	t      *testing.T
	seed   uint64
	rnd    *rand.Rand
	q      *lanes.Queue
	policy lanes.Policy
	most   int // copies in memory
	now    time.Time
	wake   time.Time
	seq    uint64
	copies map[message.Key]*copyModel
	byLane map[string][]*copyModel // in order of place
	names  []string
	events []event
	sends  []lanes.Send
	pages  []*pageModel
	finish []message.Finished // ordered, not durable yet
	last   map[string]lanes.Cursor
	strike map[message.Key]bool // discarded while being sent, known to the queue
	pause  bool                 // whole queue, without end
	health float64              // share of good answers
	calm   bool                 // the last phase: everything is well
	jumps  bool
	trace  io.Writer
	n      counts
}

func simulate(t *testing.T, seed uint64) counts {
	rnd := rand.New(rand.NewPCG(seed, 7))
	h := fnv.New64a()
	s := &sim{t: t, seed: seed, rnd: rnd, now: start, trace: h, health: 0.7,
		copies: map[message.Key]*copyModel{}, byLane: map[string][]*copyModel{},
		last: map[string]lanes.Cursor{}, strike: map[message.Key]bool{}, jumps: rnd.IntN(3) == 0}
	s.policy = s.anyPolicy()
	for i := range 1 + rnd.IntN(12) {
		s.names = append(s.names, fmt.Sprintf("L%d", i))
	}
	s.q = lanes.New(s.policy, seed)
	for range 200 + rnd.IntN(300) {
		s.step()
		s.next()
	}
	s.drain()
	s.n.Trace = h.Sum64()
	return s.n
}

func (s *sim) fatalf(format string, args ...any) {
	s.t.Helper()
	s.t.Fatalf("LANES_SEED=%d: at %v: %s", s.seed, s.now.Sub(start), fmt.Sprintf(format, args...))
}

func (s *sim) anyPolicy() lanes.Policy {
	r := s.rnd
	then := []lanes.Then{lanes.DeadLetter, lanes.Hold, lanes.Stop, lanes.Expire}
	p := lanes.Policy{
		Batch: 1 + r.IntN(2)*r.IntN(6), Concurrency: 1 + r.IntN(4),
		Reply: map[string]lanes.Rule{
			"AA": {Do: lanes.Done}, "AR": {Do: lanes.DeadLetter}, "2xx": {Do: lanes.Done},
			"AE":    {Do: lanes.Retry, Retries: 1 + r.IntN(3), Then: then[r.IntN(4)]},
			"CE":    {Do: lanes.Hold},
			"other": {Do: []lanes.Do{lanes.Retry, lanes.Stop, lanes.Expire}[r.IntN(3)]},
		},
		Retry: lanes.Backoff{First: time.Second, Factor: 1 + 2*r.Float64(), Cap: time.Minute, Jitter: 0.4 * r.Float64()},
	}
	if r.IntN(3) == 0 {
		p.Retry.GiveUpAfter = time.Duration(1+r.IntN(300)) * time.Second
		p.Retry.Then = then[r.IntN(4)]
	}
	if r.IntN(4) == 0 {
		p.Rate = 0.5 + 20*r.Float64()
	}
	if r.IntN(4) > 0 {
		p.MaxLoaded = 2 + r.IntN(20)
	}
	if r.IntN(4) == 0 {
		p.MaxBytes = int64(100 + r.IntN(2000))
	}
	return p
}

// step lets one thing happen.
func (s *sim) step() {
	switch n := s.rnd.IntN(100); {
	case n < 25:
		s.append()
	case n < 45:
		s.publish()
	case n < 60:
		s.complete()
	case n < 75:
		s.page()
	case n < 80:
		s.record()
	case n < 90:
		s.pass()
	case n < 96:
		s.person()
	case n < 97:
		s.restart()
	case n < 98:
		s.policyChange()
	default:
		s.health = []float64{0, 0.3, 0.9, 1}[s.rnd.IntN(4)]
	}
}

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
	rs := s.answers(send)
	s.q.Done(s.now, send.Lane, rs)
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
			switch {
			case c.state == message.Queued && c.d.Stopped:
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
			s.events = append(s.events, event{added: &d})
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

// drain makes everything well and lets the queue come to rest: nothing may be left.
func (s *sim) drain() {
	s.calm = true
	s.q.Resume(s.now, lanes.Whole())
	s.pause = false
	for step := 0; !s.settled(); step++ {
		if step > 50*(len(s.copies)+10) {
			s.fatalf("does not come to rest: %d sends, %d pages, %d events, wake %v, %+v", len(s.sends), len(s.pages), len(s.events), s.wake.Sub(s.now), s.q.Stats(s.now))
		}
		s.publish()
		s.complete()
		s.page()
		s.record()
		s.next()
		if len(s.sends)+len(s.pages)+len(s.events) == 0 {
			s.requeueStopped()
			s.now = later(s.now, s.wake)
			s.next()
		}
	}
	st := s.q.Stats(s.now)
	if st.Queued+st.Loaded+st.Lanes+st.InFlight+st.Stopped != 0 || st.Bytes != 0 || !st.Oldest.IsZero() {
		s.fatalf("nothing is left, but the queue says %+v", st)
	}
	if !s.wake.IsZero() && s.wake.Sub(s.now) < time.Millisecond {
		s.fatalf("nothing is left, but the queue wants to be asked at %v", s.wake)
	}
}

func (s *sim) requeueStopped() {
	for _, c := range s.copies {
		if c.state == message.Queued && c.d.Stopped {
			s.requeue(1)
			return
		}
	}
}

// settled reports whether every copy has its final state, durably.
func (s *sim) settled() bool {
	for _, c := range s.copies {
		if c.state == message.Queued {
			return false
		}
	}
	return len(s.sends)+len(s.pages)+len(s.events)+len(s.finish) == 0
}
