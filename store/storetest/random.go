package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

// seedOf gives SPINE_SEED, or a new one, and prints it.
func seedOf(t *testing.T) uint64 {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("SPINE_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("SPINE_SEED: %v", err)
		}
		seed = n
	}
	t.Logf("repeat with SPINE_SEED=%d", seed)
	return seed
}

const randomOps = 1500

// random does what comes to its mind, and after each thing holds an answer of
// the store against the model's.
func random(t *testing.T, open Open) {
	rnd := rand.New(rand.NewPCG(seedOf(t), 1))
	x := &player{rig: newRig(t, open), m: newModel(), rnd: rnd}
	acts := []struct {
		weight int
		do     func()
	}{
		{40, x.append}, {25, x.finish}, {6, x.note}, {3, x.redecide}, {6, x.requeue}, {4, x.resend}, {2, x.discard}, {4, x.discardCopy}, {6, x.replace}, {1, x.pause},
		{10, x.checkLane}, {2, x.checkLanes}, {3, x.checkList}, {6, x.checkGet}, {2, x.checkTotals}, {1, x.restart},
	}
	sum := 0
	for _, a := range acts {
		sum += a.weight
	}
	n := randomOps
	if testing.Short() {
		n /= 4
	}
	for x.op = range n {
		w := rnd.IntN(sum)
		for _, a := range acts {
			if w -= a.weight; w < 0 {
				a.do()
				break
			}
		}
		x.checkTold()
		if x.Failed() {
			x.Fatalf("after %d operations", x.op+1)
		}
		if x.op%500 == 499 {
			x.checkCopyOfFolder()
		}
	}
	x.checkAll()
}

// player is a random run.
type player struct {
	*rig
	m      *model
	rnd    *rand.Rand
	op     int
	queued []message.Key // what the observer must have been told of
	gone   []message.Key
}

func (x *player) pick(s ...string) string { return s[x.rnd.IntN(len(s))] }
func (x *player) queue() string           { return x.pick("lab", "gp", "pacs/main") }
func (x *player) lane() string            { return x.pick("", "1", "2", "2\x00", "ward 7") }

// body makes the bytes of a copy in one of the ways there are.
func (x *player) body(raw message.Body) message.Body {
	switch x.rnd.IntN(6) {
	case 0:
		return message.InMemory(fmt.Appendf(nil, "own bytes %d", x.op))
	case 1:
		n := raw.Size()
		return message.Compose(raw, []message.Piece{{Length: n / 2}, {Literal: []byte("in between")}, {Offset: n / 2, Length: n - n/2}})
	case 2:
		return x.spooled("a body of its own file")
	}
	return raw
}

func (x *player) spooled(s string) message.Body {
	b, err := x.Spool(strings.NewReader(strings.Repeat(s, 1+x.rnd.IntN(50))), 1<<20)
	if err != nil {
		x.Fatalf("spool: %v", err)
	}
	return b
}

// message makes a random decision and says what its copies' bytes are.
func (x *player) message() (*message.Decision, []string) {
	d := x.outcome(message.Outcome(1 + x.rnd.IntN(int(message.Quarantined))))
	d.Envelope.Source = x.pick("pas", "lims")
	d.Parts[0].Feed = x.pick("adt", "oru")
	if x.rnd.IntN(10) == 0 {
		d.Envelope.Body = x.spooled("large ")
	}
	if d.Outcome == message.Routed || x.rnd.IntN(5) == 0 {
		return d, x.deliveries(d)
	}
	return d, nil
}

func (x *player) deliveries(d *message.Decision) (bytes []string) {
	for range x.rnd.IntN(5) {
		v := message.Delivery{Message: d.Envelope.ID, Queue: x.queue(), Feed: d.Parts[0].Feed, Lane: x.lane(), Body: x.body(d.Envelope.Body),
			ControlID: fmt.Sprint("C", x.op), Queued: d.Envelope.Received, State: message.Queued}
		if x.rnd.IntN(8) == 0 {
			v.State, v.Reason = message.CopyHeld, "held by its destination"
		}
		d.Deliveries = append(d.Deliveries, v)
		bytes = append(bytes, bytesOf(x.T, v.Body))
	}
	return bytes
}

func (x *player) append() {
	d, bytes := x.message()
	if x.rnd.IntN(3) == 0 {
		d.Envelope.Origin = fmt.Sprint("origin ", x.rnd.IntN(200))
	}
	raw := bytesOf(x.T, d.Envelope.Body)
	rec := x.rig.append(d)
	if first, known := x.m.origins[d.Envelope.Origin]; known {
		first.Duplicate = true
		same(x.rig, "receipt of a duplicate", rec, first)
		return
	}
	if rec.Duplicate {
		x.Fatalf("message %d counted as a duplicate", x.op)
	}
	x.m.append(d, rec, raw, bytes)
	x.tell(d)
}

func (x *player) tell(d *message.Decision) {
	for i := range d.Deliveries {
		if d.Deliveries[i].State == message.Queued {
			x.queued = append(x.queued, d.Deliveries[i].Key)
		}
	}
}

// anyCopy picks a copy, mostly one that is queued.
func (x *player) anyCopy(states ...message.CopyState) *mCopy {
	var of []*mCopy
	for _, c := range x.m.copies {
		if slices.Contains(states, c.State) {
			of = append(of, c)
		}
	}
	if len(of) == 0 || x.rnd.IntN(8) == 0 {
		for _, c := range x.m.copies {
			of = append(of, c)
		}
	}
	if len(of) == 0 {
		return nil
	}
	slices.SortFunc(of, func(a, b *mCopy) int { return order(&a.Delivery, &b.Delivery) })
	return of[x.rnd.IntN(len(of))]
}

func (x *player) news(c *mCopy, st message.CopyState) message.Finished {
	return message.Finished{Key: c.Key, Pos: c.Pos, Queue: c.Queue, Lane: c.Lane, State: st, At: epoch.Add(time.Duration(x.op) * time.Minute),
		Attempts: c.tries[len(c.tries)-1] + 1, Code: x.pick("AA", "AE", ""), Reason: x.pick("", "busy"), Stopped: st == message.Queued && x.rnd.IntN(2) == 0}
}

func (x *player) finish() {
	var fs []message.Finished
	for range 1 + x.rnd.IntN(5) {
		if c := x.anyCopy(message.Queued); c != nil {
			fs = append(fs, x.news(c, message.CopyState(1+x.rnd.IntN(int(message.Expired)))))
		}
	}
	x.rig.finish(fs...)
	for _, f := range fs {
		x.m.finish(f)
	}
}

func (x *player) note() {
	c := x.anyCopy(message.Queued)
	if c == nil {
		return
	}
	f := x.news(c, message.Queued)
	f.Stopped, f.Code, f.Reason = c.Stopped, c.code, c.Reason
	x.Note([]message.Finished{f})
	x.m.note(f)
}

func (x *player) redecide() {
	if len(x.m.msgs) == 0 {
		return
	}
	mm := x.m.msgs[x.rnd.IntN(len(x.m.msgs))]
	d := x.outcome(message.Outcome(1 + x.rnd.IntN(int(message.Quarantined))))
	d.Envelope, d.Parts[0].Feed = x.get(mm.id).Envelope, "again"
	bytes := x.deliveries(d)
	err := x.Redecide(ctx, mm.id, d, person)
	if !x.allowed("redecide", err, mm.waits()) {
		return
	}
	mm.last, mm.outcome = d, d.Outcome
	mm.actions = append(mm.actions, store.Action{What: "release", Person: person})
	x.m.add(mm, d, bytes)
	x.tell(d)
}

func (mm *mMessage) waits() bool {
	return mm.outcome == message.Held || mm.outcome == message.Unrouted || mm.outcome == message.Quarantined
}

// allowed checks that an action was refused exactly when it had to be.
func (x *player) allowed(what string, err error, want bool) bool {
	if want && err != nil {
		x.Fatalf("%s: %v", what, err)
	}
	if !want && !errors.Is(err, store.ErrState) {
		x.Fatalf("%s in the wrong state: %v", what, err)
	}
	return err == nil
}

func (x *player) requeue() {
	c := x.anyCopy(message.CopyHeld, message.DeadLettered, message.Expired)
	if c == nil {
		return
	}
	err := x.Requeue(ctx, c.Key, person)
	ok := !c.held && (c.State == message.CopyHeld || c.State == message.DeadLettered || c.State == message.Expired || c.State == message.Queued && c.Stopped)
	if !x.allowed("requeue", err, ok) {
		return
	}
	if c.State != message.Queued {
		now := x.newest()
		c.Pos, c.Queued = now.Pos, now.Queued
	}
	c.State, c.Stopped, c.tries, c.code, c.Reason = message.Queued, false, []int{0}, "", ""
	c.of.acted("requeue", c.Key)
	x.queued = append(x.queued, c.Key)
}

// newest is the copy the observer was told of last.
func (x *player) newest() *message.Delivery {
	x.mu.Lock()
	defer x.mu.Unlock()
	q := x.commits[len(x.commits)-1].Queued
	return q[len(q)-1]
}

func (mm *mMessage) acted(what string, k message.Key) {
	mm.actions = append(mm.actions, store.Action{What: what, Copy: k.String(), Person: person})
}

func (x *player) resend() {
	c := x.anyCopy(message.Delivered, message.Discarded, message.Expired, message.DeadLettered)
	if c == nil {
		return
	}
	k, err := x.Resend(ctx, c.Key, person)
	if !x.allowed("resend", err, !c.held && c.State != message.Queued && c.State != message.CopyHeld) {
		return
	}
	n := &mCopy{of: c.of, Delivery: c.Delivery, bytes: c.bytes, tries: []int{0}}
	n.Key, n.Pos, n.State, n.Stopped, n.Reason, n.Queued = k, k.Seq, message.Queued, false, "", x.newest().Queued
	n.slot, n.repeats = c.slot, c.Key
	c.of.copies = append(c.of.copies, n)
	x.m.copies[k] = n
	c.of.acted("resend", c.Key)
	x.queued = append(x.queued, k)
}

func (x *player) discard() {
	if len(x.m.msgs) == 0 {
		return
	}
	mm := x.m.msgs[x.rnd.IntN(len(x.m.msgs))]
	if x.allowed("discard", x.Discard(ctx, mm.id, person), mm.waits()) {
		mm.outcome = message.Dropped
		mm.actions = append(mm.actions, store.Action{What: "discard", Person: person})
	}
}

func (x *player) discardCopy() {
	c := x.anyCopy(message.Queued, message.CopyHeld, message.DeadLettered)
	if c == nil {
		return
	}
	ok := c.State == message.Queued || c.State == message.CopyHeld || c.State == message.DeadLettered
	if !x.allowed("discard of a copy", x.DiscardCopy(ctx, c.Key, person), ok) {
		return
	}
	if c.State == message.Queued {
		x.gone = append(x.gone, c.Key)
	} else {
		c.tries = []int{0}
	}
	c.State, c.Stopped, c.Reason, c.code = message.Discarded, false, person.Reason, ""
	c.of.acted("discard", c.Key)
}

// replace lets some copies of a message give up their places, for none, as many,
// or more others.
func (x *player) replace() {
	first := x.anyCopy(message.Queued, message.CopyHeld, message.DeadLettered)
	if first == nil {
		return
	}
	rep := store.Replacement{Message: first.of.id}
	ok := true
	for _, c := range first.of.copies {
		if c != first && x.rnd.IntN(2) == 0 {
			continue
		}
		rep.Old = append(rep.Old, store.Outgoing{Key: c.Key, State: []message.CopyState{message.Discarded, message.CopyHeld}[x.rnd.IntN(2)], Reason: "decided again"})
		ok = ok && (c.State == message.Queued || c.State == message.CopyHeld || c.State == message.DeadLettered)
	}
	bytes := x.newCopies(&rep, first.of)
	done := x.rig.replace(rep)
	if !x.allowed("replace", done[0].Err, ok) {
		return
	}
	x.m.replace(first.of, rep, done[0].Seq, bytes)
}

// newCopies makes the copies that come, and says what their bytes are.
func (x *player) newCopies(rep *store.Replacement, mm *mMessage) (bytes []string) {
	d := &message.Decision{Envelope: x.get(mm.id).Envelope, Outcome: message.Routed, Parts: []message.Part{{Feed: "again"}}}
	if bytes = x.deliveries(d); len(bytes) == 0 {
		return nil
	}
	rep.New = d
	for i := range d.Deliveries {
		rep.In = append(rep.In, store.Incoming{Of: min(i, len(rep.Old)-1), Slot: store.Slot{Part: x.rnd.IntN(3), Number: i}})
	}
	return bytes
}

// pause ends or begins pauses; checkPauses compares them.
func (x *player) pause() {
	w := store.Switch{Subject: store.Subject{Kind: x.pick("source", "destination", "lane"), Name: x.queue()}, Paused: x.rnd.IntN(3) > 0, By: person}
	if w.Kind == "lane" {
		w.Lane = x.lane()
	}
	if err := x.Switch(ctx, w); err != nil {
		x.Fatalf("switch: %v", err)
	}
	if delete(x.m.paused, w.Subject); w.Paused {
		x.m.paused[w.Subject] = true
	}
	x.checkPauses()
}

func (x *player) checkPauses() {
	ws, err := x.Switches()
	if err != nil {
		x.Fatalf("switches: %v", err)
	}
	got := map[store.Subject]bool{}
	for _, w := range ws {
		got[w.Subject] = true
	}
	same(x.rig, "pauses", got, x.m.paused)
}

func (x *player) restart() {
	x.checkTold()
	if x.rnd.IntN(2) == 0 {
		x.reopen()
		for _, c := range x.m.copies { // Close has written all notes
			if n := len(c.tries); c.State == message.Queued {
				c.tries = c.tries[n-1:]
			}
		}
		return
	}
	x.crash()
}

func (x *player) checkTold() {
	var queued, gone []message.Key
	for _, c := range x.told() {
		for _, q := range c.Queued {
			queued = append(queued, q.Key)
		}
		for _, f := range c.Removed {
			gone = append(gone, f.Key)
		}
	}
	x.wantKeys("told as queued", queued, x.queued...)
	x.wantKeys("told as removed", gone, x.gone...)
	x.queued, x.gone = nil, nil
}

func (x *player) checkLane() { x.checkOneLane(x.queue(), x.lane(), 1+x.rnd.IntN(20)) }

func (x *player) checkOneLane(queue, lane string, limit int) {
	want := x.m.lane(queue, lane)
	var from message.Delivery
	if n := len(want); n > 0 && x.rnd.IntN(2) == 0 {
		i := x.rnd.IntN(n)
		from, want = want[i].Delivery, want[i+1:]
	}
	got, err := x.Pending(queue, lane, from.Pos, from.Key, limit)
	if err != nil {
		x.Fatalf("pending: %v", err)
	}
	if want = want[:min(len(want), limit)]; len(got) != len(want) {
		x.Fatalf("lane %q of %s: %d copies, want %d", lane, queue, len(got), len(want))
	}
	for i, c := range want {
		x.compareCopy(got[i], c)
		if got[i].Stopped != c.Stopped {
			x.Fatalf("copy %s: stopped %v", c.Key, got[i].Stopped)
		}
	}
}

func (x *player) compareCopy(got *message.Delivery, c *mCopy) {
	x.Helper()
	if !slices.Contains(c.tries, got.Attempts) {
		x.Fatalf("copy %s (%s) has %d attempts, want one of %v", c.Key, c.State, got.Attempts, c.tries)
	}
	g, w := *got, c.Delivery
	same(x.rig, "bytes of copy "+c.Key.String(), bytesOf(x.T, g.Body), c.bytes)
	if !g.Queued.Equal(w.Queued) {
		x.Fatalf("copy %s was queued at %v, want %v", c.Key, g.Queued, w.Queued)
	}
	for _, d := range []*message.Delivery{&g, &w} {
		d.Body, d.Attempts, d.Queued, d.Reason, d.Rule, d.Stopped = message.Body{}, 0, time.Time{}, "", message.Place{}, false
	}
	same(x.rig, "copy", g, w)
}

func (x *player) checkLanes() {
	for _, q := range []string{"lab", "gp", "pacs/main", "nowhere"} {
		got := map[string]store.Lane{}
		if err := x.Lanes(q, func(l store.Lane) bool { got[l.Name] = l; return true }); err != nil {
			x.Fatalf("lanes: %v", err)
		}
		same(x.rig, "lanes of "+q, got, x.m.lanes(q))
	}
	qs, err := x.Queues()
	if err != nil {
		x.Fatalf("queues: %v", err)
	}
	want := x.m.queues()
	for _, q := range qs {
		w := want[q.Name]
		if q.Queued != w.Queued || !q.Oldest.Equal(w.Oldest) {
			x.Fatalf("queue %+v, want %+v", q, w)
		}
	}
	same(x.rig, "number of queues", len(qs), len(want))
}

func (x *player) checkList() {
	q := store.Query{Limit: x.rnd.IntN(30)}
	if x.rnd.IntN(3) == 0 {
		q.Outcome = message.Outcome(1 + x.rnd.IntN(int(message.Quarantined)))
	}
	if x.rnd.IntN(3) == 0 {
		q.Copy = message.CopyState(1 + x.rnd.IntN(int(message.Discarded)))
	}
	if x.rnd.IntN(4) == 0 {
		q.Feed = x.pick("adt", "oru", "again", "none")
	}
	if x.rnd.IntN(4) == 0 {
		q.Source = x.pick("pas", "lims")
	}
	if x.rnd.IntN(4) == 0 {
		q.Queue = x.queue()
	}
	if n := len(x.m.msgs); n > 0 && x.rnd.IntN(3) == 0 {
		q.Before = x.m.msgs[x.rnd.IntN(n)].id
	}
	if n := len(x.m.msgs); n > 0 && x.rnd.IntN(4) == 0 {
		q.Since = x.m.msgs[x.rnd.IntN(n)].env.Received
	}
	es, err := x.List(q)
	if err != nil {
		x.Fatalf("list: %v", err)
	}
	var got []message.ID
	for _, e := range es {
		got = append(got, e.ID)
	}
	if want := x.m.list(q); !slices.Equal(got, want) {
		x.Fatalf("list %+v:\n got %v\nwant %v", q, got, want)
	}
}

func (x *player) checkGet() {
	if n := len(x.m.msgs); n > 0 {
		x.compareRecord(x.m.msgs[x.rnd.IntN(n)])
	}
}

func (x *player) compareRecord(mm *mMessage) {
	rec := x.get(mm.id)
	same(x.rig, "raw bytes", bytesOf(x.T, rec.Envelope.Body), mm.raw)
	same(x.rig, "outcome", rec.Outcome, mm.outcome)
	same(x.rig, "origin", rec.Envelope.Origin, mm.first.Envelope.Origin)
	same(x.rig, "parts", rec.Parts, mm.last.Parts)
	for i := range rec.Actions {
		rec.Actions[i].At = time.Time{}
	}
	if len(rec.Actions)+len(mm.actions) > 0 && !reflect.DeepEqual(rec.Actions, mm.actions) {
		x.Fatalf("actions %+v, want %+v", rec.Actions, mm.actions)
	}
	if len(rec.Copies) != len(mm.copies) {
		x.Fatalf("message %s has %d copies, want %d", mm.id, len(rec.Copies), len(mm.copies))
	}
	states := map[message.CopyState]int{}
	for i, c := range mm.copies {
		x.compareCopy(&rec.Copies[i].Delivery, c)
		if rec.Copies[i].Code != c.code || rec.Copies[i].Reason != c.Reason {
			x.Fatalf("copy %s: %q %q, want %q %q", c, rec.Copies[i].Code, rec.Copies[i].Reason, c.code, c.Reason)
		}
		if c.slot != nil && rec.Copies[i].Slot != *c.slot || rec.Copies[i].Of != c.repeats {
			x.Fatalf("copy %s is %v of %s, want %v of %s", c, rec.Copies[i].Slot, rec.Copies[i].Of, c.slot, c.repeats)
		}
		states[c.State]++
	}
	same(x.rig, "states", rec.States, states)
}

func (x *player) checkTotals() { same(x.rig, "totals", x.totals(), x.m.totals()) }

func (x *player) checkAll() {
	x.checkTotals()
	x.checkPauses()
	x.checkLanes()
	for q := range x.m.queues() {
		for l := range x.m.lanes(q) {
			x.checkOneLane(q, l, 1<<20)
		}
	}
	for _, mm := range x.m.msgs {
		x.compareRecord(mm)
	}
}

// checkCopyOfFolder opens a copy of the folder, as a backup taken while running
// would be, and compares all of it.
func (x *player) checkCopyOfFolder() {
	dir := filepath.Join(x.TempDir(), "copy")
	if err := os.CopyFS(dir, os.DirFS(x.dir)); err != nil {
		x.Fatal(err)
	}
	b := x.open(x.T, dir, func([]store.Commit) {})
	defer b.Close()
	y := *x
	y.rig = &rig{T: x.T, Backend: b, open: x.open, dir: dir}
	y.checkAll()
}
