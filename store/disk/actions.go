package disk

import (
	"context"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

// current gives a copy of the unit at seq as of the last commit, nil when there
// is none.
func (v *view) current(seq uint64) (u *unit, err error) {
	err = guarded(func() error {
		v.mu.RLock()
		defer v.mu.RUnlock()
		if u = v.active.unit(seq); u != nil {
			u = u.clone()
			return nil
		}
		if u = v.flushing.unit(seq); u != nil {
			u = u.clone()
			return nil
		}
		return v.db.View(func(tx *bolt.Tx) (err error) {
			u, err = loadUnit(tx, seq)
			return err
		})
	})
	return u, err
}

// stopped says whether a queued copy waits for a person, and after how many tries.
func (v *view) stopped(d *message.Delivery, c *copyRow) (bool, int, error) {
	if c.located {
		return c.stopped, c.attempts, nil
	}
	r := copyRow{was: message.Queued, wasPos: c.pos, queue: d.Queue, lane: d.Lane}
	err := guarded(func() error {
		return v.db.View(func(tx *bolt.Tx) error {
			_, err := loadQueued(tx, d.Key, &r)
			return err
		})
	})
	return r.stopped, r.attempts, err
}

// act sends an action through the writer. prepare runs there, when everything
// before it is committed, so the state it checks is the state it changes.
func (s *Store) act(ctx context.Context, prepare func(*request) (*action, error)) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := s.usable(); err != nil {
		return 0, err
	}
	r := requests.Get().(*request)
	defer r.free()
	r.prepare = func(r *request) error {
		a, err := prepare(r)
		if err != nil {
			return err
		}
		r.ev.act = a
		r.enc = newEncoder(s.bodiesDir())
		r.enc.action(a)
		return r.finishEncoding(recAction)
	}
	err := s.do(r)
	return r.ev.seq, err
}

// target is a copy that a person acts on.
type target struct {
	unit  *unit
	row   *copyRow
	d     *message.Delivery
	made  *message.Decision // the record it comes from
	tries int
	stop  bool
}

func (s *Store) target(k message.Key) (target, error) {
	u, err := s.view.current(k.Seq)
	if err != nil {
		return target{}, s.viewFailed(err)
	}
	if u == nil || int(k.N) >= len(u.copies) {
		return target{}, fmt.Errorf("copy %s: %w", k, store.ErrNotFound)
	}
	t := target{unit: u, row: &u.copies[k.N]}
	if t.made, err = s.readMade(k.Seq); err != nil {
		return t, fmt.Errorf("reading copy %s: %w", k, err)
	}
	if int(k.N) >= len(t.made.Deliveries) {
		return t, fmt.Errorf("%w: the record at offset %d made no copy %d", errDamaged, k.Seq, k.N)
	}
	t.d = &t.made.Deliveries[k.N]
	if t.row.state == message.Queued {
		if t.stop, t.tries, err = s.view.stopped(t.d, t.row); err != nil {
			return t, s.viewFailed(err)
		}
	}
	return t, nil
}

func (t *target) action(s *Store, w what, by store.Person) *action {
	return &action{what: w, at: s.o.Now(), by: by, owner: t.unit.owner, key: t.d.Key,
		pos: t.row.pos, queue: t.d.Queue, lane: t.d.Lane}
}

// in refuses the action unless the copy is in one of the states.
func (t *target) in(states ...message.CopyState) error {
	if slices.Contains(states, t.row.state) {
		return nil
	}
	return fmt.Errorf("%w: copy %s is %s", store.ErrState, t.d.Key, t.row.state)
}

// isWhole refuses to send a copy that was held when it was made: what its
// destination's own steps would have taken out or changed is still in it.
func (t *target) isWhole() error {
	if t.d.State != message.CopyHeld {
		return nil
	}
	return &store.NotWholeError{Key: t.d.Key, Message: t.d.Message, Queue: t.d.Queue}
}

// isKnown refuses to queue what nobody would send.
func (s *Store) isKnown(queue string) error {
	if s.o.Known == nil || s.o.Known(queue) {
		return nil
	}
	return fmt.Errorf("%w: %q is no destination any more; add it again, with `retired: true` if it is to get nothing new", store.ErrState, queue)
}

// Requeue queues a held, dead-lettered or expired copy again at its lane's end;
// a stopped one starts again in its place. Its attempts count from 0.
func (s *Store) Requeue(ctx context.Context, k message.Key, by store.Person) error {
	_, err := s.act(ctx, func(r *request) (*action, error) {
		t, err := s.target(k)
		if err != nil {
			return nil, err
		}
		w := didRequeue
		if err := t.isWhole(); err != nil {
			return nil, err
		}
		if err := s.isKnown(t.d.Queue); err != nil {
			return nil, err
		}
		if t.stop {
			w = didRestart
		} else if err := t.in(message.CopyHeld, message.DeadLettered, message.Expired); err != nil {
			return nil, err
		}
		a := t.action(s, w, by)
		t.d.State, t.d.Attempts, t.d.Stopped, t.d.Pos = message.Queued, 0, false, t.row.pos
		if w == didRequeue {
			t.d.Queued = a.at
		} else if t.d.Queued, err = s.queuedAt(t.d, t.row.pos); err != nil {
			return nil, err
		}
		r.commit.Queued = []*message.Delivery{t.d}
		return a, nil
	})
	return err
}

// Resend makes a new queued copy with the bytes of one that is delivered,
// expired, discarded or dead-lettered. The bytes are stored again, so the new
// copy depends on no older record.
func (s *Store) Resend(ctx context.Context, k message.Key, by store.Person) (message.Key, error) {
	seq, err := s.act(ctx, func(*request) (*action, error) {
		t, err := s.target(k)
		if err != nil {
			return nil, err
		}
		if err := t.in(message.Delivered, message.Expired, message.Discarded, message.DeadLettered); err != nil {
			return nil, err
		}
		if err := t.isWhole(); err != nil {
			return nil, err
		}
		if err := s.isKnown(t.d.Queue); err != nil {
			return nil, err
		}
		a := t.action(s, didResend, by)
		d := *t.d
		d.State, d.Attempts, d.Stopped, d.Queued = message.Queued, 0, false, a.at
		d.Rule, d.Reason = message.Place{}, ""
		a.made = &message.Decision{Envelope: t.made.Envelope, Deliveries: []message.Delivery{d}}
		return a, nil
	})
	if err != nil {
		return message.Key{}, err
	}
	return message.Key{Seq: seq}, nil
}

// DiscardCopy gives up a copy that is queued, held or dead-lettered.
func (s *Store) DiscardCopy(ctx context.Context, k message.Key, by store.Person) error {
	_, err := s.act(ctx, func(r *request) (*action, error) {
		t, err := s.target(k)
		if err != nil {
			return nil, err
		}
		if err := t.in(message.Queued, message.CopyHeld, message.DeadLettered); err != nil {
			return nil, err
		}
		a := t.action(s, didDiscardCopy, by)
		a.attempts = t.tries
		if t.row.state == message.Queued {
			r.commit.Removed = []message.Finished{{Key: k, Pos: t.row.pos, Queue: t.d.Queue, Lane: t.d.Lane,
				State: message.Discarded, At: a.at, Attempts: t.tries, Reason: by.Reason}}
		}
		return a, nil
	})
	return err
}

// Redecide replaces the outcome of a held, unrouted or quarantined message by d,
// made of the same envelope; its deliveries join their lanes' ends.
func (s *Store) Redecide(ctx context.Context, id message.ID, d *message.Decision, by store.Person) error {
	if err := s.usable(); err != nil {
		return err
	}
	if err := checkDecision(d); err != nil {
		return err
	}
	if d.Envelope.ID != id {
		return fmt.Errorf("message %s cannot be decided again by a decision about %s", id, d.Envelope.ID)
	}
	return s.actOnMessage(ctx, id, func(seq uint64) *action {
		a := &action{what: didRelease, at: s.o.Now(), by: by, owner: seq, made: d}
		prepareDeliveries(d, a.at)
		return a
	})
}

// Discard gives up a message that waits for a person; its outcome becomes
// dropped.
func (s *Store) Discard(ctx context.Context, id message.ID, by store.Person) error {
	return s.actOnMessage(ctx, id, func(seq uint64) *action {
		return &action{what: didDiscard, at: s.o.Now(), by: by, owner: seq}
	})
}

// actOnMessage makes an action on a message that is held, unrouted or quarantined.
func (s *Store) actOnMessage(ctx context.Context, id message.ID, make func(seq uint64) *action) error {
	if err := s.usable(); err != nil {
		return err
	}
	seq, err := s.seqOf(id)
	if err != nil {
		return err
	}
	_, err = s.act(ctx, func(*request) (*action, error) {
		u, err := s.view.current(seq)
		if err != nil {
			return nil, s.viewFailed(err)
		}
		switch {
		case u == nil:
			return nil, fmt.Errorf("message %s: %w", id, store.ErrNotFound)
		case u.outcome != message.Held && u.outcome != message.Unrouted && u.outcome != message.Quarantined:
			return nil, fmt.Errorf("%w: message %s is %s", store.ErrState, id, u.outcome)
		}
		return make(seq), nil
	})
	return err
}
