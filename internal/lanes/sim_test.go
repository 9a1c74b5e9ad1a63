package lanes_test

import (
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
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
	d       message.Delivery // as the store would give it
	state   message.CopyState
	final   bool         // a final state was ordered by the queue of this run
	stopped bool         // ordered by the queue of this run
	unknown bool         // it arrived, but the sender was told otherwise
	by      lanes.Cursor // place under which it arrived last
	arrived int
}

func (c *copyModel) at() lanes.Cursor { return lanes.Cursor{Pos: c.d.Pos, Key: c.d.Key} }

type event struct {
	added   *message.Delivery
	again   bool // by a person, in its place
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
