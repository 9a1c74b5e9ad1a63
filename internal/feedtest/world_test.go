package feedtest

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
)

// TestMoreThanMemoryHolds: beyond what a queue keeps in memory copies are loaded
// in pages, as live from the store; all arrive, once and in order.
func TestMoreThanMemoryHolds(t *testing.T) {
	const n = 5000
	var batch strings.Builder
	for i := range n {
		fmt.Fprintf(&batch, "MSH|^~\\&|PAS|RXX|EPR|RXX|||ADT^A08|%05d|P|2.4\rPID|1||1||TEST\r", i)
	}
	fsys := project(t, "base")
	feed, _, _ := strings.Cut(string(fsys["feeds/f.yaml"].Data), "tests:\n")
	fsys["m/many.hl7"] = &fstest.MapFile{Data: []byte(batch.String())}
	fsys["feeds/f.yaml"] = &fstest.MapFile{Data: []byte(feed + `tests:
  - name: many
    send: { to: in, file: m/many.hl7 }
    peers: { epr: [ { nothing: true }, AA ], box: [ { refuse: true }, written ] }
    expect: { outcome: routed, queued: {} }
`)}
	w := newWorld(load(t, fsys), load(t, fsys).Tests()[0])
	w.run()
	if got := verify(w, goldenFiles{}, false); len(got) > 0 {
		t.Errorf("%v", got)
	}
	for _, q := range w.queues {
		got := q.peer.arrived
		if q.name == "epr" {
			got = got[1:] // the first one came twice
		}
		for i, id := range got {
			if id != fmt.Sprintf("%05d", i) {
				t.Fatalf("%s: number %d is %s", q.name, i, id)
			}
		}
		if len(got) != n {
			t.Errorf("%s: %d arrived", q.name, len(got))
		}
	}
}

// TestNothingIsLost: whatever peers do, each copy has one state, and the counts
// of a queue agree with it.
func TestNothingIsLost(t *testing.T) {
	for _, test := range load(t, project(t, "fates")).Tests() {
		w := newWorld(load(t, project(t, "fates")), test)
		w.run()
		open := 0
		for _, q := range w.queues {
			open += q.open
		}
		queued := 0
		for _, r := range w.copies {
			switch r.state {
			case message.Queued:
				queued++
			case message.Delivered, message.CopyHeld, message.DeadLettered, message.Expired:
			default:
				t.Errorf("%s: a copy is %s", test.Name, r.state)
			}
		}
		if open != queued {
			t.Errorf("%s: %d copies are queued, the queues count %d", test.Name, queued, open)
		}
	}
}

// TestTooManySends: a test that would go on and on is ended and fails.
func TestTooManySends(t *testing.T) {
	fsys := project(t, "base")
	feed, _, _ := strings.Cut(string(fsys["feeds/f.yaml"].Data), "tests:\n")
	fsys["spine.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(string(fsys["spine.yaml"].Data), "first: 2s, factor: 2, cap: 5m", "first: 1ms, cap: 1ms", 1))}
	fsys["feeds/f.yaml"] = &fstest.MapFile{Data: []byte(feed + `tests:
  - name: for ever
    for: 30d
    send: { to: in, file: m/1.hl7 }
    peers: { epr: [ { refuse: true } ] }
    expect: { ack: AA }
`)}
	if out := printed(t, Run(load(t, fsys), Options{})); !strings.Contains(out, "ended after 200000 sends; give the test a shorter time with for:") {
		t.Error(out)
	}
}

func TestDoneCode(t *testing.T) {
	done, other := routes.Rule{Do: routes.DoDone}, routes.Rule{Do: routes.DoRetry}
	for _, c := range []struct {
		name  string
		table map[string]routes.Rule
		want  string
	}{
		{"original mode", map[string]routes.Rule{"AA": done, "CA": done, "AE": other}, "AA"},
		{"enhanced mode only", map[string]routes.Rule{"AA": other, "CA": done}, "CA"},
		{"a mailbox", map[string]routes.Rule{"written": done}, "written"},
		{"one status", map[string]routes.Rule{"202": done, "4xx": other}, "202"},
		{"a class", map[string]routes.Rule{"2xx": done, "4xx": other}, "200"},
		{"any answer", map[string]routes.Rule{"other": done}, "200"},
		{"an odd one", map[string]routes.Rule{"AE": done, "AA": other}, "AE"},
	} {
		if got := doneCode(c.table); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
