package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
	"github.com/spine-engine/spine-engine/store"
)

// Reprocess says which undelivered copies are to be decided again.
type Reprocess struct {
	Queue  string
	State  message.CopyState // Queued (also when zero), CopyHeld or DeadLettered
	DryRun bool              // count only
	By     store.Person
	// Only, when not zero, is the one copy, of Message, that it is about: a person
	// releases it, so the rule that held it does not hold this time.
	Only    message.Key
	Message message.ID
	// Progress is told how many of how many copies were looked at; total is 0
	// where nobody knows. May be nil.
	Progress func(done, total int)
}

// Reprocessed counts what became of the copies that were looked at.
type Reprocessed struct {
	Queue     string `json:"queue"`
	Plan      string `json:"plan"` // that decided
	DryRun    bool   `json:"dry_run,omitempty"`
	Copies    int    `json:"copies"`    // looked at; the five below add up to it
	Replaced  int    `json:"replaced"`  // by what the plan makes now, in the same place
	Unchanged int    `json:"unchanged"` // it makes the same
	Discarded int    `json:"discarded"` // it sends this copy no longer
	Held      int    `json:"held"`      // it holds or rejects the message now
	Left      int    `json:"left"`      // feed or source are gone, or the copy left meanwhile: as it was
	Added     int    `json:"added"`     // copies that there were none of before
	// Why counts the reasons of copies that were discarded, held or left.
	Why map[string]int `json:"why,omitempty"`
}

// pageOfCopies is how many copies are looked at before what follows is stored.
const pageOfCopies = 128

// storedAtOnce bounds the bytes of bodies that wait to be stored together.
const storedAtOnce = 4 << 20

// ReprocessStore decides the undelivered copies of one queue again from the
// messages as received, under plan, each in its place. The queue's scheduler must
// be still; without an engine it is.
func ReprocessStore(ctx context.Context, plan *routes.Plan, s Backend, o Reprocess) (Reprocessed, error) {
	if o.State == 0 {
		o.State = message.Queued
	}
	if !slices.Contains([]message.CopyState{message.Queued, message.CopyHeld, message.DeadLettered}, o.State) {
		return Reprocessed{}, fmt.Errorf("copies that are %s cannot be decided again; queued, held and dead-lettered ones can: %w", o.State, store.ErrState)
	}
	to := slices.IndexFunc(plan.Destinations(), func(d routes.Destination) bool { return d.Queue == o.Queue })
	if to < 0 {
		return Reprocessed{}, fmt.Errorf("the project has no destination %q: %w", o.Queue, store.ErrNotFound)
	}
	if plan.Destinations()[to].Retired { // no feed sends to it, so all of it would be discarded
		return Reprocessed{}, fmt.Errorf("destination %q is retired and only drains what it has; take `retired: true` back to decide it again: %w", o.Queue, store.ErrState)
	}
	r := &reprocess{Reprocess: o, plan: plan, store: s, now: time.Now().UTC(),
		out: Reprocessed{Queue: o.Queue, Plan: plan.Hash().String(), DryRun: o.DryRun, Why: map[string]int{}}}
	err := r.run(ctx)
	return r.out, err
}

// reprocess is one run.
type reprocess struct {
	Reprocess
	plan  *routes.Plan
	store Backend
	now   time.Time
	out   Reprocessed
	first uint64 // sequence of the first record it made: later copies are its own
	seen  int
	total int

	batch []store.Replacement
	deeds []Reprocessed // what each of them comes to
	bytes int64
}

func (r *reprocess) run(ctx context.Context) error {
	walk := r.asideCopies
	switch {
	case r.Only != message.Key{}:
		walk = func(ctx context.Context) error { return r.visit(ctx, r.Message, message.Key{}) }
	case r.State == message.Queued:
		walk = r.queuedCopies
	}
	if err := walk(ctx); err != nil {
		return err
	}
	return r.flush(ctx)
}

// queuedCopies walks the lanes, page by page. A message is decided when the first
// of its copies comes by.
func (r *reprocess) queuedCopies(ctx context.Context) error {
	var lanes []store.Lane
	err := r.store.Lanes(r.Queue, func(l store.Lane) bool {
		lanes, r.total = append(lanes, l), r.total+l.Count
		return true
	})
	if err != nil {
		return err
	}
	for _, lane := range lanes {
		var at message.Delivery
		for at.Pos <= lane.Last { // what has come since was decided by this plan
			page, err := r.store.Pending(r.Queue, lane.Name, at.Pos, at.Key, pageOfCopies)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			for _, d := range page {
				if err := r.visit(ctx, d.Message, d.Key); err != nil {
					return err
				}
			}
			if err := r.flush(ctx); err != nil {
				return err
			}
			at.Pos, at.Key = page[len(page)-1].Pos, page[len(page)-1].Key
		}
	}
	return nil
}

// asideCopies walks the messages with held or dead-lettered copies, newest first:
// each takes its place whatever the order.
func (r *reprocess) asideCopies(ctx context.Context) error {
	q := store.Query{Queue: r.Queue, Copy: r.State, Limit: pageOfCopies}
	for {
		page, err := r.store.List(q)
		if err != nil || len(page) == 0 {
			return err
		}
		before := q.Before
		for _, e := range page {
			if e.ID == (message.ID{}) {
				continue // its bytes are damaged
			}
			if err := r.visit(ctx, e.ID, message.Key{}); err != nil {
				return err
			}
			q.Before = e.ID
		}
		if err := r.flush(ctx); err != nil {
			return err
		}
		if len(page) < pageOfCopies || q.Before == before {
			return nil
		}
	}
}

// visit decides the message of a copy again, when the copy is its first for this
// queue; any copy is, when key is zero.
func (r *reprocess) visit(ctx context.Context, id message.ID, key message.Key) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.first > 0 && key.Seq >= r.first {
		return nil // made by this run, or under the plan already
	}
	rec, err := r.store.Get(id)
	if err != nil {
		return fmt.Errorf("message %s: %w", id, err)
	}
	old := r.mine(rec)
	if len(old) == 0 || key != (message.Key{}) && rec.Copies[old[0]].Key != key {
		return nil
	}
	r.seen += len(old)
	if r.Progress != nil {
		r.Progress(r.seen, r.total)
	}
	rep, deed := r.decide(rec, old)
	if r.Only != (message.Key{}) {
		if err := releasable(r.Only, rep); err != nil {
			return err
		}
	}
	if deed.Replaced+deed.Discarded+deed.Held+deed.Added == 0 || r.DryRun {
		r.out.add(deed)
		return nil
	}
	r.batch, r.deeds = append(r.batch, rep), append(r.deeds, deed)
	r.bytes += size(rep)
	if r.bytes >= storedAtOnce {
		return r.flush(ctx)
	}
	return nil
}

// releasable refuses to release a copy that would be held again, or that the plan
// does not make any more.
func releasable(k message.Key, rep store.Replacement) error {
	if rep.New == nil {
		return fmt.Errorf("the project in force makes no such copy as %s: %w; discard it", k, store.ErrState)
	}
	for i := range rep.New.Deliveries {
		if d := &rep.New.Deliveries[i]; d.State == message.CopyHeld {
			return fmt.Errorf("copy %s would be held again by %s (%s): %w", k, d.Rule, d.Reason, store.ErrState)
		}
	}
	return nil
}

// mine are the numbers of the message's copies that the run is about.
func (r *reprocess) mine(rec *store.Record) (old []int) {
	for i := range rec.Copies {
		c := &rec.Copies[i]
		if c.Queue == r.Queue && c.State == r.State && (r.first == 0 || c.Key.Seq < r.first) && (r.Only == message.Key{} || r.Only == c.Key) {
			old = append(old, i)
		}
	}
	return old
}

// flush stores what has gathered, durably.
func (r *reprocess) flush(ctx context.Context) error {
	if len(r.batch) == 0 {
		return nil
	}
	done, err := r.store.Replace(ctx, r.batch, r.By)
	if err != nil {
		return err
	}
	for i, d := range done {
		if d.Err != nil { // delivered or discarded meanwhile
			r.deeds[i] = r.deeds[i].leave("it was no longer " + r.State.String())
		} else if r.first == 0 {
			r.first = d.Seq
		}
		r.out.add(r.deeds[i])
	}
	clear(r.batch)
	r.batch, r.deeds, r.bytes = r.batch[:0], r.deeds[:0], 0
	return nil
}

func (o *Reprocessed) add(d Reprocessed) {
	o.Copies += d.Copies
	o.Replaced += d.Replaced
	o.Unchanged += d.Unchanged
	o.Discarded += d.Discarded
	o.Held += d.Held
	o.Left += d.Left
	o.Added += d.Added
	for why, n := range d.Why {
		o.Why[why] += n
	}
}

// leave is what remains of a deed that was refused.
func (o Reprocessed) leave(why string) Reprocessed {
	return Reprocessed{Copies: o.Copies, Left: o.Copies, Why: map[string]int{why: o.Copies}}
}

// size is how much memory the bodies of a replacement hold.
func size(r store.Replacement) int64 {
	if r.New == nil {
		return 0
	}
	n := r.New.Envelope.Body.Footprint()
	for i := range r.New.Deliveries {
		n += r.New.Deliveries[i].Body.Footprint()
	}
	return n
}
