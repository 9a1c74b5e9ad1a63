package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing/iotest"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

// cases are the sentences of the contract.
var cases = []struct {
	name string
	run  func(r *rig)
}{
	{"Append gives keys, places and a receipt", appendGives},
	{"what Append returned for survives a crash", appendSurvives},
	{"a record survives in all its parts", allParts},
	{"every kind of body comes back", everyBody},
	{"a known origin gives the first receipt and adds nothing", knownOrigin},
	{"of two at once with one origin one wins", originRace},
	{"Append without a context to live refuses", deadContext},
	{"what cannot be stored is refused", refused},
	{"Finish takes copies out of their lanes for good", finishTakes},
	{"Finish of a copy that a person took counts only as delivered", finishLate},
	{"Note counts attempts", noteCounts},
	{"Pending pages in order", pendingPages},
	{"Pending keeps queues and lanes apart", pendingApart},
	{"Lanes and Queues count what is queued", lanesQueues},
	{"a copy held at decision is not queued", heldAtDecision},
	{"Spool keeps bytes and leaves nothing of what is too long", spool},
	{"the observer learns in order before Append returns", observer},
	{"Close refuses everything after it", afterClose},
	{"List pages newest first and narrows", list},
	{"Get knows nothing of an unknown id", getUnknown},
	{"Redecide replaces a waiting outcome", redecide},
	{"Requeue puts a copy at its lane's end", requeue},
	{"Requeue starts a stopped copy in its place", requeueStopped},
	{"a copy that was held when it was made is never sent", heldWhenMade},
	{"Resend makes a new copy of the same bytes", resend},
	{"Discard gives up a held message", discard},
	{"DiscardCopy takes out queued, held and dead-lettered copies", discardCopy},
	{"Replace puts new copies into the places of old ones", replace},
	{"Replace refuses what does not fit, and only that", replaceRefused},
	{"Replace changes lane, state and number of copies", replaceShapes},
	{"Switch keeps pauses until they end", switches},
	{"Unspool removes what nothing refers to", unspool},
	{"an action in the wrong state is refused", wrongState},
	{"Totals add up", totalsAddUp},
	{"many at once", manyAtOnce},
	{"the archive keeps the project in force", archive},
}

func appendGives(r *rig) {
	d := r.decision("a", "b")
	rec := r.append(d)
	if rec.ID != d.Envelope.ID || rec.Outcome != message.Routed || rec.Reply.Code != "AA" || rec.Duplicate {
		r.Fatalf("receipt %+v", rec)
	}
	for i := range d.Deliveries {
		v := &d.Deliveries[i]
		if v.Key != (message.Key{Seq: rec.Seq, N: uint16(i)}) || v.Pos != rec.Seq {
			r.Fatalf("copy %d has key %v and place %d", i, v.Key, v.Pos)
		}
	}
	if second := r.append(r.decision("a")); second.Seq <= rec.Seq {
		r.Fatalf("sequence %d after %d", second.Seq, rec.Seq)
	}
}

func appendSurvives(r *rig) {
	var keys []message.Key
	for range 50 {
		d := r.decision("a")
		r.append(d)
		keys = append(keys, d.Deliveries[0].Key)
	}
	r.crash()
	r.wantKeys("pending", r.pending("a"), keys...)
	d := r.decision("a")
	if rec := r.append(d); rec.Seq <= keys[49].Seq {
		r.Fatalf("sequence %d was given out before the crash", rec.Seq)
	}
}

func allParts(r *rig) {
	d := r.decision("lane 1", "")
	d.Envelope.Origin, d.Envelope.File, d.Envelope.Index = "claim-1:3", "in.dat", 3
	d.Envelope.Format, d.Envelope.Problem = message.XML, "none, for the test"
	d.Reply.Errors = []message.ReplyError{{Location: "PID-3", Code: "101", Text: "missing", Severity: "W"}}
	d.Parts = append(d.Parts, message.Part{Feed: "audit", Outcome: message.Dropped, Rule: message.Place{File: "feeds/b.yaml", Line: 2}, Reason: "not wanted"})
	d.Reply.HTTP, d.Reply.Type, d.Reply.Body = 422, "application/json", `{"id":"x"}`
	warn := message.Finding{Rule: message.Place{File: "feeds/b.yaml", Line: 9}, Text: "no ward"}
	d.Parts = append(d.Parts, message.Part{Feed: "lab", Outcome: message.Routed, Number: 1, Copies: 1},
		message.Part{Feed: "lab", Outcome: message.Held, Number: 2, Reason: "unmapped", Findings: []message.Finding{warn, {Text: "no place"}}})
	v := &d.Deliveries[1]
	v.State, v.Rule, v.Reason = message.CopyHeld, message.Place{File: "destinations/lab.yaml", Line: 4}, "not before noon"
	r.append(d)
	r.crash()
	rec := r.get(d.Envelope.ID)
	same(r, "source", rec.Envelope.Source, "pas")
	got, want := *rec.Envelope, *d.Envelope
	same(r, "body", bytesOf(r.T, got.Body), bytesOf(r.T, want.Body))
	got.Body, want.Body = message.Body{}, message.Body{}
	same(r, "envelope", got, want)
	same(r, "parts", rec.Parts, d.Parts)
	same(r, "reply", rec.Reply, d.Reply)
	for i := range d.Deliveries {
		got, want := rec.Copies[i].Delivery, d.Deliveries[i]
		got.Body, want.Body = message.Body{}, message.Body{}
		same(r, fmt.Sprintf("copy %d", i), got, want)
	}
	e := rec.Entry
	same(r, "entry", e, store.Entry{ID: d.Envelope.ID, Seq: d.Deliveries[0].Key.Seq, Received: d.Envelope.Received, Source: "pas",
		Type: "ADT", Event: "A01", Control: d.ControlID, Size: d.Envelope.Body.Size(), Outcome: message.Routed, Feed: "adt",
		Rule: d.Parts[0].Rule, Reason: d.Parts[0].Reason, Plan: d.Plan, Copies: 2,
		States: map[message.CopyState]int{message.Queued: 1, message.CopyHeld: 1}})
}

func same(r *rig, what string, got, want any) {
	r.Helper()
	if !reflect.DeepEqual(got, want) {
		r.Fatalf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func everyBody(r *rig) {
	big := strings.Repeat("0123456789abcdef", 200_000)
	spooled, err := r.Spool(strings.NewReader(big), 1<<30)
	if err != nil {
		r.Fatal(err)
	}
	keep := r.decision("keep") // what no message refers to does not outlive the process
	keep.Envelope.Body = spooled
	r.append(keep)
	mem := message.InMemory([]byte("MSH|first\rPID|second\r"))
	pieces := func(of message.Body) message.Body {
		return message.Compose(of, []message.Piece{{Literal: []byte("edited\r")}, {Offset: 4, Length: 6}, {Literal: []byte{}}})
	}
	for _, c := range []struct {
		name      string
		raw, copy message.Body
	}{
		{"untouched in memory", mem, mem},
		{"pieces of memory", mem, pieces(mem)},
		{"bytes of its own", mem, message.InMemory([]byte("another"))},
		{"empty", message.Body{}, message.Body{}},
		{"a file, untouched", spooled, spooled},
		{"pieces of a file", spooled, pieces(spooled)},
		{"pieces of another body", mem, pieces(spooled)},
		{"pieces of other memory", mem, pieces(message.InMemory([]byte("some other bytes")))},
		{"a file of its own", mem, spooled},
	} {
		d := r.decision(c.name)
		d.Envelope.Body, d.Deliveries[0].Body = c.raw, c.copy
		wantRaw, wantCopy := bytesOf(r.T, c.raw), bytesOf(r.T, c.copy)
		r.append(d)
		for range 2 {
			ds, err := r.Pending("lab", c.name, 0, message.Key{}, 2)
			if err != nil || len(ds) != 1 {
				r.Fatalf("%s: %d pending, %v", c.name, len(ds), err)
			}
			same(r, c.name, bytesOf(r.T, ds[0].Body), wantCopy)
			rec := r.get(d.Envelope.ID)
			same(r, c.name, bytesOf(r.T, rec.Envelope.Body), wantRaw)
			same(r, c.name, bytesOf(r.T, rec.Copies[0].Body), wantCopy)
			same(r, c.name, rec.Size, int64(len(wantRaw)))
			r.crash()
		}
	}
}

func knownOrigin(r *rig) {
	d := r.decision("a")
	d.Envelope.Origin = "file-1:1"
	first := r.append(d)
	for _, when := range []string{"at once", "after a crash", "after a close"} {
		again := r.decision("a")
		again.Envelope.Origin = "file-1:1"
		again.Reply.Code = "AE"
		rec := r.append(again)
		want := first
		want.Duplicate = true
		same(r, when, rec, want)
		if when == "at once" {
			r.crash()
		} else {
			r.reopen()
		}
	}
	r.wantKeys("pending", r.pending("a"), d.Deliveries[0].Key)
	other := r.decision("a")
	other.Envelope.Origin = "file-1:2"
	if r.append(other).Duplicate {
		r.Fatal("another origin counted as known")
	}
	same(r, "messages", r.totals().Messages, map[message.Outcome]int{message.Routed: 2})
}

func originRace(r *rig) {
	for round := range 20 {
		var wg sync.WaitGroup
		recs := make([]message.Receipt, 8)
		ds := make([]*message.Decision, len(recs))
		for i := range ds {
			ds[i] = r.decision(fmt.Sprint("round ", round))
			ds[i].Envelope.Origin = fmt.Sprint("twin ", round)
		}
		for i := range ds {
			wg.Go(func() { recs[i], _ = r.Append(ctx, ds[i]) })
		}
		wg.Wait()
		winners := 0
		for _, rec := range recs {
			if !rec.Duplicate {
				winners++
			}
			if rec.Seq == 0 || rec.Seq != recs[0].Seq || rec.ID != recs[0].ID {
				r.Fatalf("receipts differ: %+v and %+v", rec, recs[0])
			}
		}
		if winners != 1 {
			r.Fatalf("%d of %d were stored", winners, len(recs))
		}
		if n := len(r.pending(fmt.Sprint("round ", round))); n != 1 {
			r.Fatalf("%d copies pending", n)
		}
	}
}

func deadContext(r *rig) {
	dead, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := r.Append(dead, r.decision("a")); !errors.Is(err, context.Canceled) {
		r.Fatalf("append: %v", err)
	}
	r.wantKeys("pending", r.pending("a"))
}

func refused(r *rig) {
	noEnvelope := r.decision("a")
	noEnvelope.Envelope = nil
	badState := r.decision("a")
	badState.Deliveries[0].State = message.Delivered
	for name, d := range map[string]*message.Decision{"no envelope": noEnvelope, "no outcome": r.outcome(0),
		"duplicate": r.outcome(message.Duplicate), "a copy already delivered": badState} {
		if _, err := r.Append(ctx, d); err == nil {
			r.Fatalf("%s was stored", name)
		}
	}
	same(r, "messages", r.totals().Messages, map[message.Outcome]int{})
}

func finishTakes(r *rig) {
	d1, d2, d3 := r.decision("a"), r.decision("a"), r.decision("a")
	for _, d := range []*message.Decision{d1, d2, d3} {
		r.append(d)
	}
	r.finish(finished(&d1.Deliveries[0], message.Delivered), finished(&d3.Deliveries[0], message.DeadLettered))
	r.wantKeys("pending", r.pending("a"), d2.Deliveries[0].Key)
	r.crash()
	r.wantKeys("pending", r.pending("a"), d2.Deliveries[0].Key)
	c := r.get(d3.Envelope.ID).Copies[0]
	if c.State != message.DeadLettered || c.Code != "AA" || c.Reason != "for the test" || c.Attempts != 1 || !c.At.Equal(epoch.Add(time.Hour)) {
		r.Fatalf("copy %+v", c)
	}
	r.finish(finished(&d2.Deliveries[0], message.Expired))
	r.wantKeys("pending", r.pending("a"))
	r.finish() // nothing to record
}

func finishLate(r *rig) {
	d := r.decision("a", "b")
	r.append(d)
	for i := range d.Deliveries {
		if err := r.DiscardCopy(ctx, d.Deliveries[i].Key, person); err != nil {
			r.Fatal(err)
		}
	}
	r.finish(finished(&d.Deliveries[0], message.DeadLettered), finished(&d.Deliveries[1], message.Delivered))
	rec := r.get(d.Envelope.ID)
	same(r, "states", []message.CopyState{rec.Copies[0].State, rec.Copies[1].State}, []message.CopyState{message.Discarded, message.Delivered})
	r.finish(message.Finished{Key: message.Key{Seq: 1 << 40}, State: message.Delivered, At: epoch})
	same(r, "copies", r.totals().Copies, map[message.CopyState]int{message.Discarded: 1, message.Delivered: 1})
}

func noteCounts(r *rig) {
	d := r.decision("a")
	r.append(d)
	f := finished(&d.Deliveries[0], message.Queued)
	f.Attempts, f.Code, f.Reason = 4, "AE", "busy"
	r.Note([]message.Finished{f})
	r.reopen() // Close drains
	ds, err := r.Pending("lab", "a", 0, message.Key{}, 5)
	if err != nil || len(ds) != 1 || ds[0].Attempts != 4 || ds[0].Stopped {
		r.Fatalf("%v %v", ds, err)
	}
	c := r.get(d.Envelope.ID).Copies[0]
	if c.State != message.Queued || c.Code != "AE" || c.Reason != "busy" || c.Attempts != 4 || !c.At.Equal(f.At) {
		r.Fatalf("copy %+v", c)
	}
	f.Stopped, f.Attempts = true, 5
	r.finish(f)
	r.crash()
	ds, err = r.Pending("lab", "a", 0, message.Key{}, 5)
	if err != nil || len(ds) != 1 || ds[0].Attempts != 5 || !ds[0].Stopped {
		r.Fatalf("%v %v", ds, err)
	}
}

func pendingPages(r *rig) {
	var want []message.Key
	for i := range 30 {
		d := r.decision("a", "a", "a")
		r.append(d)
		for j := range d.Deliveries {
			want = append(want, d.Deliveries[j].Key)
		}
		if i == 9 {
			r.reopen()
		}
		if i == 19 {
			r.crash()
		}
	}
	for _, limit := range []int{1, 2, 7, 89, 90, 1000} {
		var got []message.Key
		var at message.Delivery
		for {
			ds, err := r.Pending("lab", "a", at.Pos, at.Key, limit)
			if err != nil {
				r.Fatal(err)
			}
			if len(ds) == 0 {
				break
			}
			if len(ds) > limit {
				r.Fatalf("%d copies for a limit of %d", len(ds), limit)
			}
			for _, d := range ds {
				got = append(got, d.Key)
			}
			at = *ds[len(ds)-1]
		}
		r.wantKeys(fmt.Sprint("limit ", limit), got, want...)
	}
}

func pendingApart(r *rig) {
	names := []string{"", "a", "a\x00", "a\x00\x01", "\x00", "ab", "a\xff", "z"}
	keys := map[[2]string]message.Key{}
	for _, q := range names {
		for _, l := range names {
			d := r.decision(l)
			d.Deliveries[0].Queue = q
			r.append(d)
			keys[[2]string{q, l}] = d.Deliveries[0].Key
		}
	}
	for range 2 {
		for k, want := range keys {
			ds, err := r.Pending(k[0], k[1], 0, message.Key{}, 10)
			if err != nil || len(ds) != 1 || ds[0].Key != want || ds[0].Queue != k[0] || ds[0].Lane != k[1] {
				r.Fatalf("queue %q lane %q: %v %v", k[0], k[1], ds, err)
			}
		}
		for _, q := range names {
			var lanes []string
			if err := r.Lanes(q, func(l store.Lane) bool { lanes = append(lanes, l.Name); return true }); err != nil {
				r.Fatal(err)
			}
			slices.Sort(lanes)
			same(r, "lanes of "+q, lanes, slices.Sorted(slices.Values(names)))
		}
		r.reopen()
	}
}

func lanesQueues(r *rig) {
	d1, d2, d3 := r.decision("a", "b"), r.decision("a"), r.decision("c")
	d3.Deliveries[0].Queue = "gp"
	for _, d := range []*message.Decision{d1, d2, d3} {
		r.append(d)
	}
	r.finish(finished(&d1.Deliveries[1], message.Delivered))
	lanes := map[string]store.Lane{}
	collect := func(l store.Lane) bool { lanes[l.Name] = l; return true }
	if err := r.Lanes("lab", collect); err != nil {
		r.Fatal(err)
	}
	same(r, "lanes", lanes, map[string]store.Lane{"a": {Name: "a", Count: 2, Last: d2.Deliveries[0].Pos}})
	qs, err := r.Queues()
	if err != nil {
		r.Fatal(err)
	}
	slices.SortFunc(qs, func(a, b store.Queue) int { return strings.Compare(a.Name, b.Name) })
	same(r, "queues", qs, []store.Queue{{Name: "gp", Queued: 1, Oldest: d3.Deliveries[0].Queued}, {Name: "lab", Queued: 2, Oldest: d1.Deliveries[0].Queued}})
	n := 0
	d4 := r.decision("x")
	r.append(d4)
	if err := r.Lanes("lab", func(store.Lane) bool { n++; return false }); err != nil || n != 1 {
		r.Fatalf("yield was called %d times after it said stop, %v", n, err)
	}
}

func heldAtDecision(r *rig) {
	d := r.decision("a", "a")
	d.Deliveries[0].State, d.Deliveries[0].Reason = message.CopyHeld, "a trial"
	r.append(d)
	r.wantKeys("pending", r.pending("a"), d.Deliveries[1].Key)
	told := r.told()
	if len(told) != 1 || len(told[0].Queued) != 1 || told[0].Queued[0].Key != d.Deliveries[1].Key {
		r.Fatalf("told %+v", told)
	}
	var not *store.NotWholeError
	if err := r.Requeue(ctx, d.Deliveries[0].Key, person); !errors.As(err, &not) || not.Message != d.Envelope.ID || not.Queue != "lab" {
		r.Fatalf("requeue: %v", err)
	}
	r.wantKeys("pending", r.pending("a"), d.Deliveries[1].Key)
}

func spool(r *rig) {
	want := bytes.Repeat([]byte("OBX|1|ED|"), 100_000)
	b, err := r.Spool(bytes.NewReader(want), int64(len(want)))
	if err != nil || b.Size() != int64(len(want)) || bytesOf(r.T, b) != string(want) {
		r.Fatalf("%v %v", b, err)
	}
	if _, err := r.Spool(bytes.NewReader(want), int64(len(want))-1); err == nil {
		r.Fatal("one byte too many was spooled")
	}
	broken := io.MultiReader(bytes.NewReader(want), iotest.ErrReader(errors.New("line cut")))
	if _, err := r.Spool(broken, 1<<30); err == nil || !strings.Contains(err.Error(), "line cut") {
		r.Fatalf("a broken reader gave %v", err)
	}
	d := r.decision("a")
	d.Envelope.Body, d.Deliveries[0].Body = b, b
	r.append(d)
	r.reopen() // bodies that are referred to stay
	ds, err := r.Pending("lab", "a", 0, message.Key{}, 1)
	if err != nil || len(ds) != 1 || bytesOf(r.T, ds[0].Body) != string(want) {
		r.Fatalf("%v %v", ds, err)
	}
}

func observer(r *rig) {
	d1, d2 := r.decision("a", "b"), r.outcome(message.Dropped)
	r.append(d1)
	told := r.told()
	if len(told) != 1 || len(told[0].Queued) != 2 || told[0].Queued[0].Key != d1.Deliveries[0].Key || told[0].Queued[1].Lane != "b" {
		r.Fatalf("told %+v", told)
	}
	r.append(d2)
	r.finish(finished(&d1.Deliveries[0], message.Delivered))
	for _, c := range r.told() {
		if len(c.Queued)+len(c.Removed) > 0 {
			r.Fatalf("told %+v of a message without copies and a delivery", c)
		}
	}
	var wg sync.WaitGroup
	for range 8 {
		ds := []*message.Decision{}
		for range 20 {
			ds = append(ds, r.decision("a"))
		}
		wg.Go(func() {
			for _, d := range ds {
				if _, err := r.Append(ctx, d); err != nil {
					r.Error(err)
				}
			}
		})
	}
	wg.Wait()
	last := uint64(0)
	n := 0
	for _, c := range r.told() {
		for _, q := range c.Queued {
			if n++; q.Key.Seq <= last {
				r.Fatalf("told %d after %d", q.Key.Seq, last)
			}
			last = q.Key.Seq
		}
	}
	same(r, "copies told", n, 160)
}

func afterClose(r *rig) {
	d := r.decision("a")
	r.append(d)
	if err := r.Close(); err != nil {
		r.Fatal(err)
	}
	if err := r.Close(); err != nil {
		r.Fatalf("second close: %v", err)
	}
	_, err1 := r.Append(ctx, r.decision("a"))
	err2 := r.Finish(ctx, []message.Finished{finished(&d.Deliveries[0], message.Delivered)})
	_, err3 := r.Pending("lab", "a", 0, message.Key{}, 1)
	_, err4 := r.Get(d.Envelope.ID)
	_, err5 := r.Spool(strings.NewReader("x"), 10)
	for i, err := range []error{err1, err2, err3, err4, err5} {
		if !errors.Is(err, store.ErrClosed) {
			r.Fatalf("call %d after close: %v", i+1, err)
		}
	}
	r.Note([]message.Finished{finished(&d.Deliveries[0], message.Queued)})
}

func manyAtOnce(r *rig) {
	const callers, each = 16, 40
	var wg sync.WaitGroup
	ds := make([][]*message.Decision, callers)
	for i := range ds {
		for range each {
			ds[i] = append(ds[i], r.decision(fmt.Sprint(i)))
		}
		wg.Go(func() {
			for j, d := range ds[i] {
				if _, err := r.Append(ctx, d); err != nil {
					r.Error(err)
				}
				if j%2 == 0 {
					if err := r.Finish(ctx, []message.Finished{finished(&d.Deliveries[0], message.Delivered)}); err != nil {
						r.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	r.crash()
	same(r, "copies", r.totals().Copies, map[message.CopyState]int{message.Delivered: callers * each / 2, message.Queued: callers * each / 2})
	for i := range ds {
		var want []message.Key
		for j, d := range ds[i] {
			if j%2 == 1 {
				want = append(want, d.Deliveries[0].Key)
			}
		}
		r.wantKeys("lane", r.pending(fmt.Sprint(i)), want...)
	}
}

func archive(r *rig) {
	a, ok := r.Backend.(store.Archive)
	if !ok {
		r.Skip("skipped: this backend has no archive of projects")
	}
	if _, _, err := a.Active(); !errors.Is(err, store.ErrNotFound) {
		r.Fatalf("active before the first: %v", err)
	}
	for i, zip := range []string{"first", "second", "first"} {
		h := message.Hash{byte(len(zip))}
		if err := a.Activate(h, []byte(zip)); err != nil {
			r.Fatal(err)
		}
		if i%2 == 1 {
			r.crash()
			a = r.Backend.(store.Archive)
		}
		got, b, err := a.Active()
		if err != nil || got != h || string(b) != zip {
			r.Fatalf("active %s %q %v", got, b, err)
		}
	}
}
