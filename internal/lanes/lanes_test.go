package lanes_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spine-engine/spine-engine/internal/lanes"
	"github.com/spine-engine/spine-engine/internal/message"
)

var start = time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC)

// script drives a queue by hand: time in seconds, copies named by their Seq.
type script struct {
	t    *testing.T
	q    *lanes.Queue
	at   float64 // seconds since start
	wake time.Time

	sent     []lanes.Send
	loads    []lanes.Load
	finished []message.Finished
	notes    []message.Finished
}

func newScript(t *testing.T, p lanes.Policy) *script {
	return &script{t: t, q: lanes.New(p, 1)}
}

func (s *script) now() time.Time {
	return start.Add(time.Duration(math.Round(s.at * float64(time.Second))))
}

// next collects the actions at the present time.
func (s *script) next() {
	s.t.Helper()
	actions, wake := s.q.Next(s.now())
	if !wake.IsZero() && !wake.After(s.now()) {
		s.t.Fatalf("at %v: wake %v is not after now", s.at, wake.Sub(start))
	}
	s.wake = wake
	for _, a := range actions {
		switch a := a.(type) {
		case lanes.Send:
			s.sent = append(s.sent, a)
		case lanes.Load:
			s.loads = append(s.loads, a)
		case lanes.Finish:
			s.finished = append(s.finished, a.Finished...)
		case lanes.Note:
			s.notes = append(s.notes, a.Finished...)
		}
	}
}

// copyOf is a copy queued now.
func (s *script) copyOf(seq uint64, lane string) *message.Delivery {
	return &message.Delivery{Key: message.Key{Seq: seq}, Pos: seq, Lane: lane, Queue: "epr", Queued: s.now(), State: message.Queued}
}

func (s *script) add(lane string, seqs ...uint64) {
	s.t.Helper()
	for _, n := range seqs {
		s.q.Added(s.now(), []*message.Delivery{s.copyOf(n, lane)})
	}
	s.next()
}

// answer ends the oldest send with one code per copy; "!" is an error without an
// answer, "!!" a permanent one.
func (s *script) answer(codes ...string) {
	s.t.Helper()
	if len(s.sent) == 0 {
		s.t.Fatalf("at %v: nothing is being sent", s.at)
	}
	send := s.sent[0]
	s.sent = s.sent[1:]
	var rs []lanes.Result
	for i, c := range codes {
		r := lanes.Result{Key: send.Deliveries[i].Key, Code: c}
		if c == "!" || c == "!!" {
			r.Code, r.Err, r.Permanent = "", errRefused, c == "!!"
		}
		rs = append(rs, r)
	}
	s.q.Done(s.now(), send.Lane, rs)
	s.next()
}

type refused struct{}

func (refused) Error() string { return "connection refused" }

var errRefused = refused{}

// sentNow gives what is being sent, as lane and seqs, and checks it.
func (s *script) wantSent(want ...[]uint64) {
	s.t.Helper()
	var got [][]uint64
	for _, a := range s.sent {
		var seqs []uint64
		for _, d := range a.Deliveries {
			seqs = append(seqs, d.Key.Seq)
		}
		got = append(got, seqs)
	}
	if d := cmp.Diff(want, got); d != "" {
		s.t.Fatalf("at %v: being sent (-want +got):\n%s", s.at, d)
	}
}

// to moves the time and lets happen what is due.
func (s *script) to(at float64) {
	s.t.Helper()
	s.at = at
	s.next()
}

// wantWake checks when the queue wants to be asked next.
func (s *script) wantWake(at float64) {
	s.t.Helper()
	want := start.Add(time.Duration(at * float64(time.Second)))
	if at == 0 {
		want = time.Time{}
	}
	if !s.wake.Equal(want) {
		s.t.Fatalf("at %v: wake is %v, want %v", s.at, s.wake, want)
	}
}

// end is what became of a copy.
type end struct {
	Seq      uint64
	State    message.CopyState
	Attempts int
	Code     string
}

func (s *script) wantEnds(want ...end) {
	s.t.Helper()
	var got []end
	for _, f := range s.finished {
		got = append(got, end{f.Key.Seq, f.State, f.Attempts, f.Code})
	}
	if d := cmp.Diff(want, got); d != "" {
		s.t.Fatalf("at %v: finished (-want +got):\n%s", s.at, d)
	}
}

var table = map[string]lanes.Rule{
	"AA": {Do: lanes.Done}, "AE": {Do: lanes.Retry, Retries: -1}, "AR": {Do: lanes.DeadLetter},
}

func backoff() lanes.Backoff {
	return lanes.Backoff{First: 2 * time.Second, Factor: 2, Cap: 10 * time.Second}
}

func TestStrictOrderOneAtATime(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table, Retry: backoff(), Concurrency: 8})
	s.add("", 1, 2, 3)
	s.wantSent([]uint64{1})
	s.answer("AA")
	s.wantSent([]uint64{2})
	s.answer("AE")
	s.wantSent()
	s.wantWake(2)
	s.to(2)
	s.wantSent([]uint64{2})
	s.answer("AR")
	s.wantSent([]uint64{3})
	s.answer("AA")
	s.wantEnds(end{1, message.Delivered, 1, "AA"}, end{2, message.DeadLettered, 2, "AR"}, end{3, message.Delivered, 1, "AA"})
	s.wantWake(0)
	if st := s.q.Stats(s.now()); st.Queued != 0 || st.Lanes != 0 || st.Loaded != 0 {
		t.Fatalf("not empty: %+v", st)
	}
}
