package storetest

import (
	"errors"
	"os"
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

// instead makes a replacement of copies by others of the same lanes with other
// bytes, one for one.
func (r *rig) instead(d *message.Decision, old ...*message.Delivery) store.Replacement {
	again := &message.Decision{Envelope: d.Envelope, Outcome: message.Routed, Plan: message.Hash{9}}
	out := store.Replacement{Message: d.Envelope.ID, New: again}
	for i, o := range old {
		out.Old = append(out.Old, store.Outgoing{Key: o.Key, State: message.Discarded, Reason: "reprocessed"})
		out.In = append(out.In, store.Incoming{Of: i, Slot: store.Slot{Part: 3, Number: i}})
		again.Deliveries = append(again.Deliveries, message.Delivery{Queue: o.Queue, Feed: o.Feed, Lane: o.Lane, ControlID: o.ControlID,
			Body: message.InMemory([]byte("as the new plan has it " + o.ControlID))})
	}
	return out
}

func (r *rig) replace(rs ...store.Replacement) []store.Replaced {
	r.Helper()
	out, err := r.Replace(ctx, rs, person)
	if err != nil {
		r.Fatalf("replace: %v", err)
	}
	return out
}

func replace(r *rig) {
	var ds []*message.Decision
	for range 6 {
		d := r.decision("a")
		r.append(d)
		ds = append(ds, d)
	}
	r.finish(finished(&ds[0].Deliveries[0], message.Delivered))
	tried := finished(&ds[2].Deliveries[0], message.Queued)
	tried.Stopped = true
	r.finish(tried)
	r.told()
	done := r.replace(r.instead(ds[2], &ds[2].Deliveries[0]), r.instead(ds[3], &ds[3].Deliveries[0]))
	if done[0].Err != nil || done[1].Err != nil || done[0].Seq >= done[1].Seq {
		r.Fatalf("replaced %+v", done)
	}
	same(r, "told", len(r.told()), 0)
	want := []message.Key{ds[1].Deliveries[0].Key, {Seq: done[0].Seq}, {Seq: done[1].Seq}, ds[4].Deliveries[0].Key, ds[5].Deliveries[0].Key}
	r.wantKeys("pending", r.pending("a"), want...)
	for _, again := range []func(){r.crash, r.reopen} {
		again()
		r.wantKeys("pending", r.pending("a"), want...)
	}
	page, err := r.Pending("lab", "a", 0, message.Key{}, 2)
	if err != nil || len(page) != 2 {
		r.Fatalf("%v %v", page, err)
	}
	v, old := page[1], &ds[2].Deliveries[0]
	if v.Key != want[1] || v.Pos != old.Pos || v.ControlID != old.ControlID || !v.Queued.Equal(old.Queued) || v.Attempts != 0 || v.Stopped || v.Message != old.Message {
		r.Fatalf("copy %+v", v)
	}
	same(r, "bytes", bytesOf(r.T, v.Body), "as the new plan has it "+old.ControlID)
	if page, err = r.Pending("lab", "a", v.Pos, v.Key, 1); err != nil || page[0].Key != want[2] {
		r.Fatalf("the next page: %v %v", page, err)
	}
	rec := r.get(ds[2].Envelope.ID)
	if len(rec.Copies) != 2 || rec.Copies[0].State != message.Discarded || rec.Copies[0].Reason != "reprocessed" || rec.Copies[0].Attempts != 1 {
		r.Fatalf("the old copy %+v", rec.Copies)
	}
	if c := rec.Copies[1]; c.State != message.Queued || c.Of != old.Key || c.Slot != (store.Slot{Part: 3}) || c.Pos != old.Pos {
		r.Fatalf("the new copy %+v", c)
	}
	same(r, "action", rec.Actions[0].What+rec.Actions[0].Copy+rec.Actions[0].Name, "reprocess"+person.Name)
	same(r, "outcome", rec.Outcome, message.Routed)
	same(r, "rule", rec.Reason, "to the lab")
	same(r, "copies", r.totals().Copies, map[message.CopyState]int{message.Delivered: 1, message.Discarded: 2, message.Queued: 5})
	r.finish(finished(v, message.Delivered))
	r.wantKeys("pending", r.pending("a"), want[0], want[2], want[3], want[4])
	// A late answer to the old copy is still a fact.
	r.finish(finished(old, message.Delivered))
	same(r, "late", r.get(ds[2].Envelope.ID).Copies[0].State, message.Delivered)
}

func replaceRefused(r *rig) {
	gone, here, twice := r.decision("a"), r.decision("a"), r.decision("a", "a")
	for _, d := range []*message.Decision{gone, here, twice} {
		r.append(d)
	}
	r.finish(finished(&gone.Deliveries[0], message.Delivered))
	foreign := r.instead(here, &twice.Deliveries[1])
	unknown := r.instead(r.decision("a"), &here.Deliveries[0])
	bad := r.instead(here, &here.Deliveries[0])
	bad.Old[0].State = message.Delivered
	done := r.replace(r.instead(gone, &gone.Deliveries[0]), foreign, unknown, bad,
		r.instead(twice, &twice.Deliveries[0]), r.instead(twice, &twice.Deliveries[1]), r.instead(here, &here.Deliveries[0]))
	for i, want := range []error{store.ErrState, store.ErrNotFound, store.ErrNotFound, nil, nil, store.ErrState, nil} {
		if refused := i < 4 || i == 5; refused != (done[i].Err != nil) || want != nil && !errors.Is(done[i].Err, want) || refused != (done[i].Seq == 0) {
			r.Errorf("replacement %d: %+v", i, done[i])
		}
	}
	r.crash()
	r.wantKeys("pending", r.pending("a"), message.Key{Seq: done[6].Seq}, twice.Deliveries[1].Key, message.Key{Seq: done[4].Seq})
	if out, err := r.Replace(ctx, nil, person); out != nil || err != nil {
		r.Errorf("nothing: %v %v", out, err)
	}
}

func replaceShapes(r *rig) {
	d, behind := r.decision("a", "a", "a", "a"), r.decision("b")
	r.append(d)
	r.append(behind)
	r.finish(finished(&d.Deliveries[1], message.CopyHeld), finished(&d.Deliveries[2], message.DeadLettered))
	rep := r.instead(d, &d.Deliveries[0], &d.Deliveries[1], &d.Deliveries[2], &d.Deliveries[3])
	news := rep.New.Deliveries
	news[0].Lane = "b"                                                   // another lane, by its place in front of what is there
	news[1].State, news[1].Reason = message.CopyHeld, "not before noon"  // held again, by the destination
	rep.Old[3].State, rep.Old[3].Reason = message.CopyHeld, "no mapping" // stays as it is, for a person
	rep.New.Deliveries = append(news[:3:3], news[2])                     // the held one has none, the third has two
	rep.In = []store.Incoming{{Of: 0}, {Of: 1}, {Of: 2}, {Of: 2, Slot: store.Slot{Number: 1}}}
	done := r.replace(rep)
	if done[0].Err != nil {
		r.Fatal(done[0].Err)
	}
	key := func(n uint16) message.Key { return message.Key{Seq: done[0].Seq, N: n} }
	for range 2 {
		r.wantKeys("lane a", r.pending("a"), key(2), key(3))
		r.wantKeys("lane b", r.pending("b"), key(0), behind.Deliveries[0].Key)
		rec := r.get(d.Envelope.ID)
		var got []string
		for _, c := range rec.Copies {
			got = append(got, c.State.String()+" "+c.Reason)
		}
		same(r, "copies", got, []string{"discarded reprocessed", "discarded reprocessed", "discarded reprocessed", "held no mapping",
			"queued ", "held not before noon", "queued ", "queued "})
		r.crash()
	}
	// Without a new copy the old ones only go.
	rep = store.Replacement{Message: behind.Envelope.ID, Old: []store.Outgoing{{Key: behind.Deliveries[0].Key, State: message.Discarded, Reason: "no longer routed here"}}}
	if done := r.replace(rep); done[0].Err != nil {
		r.Fatal(done[0].Err)
	}
	r.crash()
	r.wantKeys("lane b", r.pending("b"), key(0))
	// One that was made held is not whole; another that took over a place can be put
	// at its lane's end like any other.
	if err := r.Requeue(ctx, key(1), person); !errors.Is(err, store.ErrState) {
		r.Fatalf("requeued: %v", err)
	}
	ds, err := r.Pending("lab", "a", 0, message.Key{}, 10)
	if err != nil || ds[0].Key != key(2) {
		r.Fatalf("%v %v", ds, err)
	}
	r.finish(finished(ds[0], message.DeadLettered))
	if err := r.Requeue(ctx, key(2), person); err != nil {
		r.Fatal(err)
	}
	r.crash()
	r.wantKeys("lane a", r.pending("a"), key(3), key(2))
	if c := r.get(d.Envelope.ID).Copies[6]; c.Pos <= behind.Deliveries[0].Pos || c.Queued.Before(epoch) {
		r.Fatalf("requeued %+v", c)
	}
}

func switches(r *rig) {
	sub := func(kind, name, lane string) store.Subject { return store.Subject{Kind: kind, Name: name, Lane: lane} }
	far := time.Now().Add(1000 * time.Hour).UTC()
	for _, w := range []store.Switch{
		{Subject: sub("source", "pas", ""), Paused: true, By: person},
		{Subject: sub("destination", "adt/lab", ""), Paused: true, By: person},
		{Subject: sub("lane", "adt/lab", "123"), Paused: true, By: person, Until: far},
		{Subject: sub("lane", "adt/lab", ""), Paused: true, By: person},
		{Subject: sub("destination", "gp", ""), Paused: true, By: person, Until: time.Now().Add(-time.Hour)},
		{Subject: sub("destination", "adt/lab", ""), Paused: true, By: store.Person{Name: "ann", Reason: "later"}, Until: far},
		{Subject: sub("lane", "adt/lab", ""), By: person},
	} {
		if err := r.Switch(ctx, w); err != nil {
			r.Fatal(err)
		}
	}
	for _, again := range []func(){func() {}, r.crash, r.reopen, r.crash} {
		again()
		ws, err := r.Switches()
		if err != nil {
			r.Fatal(err)
		}
		var got []string
		for _, w := range ws {
			if w.At.IsZero() || !w.Paused {
				r.Errorf("%+v", w)
			}
			got = append(got, strings.Join([]string{w.Kind, w.Name, w.Lane, w.By.Name, w.Until.Format(time.DateOnly)}, " "))
		}
		never := time.Time{}.Format(time.DateOnly)
		same(r, "pauses", got, []string{"destination adt/lab  ann " + far.Format(time.DateOnly),
			"lane adt/lab 123 " + person.Name + " " + far.Format(time.DateOnly), "source pas  " + person.Name + " " + never})
	}
	if err := r.Switch(ctx, store.Switch{Paused: true}); err == nil {
		r.Error("a pause of nothing was taken")
	}
}

func unspool(r *rig) {
	spool := func() message.Body {
		b, err := r.Spool(strings.NewReader("large"), 100)
		if err != nil {
			r.Fatal(err)
		}
		return b
	}
	kept, dropped := spool(), spool()
	d := r.decision("a")
	d.Envelope.Body, d.Deliveries[0].Body = kept, kept
	r.append(d)
	for _, b := range []message.Body{kept, dropped, message.InMemory([]byte("x")), message.InFile(message.File{Path: "/etc/hostname"})} {
		if err := r.Unspool(b); err != nil {
			r.Fatal(err)
		}
	}
	if f, _ := dropped.File(); !gone(f.Path) {
		r.Error("the file is still there")
	}
	same(r, "bytes", bytesOf(r.T, r.get(d.Envelope.ID).Envelope.Body), "large")
	if gone("/etc") {
		r.Error("it removed what is none of its own")
	}
}

func gone(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, os.ErrNotExist)
}
