package disk

import (
	"errors"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

// seqOf finds a message by its id.
func (s *Store) seqOf(id message.ID) (uint64, error) {
	var seq uint64
	var miss error
	err := s.view.read(func(tx *bolt.Tx) (err error) {
		if seq, err = findID(tx, id); errors.Is(err, store.ErrNotFound) {
			miss, err = err, nil
		}
		return err
	})
	if err != nil {
		return 0, s.viewFailed(err)
	}
	return seq, miss
}

func findID(tx *bolt.Tx, id message.ID) (uint64, error) {
	val := tx.Bucket(bucketIDs).Get(id[:])
	if val == nil {
		return 0, fmt.Errorf("message %s: %w", id, store.ErrNotFound)
	}
	d, err := openRow(id[:], val)
	if err != nil || len(d.b) != 8 {
		return 0, errors.Join(errView, err)
	}
	return fromBE64(d.b), nil
}

// Get gives one message with all its copies and what people did to them.
func (s *Store) Get(id message.ID) (*store.Record, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	var rec *store.Record
	var miss error // of the log or the question, not of the view
	err := s.view.read(func(tx *bolt.Tx) error {
		seq, err := findID(tx, id)
		if errors.Is(err, store.ErrNotFound) {
			miss = err
			return nil
		}
		if err != nil {
			return err
		}
		g := getter{s: s, tx: tx}
		rec, err = g.record(seq)
		if err != nil && !errors.Is(err, errView) {
			miss, err = fmt.Errorf("reading message %s: %w", id, err), nil
		}
		return err
	})
	if err := s.viewFailed(err); err != nil {
		return nil, err
	}
	return rec, miss
}

// getter puts one message together from the view and the log.
type getter struct {
	s  *Store
	tx *bolt.Tx
}

func (g *getter) record(seq uint64) (*store.Record, error) {
	u, err := loadUnit(g.tx, seq)
	if err != nil {
		return nil, err
	}
	if u == nil {
		return nil, fmt.Errorf("%w: an id without its message", errView)
	}
	first, err := g.s.readMade(seq)
	if err != nil {
		return nil, err
	}
	rec := &store.Record{Envelope: first.Envelope}
	last := first
	if rec.Copies, err = g.copies(nil, u, first, nil); err != nil {
		return nil, err
	}
	for _, at := range u.acts {
		act, err := g.s.readAction(at)
		if err != nil {
			return nil, err
		}
		rec.Actions = append(rec.Actions, act.shown())
		if act.made == nil {
			continue
		}
		if act.what == didRelease {
			last = act.made
		}
		more, err := loadUnit(g.tx, at)
		if err != nil || more == nil {
			return nil, errors.Join(errView, err)
		}
		if rec.Copies, err = g.copies(rec.Copies, more, act.made, act); err != nil {
			return nil, err
		}
	}
	rec.Parts, rec.Reply = last.Parts, last.Reply
	rec.Entry = entryOf(u, first.Envelope, first.Envelope.Body.Size(), last)
	rec.Entry.Copies, rec.Entry.States = len(rec.Copies), map[message.CopyState]int{}
	for _, c := range rec.Copies {
		rec.States[c.State]++
	}
	return rec, nil
}

func (a *action) shown() store.Action {
	out := store.Action{At: a.at, What: a.what.String(), Person: a.by}
	if a.onCopy() {
		out.Copy = a.key.String()
	}
	return out
}

func entryOf(u *unit, env *message.Envelope, size int64, d *message.Decision) store.Entry {
	e := store.Entry{ID: env.ID, Seq: u.seq, Received: env.Received, Source: env.Source, Size: size,
		Type: d.Type, Event: d.Event, Control: d.ControlID, Outcome: u.outcome, Plan: d.Plan}
	for _, p := range d.Parts {
		if p.Outcome == d.Outcome {
			e.Feed = p.Feed
			break
		}
	}
	e.Rule, e.Reason = d.Why()
	return e
}

// copies adds the copies a record made, as they are now. act is nil for the
// message's own record.
func (g *getter) copies(out []store.Copy, u *unit, d *message.Decision, act *action) ([]store.Copy, error) {
	older, slots := out, store.Slots(d)
	for i := range d.Deliveries {
		if i >= len(u.copies) {
			return nil, fmt.Errorf("%w: the record at offset %d has more copies than it knows", errView, u.seq)
		}
		c, err := g.copy(d.Deliveries[i], &u.copies[i])
		if err != nil {
			return nil, err
		}
		c.Slot = slots[i]
		act.inherit(&c, i, older)
		out = append(out, c)
	}
	return out, nil
}

// inherit says which older copy a copy that an action made goes back to.
func (a *action) inherit(c *store.Copy, i int, older []store.Copy) {
	switch {
	case a == nil:
	case a.what == didReprocess:
		c.Of, c.Slot = a.in[i].of, a.in[i].slot
	case a.what == didResend:
		c.Of = a.key
		if n := slices.IndexFunc(older, func(o store.Copy) bool { return o.Key == a.key }); n >= 0 {
			c.Slot = older[n].Slot
		}
	}
}

func (g *getter) copy(d message.Delivery, row *copyRow) (store.Copy, error) {
	c := store.Copy{Delivery: d}
	c.State, c.Pos = row.state, row.pos
	ref := row.ref
	if row.state == message.Queued {
		row.queue, row.lane = d.Queue, d.Lane
		ok, err := loadQueued(g.tx, d.Key, row)
		if err != nil || !ok {
			return c, errors.Join(errView, err)
		}
		c.Attempts, c.Stopped, ref = row.attempts, row.stopped, row.ref
	}
	var err error
	if c.Queued, err = g.s.queuedAt(&d, row.pos); err != nil {
		return c, err
	}
	c.At = c.Queued
	if ref == d.Key.Seq {
		return c, nil
	}
	return c, g.s.fromRef(&c, ref)
}

// queuedAt is when a copy came to the place it has now.
func (s *Store) queuedAt(d *message.Delivery, pos uint64) (time.Time, error) {
	if pos <= d.Key.Seq { // its first place, or that of the copy before it
		return d.Queued, nil
	}
	a, err := s.readAction(pos)
	if err != nil {
		return time.Time{}, err
	}
	return a.at, nil
}

// fromRef fills in what the record says that brought the copy into its state.
func (s *Store) fromRef(c *store.Copy, ref uint64) error {
	typ, payload, err := s.log.read(ref)
	if err != nil {
		return err
	}
	dec := decoder{b: payload, bodies: s.bodiesDir(), heads: true}
	if typ == recAction {
		a, err := dec.action()
		if err != nil {
			return err
		}
		c.At, c.Attempts, c.Stopped, c.Reason = a.at, a.attempts, false, ""
		switch a.what {
		case didDiscardCopy:
			c.Reason = a.by.Reason
		case didReprocess:
			a.gone(c)
		}
		return nil
	}
	fs, err := dec.finished()
	if err != nil {
		return err
	}
	if f := newsOf(fs, c.Key, c.State); f != nil {
		c.At, c.Code, c.Reason, c.Attempts = f.At, f.Code, f.Reason, f.Attempts
	}
	return nil
}

// gone fills in what a reprocess says of a copy that it took out of its place.
func (a *action) gone(c *store.Copy) {
	for i := range a.out {
		if a.out[i].key == c.Key {
			c.Attempts, c.Reason = a.out[i].attempts, a.out[i].reason
		}
	}
}

// newsOf finds what brought a copy into its state: of attempts the last, of new
// states the first, for the copy was no longer queued after it.
func newsOf(fs []message.Finished, k message.Key, st message.CopyState) *message.Finished {
	var found *message.Finished
	for i := range fs {
		f := &fs[i]
		attempt := st == message.Queued && (f.State == 0 || f.State == st)
		if f.Key == k && (attempt || (f.State == st && found == nil)) {
			found = f
		}
	}
	return found
}

func (s *Store) readAction(seq uint64) (*action, error) {
	typ, payload, err := s.log.read(seq)
	if err != nil {
		return nil, err
	}
	if typ != recAction {
		return nil, fmt.Errorf("%w: the record at offset %d is no action", errDamaged, seq)
	}
	dec := decoder{b: payload, bodies: s.bodiesDir()}
	a, err := dec.action()
	if err == nil {
		a.place(seq)
	}
	return a, err
}

// Totals counts messages by outcome and copies by state. Zero counts are left out.
func (s *Store) Totals() (store.Totals, error) {
	t := store.Totals{Messages: map[message.Outcome]int{}, Copies: map[message.CopyState]int{}}
	if err := s.usable(); err != nil {
		return t, err
	}
	s.view.mu.RLock()
	defer s.view.mu.RUnlock()
	for i, n := range s.view.totals.messages {
		if n != 0 {
			t.Messages[message.Outcome(i)] = n
		}
	}
	for i, n := range s.view.totals.copies {
		if n != 0 {
			t.Copies[message.CopyState(i)] = n
		}
	}
	return t, nil
}
