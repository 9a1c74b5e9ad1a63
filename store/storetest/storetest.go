package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

// Backend is a store under test.
type Backend interface {
	store.Journal
	store.History
	store.Switches
	// Crash lets go of everything without writing anything more, as the end of
	// the process would.
	Crash()
}

// Open opens the store in dir. The backend fails t when it cannot.
type Open func(t *testing.T, dir string, obs store.Observer) Backend

// Run holds a backend against the contract.
func Run(t *testing.T, open func(t *testing.T, dir string, obs store.Observer) Backend) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.run(newRig(t, open)) })
	}
	t.Run("random operations agree with a map and a slice", func(t *testing.T) { random(t, open) })
}

// rig is one open backend in a folder of its own, with a log of what its
// observer was told.
type rig struct {
	*testing.T
	Backend
	open Open
	dir  string
	n    int

	mu      sync.Mutex
	commits []store.Commit
}

func newRig(t *testing.T, open Open) *rig {
	r := &rig{T: t, open: open, dir: t.TempDir()}
	r.start()
	t.Cleanup(func() { r.Backend.Close() })
	return r
}

func (r *rig) start() { r.Backend = r.open(r.T, r.dir, r.observe) }

func (r *rig) observe(cs []store.Commit) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.commits = append(r.commits, cs...)
}

// told gives what the observer was told since the last call.
func (r *rig) told() []store.Commit {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.commits
	r.commits = nil
	return out
}

func (r *rig) reopen() {
	r.Helper()
	if err := r.Backend.Close(); err != nil {
		r.Fatalf("closing: %v", err)
	}
	r.start()
}

func (r *rig) crash() {
	r.Backend.Crash()
	r.start()
}

var (
	ctx    = context.Background()
	person = store.Person{Name: "Mary Jones", Reason: "the lab is back"}
	epoch  = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
)

// decision makes a routed message with one untouched copy per lane given, all for
// the queue "lab".
func (r *rig) decision(lanes ...string) *message.Decision {
	r.n++
	at := epoch.Add(time.Duration(r.n) * time.Second)
	body := message.InMemory(fmt.Appendf(nil, "MSH|^~\\&|PAS|RXY|LAB|RXY|20260301||ADT^A01|M%06d|P|2.4\rPID|1||%d\r", r.n, 9000000+r.n))
	d := &message.Decision{
		Envelope: &message.Envelope{ID: r.id(at), Received: at, Source: "pas", Remote: "10.1.2.3:5000", Body: body},
		Outcome:  message.Routed, Type: "ADT", Event: "A01", ControlID: fmt.Sprintf("M%06d", r.n),
		Plan:  message.Hash{1, 2, 3},
		Reply: message.Reply{Code: "AA", Text: "stored"},
		Parts: []message.Part{{Feed: "adt", Outcome: message.Routed, Rule: message.Place{File: "feeds/adt.yaml", Line: 7}, Reason: "to the lab", Copies: len(lanes)}},
	}
	for i, lane := range lanes {
		d.Deliveries = append(d.Deliveries, message.Delivery{Message: d.Envelope.ID, Queue: "lab", Feed: "adt", Lane: lane, Body: body,
			Name: fmt.Sprintf("m%d-%d.hl7", r.n, i), ControlID: d.ControlID, Queued: at, State: message.Queued})
	}
	return d
}

// outcome makes a message of that outcome without copies.
func (r *rig) outcome(o message.Outcome) *message.Decision {
	d := r.decision()
	d.Outcome, d.Parts[0].Outcome, d.Parts[0].Reason = o, o, "a rule said so"
	return d
}

func (r *rig) id(at time.Time) message.ID {
	return ulid.MustNew(ulid.Timestamp(at), ulid.DefaultEntropy())
}

func (r *rig) append(d *message.Decision) message.Receipt {
	r.Helper()
	rec, err := r.Append(ctx, d)
	if err != nil {
		r.Fatalf("append: %v", err)
	}
	return rec
}

// finished is news of a copy.
func finished(d *message.Delivery, st message.CopyState) message.Finished {
	return message.Finished{Key: d.Key, Pos: d.Pos, Queue: d.Queue, Lane: d.Lane, State: st,
		At: epoch.Add(time.Hour), Attempts: d.Attempts + 1, Code: "AA", Reason: "for the test"}
}

func (r *rig) finish(fs ...message.Finished) {
	r.Helper()
	if err := r.Finish(ctx, fs); err != nil {
		r.Fatalf("finish: %v", err)
	}
}

// pending gives the keys of a lane of "lab", in order.
func (r *rig) pending(lane string) []message.Key {
	r.Helper()
	ds, err := r.Pending("lab", lane, 0, message.Key{}, 1000)
	if err != nil {
		r.Fatalf("pending: %v", err)
	}
	var out []message.Key
	for _, d := range ds {
		out = append(out, d.Key)
	}
	return out
}

func (r *rig) get(id message.ID) *store.Record {
	r.Helper()
	rec, err := r.Get(id)
	if err != nil {
		r.Fatalf("get: %v", err)
	}
	return rec
}

func (r *rig) totals() store.Totals {
	r.Helper()
	tot, err := r.Totals()
	if err != nil {
		r.Fatalf("totals: %v", err)
	}
	return tot
}

func (r *rig) wantKeys(what string, got []message.Key, want ...message.Key) {
	r.Helper()
	if !slices.Equal(got, want) {
		r.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func bytesOf(t *testing.T, b message.Body) string {
	t.Helper()
	all, err := b.ReadAll()
	if err != nil {
		t.Fatalf("reading a body: %v", err)
	}
	return string(all)
}
