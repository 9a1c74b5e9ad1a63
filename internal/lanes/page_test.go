package lanes_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spine-engine/spine-engine/internal/lanes"
	"github.com/spine-engine/spine-engine/internal/message"
)

// wantLoads checks and forgets the loads asked for.
func (s *script) wantLoads(want ...lanes.Load) {
	s.t.Helper()
	if d := cmp.Diff(want, s.loads); d != "" {
		s.t.Fatalf("at %v: loads (-want +got):\n%s", s.at, d)
	}
	s.loads = nil
}

func (s *script) loaded(lane string, seqs ...uint64) {
	s.t.Helper()
	var ds []*message.Delivery
	for _, n := range seqs {
		ds = append(ds, s.copyOf(n, lane))
	}
	s.q.Loaded(s.now(), lane, ds, nil)
	s.next()
}

func after(seq uint64) lanes.Cursor {
	return lanes.Cursor{Pos: seq, Key: message.Key{Seq: seq}}
}

func numbers(from, to uint64) (out []uint64) {
	for n := from; n <= to; n++ {
		out = append(out, n)
	}
	return out
}

func TestRestoredLaneIsLoadedToItsEnd(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table, Batch: 100})
	s.q.Restore([]lanes.Lane{{Name: "a", Count: 300, Last: 400}})
	s.next()
	s.wantLoads(lanes.Load{Lane: "a", Limit: 256})
	s.add("a", 500) // behind the backlog, so it stays on disk
	s.loaded("a", numbers(1, 256)...)
	s.wantSent(numbers(1, 100))
	s.wantLoads()
	s.finishAll()
	s.wantLoads(lanes.Load{Lane: "a", After: after(256), Limit: 256})
	s.loaded("a", append(numbers(357, 400), 500)...)
	s.finishAll()
	if len(s.finished) != 301 {
		t.Fatalf("%d delivered, want 301", len(s.finished))
	}
	s.wantLoads() // 500 was the last one heard of
	s.add("a", 501)
	s.wantSent([]uint64{501})
}

// finishAll answers AA to all that is sent until a page is wanted or nothing is sent.
func (s *script) finishAll() {
	s.t.Helper()
	for len(s.sent) > 0 && len(s.loads) == 0 {
		var codes []string
		for range s.sent[0].Deliveries {
			codes = append(codes, "AA")
		}
		s.answer(codes...)
	}
	if len(s.loads) > 0 && len(s.sent) > 0 {
		send := s.sent
		s.sent = nil
		for _, a := range send {
			var rs []lanes.Result
			for _, d := range a.Deliveries {
				rs = append(rs, lanes.Result{Key: d.Key, Code: "AA"})
			}
			s.q.Done(s.now(), a.Lane, rs)
			s.next()
		}
	}
}

func TestEmptyPageEndsARestoredLane(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table})
	s.q.Restore([]lanes.Lane{{Name: "a", Count: 3, Last: 9}})
	s.next()
	s.loaded("a")
	s.loads = nil
	if st := s.q.Stats(s.now()); st.Queued != 0 || st.Lanes != 0 {
		t.Fatalf("stats: %+v", st)
	}
	s.add("a", 10)
	s.wantSent([]uint64{10})
	s.wantLoads()
}

func TestSharedPlaceCutByAPage(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table, MaxLoaded: 4})
	s.q.Restore([]lanes.Lane{{Name: "a", Count: 3, Last: 7}})
	s.next()
	one := s.copyOf(7, "a")
	two, three := *one, *one
	two.Key.N, three.Key.N = 1, 2
	s.q.Loaded(s.now(), "a", []*message.Delivery{one, &two}, nil)
	s.next()
	s.loads = nil
	s.answer("AA")
	s.wantLoads(lanes.Load{Lane: "a", After: lanes.Cursor{Pos: 7, Key: message.Key{Seq: 7, N: 1}}, Limit: 2})
	s.q.Loaded(s.now(), "a", []*message.Delivery{&three}, nil)
	s.next()
	s.answer("AA")
	s.wantSent([]uint64{7})
	if n := s.sent[0].Deliveries[0].Key.N; n != 2 {
		t.Fatalf("sent 7.%d, want 7.2", n)
	}
}

func TestAnnouncedWhileLoading(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table, Batch: 10})
	s.q.Restore([]lanes.Lane{{Name: "a", Count: 2, Last: 2}})
	s.next()
	s.loaded("a", 1, 2)
	s.loads = nil // to see the end of it
	s.add("a", 3, 4)
	s.loaded("a") // the page was read before 3 was committed
	s.answer("AA", "AA")
	s.wantSent([]uint64{3, 4}) // kept at hand, not loaded
	s.wantLoads()
}

func TestPageIsAheadOfTheNews(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table, Batch: 10})
	s.q.Restore([]lanes.Lane{{Name: "a", Count: 1, Last: 1}})
	s.next()
	s.loaded("a", 1, 2, 3) // 2 and 3 are committed, but not announced yet
	s.answer("AA", "AA", "AA")
	s.add("a", 2)
	s.add("a", 3)
	s.wantSent()
	s.add("a", 4)
	s.wantSent([]uint64{4})
}

func TestDiscardedWhileLoading(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table, Batch: 10})
	s.q.Restore([]lanes.Lane{{Name: "a", Count: 3, Last: 3}})
	s.next()
	s.add("a", 4)
	s.q.Removed(s.now(), []message.Finished{{Key: message.Key{Seq: 2}, Pos: 2, Lane: "a"}, {Key: message.Key{Seq: 4}, Pos: 4, Lane: "a"}})
	s.loaded("a", 1, 2, 3) // read before
	s.wantSent([]uint64{1, 3})
	s.answer("AA", "AA")
	s.loaded("a")
	s.wantSent()
	if st := s.q.Stats(s.now()); st.Queued != 0 || st.Loaded != 0 {
		t.Fatalf("stats: %+v", st)
	}
}

func TestStartedAgainWhileLoading(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table})
	s.q.Restore([]lanes.Lane{{Name: "a", Count: 1, Last: 1}})
	s.next()
	d := s.copyOf(1, "a")
	d.Stopped, d.Attempts = true, 3
	s.add("a", 1) // a person starts it again
	s.q.Loaded(s.now(), "a", []*message.Delivery{d}, nil)
	s.next()
	s.wantSent([]uint64{1})
}

func TestDiscardedWhileBeingSent(t *testing.T) {
	for _, code := range []string{"AA", "AE", "AR"} {
		t.Run(code, func(t *testing.T) {
			s := newScript(t, lanes.Policy{Reply: table, Retry: backoff()})
			s.add("a", 1, 2)
			s.q.Removed(s.now(), []message.Finished{{Key: message.Key{Seq: 1}, Pos: 1, Lane: "a"}})
			s.next()
			s.wantSent([]uint64{1})
			s.answer(code)
			s.wantEnds()
			if len(s.notes) > 0 {
				t.Fatalf("notes: %+v", s.notes)
			}
			s.wantSent([]uint64{2})
		})
	}
}

func TestLoadErrorIsTriedAgain(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table})
	s.q.Restore([]lanes.Lane{{Name: "a", Count: 1, Last: 1}})
	s.next()
	for _, at := range []float64{1, 3, 7} {
		s.loads = nil
		s.q.Loaded(s.now(), "a", nil, errRefused)
		s.next()
		s.wantLoads()
		s.wantWake(at)
		s.to(at)
		if len(s.loads) != 1 {
			t.Fatalf("at %v: not asked again", at)
		}
	}
	s.loaded("a", 1)
	s.wantSent([]uint64{1})
}

func TestBlockedLaneKeepsFewInMemory(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table, Retry: backoff()})
	s.add("a", numbers(1, 500)...)
	if n := s.q.Stats(s.now()).Loaded; n != 500 {
		t.Fatalf("%d in memory, want all 500", n)
	}
	s.answer("AE")
	s.add("a", numbers(501, 600)...)
	if st := s.q.Stats(s.now()); st.Loaded != 16 || st.Queued != 600 {
		t.Fatalf("%d in memory, %d queued; want 16, 600", st.Loaded, st.Queued)
	}
	s.to(2)
	s.wantSent([]uint64{1})
	s.wantLoads(lanes.Load{Lane: "a", After: after(16), Limit: 256})
}

func TestWaitingLanesMakeRoom(t *testing.T) {
	p := lanes.Policy{Reply: table, MaxLoaded: 40, Concurrency: 4, Retry: lanes.Backoff{First: time.Hour, Cap: time.Hour}}
	c := &carrier{q: lanes.New(p, 1), now: start, code: "AA", store: map[string][]*message.Delivery{}}
	seq := uint64(0)
	var known []lanes.Lane
	for i := range 200 {
		name := fmt.Sprint("bad", i)
		if i%2 == 0 {
			name = fmt.Sprint("good", i)
		}
		for range 5 {
			seq++
			c.store[name] = append(c.store[name], &message.Delivery{Key: message.Key{Seq: seq}, Pos: seq, Lane: name, Queued: start})
		}
		known = append(known, lanes.Lane{Name: name, Count: 5, Last: seq})
	}
	c.q.Restore(known)
	delivered := 0
	for c.now.Before(start.Add(30 * time.Minute)) {
		actions, _ := c.q.Next(c.now)
		if n := c.q.Stats(c.now).Loaded; n > 40 {
			t.Fatalf("%d copies in memory", n)
		}
		if len(actions) == 0 {
			break
		}
		for _, a := range actions {
			if f, ok := a.(lanes.Finish); ok {
				delivered += len(f.Finished)
			}
			c.code = "AA"
			if s, ok := a.(lanes.Send); ok && s.Lane[0] == 'b' {
				c.code = "AE"
			}
			c.do(a)
		}
	}
	if delivered != 500 {
		t.Fatalf("%d of 500 copies of good lanes delivered while bad ones wait", delivered)
	}
	if st := c.q.Stats(c.now); st.Retrying != 100 || st.Queued != 500 {
		t.Fatalf("stats: %+v", st)
	}
}

// A large body passes, one at a time, without repeated loads.
func TestBytesInMemory(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table, MaxBytes: 1000})
	big := func(seq uint64) *message.Delivery {
		d := s.copyOf(seq, "a")
		d.Body = message.InMemory(make([]byte, 5000))
		return d
	}
	s.q.Added(s.now(), []*message.Delivery{big(1), big(2), big(3)})
	s.next()
	if st := s.q.Stats(s.now()); st.Bytes != 5000 || st.Queued != 3 {
		t.Fatalf("stats: %+v", st)
	}
	s.wantLoads() // no room
	for seq := uint64(2); seq <= 3; seq++ {
		s.answer("AA")
		s.wantLoads(lanes.Load{Lane: "a", After: after(seq - 1), Limit: 256})
		s.q.Loaded(s.now(), "a", []*message.Delivery{big(2), big(3)}[seq-2:], nil)
		s.next()
		s.wantSent([]uint64{seq})
		s.wantLoads()
		if st := s.q.Stats(s.now()); st.Bytes != 5000 {
			t.Fatalf("%d bytes in memory", st.Bytes)
		}
	}
	s.answer("AA")
	s.wantWake(0)
}

// A store that gives more than was asked for does not break the bound.
func TestPageLongerThanAskedFor(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table, MaxLoaded: 4})
	s.q.Restore([]lanes.Lane{{Name: "a", Count: 10, Last: 10}})
	s.next()
	s.loaded("a", numbers(1, 10)...)
	if n := s.q.Stats(s.now()).Loaded; n > 4 {
		t.Fatalf("%d in memory", n)
	}
}

// A live strict lane never touches the disk, though it always has work.
func TestStreamingNeedsNoLoad(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table, MaxLoaded: 100})
	s.add("", numbers(1, 50)...)
	for n := uint64(51); n < 2000; n++ {
		s.add("", n)
		s.answer("AA")
	}
	s.wantLoads()
	if len(s.finished) != 1949 {
		t.Fatalf("%d delivered", len(s.finished))
	}
}

func TestQuietLaneIsServedBesideABacklog(t *testing.T) {
	p := lanes.Policy{Reply: table, MaxLoaded: 64}
	c := &carrier{q: lanes.New(p, 1), now: start, code: "AA", store: map[string][]*message.Delivery{}}
	seq := uint64(0)
	var known []lanes.Lane
	for i := range 300 {
		name := fmt.Sprint(i)
		for range 50 {
			seq++
			c.store[name] = append(c.store[name], &message.Delivery{Key: message.Key{Seq: seq}, Pos: seq, Lane: name, Queued: start})
		}
		known = append(known, lanes.Lane{Name: name, Count: 50, Last: seq})
	}
	c.q.Restore(known)
	sends, waited := 0, -1
	for waited < 0 {
		actions, _ := c.q.Next(c.now)
		for _, a := range actions {
			if s, ok := a.(lanes.Send); ok {
				if sends++; s.Lane == "quiet" {
					waited = sends - 1000
				}
			}
			c.do(a)
		}
		if sends == 1000 {
			seq++
			c.q.Added(c.now, []*message.Delivery{{Key: message.Key{Seq: seq}, Pos: seq, Lane: "quiet", Queued: c.now}})
		}
	}
	if waited > 64 {
		t.Fatalf("a single copy waited for %d others", waited)
	}
}

func TestLanesTakeTurns(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table})
	for _, l := range []string{"a", "b", "c"} {
		n := uint64(l[0]-'a') * 100
		s.add(l, numbers(n+1, n+20)...)
	}
	var got string
	for range 12 {
		got += s.sent[0].Lane
		s.answer("AA")
	}
	if got != "abcabcabcabc" {
		t.Fatalf("turns %s", got)
	}
}

func TestLaneStates(t *testing.T) {
	s := newScript(t, lanes.Policy{Concurrency: 1, Retry: backoff(), Reply: map[string]lanes.Rule{"CR": {Do: lanes.Stop}}})
	s.add("stopped", 1)
	s.answer("CR")
	s.add("waiting", 2)
	s.answer("AE")
	s.pause(lanes.One("paused"), 0)
	s.add("paused", 3)
	s.add("sending", 4)
	s.add("ready", 5, 6)
	s.q.Restore([]lanes.Lane{{Name: "loading", Count: 7, Last: 9}})
	s.next()
	got := map[string]lanes.LaneState{}
	for l := range s.q.LaneStates(s.now()) {
		got[l.Lane] = l
	}
	one := func(st lanes.State, seq uint64, l lanes.LaneState) lanes.LaneState {
		l.State, l.Known, l.Head, l.Oldest = st, true, after(seq), start
		l.Queued = max(l.Queued, 1)
		return l
	}
	want := map[string]lanes.LaneState{
		"stopped": one(lanes.Stopped, 1, lanes.LaneState{Lane: "stopped", Attempts: 1, Code: "CR", Reason: `answered "CR"`}),
		"waiting": one(lanes.Waiting, 2, lanes.LaneState{Lane: "waiting", Attempts: 1, Code: "AE", Reason: `answered "AE"`, Next: start.Add(2 * time.Second)}),
		"paused":  one(lanes.Paused, 3, lanes.LaneState{Lane: "paused"}),
		"sending": one(lanes.Sending, 4, lanes.LaneState{Lane: "sending"}),
		"ready":   one(lanes.Ready, 5, lanes.LaneState{Lane: "ready", Queued: 2}),
		"loading": {Lane: "loading", State: lanes.Loading, Queued: 7},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
	st := s.q.Stats(s.now())
	if d := cmp.Diff(lanes.Stats{Queued: 13, Loaded: 6, Lanes: 6, InFlight: 1, Retrying: 1, Stopped: 1, Oldest: start}, st); d != "" {
		t.Fatal(d)
	}
	for range s.q.LaneStates(s.now()) {
		break // an iteration may end early
	}
	if fmt.Sprint(lanes.Ready, lanes.Loading, lanes.State(99)) != "ready loading unknown" {
		t.Fatal("names of states")
	}
}

func TestFirstPlaceOfAll(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table})
	s.add("", 0, 1)
	s.wantSent([]uint64{0})
	s.answer("AA")
	s.wantSent([]uint64{1})
}

// A waiting head that the store does not know any more is not waited for.
func TestHeadIsGoneFromTheStore(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table, MaxLoaded: 4, Retry: lanes.Backoff{First: time.Hour, Cap: time.Hour}})
	s.add("a", 1, 2)
	s.answer("AE")
	s.add("b", 3, 4, 5)
	s.add("c", 6) // there is no room but that of a
	s.finishAll()
	if st := s.q.Stats(s.now()); st.Loaded != 0 && len(s.loads) == 0 {
		t.Fatalf("a was not put out: %+v", st)
	}
	for _, l := range s.loads {
		s.loaded(l.Lane, map[string][]uint64{"b": {4, 5}, "c": {6}}[l.Lane]...)
	}
	s.loads = nil
	s.finishAll()
	s.to(3600)
	s.wantLoads(lanes.Load{Lane: "a", Limit: 2, After: lanes.Cursor{Pos: 1, Key: message.Key{Seq: 0, N: 65535}}})
	s.loaded("a", 2)
	s.sent = s.sent[len(s.sent)-1:]
	s.wantSent([]uint64{2})
	s.answer("AE")
	if n := s.notes[len(s.notes)-1]; n.Key.Seq != 2 || n.Attempts != 1 {
		t.Fatalf("note %+v, want the first attempt of 2", n)
	}
}

// Busy lanes that always have news must not keep the room from one that has to be
// loaded.
func TestBusyLanesLeaveRoomToLoad(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table, MaxLoaded: 64, Concurrency: 4})
	seq := uint64(0)
	store := map[string][]uint64{}
	add := func() {
		seq++
		lane := fmt.Sprint("busy", seq%4)
		store[lane] = append(store[lane], seq)
		s.add(lane, seq)
	}
	for range 40 { // little is left of the room, but not all of it is taken
		add()
	}
	s.q.Restore([]lanes.Lane{{Name: "poor", Count: 1, Last: 1}})
	for range 2000 {
		for _, l := range s.loads {
			if l.Lane == "poor" {
				return
			}
			var ds []uint64
			for _, n := range store[l.Lane] {
				if n > l.After.Pos && len(ds) < l.Limit {
					ds = append(ds, n)
				}
			}
			s.loads = s.loads[1:]
			s.loaded(l.Lane, ds...)
			break
		}
		add()
		s.answer("AA")
	}
	t.Fatal("a lane was never loaded while others were busy")
}

// TestReadAnewWhileCopiesCome: a paused queue is told of new copies, then of what
// the store has, which holds these and one more, then of that one more.
func TestReadAnewWhileCopiesCome(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table, Batch: 10})
	s.q.Pause(s.now(), lanes.Whole(), time.Time{})
	s.add("a", 7)
	s.add("b", 8)
	s.q.Restore([]lanes.Lane{{Name: "a", Count: 3, Last: 9}, {Name: "b", Count: 2, Last: 8}, {Name: "c", Count: 1, Last: 4}})
	s.add("a", 9)
	s.add("c", 10)
	s.wantSent()
	s.wantLoads()
	s.q.Resume(s.now(), lanes.Whole())
	s.next()
	s.wantLoads(lanes.Load{Lane: "a", Limit: 256}, lanes.Load{Lane: "b", Limit: 256}, lanes.Load{Lane: "c", Limit: 256})
	s.loaded("a", 3, 7, 9)
	s.loaded("b", 5, 8)
	s.loaded("c", 4, 10)
	s.wantLoads(lanes.Load{Lane: "a", After: after(9), Limit: 256}, lanes.Load{Lane: "b", After: after(8), Limit: 256})
	s.loaded("a") // there is no more
	s.loaded("b")
	s.finishAll()
	var got []uint64
	for _, f := range s.finished {
		got = append(got, f.Key.Seq)
	}
	slices.Sort(got)
	if d := cmp.Diff([]uint64{3, 4, 5, 7, 8, 9, 10}, got); d != "" {
		t.Fatalf("delivered (-want +got):\n%s", d)
	}
	if st := s.q.Stats(s.now()); st.Queued != 0 || st.Loaded != 0 || st.Bytes != 0 {
		t.Fatalf("left over: %+v", st)
	}
}
