package lanes_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spine-engine/spine-engine/internal/lanes"
	"github.com/spine-engine/spine-engine/internal/message"
)

// waits fails the copy n times and gives the waits that follow, in seconds.
func waits(s *script, n int) []float64 {
	s.t.Helper()
	var out []float64
	for range n {
		s.answer("AE")
		out = append(out, s.wake.Sub(s.now()).Seconds())
		s.to(s.wake.Sub(start).Seconds())
	}
	return out
}

func TestBackoffGrows(t *testing.T) {
	for _, c := range []struct {
		name string
		b    lanes.Backoff
		want []float64
	}{
		{"doubling to the cap", lanes.Backoff{First: 2 * time.Second, Factor: 2, Cap: 10 * time.Second}, []float64{2, 4, 8, 10, 10}},
		{"below a second and a small factor", lanes.Backoff{First: 100 * time.Millisecond, Factor: 1.5, Cap: time.Second}, []float64{0.1, 0.15, 0.225, 0.3375, 0.50625}},
		{"constant", lanes.Backoff{First: 3 * time.Second, Factor: 1, Cap: time.Minute}, []float64{3, 3, 3}},
		{"cap below first", lanes.Backoff{First: 3 * time.Second, Factor: 2, Cap: time.Second}, []float64{3, 3}},
		{"defaults", lanes.Backoff{}, []float64{1, 2, 4, 8}},
		{"nonsense", lanes.Backoff{First: -1, Factor: math.NaN(), Cap: -1, Jitter: math.NaN()}, []float64{1, 2, 4}},
		{"a huge factor", lanes.Backoff{First: time.Second, Factor: math.Inf(1), Cap: time.Hour}, []float64{1, 3600, 3600}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScript(t, lanes.Policy{Reply: table, Retry: c.b})
			s.add("", 1)
			if d := cmp.Diff(c.want, waits(s, len(c.want))); d != "" {
				t.Fatalf("waits (-want +got):\n%s", d)
			}
		})
	}
}

func TestJitterKeepsGrowthAndCap(t *testing.T) {
	b := lanes.Backoff{First: time.Second, Factor: 1.3, Cap: time.Minute, Jitter: 0.5}
	different := map[float64]bool{}
	for seed := range uint64(50) {
		s := newScript(t, lanes.Policy{Reply: table, Retry: b})
		s.q = lanes.New(lanes.Policy{Reply: table, Retry: b}, seed)
		s.add("", 1)
		got := waits(s, 40)
		different[got[0]] = true
		for i, w := range got {
			base := min(60, math.Pow(1.3, float64(i)))
			if w > 60 || w < 0.5*base-1e-5 || i > 0 && w < got[i-1] {
				t.Fatalf("seed %d: wait %d is %v after %v, base %v", seed, i+1, w, got[max(i-1, 0)], base)
			}
		}
	}
	if len(different) < 40 {
		t.Fatalf("50 seeds give only %d first waits", len(different))
	}
}

func TestAttemptsContinueFromDisk(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table, Retry: lanes.Backoff{First: time.Second, Factor: 2, Cap: time.Hour}})
	d := s.copyOf(1, "")
	d.Attempts = 4
	s.q.Added(s.now(), []*message.Delivery{d})
	s.next()
	s.answer("AE")
	s.wantWake(16)
	if n := s.notes[0].Attempts; n != 5 {
		t.Fatalf("attempts %d, want 5", n)
	}
}

func TestLongOutageOverflowsNothing(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table, Retry: lanes.Backoff{First: time.Hour, Factor: 10, Cap: math.MaxInt64}})
	d := s.copyOf(1, "")
	d.Attempts = math.MaxInt32
	s.q.Added(s.now(), []*message.Delivery{d})
	s.next()
	s.answer("AE")
	s.to(1e9)
	s.wantSent()
	s.q.Kick(s.now())
	s.next()
	s.wantSent([]uint64{1})
}

func giving(then lanes.Then) lanes.Policy {
	return lanes.Policy{Reply: table, Retry: lanes.Backoff{First: 40 * time.Second, Factor: 1, Cap: 40 * time.Second, GiveUpAfter: 100 * time.Second, Then: then}}
}

func TestGiveUpAtTheDeadline(t *testing.T) {
	for then, want := range map[lanes.Then]message.CopyState{
		lanes.DeadLetter: message.DeadLettered, lanes.Hold: message.CopyHeld, lanes.Expire: message.Expired,
	} {
		t.Run(then.String(), func(t *testing.T) {
			s := newScript(t, giving(then))
			s.add("", 1)
			s.answer("AE")
			s.to(10)
			s.add("", 2)
			s.to(40)
			s.answer("AE")
			s.to(80)
			s.answer("AE")
			s.wantWake(100) // not 120: the deadline comes first
			s.to(99.9)
			s.wantEnds()
			s.to(100)
			s.wantEnds(end{1, want, 3, "AE"})
			if r := s.finished[0].Reason; !strings.Contains(r, "1m40s") || !strings.Contains(r, "AE") {
				t.Errorf("reason %q", r)
			}
			s.wantSent([]uint64{2})
			s.to(130)
			s.answer("AE") // in hand when its time was over
			s.wantEnds(end{1, want, 3, "AE"}, end{2, want, 1, "AE"})
			s.wantWake(0)
		})
	}
}

func TestGiveUpAndStop(t *testing.T) {
	s := newScript(t, giving(lanes.Stop))
	s.add("", 1, 2)
	s.answer("AE")
	s.to(40)
	s.answer("AE")
	s.to(80)
	s.answer("AE")
	s.to(100)
	s.wantEnds()
	if n := s.notes[len(s.notes)-1]; !n.Stopped {
		t.Fatalf("last note %+v is no stop", n)
	}
	s.to(500)
	s.wantSent()
	s.add("", 1) // a person queues it again: it has the whole time again
	s.answer("AE")
	s.wantWake(540)
}

func TestNothingIsGivenUpUntried(t *testing.T) {
	t.Run("after a restart", func(t *testing.T) {
		s := newScript(t, giving(lanes.DeadLetter))
		s.q.Restore([]lanes.Lane{{Count: 1, Last: 1}})
		d := s.copyOf(1, "")
		d.Attempts = 7
		s.to(10_000)
		s.q.Loaded(s.now(), "", []*message.Delivery{d}, nil)
		s.next()
		s.wantEnds()
		s.wantSent([]uint64{1})
		s.answer("AE")
		s.wantEnds(end{1, message.DeadLettered, 8, "AE"})
	})
	for _, scope := range []lanes.Scope{lanes.Whole(), lanes.One("")} {
		t.Run(fmt.Sprintf("during a pause of %+v", scope), func(t *testing.T) {
			s := newScript(t, giving(lanes.DeadLetter))
			s.add("", 1)
			s.answer("AE")
			s.q.Pause(s.now(), scope, time.Time{})
			s.to(10_000)
			s.wantEnds()
			s.q.Resume(s.now(), scope)
			s.next()
			s.wantEnds()
			s.wantSent([]uint64{1})
			s.answer("AA")
			s.wantEnds(end{1, message.Delivered, 2, "AA"})
		})
	}
	t.Run("behind a head that took long", func(t *testing.T) {
		s := newScript(t, giving(lanes.DeadLetter))
		s.add("", 1, 2)
		s.to(10_000)
		s.answer("AA")
		s.wantSent([]uint64{2})
	})
}

func TestDestinationDownGivesUpTheOverdue(t *testing.T) {
	s := newScript(t, giving(lanes.DeadLetter))
	for n := range uint64(50) {
		s.add(fmt.Sprint(n%10), n+1)
	}
	s.to(200)
	s.answer("!") // in hand for long: given up, as its time is over
	s.wantSent([]uint64{2})
	s.answer("!") // the second copy without an answer: the destination is down
	if len(s.finished) != 50 || len(s.sent) != 0 {
		t.Fatalf("%d of 50 given up, %d sent", len(s.finished), len(s.sent))
	}
	if st := s.q.Stats(s.now()); st.Queued != 0 || st.Lanes != 0 {
		t.Fatalf("not empty: %+v", st)
	}
}

func TestDeadlineSurvivesTheClock(t *testing.T) {
	const year = 365 * 24 * 3600
	s := newScript(t, giving(lanes.DeadLetter))
	s.add("", 1)
	s.answer("AE")
	s.to(30)
	s.to(-10 * year) // the clock is set back ten years
	s.wantWake(-10*year + 10)
	s.to(-10*year + 10)
	s.wantSent([]uint64{1})
	s.answer("AE")
	s.to(-10*year + 50)
	s.answer("AE")
	s.wantWake(-10*year + 70) // 100 s after it was queued, by the queue's own clock
	s.to(20 * year)
	s.wantEnds(end{1, message.DeadLettered, 3, "AE"})
	s.to(-20 * year)
	s.wantWake(0)
	if len(s.finished) != 1 {
		t.Fatalf("given up %d times", len(s.finished))
	}
}

func TestClockSetBackBeforeTheCopyWasQueued(t *testing.T) {
	s := newScript(t, giving(lanes.DeadLetter))
	d := s.copyOf(1, "")
	d.Queued = start.Add(1000 * time.Hour) // by a clock that was wrong then
	s.q.Added(s.now(), []*message.Delivery{d})
	s.next()
	s.answer("AE")
	s.to(40)
	s.answer("AE")
	s.to(80)
	s.answer("AE")
	s.wantWake(100)
}

func TestPolicyAppliesToTheBacklog(t *testing.T) {
	slow := lanes.Policy{Reply: table, Retry: lanes.Backoff{First: time.Hour, Cap: time.Hour}}
	quick := lanes.Policy{Reply: map[string]lanes.Rule{"AE": {Do: lanes.Done}}, Concurrency: 2, Retry: lanes.Backoff{First: time.Second, Cap: 5 * time.Second}}
	s := newScript(t, slow)
	s.add("a", 1)
	s.answer("AE")
	s.wantWake(3600)
	s.add("b", 2)
	s.add("c", 3)
	s.wantSent([]uint64{2})
	s.q.SetPolicy(s.now(), quick)
	s.next()
	s.wantSent([]uint64{2}, []uint64{3})
	s.wantWake(5)
	s.to(5)
	s.answer("AE")
	s.wantSent([]uint64{3}, []uint64{1})
	s.answer("AE")
	s.answer("AE")
	s.wantEnds(end{2, message.Delivered, 1, "AE"}, end{3, message.Delivered, 1, "AE"}, end{1, message.Delivered, 2, "AE"})

	giveUp := slow
	giveUp.Retry.GiveUpAfter, giveUp.Retry.Then = time.Minute, lanes.Hold
	s = newScript(t, slow)
	s.add("", 1)
	s.answer("AE")
	s.q.SetPolicy(s.now(), giveUp)
	s.next()
	s.wantWake(60)
	s.to(60)
	s.wantEnds(end{1, message.CopyHeld, 1, "AE"})
}

// What was to be noted of a try is not recorded after the copy's end.
func TestOldNewsAreDropped(t *testing.T) {
	s := newScript(t, giving(lanes.DeadLetter))
	s.add("", 1)
	s.q.Done(s.now(), "", []lanes.Result{{Key: message.Key{Seq: 1}, Code: "AE"}})
	s.to(100) // nobody asked in between
	s.wantEnds(end{1, message.DeadLettered, 1, "AE"})
	if len(s.notes) != 0 {
		t.Fatalf("notes: %+v", s.notes)
	}
}
