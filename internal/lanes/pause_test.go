package lanes_test

import (
	"testing"
	"time"

	"github.com/spine-engine/spine-engine/internal/lanes"
	"github.com/spine-engine/spine-engine/internal/message"
)

func (s *script) pause(scope lanes.Scope, until float64) {
	s.t.Helper()
	var end time.Time
	if until > 0 {
		end = start.Add(time.Duration(until * float64(time.Second)))
	}
	s.q.Pause(s.now(), scope, end)
	s.next()
}

func TestPauseWhole(t *testing.T) {
	s := newScript(t, wide())
	s.add("a", 1, 2)
	s.add("b", 3)
	s.pause(lanes.Whole(), 0)
	s.answer("AA") // what is being sent finishes
	s.wantEnds(end{1, message.Delivered, 1, "AA"})
	s.wantSent([]uint64{3})
	s.wantWake(0)
	s.to(1e6)
	s.q.Kick(s.now())
	s.add("c", 4)
	s.wantSent([]uint64{3})
	if st := s.q.Stats(s.now()); !st.Paused || !st.Until.IsZero() || st.Queued != 3 {
		t.Fatalf("stats: %+v", st)
	}
	s.q.Resume(s.now(), lanes.Whole())
	s.next()
	s.wantSent([]uint64{3}, []uint64{2}, []uint64{4})
}

func TestPauseEndsByItself(t *testing.T) {
	s := newScript(t, wide())
	s.pause(lanes.Whole(), 7200)
	s.add("a", 1)
	s.wantSent()
	s.wantWake(7200)
	s.to(-100_000) // the clock is set back: the pause is not longer for it
	s.wantWake(-100_000 + 7200)
	s.to(-100_000 + 7200)
	s.wantSent([]uint64{1})
	s.q.Pause(s.now(), lanes.Whole(), s.now()) // over already
	s.add("b", 2)
	s.wantSent([]uint64{1}, []uint64{2})
}

func TestPauseOneLane(t *testing.T) {
	s := newScript(t, wide())
	s.pause(lanes.One("a"), 60) // before it has work
	s.pause(lanes.One("b"), 0)
	s.add("a", 1)
	s.add("b", 2)
	s.add("c", 3)
	s.wantSent([]uint64{3})
	s.wantWake(60)
	s.to(60)
	s.wantSent([]uint64{3}, []uint64{1})
	s.wantWake(0)
	s.q.Resume(s.now(), lanes.One("b"))
	s.q.Resume(s.now(), lanes.One("never paused"))
	s.next()
	s.wantSent([]uint64{3}, []uint64{1}, []uint64{2})
	s.answer("AA")
	s.answer("AA")
	s.pause(lanes.One("a"), 100) // forgotten by now, and remembered as paused
	s.add("a", 4)
	s.wantSent([]uint64{2})
}

func TestPauseReplacesPause(t *testing.T) {
	s := newScript(t, wide())
	s.add("a", 1)
	s.answer("AE")
	s.pause(lanes.Whole(), 10)
	s.pause(lanes.Whole(), 500)
	s.to(10)
	s.wantSent()
	s.to(500)
	s.wantSent([]uint64{1})
}

func TestRate(t *testing.T) {
	for _, c := range []struct {
		name   string
		rate   float64
		batch  int
		lo, hi int // copies in 100 s
	}{
		{"twenty a second", 20, 1, 1990, 2003},
		{"in batches", 20, 50, 1990, 2003},
		{"one in ten seconds", 0.1, 1, 10, 12},
		{"a thousand a second", 1000, 10, 99_000, 100_101},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScript(t, lanes.Policy{Reply: table, Rate: c.rate, Batch: c.batch, MaxLoaded: 1 << 20})
			n := 2 * int(100*c.rate)
			for i := range n {
				s.q.Added(s.now(), []*message.Delivery{s.copyOf(uint64(i+1), "")})
			}
			s.next()
			sent := 0
			for s.at < 100 {
				for len(s.sent) > 0 {
					var codes []string
					for range s.sent[0].Deliveries {
						codes = append(codes, "AA")
					}
					sent += len(codes)
					s.answer(codes...)
				}
				s.to(s.wake.Sub(start).Seconds() + 1e-6)
			}
			if sent < c.lo || sent > c.hi {
				t.Fatalf("%d copies in 100 s, want %d to %d", sent, c.lo, c.hi)
			}
		})
	}
}

func TestRateChanges(t *testing.T) {
	p := lanes.Policy{Reply: table, Rate: 1}
	s := newScript(t, p)
	s.add("", 1, 2, 3)
	s.answer("AA")
	s.wantSent()
	s.wantWake(1)
	p.Rate = 0
	s.q.SetPolicy(s.now(), p)
	s.next()
	s.wantSent([]uint64{2})
	s.answer("AA")
	s.wantSent([]uint64{3})
}
