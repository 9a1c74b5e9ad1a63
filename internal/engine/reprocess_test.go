package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
	"github.com/spine-engine/spine-engine/store/disk"
)

// arrivals is a destination that is down until it is up, and remembers what came.
type arrivals struct {
	mu   sync.Mutex
	up   bool
	code string
	got  []string // control id and MSH-5
}

func (a *arrivals) send(d *message.Delivery) (adapters.Reply, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.up {
		return adapters.Reply{}, errors.New("refused")
	}
	b, err := d.Body.ReadAll()
	if err != nil {
		return adapters.Reply{}, err
	}
	a.got = append(a.got, d.ControlID+" "+strings.Split(string(b), "|")[4])
	return adapters.Reply{Code: max(a.code, "AA")}, nil
}

func (a *arrivals) set(up bool, code string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.up, a.code = up, code
}

func (a *arrivals) list() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.got)
}

var ann = store.Person{Name: "ann", Reason: "wrong mapping"}

func (l *lab) reload(feed string) {
	l.t.Helper()
	l.write("feeds/f.yaml", feed)
	if p, err := l.engine.ReloadNow(); err != nil {
		l.t.Fatalf("reload: %v %v", err, p)
	}
}

func (l *lab) reprocess(o Reprocess) Reprocessed {
	l.t.Helper()
	o.By = ann
	out, err := l.engine.ReprocessQueue(l.t.Context(), o)
	if err != nil {
		l.t.Fatalf("reprocess: %v", err)
	}
	return out
}

func wantCounts(t *testing.T, got, want Reprocessed) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Reprocessed{}, "Queue", "Plan", "DryRun", "Why")); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

// strictFeed sets MSH-5 on its way to one strict queue.
func strictFeed(receiver string) string {
	return strings.NewReplacer("order: { per: PID-3.1 }", "order: strict", "deliver:", "transform:\n  - set: { MSH-5: "+receiver+" }\ndeliver:").Replace(wireFeed)
}

func TestReprocessInPlace(t *testing.T) {
	a := &arrivals{}
	l := newLab(t, a.send)
	l.write("feeds/f.yaml", strictFeed("WRONG"))
	l.start()
	var want []string
	more := func(n int, receiver string) {
		for range n {
			id := fmt.Sprintf("C%03d", len(want))
			l.take("A01", "1", id)
			want = append(want, id+" "+receiver)
		}
	}
	more(400, "RIGHT")
	l.reload(strictFeed("RIGHT"))
	more(3, "RIGHT")
	seen, most := 0, 0
	o := Reprocess{Queue: "f/out", Progress: func(done, total int) { seen, most = done, total }}
	dry := o
	dry.DryRun = true
	wantCounts(t, l.reprocess(dry), Reprocessed{Copies: 403, Replaced: 400, Unchanged: 3})
	if l.totals().Copies[message.Discarded] != 0 {
		t.Error("a dry run changed something")
	}
	wantCounts(t, l.reprocess(o), Reprocessed{Copies: 403, Replaced: 400, Unchanged: 3})
	if seen != 403 || most != 403 {
		t.Errorf("progress ended at %d of %d", seen, most)
	}
	more(2, "RIGHT")
	wantCounts(t, l.reprocess(o), Reprocessed{Copies: 405, Unchanged: 405})
	a.set(true, "")
	await(t, "405 deliveries", func() bool { return l.totals().Copies[message.Delivered] == 405 })
	if diff := cmp.Diff(want, a.list()); diff != "" {
		t.Errorf("arrived (-want +got):\n%s", diff)
	}
	if c := l.totals().Copies; c[message.Queued] != 0 || c[message.Discarded] != 400 {
		t.Errorf("copies %v", c)
	}
	if strings.Contains(l.log.String(), ann.Reason) || !strings.Contains(l.log.String(), `"message":"reprocessed"`) {
		t.Errorf("log: %s", l.log.String())
	}
}

func TestReprocessWaitsForWhatIsBeingSent(t *testing.T) {
	begun, answer := make(chan string, 10), make(chan struct{})
	a := &arrivals{up: true}
	l := newLab(t, func(d *message.Delivery) (adapters.Reply, error) {
		begun <- d.ControlID
		<-answer
		return a.send(d)
	})
	l.write("feeds/f.yaml", strictFeed("WRONG"))
	l.start()
	for i := range 4 {
		l.take("A01", "1", fmt.Sprint("C", i))
	}
	<-begun
	l.reload(strictFeed("RIGHT"))
	done := make(chan Reprocessed)
	go func() { done <- l.reprocess(Reprocess{Queue: "f/out"}) }()
	await(t, "the queue to be kept still", func() bool { return l.engine.QueueStates(now())[0].Paused })
	close(answer)
	wantCounts(t, <-done, Reprocessed{Copies: 3, Replaced: 3})
	await(t, "4 deliveries", func() bool { return l.totals().Copies[message.Delivered] == 4 })
	if diff := cmp.Diff([]string{"C0 WRONG", "C1 RIGHT", "C2 RIGHT", "C3 RIGHT"}, a.list()); diff != "" {
		t.Error(diff)
	}
}

func TestReprocessShapes(t *testing.T) {
	keyed := func(s ...string) string { return strings.NewReplacer(s...).Replace(wireFeed) }
	split := func(at string) string {
		return strings.NewReplacer("deliver:", "split: { group: [ORC, OBR], keep: [MSH, PID], id: '= msg[\"MSH-10\"] + \".\" + string(part.index)' }\ndeliver:",
			"  - to: out", "  - to: out\n    when: "+at, "order: { per: PID-3.1 }", "order: strict").Replace(wireFeed)
	}
	for _, c := range []struct {
		name     string
		was, now string
		body     string // instead of ADT
		want     Reprocessed
		arrived  []string
		copies   map[message.CopyState]int
		reason   string
	}{
		{"no longer wanted", wireFeed, keyed(`"A03"`, `"A03" && true`, `accept:`, "accept:\n  - if: msg.event == \"A01\"\n    then: { drop: \"no A01\" }"), "",
			Reprocessed{Copies: 2, Discarded: 2}, nil, map[message.CopyState]int{message.Discarded: 2}, "reprocessed: dropped by feeds/f.yaml:6 no A01"},
		{"held now", wireFeed, keyed(`"A03"`, `"A01"`), "",
			Reprocessed{Copies: 2, Held: 2}, nil, map[message.CopyState]int{message.CopyHeld: 2}, "reprocessed: held by feeds/f.yaml:6 waits"},
		{"not this destination", wireFeed, keyed("  - to: out", "  - { to: other, wire: { id: o }, reply: { AA: done, AE: retry, AR: retry, none: { after: 5s, do: retry }, wrong_id: retry }, retry: { first: 1s, give_up_after: never } }\n  - to: out\n    when: msg.event == \"A02\""), "",
			Reprocessed{Copies: 2, Discarded: 2}, nil, map[message.CopyState]int{message.Discarded: 2}, "reprocessed: no longer routed here"},
		{"rejected now", wireFeed, keyed("accept:", "accept:\n  - if: msg.event == \"A01\"\n    then: { reject: { ack: AR, text: \"no A01\" } }"), "",
			Reprocessed{Copies: 2, Held: 2}, nil, map[message.CopyState]int{message.CopyHeld: 2}, "reprocessed: rejected by feeds/f.yaml:6 no A01"},
		{"another lane", wireFeed, keyed("PID-3.1", "MSH-10"), "",
			Reprocessed{Copies: 2, Replaced: 2}, []string{"C0 C", "C1 C"}, map[message.CopyState]int{message.Discarded: 2, message.Delivered: 2}, ""},
		{"a part of a split fewer", split(`msg["OBR-1"] != ""`), split(`msg["OBR-1"] != "2"`), "OBR|1\rOBR|2\rOBR|3\r",
			Reprocessed{Copies: 6, Replaced: 4, Discarded: 2}, []string{"C0.1 C", "C0.3 C", "C1.1 C", "C1.3 C"},
			map[message.CopyState]int{message.Discarded: 6, message.Delivered: 4}, ""},
		{"a part of a split more, in its own place", split(`msg["OBR-1"] != "2"`), split(`msg["OBR-1"] != ""`), "OBR|1\rOBR|2\rOBR|3\r",
			Reprocessed{Copies: 4, Replaced: 4, Added: 2}, []string{"C0.1 C", "C0.2 C", "C0.3 C", "C1.1 C", "C1.2 C", "C1.3 C"},
			map[message.CopyState]int{message.Discarded: 4, message.Delivered: 6}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := &arrivals{}
			l := newLab(t, a.send)
			l.write("feeds/f.yaml", c.was)
			l.start()
			var first message.ID
			for i := range 2 {
				accept := <-l.wire.accept
				r, err := accept(t.Context(), &message.Envelope{Source: "f/in", Body: message.InMemory(append(adt("A01", "1", fmt.Sprint("C", i)), c.body...))})
				if err != nil || r.Outcome != message.Routed {
					t.Fatalf("%+v %v", r, err)
				}
				if i == 0 {
					first = r.ID
				}
			}
			l.reload(c.now)
			wantCounts(t, l.reprocess(Reprocess{Queue: "f/out"}), c.want)
			a.set(true, "")
			await(t, "the queue to be empty", func() bool { return l.totals().Copies[message.Queued] == 0 })
			got := a.list()
			if c.name == "another lane" { // which of two lanes is first is nobody's promise
				slices.Sort(got)
			}
			if diff := cmp.Diff(c.arrived, got); diff != "" {
				t.Errorf("arrived (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.copies, l.totals().Copies); diff != "" {
				t.Errorf("copies (-want +got):\n%s", diff)
			}
			rec, err := l.engine.store.Get(first)
			if err != nil || c.reason != "" && rec.Copies[0].Reason != c.reason {
				t.Errorf("reason %q, want %q; %v", rec.Copies[0].Reason, c.reason, err)
			}
		})
	}
}

// TestReprocessHeldCopies holds a backlog by a rule, takes the rule back, and has
// what was held decided again: it comes back into its places.
func TestReprocessHeldCopies(t *testing.T) {
	a := &arrivals{}
	l := newLab(t, a.send)
	l.write("feeds/f.yaml", strictFeed("WRONG"))
	l.start()
	for i := range 5 {
		l.take("A01", "1", fmt.Sprint("C", i))
	}
	l.reload(strings.Replace(strictFeed("WRONG"), `"A03"`, `"A01"`, 1))
	wantCounts(t, l.reprocess(Reprocess{Queue: "f/out"}), Reprocessed{Copies: 5, Held: 5})
	l.reload(strictFeed("RIGHT"))
	l.take("A01", "1", "C5")
	wantCounts(t, l.reprocess(Reprocess{Queue: "f/out", State: message.CopyHeld}), Reprocessed{Copies: 5, Replaced: 5})
	a.set(true, "")
	await(t, "6 deliveries", func() bool { return l.totals().Copies[message.Delivered] == 6 })
	if diff := cmp.Diff([]string{"C0 RIGHT", "C1 RIGHT", "C2 RIGHT", "C3 RIGHT", "C4 RIGHT", "C5 RIGHT"}, a.list()); diff != "" {
		t.Error(diff)
	}
}

// A copy that its destination's own steps held may hold what the destination must
// not see: it is never sent as it is. Released, it is made anew without the rule.
func TestReleaseOfACopyThatWasNotWhole(t *testing.T) {
	a := &arrivals{}
	a.set(true, "")
	l := newLab(t, a.send)
	own := "  - to: out\n    transform: [ { hold: look }, { set: { MSH-5: CLEANED } } ]\n"
	l.write("feeds/f.yaml", strings.Replace(wireFeed, "  - to: out\n", own, 1))
	l.start()
	r := l.take("A01", "1", "C1")
	key := message.Key{Seq: r.Seq}
	err := l.engine.Store().Requeue(t.Context(), key, ann)
	var not *store.NotWholeError
	if !errors.As(err, &not) || !errors.Is(err, store.ErrState) {
		t.Fatalf("queued as it was: %v", err)
	}
	release := Reprocess{Queue: not.Queue, State: message.CopyHeld, Only: key, Message: not.Message}
	wantCounts(t, l.reprocess(release), Reprocessed{Copies: 1, Replaced: 1})
	await(t, "the delivery", func() bool { return l.totals().Copies[message.Delivered] == 1 })
	if diff := cmp.Diff([]string{"C1 CLEANED"}, a.list()); diff != "" {
		t.Error(diff)
	}
	// Where another rule holds it too, it stays as it is, and the answer says which.
	l.reload(strings.Replace(wireFeed, "  - to: out\n", "  - to: out\n    transform:\n      - hold: look\n      - hold: and again\n", 1))
	r = l.take("A01", "1", "C2")
	release.By, release.Only, release.Message = ann, message.Key{Seq: r.Seq}, r.ID
	if _, err := l.engine.ReprocessQueue(t.Context(), release); !errors.Is(err, store.ErrState) || !strings.Contains(err.Error(), "held again by feeds/f.yaml") {
		t.Errorf("%v", err)
	}
	if n := l.totals().Copies[message.CopyHeld]; n != 1 {
		t.Errorf("%d copies held", n)
	}
}

// TestReprocessLeavesWhatNobodyDecides: two feeds share a peer; one of them goes.
func TestReprocessLeavesWhatNobodyDecides(t *testing.T) {
	a := &arrivals{}
	l := newLab(t, a.send)
	l.write("spine.yaml", wireSpine+`listeners:
  in: { wire: { id: in }, charset: { use_msh18: true, otherwise: windows-1252 }, unmatched: hold }
peers:
  shared: { wire: { id: s }, order: strict, reply: { AA: done, AE: retry, AR: retry, none: { after: 5s, do: retry }, wrong_id: retry }, retry: { first: 10ms, cap: 20ms, give_up_after: never } }
`)
	feed := func(name, receiver string) string {
		return "spine: v1\nfeed: " + name + "\nsources:\n  in: { listener: in }\ntransform:\n  - set: { MSH-5: " + receiver + " }\ndeliver:\n  - { to: x, peer: shared }\nunrouted: hold\n"
	}
	l.write("feeds/f.yaml", feed("f", "F1"))
	l.write("feeds/g.yaml", feed("g", "G1"))
	l.start()
	for i := range 2 {
		accept := <-l.wire.accept
		if _, err := accept(t.Context(), &message.Envelope{Source: "in", Body: message.InMemory(adt("A01", "1", fmt.Sprint("C", i)))}); err != nil {
			t.Fatal(err)
		}
	}
	l.write("feeds/g.yaml", feed("renamed", "G2"))
	l.reload(feed("f", "F2"))
	out := l.reprocess(Reprocess{Queue: "shared"})
	wantCounts(t, out, Reprocessed{Copies: 4, Replaced: 2, Left: 2})
	if out.Why["the project has no feed g any more"] != 2 {
		t.Errorf("why %v", out.Why)
	}
	a.set(true, "")
	await(t, "4 deliveries", func() bool { return l.totals().Copies[message.Delivered] == 4 })
	got := a.list()
	slices.Sort(got)
	if diff := cmp.Diff([]string{"C0 F2", "C0 G1", "C1 F2", "C1 G1"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestReleaseOfOnePart: of a split message one part is held; releasing it sends
// that part and no other.
func TestReleaseOfOnePart(t *testing.T) {
	a := &arrivals{up: true}
	l := newLab(t, a.send)
	l.write("feeds/f.yaml", strings.NewReplacer("deliver:", "split: { group: [ORC, OBR], keep: [MSH, PID], id: '= msg[\"MSH-10\"] + \".\" + string(part.index)' }\ntransform:\n  - when: { if: 'msg[\"OBR-1\"] == \"2\"', do: [ { hold: \"looks odd\" } ] }\ndeliver:").Replace(wireFeed))
	l.start()
	accept := <-l.wire.accept
	r, err := accept(t.Context(), &message.Envelope{Source: "f/in", Body: message.InMemory(append(adt("A01", "1", "C"), "OBR|1\rOBR|2\rOBR|3\r"...))})
	if err != nil || r.Outcome != message.Held {
		t.Fatalf("%+v %v", r, err)
	}
	await(t, "the other parts", func() bool { return len(a.list()) == 2 })
	if _, err := l.engine.ReleaseMessage(t.Context(), r.ID, ann); err != nil {
		t.Fatal(err)
	}
	await(t, "the released part", func() bool { return l.totals().Copies[message.Delivered] == 3 })
	if diff := cmp.Diff([]string{"C.1 C", "C.3 C", "C.2 C"}, a.list()); diff != "" {
		t.Error(diff)
	}
	rec, err := l.engine.store.Get(r.ID)
	if err != nil || rec.Copies[2].Slot != (store.Slot{Part: 2}) {
		t.Errorf("%+v %v", rec.Copies, err)
	}
}

func TestReprocessDeadLettersAndWithoutAnEngine(t *testing.T) {
	a := &arrivals{up: true, code: "AR"}
	l := newLab(t, a.send)
	l.write("feeds/f.yaml", strictFeed("WRONG"))
	l.start()
	var want []string
	for i := range 300 {
		l.take("A01", "1", fmt.Sprintf("C%03d", i))
		want = append(want, fmt.Sprintf("C%03d RIGHT", i))
	}
	await(t, "dead letters", func() bool { return l.totals().Copies[message.DeadLettered] == 300 })
	l.reload(strictFeed("RIGHT"))
	plan := l.engine.Plan()
	l.stop()
	a.mu.Lock()
	a.got, a.code = nil, ""
	a.mu.Unlock()
	s, err := disk.Open(l.engine.path("store"), disk.Options{Log: zerolog.Nop(), MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	o := Reprocess{Queue: "f/out", State: message.DeadLettered, By: ann}
	out, err := ReprocessStore(t.Context(), plan, s, o)
	if err != nil {
		t.Fatal(err)
	}
	wantCounts(t, out, Reprocessed{Copies: 300, Replaced: 300})
	for _, bad := range []Reprocess{{Queue: "f/none"}, {Queue: "f/out", State: message.Delivered}} {
		if _, err := ReprocessStore(t.Context(), plan, s, bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	l.start()
	await(t, "the deliveries", func() bool { return l.totals().Copies[message.Delivered] == 300 })
	if diff := cmp.Diff(want, a.list()); diff != "" {
		t.Errorf("arrived (-want +got):\n%s", diff)
	}
}

func TestReprocessRefusesARetiredDestination(t *testing.T) {
	l := newLab(t, (&arrivals{}).send)
	l.start()
	l.take("A01", "1", "C1")
	l.reload(strings.Replace(wireFeed, "  - to: out", "  - to: out\n    retired: true", 1))
	if _, err := l.engine.ReprocessQueue(t.Context(), Reprocess{Queue: "f/out", By: ann}); !errors.Is(err, store.ErrState) {
		t.Errorf("%v", err)
	}
	if c := l.totals().Copies; c[message.Queued] != 1 {
		t.Errorf("copies %v", c)
	}
}

// TestReprocessBesideAcceptance has messages coming in while a backlog is decided
// again, over and over: everything arrives once and in order.
func TestReprocessBesideAcceptance(t *testing.T) {
	a := &arrivals{}
	l := newLab(t, a.send)
	l.write("feeds/f.yaml", strictFeed("R0"))
	l.start()
	var want []string
	for round := range 4 {
		taking := make(chan struct{})
		go func() {
			defer close(taking)
			for i := range 100 {
				id := fmt.Sprintf("C%d%02d", round, i)
				l.take("A01", "1", id)
				want = append(want, id)
			}
		}()
		l.reload(strictFeed(fmt.Sprint("R", round+1)))
		l.reprocess(Reprocess{Queue: "f/out"})
		<-taking
	}
	l.reload(strictFeed("LAST"))
	l.reprocess(Reprocess{Queue: "f/out"})
	a.set(true, "")
	await(t, "400 deliveries", func() bool { return l.totals().Copies[message.Delivered] == 400 })
	for i := range want {
		want[i] += " LAST"
	}
	if diff := cmp.Diff(want, a.list()); diff != "" {
		t.Errorf("arrived (-want +got):\n%s", diff)
	}
}

func TestReprocessEndsWithTheEngine(t *testing.T) {
	begun, answer := make(chan struct{}, 1), make(chan struct{})
	l := newLab(t, func(d *message.Delivery) (adapters.Reply, error) { begun <- struct{}{}; <-answer; return takes(d) })
	l.start()
	l.take("A01", "1", "C1")
	<-begun
	failed := make(chan error)
	go func() {
		_, err := l.engine.ReprocessQueue(t.Context(), Reprocess{Queue: "f/out", By: ann})
		failed <- err
	}()
	await(t, "the queue to be kept still", func() bool { return l.engine.QueueStates(now())[0].Paused })
	stopped := make(chan error)
	go func() { stopped <- l.stop() }()
	if err := <-failed; err == nil || !strings.Contains(err.Error(), "stopping") {
		t.Errorf("%v", err)
	}
	close(answer)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// Copies of one part are known by their number among them. When the project makes
// another number of them, one that was sent could come again as one that was not.
func TestReprocessSendsNothingTwiceWhenThereAreMore(t *testing.T) {
	var mu sync.Mutex
	var got []string
	most := 1
	l := newLab(t, func(d *message.Delivery) (adapters.Reply, error) {
		mu.Lock()
		defer mu.Unlock()
		if len(got) == most {
			return adapters.Reply{}, errors.New("refused")
		}
		got = append(got, d.ControlID)
		return adapters.Reply{Code: "AA"}, nil
	})
	feed := func(first string) string {
		return strings.Replace(wireFeed, "order: { per: PID-3.1 }", "order: strict\n    emit: [ { when: { if: "+first+", do: [ { drop: no } ] } }, { set: { MSH-10: two } }, { set: { MSH-10: three } } ]", 1)
	}
	l.write("feeds/f.yaml", feed("true"))
	l.start()
	l.take("A01", "1", "C1")
	await(t, "the first copy", func() bool { return l.totals().Copies[message.Delivered] == 1 })
	l.reload(feed("false"))
	wantCounts(t, l.reprocess(Reprocess{Queue: "f/out"}), Reprocessed{Copies: 1, Left: 1})
	mu.Lock()
	most = 9
	mu.Unlock()
	await(t, "the queue to be empty", func() bool { return l.totals().Copies[message.Queued] == 0 })
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(got, []string{"two", "three"}) {
		t.Errorf("arrived %v", got)
	}
}
