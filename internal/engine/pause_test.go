package engine

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
	"github.com/spine-engine/spine-engine/store"
)

func now() time.Time { return time.Now() }

func sub(kind, name string) store.Subject { return store.Subject{Kind: kind, Name: name} }

func (l *lab) pause(s store.Subject, until time.Time) []string {
	l.t.Helper()
	about, err := l.engine.Pause(l.t.Context(), store.Switch{Subject: s, Paused: true, Until: until, By: ann})
	if err != nil {
		l.t.Fatalf("pause: %v", err)
	}
	return about
}

func (l *lab) resume(s store.Subject) {
	l.t.Helper()
	if _, err := l.engine.Pause(l.t.Context(), store.Switch{Subject: s, By: ann}); err != nil {
		l.t.Fatalf("resume: %v", err)
	}
}

// gauge is the sum of all gauges of a name.
func (l *lab) gauge(name string) (n float64) {
	l.t.Helper()
	all, err := l.engine.Registry().Gather()
	if err != nil {
		l.t.Fatal(err)
	}
	for _, f := range all {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			n += m.GetGauge().GetValue()
		}
	}
	return n
}

func TestPausedDestinationSendsNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		s    store.Subject
	}{{"destination", sub(KindDestination, "f/out")}, {"lane", store.Subject{Kind: KindLane, Name: "f/out", Lane: "1"}}} {
		t.Run(c.name, func(t *testing.T) {
			a := &arrivals{up: true}
			l := newLab(t, a.send)
			l.start()
			l.pause(c.s, time.Time{})
			l.take("A01", "1", "C1")
			l.take("A01", "1", "C2")
			if c.s.Kind == KindLane {
				l.take("A01", "2", "C3") // another lane goes on
				await(t, "the other lane", func() bool { return l.totals().Copies[message.Delivered] == 1 })
			}
			l.stop() // the pause survives
			l.start()
			if s := l.engine.Status(); len(s.Pauses) != 1 || s.Pauses[0].By != "ann" || s.Pauses[0].Reason != ann.Reason || s.Queues[0].Paused != (c.s.Kind == KindDestination) {
				t.Errorf("status %+v", s)
			}
			if l.gauge("spine_paused") != 1 || l.gauge("spine_queue_paused") != map[string]float64{KindDestination: 1}[c.s.Kind] {
				t.Errorf("gauges %v %v", l.gauge("spine_paused"), l.gauge("spine_queue_paused"))
			}
			l.take("A01", "3", "C4")
			if c.s.Kind == KindLane {
				await(t, "another lane", func() bool { return len(a.list()) == 2 })
			} else if got := a.list(); len(got) != 0 {
				t.Errorf("sent %v", got)
			}
			l.resume(c.s)
			await(t, "the rest", func() bool { return l.totals().Copies[message.Queued] == 0 })
			var mine []string
			for _, g := range a.list() {
				if strings.HasPrefix(g, "C1") || strings.HasPrefix(g, "C2") {
					mine = append(mine, g[:2])
				}
			}
			if strings.Join(mine, " ") != "C1 C2" || l.gauge("spine_paused") != 0 {
				t.Errorf("order %v, gauge %v", mine, l.gauge("spine_paused"))
			}
			if strings.Contains(l.log.String(), ann.Reason) {
				t.Error("a person's words are in the log")
			}
		})
	}
}

func TestPauseEndsByItself(t *testing.T) {
	a := &arrivals{up: true}
	l := newLab(t, a.send)
	l.start()
	l.pause(sub(KindDestination, "f/out"), now().Add(300*time.Millisecond))
	l.pause(sub(KindSource, "f/in"), now().Add(200*time.Millisecond))
	l.take("A01", "1", "C1") // waits for the source
	await(t, "the delivery", func() bool { return len(a.list()) == 1 })
	if s := l.engine.Status(); len(s.Pauses) != 0 || s.Queues[0].Paused || len(s.Sources) != 1 {
		t.Errorf("status %+v", s)
	}
}

func TestPausedSourceIsClosed(t *testing.T) {
	for _, s := range []store.Subject{sub(KindSource, "f/in"), sub(KindFeed, "f")} {
		t.Run(s.Kind, func(t *testing.T) {
			l := newLab(t, takes)
			l.start()
			accept := <-l.wire.accept
			_ = accept
			l.pause(s, time.Time{})
			check := func() {
				t.Helper()
				if st := l.engine.Status(); len(st.Sources) != 0 || len(st.Pauses) != 1 {
					t.Errorf("status %+v", st)
				}
				select {
				case <-l.wire.accept:
					t.Error("the source runs")
				default:
				}
			}
			check()
			l.write("feeds/f.yaml", strings.Replace(wireFeed, "waits", "waits still", 1))
			if _, err := l.engine.ReloadNow(); err != nil {
				t.Fatal(err)
			}
			check()
			l.stop()
			l.start()
			check()
			l.resume(s)
			l.take("A01", "1", "C1")
			await(t, "the delivery", func() bool { return l.totals().Copies[message.Delivered] == 1 })
		})
	}
}

func TestPauseRefuses(t *testing.T) {
	l := newLab(t, takes)
	l.write("spine.yaml", wireSpine+"listeners:\n  in: { wire: { id: in2 }, charset: { use_msh18: true, otherwise: windows-1252 } }\n"+
		"peers:\n  shared: { wire: { id: s }, reply: { AA: done, AE: retry, AR: retry, none: { after: 5s, do: retry }, wrong_id: retry }, retry: { first: 1s, give_up_after: never } }\n")
	l.write("feeds/g.yaml", "spine: v1\nfeed: g\nsources:\n  in: { listener: in }\ndeliver:\n  - { to: x, peer: shared }\nunrouted: hold\n")
	l.start()
	for _, c := range []struct {
		name, want string
		w          store.Switch
	}{
		{"unknown kind", "no kind of thing", store.Switch{Subject: sub("engine", "f"), Paused: true}},
		{"unknown name", "it has shared, f/out", store.Switch{Subject: sub(KindDestination, "epr"), Paused: true}},
		{"the past", "lies in the past", store.Switch{Subject: sub(KindDestination, "shared"), Paused: true, Until: now().Add(-time.Minute)}},
		{"nothing of its own", "pause its listener or its peers", store.Switch{Subject: sub(KindFeed, "g"), Paused: true}},
		{"not paused", "not paused by anybody", store.Switch{Subject: sub(KindSource, "in")}},
	} {
		if _, err := l.engine.Pause(t.Context(), c.w); err == nil || !errors.Is(err, ErrPause) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if about := l.pause(sub(KindFeed, "f"), time.Time{}); strings.Join(about, ", ") != "source f/in, destination f/out" {
		t.Errorf("about %v", about)
	}
}

func TestShadow(t *testing.T) {
	l := newLab(t, func(*message.Delivery) (adapters.Reply, error) {
		t.Error("a destination was asked to send")
		return adapters.Reply{Code: "AA"}, nil
	})
	l.shadow, l.shadowTakes = "shadow", true
	l.start()
	if s := l.engine.Status(); s.Shadow != filepath.Join(l.dir, "shadow") {
		t.Errorf("status %+v", s)
	}
	r := l.take("A01", "1", "C1")
	l.take("A03", "1", "C2") // held
	await(t, "the capture", func() bool { return l.totals().Copies[message.Delivered] == 1 })
	files, err := filepath.Glob(filepath.Join(l.dir, "shadow", "f.out", "*.msg"))
	if err != nil || len(files) != 1 || !strings.Contains(files[0], r.ID.String()) {
		t.Fatalf("%v %v", files, err)
	}
	if b, err := os.ReadFile(files[0]); err != nil || string(b) != string(adt("A01", "1", "C1")) {
		t.Errorf("%q %v", b, err)
	}
	rec, err := l.engine.store.Get(r.ID)
	if err != nil || rec.Copies[0].Code != "shadow" {
		t.Errorf("%+v %v", rec, err)
	}
	l.stop()
	if l.wire.opened != 0 {
		t.Errorf("%d destinations were opened", l.wire.opened)
	}
	if _, err := os.Stat(filepath.Join(l.dir, "store")); !errors.Is(err, os.ErrNotExist) {
		t.Error("it used the live store")
	}
	l.shadowTakes = false // its source claims more than a port
	l.start()
	if s := l.engine.Status(); len(s.Sources) != 0 {
		t.Errorf("sources %v", s.Sources)
	}
}

func TestSafeName(t *testing.T) {
	for queue, want := range map[string]string{"epr": "epr", "adt/lab": "adt.lab", "..": "%2E%2E", "a.b/../c": "a%2Eb.%2E%2E%2Fc"} {
		if got := safeName(queue); got != want {
			t.Errorf("%s: %s, want %s", queue, got, want)
		}
	}
}

func TestFilesOfWhatWasNotStoredGo(t *testing.T) {
	l := newLab(t, takes)
	l.write("feeds/f.yaml", strings.Replace(wireFeed, "in: { wire: { id: in },", "in: { duplicates: { window: 1d }, wire: { id: in },", 1))
	l.start()
	take := func(control string) message.Receipt {
		body, err := l.engine.store.Spool(strings.NewReader(string(adt("A01", "1", control))), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		accept := <-l.wire.accept
		r, err := accept(t.Context(), &message.Envelope{Source: "f/in", Body: body})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if take("C1").Duplicate || !take("C1").Duplicate {
		t.Fatal("the second is no duplicate")
	}
	await(t, "the delivery", func() bool { return l.totals().Copies[message.Delivered] == 1 })
	accept := <-l.wire.accept
	l.stop()
	files, err := filepath.Glob(filepath.Join(l.dir, "store", "bodies", "*", "*"))
	if err != nil || len(files) != 1 {
		t.Errorf("files %v, %v", files, err)
	}
	if _, err := accept(t.Context(), &message.Envelope{Source: "f/in"}); !errors.Is(err, adapters.ErrBusy) {
		t.Errorf("accepted after the end: %v", err)
	}
}

func TestThePauseThatEndsLastCounts(t *testing.T) {
	at := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC) // a Sunday
	window := routes.Pause{Day: time.Sunday, From: 2 * time.Hour, To: 4 * time.Hour, Zone: time.UTC, Reason: "backup"}
	order := func(reason string, until time.Time) store.Switch {
		return store.Switch{Until: until, By: store.Person{Name: "ann", Reason: reason}}
	}
	four := at.Add(time.Hour)
	for _, c := range []struct {
		name    string
		windows []routes.Pause
		ordered []store.Switch
		still   bool
		want    pauseState
	}{
		{name: "nothing"},
		{"a window", []routes.Pause{window}, nil, false, pauseState{on: true, until: four, why: "backup"}},
		{"an order that is over", nil, []store.Switch{order("x", at)}, false, pauseState{}},
		{"an order that ends sooner", []routes.Pause{window}, []store.Switch{order("x", at.Add(time.Minute))}, false, pauseState{on: true, until: four, why: "backup"}},
		{"an order that ends later", []routes.Pause{window}, []store.Switch{order("x", at.Add(2*time.Hour))}, false, pauseState{on: true, until: at.Add(2 * time.Hour), why: "ann: x"}},
		{"an order without an end", []routes.Pause{window}, []store.Switch{order("x", time.Time{}), order("y", four)}, false, pauseState{on: true, why: "ann: x"}},
		{"being decided again", []routes.Pause{window}, []store.Switch{order("x", four)}, true, pauseState{on: true, why: "its copies are being decided again"}},
	} {
		q := &queue{windows: c.windows, ordered: c.ordered, still: c.still}
		got := q.pauseNow(at)
		if got.on != c.want.on || !got.until.Equal(c.want.until) || got.why != c.want.why {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		if strings.Contains(got.log, "x") {
			t.Errorf("%s: a person's words would be logged: %s", c.name, got.log)
		}
	}
}
