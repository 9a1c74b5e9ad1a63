package lanes_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/spine-engine/spine-engine/internal/lanes"
	"github.com/spine-engine/spine-engine/internal/message"
)

func wide() lanes.Policy {
	return lanes.Policy{Reply: table, Concurrency: 4, Retry: lanes.Backoff{First: time.Second, Factor: 2, Cap: time.Minute}}
}

// A thousand lanes wait for a destination that refuses connections for an hour.
func TestOutageIsProbedByOneLaneAtATime(t *testing.T) {
	s := newScript(t, wide())
	for n := range uint64(1000) {
		s.add(fmt.Sprint(n), n+1)
	}
	if len(s.sent) != 4 {
		t.Fatalf("%d sends at the same time, want 4", len(s.sent))
	}
	for range 4 {
		s.answer("!")
	}
	tries := 4
	for s.at < 3600 {
		if len(s.sent) > 1 {
			t.Fatalf("at %v: %d sends at the same time while nothing answers", s.at, len(s.sent))
		}
		if len(s.sent) == 1 {
			tries++
			s.answer("!")
			continue
		}
		s.to(s.wake.Sub(start).Seconds())
	}
	if tries > 75 { // once a minute, and the growth to it
		t.Fatalf("%d tries in an hour", tries)
	}
	if st := s.q.Stats(s.now()); !st.Down || st.Retrying < 4 {
		t.Fatalf("not seen as down: %+v", st)
	}
	for len(s.sent) == 0 {
		s.to(s.wake.Sub(start).Seconds())
	}
	if len(s.sent) != 1 {
		t.Fatalf("%d sends before the first answer", len(s.sent))
	}
	s.answer("AE") // an answer is an answer
	back := s.at
	if len(s.sent) != 4 || s.q.Stats(s.now()).Down {
		t.Fatalf("%d sends after the first answer, want 4", len(s.sent))
	}
	for len(s.sent) > 0 {
		s.answer("AA")
	}
	if len(s.finished) != 999 || s.at != back { // all but the one that was answered AE
		t.Fatalf("%d of 999 delivered at once", len(s.finished))
	}
}

// One lane's copy kills every connection; its neighbour must not feel it.
func TestSilentCopyHarmsNoOtherLane(t *testing.T) {
	for _, code := range []string{"!", "none"} {
		t.Run(code, func(t *testing.T) {
			s := newScript(t, wide())
			s.add("bad", 1)
			tries := 0
			for n := uint64(2); s.at < 600; n++ {
				s.add("good", n)
				for len(s.sent) > 0 {
					if s.sent[0].Lane == "bad" {
						tries++
						s.answer(code)
					} else {
						s.answer("AA")
					}
				}
				if len(s.finished) != int(n-1) {
					t.Fatalf("at %v: copy %d was not delivered at once", s.at, n)
				}
				s.to(s.at + 0.25)
			}
			if tries < 8 || tries > 20 {
				t.Fatalf("%d tries of the bad copy in ten minutes", tries)
			}
		})
	}
}

// Two bad copies look like an outage, but are let off their wait only once.
func TestTwoSilentCopiesSlowTheOthersLittle(t *testing.T) {
	s := newScript(t, wide())
	s.add("bad", 1)
	s.add("worse", 2)
	tries := 0
	for n := uint64(3); s.at < 600; n++ {
		s.add("good", n)
		for len(s.sent) > 0 {
			if s.sent[0].Lane == "good" {
				s.answer("AA")
				continue
			}
			tries++
			s.answer("!")
		}
		s.to(s.at + 0.25)
	}
	if tries > 45 {
		t.Fatalf("%d tries of two bad copies in ten minutes", tries)
	}
	if n := len(s.finished); n < 2200 {
		t.Fatalf("%d of about 2400 delivered", n)
	}
}

func TestPermanentErrorsAreNoOutage(t *testing.T) {
	s := newScript(t, wide())
	for n := range uint64(8) {
		s.add(fmt.Sprint(n), n+1)
	}
	for range 8 {
		s.answer("!!")
	}
	if len(s.finished) != 8 || s.q.Stats(s.now()).Down {
		t.Fatalf("%d of 8 set aside, down %v", len(s.finished), s.q.Stats(s.now()).Down)
	}
}

func TestKickTriesWaitingHeads(t *testing.T) {
	s := newScript(t, wide())
	for n := range uint64(3) {
		s.add(fmt.Sprint(n), n+1)
	}
	for range 3 {
		s.answer("!")
	}
	s.wantSent()
	s.q.Kick(s.now())
	s.next()
	s.wantSent([]uint64{1}) // still one at a time
	s.answer("AA")
	s.wantSent([]uint64{2}, []uint64{3})
}

func TestStrictQueueBacksOffAsDeclared(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table, Retry: backoff()})
	s.add("", 1, 2, 3)
	for _, at := range []float64{2, 6, 14, 24, 34} {
		s.answer("!")
		s.wantWake(at)
		s.add("", uint64(100+at))
		s.wantSent()
		s.to(at)
		s.wantSent([]uint64{1})
	}
	s.answer("AA")
	s.wantSent([]uint64{2})
}

// A copy that has been silent alone for long is no reason to let others wait.
func TestQuietLaneAfterALongSilence(t *testing.T) {
	s := newScript(t, wide())
	s.add("bad", 1)
	for range 12 {
		s.answer("!")
		s.to(s.wake.Sub(start).Seconds())
	}
	s.answer("!")
	s.add("good", 2)
	s.wantSent([]uint64{2})
}

// The end of an outage ends the waits it has caused, for each lane once until it
// meets an answer.
func TestEndOfOutageEndsWaits(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table, Concurrency: 2, Retry: lanes.Backoff{First: time.Second, Factor: 10, Cap: 1000 * time.Second}})
	for i, lane := range []string{"a", "b", "a"} {
		d := s.copyOf(uint64(i+1), lane)
		d.Attempts = 5 // so that they wait for long
		s.q.Added(s.now(), []*message.Delivery{d})
	}
	s.next()
	outage := func(probe uint64) { // a and b meet silence, c an answer a second later
		t.Helper()
		s.answer("!")
		s.answer("!")
		s.add("c", probe)
		s.wantSent()
		s.to(s.at + 1)
		s.wantSent([]uint64{probe})
		s.answer("AA")
	}
	outage(100)
	s.wantSent([]uint64{1}, []uint64{2})
	outage(101)
	s.wantSent()
	s.to(1001)
	s.wantSent([]uint64{1}, []uint64{2})
	s.answer("AA")
	s.wantSent([]uint64{2}, []uint64{3})
	outage(102)
	s.wantSent([]uint64{3}) // a has met an answer, b has not
}

func TestPauseLeavesAnOutageInDoubt(t *testing.T) {
	s := newScript(t, giving(lanes.DeadLetter))
	s.add("a", 1, 4)
	s.add("b", 2)
	s.add("c", 3)
	s.answer("!")
	s.answer("!")
	s.wantSent()
	s.pause(lanes.Whole(), 0)
	s.to(100_000)
	s.q.Resume(s.now(), lanes.Whole())
	s.next()
	s.wantEnds()
	if len(s.sent) != 1 {
		t.Fatalf("%d sends after the pause, want one to find out", len(s.sent))
	}
	for len(s.sent) > 0 {
		s.answer("AA")
	}
	if len(s.finished) != 4 {
		t.Fatalf("%d of 4 delivered", len(s.finished))
	}
}
