package storetest

import (
	"errors"
	"slices"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

func list(r *rig) {
	var ids []message.ID
	for i := range 12 {
		d := r.decision("a")
		if i%3 == 0 {
			d = r.outcome(message.Held)
			d.Parts[0].Feed = "gp"
			d.Envelope.Source = "lims"
		}
		r.append(d)
		ids = append(ids, d.Envelope.ID)
		if i == 5 {
			r.reopen()
		}
	}
	slices.Reverse(ids)
	pick := func(which ...int) (out []message.ID) {
		for _, i := range which {
			out = append(out, ids[i])
		}
		return out
	}
	for _, c := range []struct {
		name string
		q    store.Query
		want []message.ID
	}{
		{"all", store.Query{}, ids},
		{"limit", store.Query{Limit: 3}, ids[:3]},
		{"before", store.Query{Before: ids[8]}, ids[9:]},
		{"before and limit", store.Query{Before: ids[4], Limit: 2}, ids[5:7]},
		{"outcome, indexed", store.Query{Outcome: message.Held}, pick(2, 5, 8, 11)},
		{"outcome, indexed, before", store.Query{Outcome: message.Held, Before: ids[5]}, pick(8, 11)},
		{"outcome, common", store.Query{Outcome: message.Routed, Limit: 2}, pick(0, 1)},
		{"feed", store.Query{Feed: "gp"}, pick(2, 5, 8, 11)},
		{"source", store.Query{Source: "lims", Limit: 1}, pick(2)},
		{"queue", store.Query{Queue: "lab", Limit: 3}, pick(0, 1, 3)},
		{"queue of none", store.Query{Queue: "nowhere"}, nil},
		{"since", store.Query{Since: epochOf(r, ids[3])}, ids[:4]},
		{"copies queued", store.Query{Copy: message.Queued, Limit: 3}, pick(0, 1, 3)},
		{"copies held", store.Query{Copy: message.CopyHeld}, nil},
	} {
		es, err := r.List(c.q)
		if err != nil {
			r.Fatalf("%s: %v", c.name, err)
		}
		var got []message.ID
		for _, e := range es {
			got = append(got, e.ID)
		}
		if !slices.Equal(got, c.want) {
			r.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	if _, err := r.List(store.Query{Before: message.ID{9}}); !errors.Is(err, store.ErrNotFound) {
		r.Errorf("before an unknown id: %v", err)
	}
}

func epochOf(r *rig, id message.ID) time.Time { return r.get(id).Received }

func getUnknown(r *rig) {
	r.append(r.decision("a"))
	if rec, err := r.Get(message.ID{7}); !errors.Is(err, store.ErrNotFound) || rec != nil {
		r.Fatalf("%v %v", rec, err)
	}
	if err := r.Requeue(ctx, message.Key{Seq: 1 << 40}, person); !errors.Is(err, store.ErrNotFound) {
		r.Fatalf("requeue: %v", err)
	}
	if err := r.Discard(ctx, message.ID{7}, person); !errors.Is(err, store.ErrNotFound) {
		r.Fatalf("discard: %v", err)
	}
}

func redecide(r *rig) {
	for _, o := range []message.Outcome{message.Held, message.Unrouted, message.Quarantined} {
		held, between := r.outcome(o), r.decision("a")
		r.append(held)
		r.append(between)
		r.told()
		again := r.decision("a")
		again.Envelope = held.Envelope
		again.Deliveries[0].Body = message.Compose(held.Envelope.Body, []message.Piece{{Literal: []byte("edited")}, {Offset: 0, Length: 9}})
		again.Parts[0].Feed, again.Reply.Code = "after the release", "AA"
		want := bytesOf(r.T, again.Deliveries[0].Body)
		if err := r.Redecide(ctx, held.Envelope.ID, again, person); err != nil {
			r.Fatalf("%s: %v", o, err)
		}
		if told := r.told(); len(told) != 1 || len(told[0].Queued) != 1 || told[0].Queued[0].Pos <= between.Deliveries[0].Pos {
			r.Fatalf("told %+v", told)
		}
		r.crash()
		keys := r.pending("a")
		if n := len(keys); n < 2 || keys[n-2] != between.Deliveries[0].Key || keys[n-1] != again.Deliveries[0].Key {
			r.Fatalf("pending %v", keys)
		}
		rec := r.get(held.Envelope.ID)
		if rec.Outcome != message.Routed || len(rec.Copies) != 1 || rec.Feed != "after the release" || rec.Copies[0].Message != held.Envelope.ID {
			r.Fatalf("record %+v", rec)
		}
		same(r, "bytes", bytesOf(r.T, rec.Copies[0].Body), want)
		same(r, "action", rec.Actions[0].What+rec.Actions[0].Copy+rec.Actions[0].Name+rec.Actions[0].Reason, "release"+person.Name+person.Reason)
		if err := r.Redecide(ctx, held.Envelope.ID, again, person); !errors.Is(err, store.ErrState) {
			r.Fatalf("a second time: %v", err)
		}
		if es, err := r.List(store.Query{Queue: "lab", Limit: 2}); err != nil || es[1].ID != held.Envelope.ID || es[1].Copies != 1 {
			r.Fatalf("%v %v", es, err)
		}
	}
	held := r.outcome(message.Held)
	r.append(held)
	if err := r.Redecide(ctx, held.Envelope.ID, r.decision("a"), person); err == nil {
		r.Fatal("a decision about another message was taken")
	}
}

func requeue(r *rig) {
	for _, st := range []message.CopyState{message.CopyHeld, message.DeadLettered, message.Expired} {
		d1, d2 := r.decision(st.String()), r.decision(st.String())
		r.append(d1)
		r.append(d2)
		want := bytesOf(r.T, d1.Deliveries[0].Body)
		key := d1.Deliveries[0].Key
		r.finish(finished(&d1.Deliveries[0], st))
		r.told()
		if err := r.Requeue(ctx, key, person); err != nil {
			r.Fatalf("%s: %v", st, err)
		}
		told := r.told()
		if len(told) != 1 || len(told[0].Queued) != 1 || told[0].Queued[0].Key != key || told[0].Queued[0].Pos <= d2.Deliveries[0].Pos || told[0].Queued[0].Attempts != 0 {
			r.Fatalf("told %+v", told)
		}
		r.wantKeys("pending", r.pending(st.String()), d2.Deliveries[0].Key, key)
		r.crash()
		r.wantKeys("pending", r.pending(st.String()), d2.Deliveries[0].Key, key)
		ds, _ := r.Pending("lab", st.String(), d2.Deliveries[0].Pos, d2.Deliveries[0].Key, 1)
		v := ds[0]
		if bytesOf(r.T, v.Body) != want || v.ControlID != d1.ControlID || v.Attempts != 0 || v.Pos != told[0].Queued[0].Pos || !v.Queued.Equal(told[0].Queued[0].Queued) {
			r.Fatalf("copy %+v", v)
		}
		if err := r.Requeue(ctx, key, person); !errors.Is(err, store.ErrState) {
			r.Fatalf("of a queued copy: %v", err)
		}
		f := finished(v, message.Delivered)
		r.finish(f)
		r.wantKeys("pending", r.pending(st.String()), d2.Deliveries[0].Key)
		same(r, "action", r.get(d1.Envelope.ID).Actions[0].What+" "+r.get(d1.Envelope.ID).Actions[0].Copy, "requeue "+key.String())
	}
}

func requeueStopped(r *rig) {
	d1, d2 := r.decision("a"), r.decision("a")
	r.append(d1)
	r.append(d2)
	v := &d1.Deliveries[0]
	f := finished(v, message.Queued)
	f.Stopped = true
	r.finish(f)
	r.crash()
	r.told()
	if err := r.Requeue(ctx, v.Key, person); err != nil {
		r.Fatal(err)
	}
	told := r.told()
	if len(told) != 1 || len(told[0].Queued) != 1 || told[0].Queued[0].Key != v.Key || told[0].Queued[0].Pos != v.Pos || told[0].Queued[0].Stopped {
		r.Fatalf("told %+v", told)
	}
	r.crash()
	r.wantKeys("pending", r.pending("a"), v.Key, d2.Deliveries[0].Key)
	if ds, _ := r.Pending("lab", "a", 0, message.Key{}, 1); ds[0].Stopped || ds[0].Pos != v.Pos {
		r.Fatalf("copy %+v", ds[0])
	}
}

func resend(r *rig) {
	d := r.decision("a")
	r.append(d)
	want := bytesOf(r.T, d.Deliveries[0].Body)
	r.finish(finished(&d.Deliveries[0], message.Delivered))
	r.told()
	k, err := r.Resend(ctx, d.Deliveries[0].Key, person)
	if err != nil || k == d.Deliveries[0].Key {
		r.Fatalf("%v %v", k, err)
	}
	told := r.told()
	if len(told) != 1 || len(told[0].Queued) != 1 || told[0].Queued[0].Key != k {
		r.Fatalf("told %+v", told)
	}
	r.crash()
	ds, err := r.Pending("lab", "a", 0, message.Key{}, 5)
	if err != nil || len(ds) != 1 || ds[0].Key != k || bytesOf(r.T, ds[0].Body) != want || ds[0].ControlID != d.ControlID || ds[0].Message != d.Envelope.ID {
		r.Fatalf("%v %v", ds, err)
	}
	r.finish(finished(ds[0], message.Delivered))
	again, err := r.Resend(ctx, k, person) // of a resent copy
	if err != nil {
		r.Fatal(err)
	}
	rec := r.get(d.Envelope.ID)
	var keys []message.Key
	for _, c := range rec.Copies {
		keys = append(keys, c.Key)
	}
	r.wantKeys("copies", keys, d.Deliveries[0].Key, k, again)
	same(r, "copies", r.totals().Copies, map[message.CopyState]int{message.Delivered: 2, message.Queued: 1})
	if len(rec.Actions) != 2 || rec.Actions[0].What != "resend" || rec.Actions[0].Copy != d.Deliveries[0].Key.String() {
		r.Fatalf("actions %+v", rec.Actions)
	}
}

func discard(r *rig) {
	d := r.outcome(message.Held)
	r.append(d)
	if err := r.Discard(ctx, d.Envelope.ID, person); err != nil {
		r.Fatal(err)
	}
	r.crash()
	rec := r.get(d.Envelope.ID)
	if rec.Outcome != message.Dropped || len(rec.Actions) != 1 || rec.Actions[0].What != "discard" || rec.Actions[0].Person != person {
		r.Fatalf("record %+v", rec)
	}
	same(r, "messages", r.totals().Messages, map[message.Outcome]int{message.Dropped: 1})
	if es, err := r.List(store.Query{Outcome: message.Held}); err != nil || len(es) != 0 {
		r.Fatalf("%v %v", es, err)
	}
}

func discardCopy(r *rig) {
	d := r.decision("a", "a", "a", "b")
	r.append(d)
	r.finish(finished(&d.Deliveries[1], message.CopyHeld), finished(&d.Deliveries[2], message.DeadLettered))
	r.told()
	for i := range 3 {
		if err := r.DiscardCopy(ctx, d.Deliveries[i].Key, person); err != nil {
			r.Fatal(err)
		}
		told := r.told()
		if i > 0 {
			same(r, "told", len(told), 0)
			continue
		}
		if len(told) != 1 || len(told[0].Removed) != 1 || told[0].Removed[0].Key != d.Deliveries[0].Key || told[0].Removed[0].State != message.Discarded {
			r.Fatalf("told %+v", told)
		}
	}
	r.wantKeys("pending", r.pending("a"))
	r.crash()
	r.wantKeys("pending", r.pending("a"))
	same(r, "copies", r.totals().Copies, map[message.CopyState]int{message.Discarded: 3, message.Queued: 1})
	if es, err := r.List(store.Query{Copy: message.DeadLettered}); err != nil || len(es) != 0 {
		r.Fatalf("%v %v", es, err)
	}
}

// A copy that was held when it was made may hold what its destination must not see.
func heldWhenMade(r *rig) {
	d := r.decision("a", "b")
	d.Deliveries[0].State, d.Deliveries[0].Reason = message.CopyHeld, "its steps failed"
	r.append(d)
	key := d.Deliveries[0].Key
	if err := r.Requeue(ctx, key, person); !errors.Is(err, store.ErrState) {
		r.Errorf("requeue: %v", err)
	}
	if err := r.DiscardCopy(ctx, key, person); err != nil {
		r.Fatalf("discard: %v", err)
	}
	r.crash()
	if _, err := r.Resend(ctx, key, person); !errors.Is(err, store.ErrState) {
		r.Errorf("resend: %v", err)
	}
	r.wantKeys("pending", r.pending("a"))
}

func wrongState(r *rig) {
	d := r.decision("queued", "delivered", "held", "discarded")
	r.append(d)
	r.finish(finished(&d.Deliveries[1], message.Delivered), finished(&d.Deliveries[2], message.CopyHeld))
	if err := r.DiscardCopy(ctx, d.Deliveries[3].Key, person); err != nil {
		r.Fatal(err)
	}
	before := r.totals()
	actions := map[string]func(k message.Key) error{
		"requeue": func(k message.Key) error { return r.Requeue(ctx, k, person) },
		"resend":  func(k message.Key) error { _, err := r.Resend(ctx, k, person); return err },
		"discard": func(k message.Key) error { return r.DiscardCopy(ctx, k, person) },
	}
	for _, c := range []struct {
		copy int
		what string
	}{{0, "requeue"}, {0, "resend"}, {1, "requeue"}, {1, "discard"}, {2, "resend"}, {3, "requeue"}, {3, "discard"}} {
		if err := actions[c.what](d.Deliveries[c.copy].Key); !errors.Is(err, store.ErrState) {
			r.Errorf("%s of the %s copy: %v", c.what, d.Deliveries[c.copy].Lane, err)
		}
	}
	for _, o := range []message.Outcome{message.Routed, message.Dropped, message.Rejected} {
		m := r.outcome(o)
		r.append(m)
		if err := r.Discard(ctx, m.Envelope.ID, person); !errors.Is(err, store.ErrState) {
			r.Errorf("discard of a %s message: %v", o, err)
		}
		again := r.decision("a")
		again.Envelope = m.Envelope
		if err := r.Redecide(ctx, m.Envelope.ID, again, person); !errors.Is(err, store.ErrState) {
			r.Errorf("redecide of a %s message: %v", o, err)
		}
	}
	same(r, "copies", r.totals().Copies, before.Copies)
}

func totalsAddUp(r *rig) {
	want := store.Totals{Messages: map[message.Outcome]int{}, Copies: map[message.CopyState]int{}}
	for o := message.Routed; o <= message.Quarantined; o++ {
		for range o {
			r.append(r.outcome(o))
			want.Messages[o]++
		}
	}
	for st := message.Queued; st <= message.Expired; st++ {
		for range st {
			d := r.decision("a")
			r.append(d)
			want.Messages[message.Routed]++
			want.Copies[st]++
			if st != message.Queued {
				r.finish(finished(&d.Deliveries[0], st))
			}
		}
	}
	same(r, "totals", r.totals(), want)
	r.reopen()
	same(r, "totals", r.totals(), want)
	r.crash()
	same(r, "totals", r.totals(), want)
}
