package disk

import (
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

// event is one record as the view and the observer take it.
type event struct {
	seq, end uint64
	typ      recordType
	stored   time.Time
	d        *message.Decision // accepted
	fs       []message.Finished
	act      *action
	sw       *store.Switch
	bodies   []string
	origin   originKey
}

// apply takes events into the delta, in order. Only the writer goroutine (or
// Open, before it) calls it.
func (v *view) apply(evs []event) error {
	return guarded(func() error {
		v.mu.Lock()
		defer v.mu.Unlock()
		a := applier{v: v}
		defer a.close()
		for i := range evs {
			if err := a.apply(&evs[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// applier is one call of apply: it opens the view's file at most once, and only
// for records that reach back behind the delta.
type applier struct {
	v  *view
	tx *bolt.Tx
}

func (a *applier) close() {
	if a.tx != nil {
		a.tx.Rollback() // of a read: cannot fail
	}
}

func (a *applier) read() (*bolt.Tx, error) {
	if a.tx != nil {
		return a.tx, nil
	}
	tx, err := a.v.db.Begin(false)
	a.tx = tx
	return tx, err
}

func (a *applier) apply(ev *event) error {
	d := a.v.active
	if ev.end <= d.to {
		return nil // a replayed record that the view knows
	}
	d.records++
	d.bytes += ev.end - max(ev.seq, d.to)
	d.to = ev.end
	switch ev.typ {
	case recAccepted:
		u := a.add(ev.seq, ev.seq, ev.d, ev.bodies, nil)
		u.id, u.outcome = ev.d.Envelope.ID, ev.d.Outcome
		a.v.totals.messages[u.outcome&7]++
	case recFinished, recNoted:
		for i := range ev.fs {
			if err := a.finish(ev.seq, &ev.fs[i]); err != nil {
				return err
			}
		}
	case recAction:
		return a.action(ev)
	case recSwitch:
		a.v.switched(ev.sw)
	}
	return nil
}

// add makes the unit of a record that made copies. They stand at its own place,
// or in those of others.
func (a *applier) add(seq, owner uint64, d *message.Decision, bodies []string, in []incoming) *unit {
	u := &unit{seq: seq, owner: owner, fresh: true, bodies: bodies}
	u.copies = make([]copyRow, len(d.Deliveries))
	for i := range d.Deliveries {
		dl := &d.Deliveries[i]
		u.copies[i] = copyRow{pos: seq, ref: seq, located: true, stopped: dl.Stopped,
			attempts: dl.Attempts, queued: nanos(dl.Queued), queue: dl.Queue, lane: dl.Lane}
		if in != nil {
			u.copies[i].pos = in[i].pos
		}
		a.move(u, i, dl.State)
	}
	a.v.active.units[seq] = u
	return u
}

// move gives copy n a state and keeps every count right.
func (a *applier) move(u *unit, n int, to message.CopyState) {
	c, v := &u.copies[n], a.v
	if c.state != 0 {
		v.totals.copies[c.state&7]--
	}
	v.totals.copies[to&7]++
	if (c.state == message.Queued) != (to == message.Queued) {
		v.active.queues[c.queue] = struct{}{}
		if to == message.Queued {
			v.queues[c.queue]++
		} else {
			v.queues[c.queue]--
		}
	}
	c.state, c.dirty = to, true
	if to == message.Queued {
		v.active.queue(laneName{c.queue, c.lane}, place{c.pos, message.Key{Seq: u.seq, N: uint16(n)}})
	}
}

// finish takes one new state or attempt. A copy that is no longer queued (a
// person was faster) changes only for the fact that it was delivered.
func (a *applier) finish(seq uint64, f *message.Finished) error {
	u, err := a.unit(f.Key.Seq)
	if err != nil || u == nil || int(f.Key.N) >= len(u.copies) {
		return err
	}
	c := &u.copies[f.Key.N]
	if c.state != message.Queued && (f.State != message.Delivered || c.state == message.Delivered) {
		return nil
	}
	if err := a.locate(f.Key, c, f.Queue, f.Lane); err != nil {
		return err
	}
	c.ref, c.attempts, c.stopped, c.dirty = seq, f.Attempts, f.Stopped, true
	if f.State != message.Queued && f.State != 0 {
		c.stopped = false
		a.move(u, int(f.Key.N), f.State)
	}
	return nil
}

func (a *applier) action(ev *event) error {
	act := ev.act
	owner, err := a.unit(act.owner)
	if err != nil || owner == nil {
		return err
	}
	owner.acts = append(owner.acts, ev.seq)
	switch act.what {
	case didRelease:
		a.outcome(owner, act.made.Outcome)
	case didDiscard:
		a.outcome(owner, message.Dropped)
	case didRequeue, didRestart, didDiscardCopy:
		return a.actOnCopy(ev)
	case didReprocess:
		if err := a.leave(ev); err != nil {
			return err
		}
	}
	if act.made != nil {
		a.add(ev.seq, act.owner, act.made, ev.bodies, act.in)
	}
	return nil
}

// leave takes copies out of their places for others.
func (a *applier) leave(ev *event) error {
	for i := range ev.act.out {
		o := &ev.act.out[i]
		u, err := a.unit(o.key.Seq)
		if err != nil {
			return err
		}
		if u == nil || int(o.key.N) >= len(u.copies) {
			continue
		}
		c := &u.copies[o.key.N]
		if err := a.locate(o.key, c, o.queue, o.lane); err != nil {
			return err
		}
		c.ref, c.stopped, c.dirty = ev.seq, false, true
		a.move(u, int(o.key.N), o.state)
	}
	return nil
}

func (a *applier) outcome(u *unit, to message.Outcome) {
	a.v.totals.messages[u.outcome&7]--
	a.v.totals.messages[to&7]++
	u.outcome = to
}

func (a *applier) actOnCopy(ev *event) error {
	act := ev.act
	u, err := a.unit(act.key.Seq)
	if err != nil || u == nil || int(act.key.N) >= len(u.copies) {
		return err
	}
	c := &u.copies[act.key.N]
	if err := a.locate(act.key, c, act.queue, act.lane); err != nil {
		return err
	}
	c.ref, c.stopped, c.dirty = ev.seq, false, true
	switch act.what {
	case didRestart:
		c.attempts = 0
	case didRequeue:
		c.attempts, c.pos, c.queued = 0, ev.seq, nanos(act.at)
		a.move(u, int(act.key.N), message.Queued)
	default:
		a.move(u, int(act.key.N), message.Discarded)
	}
	return nil
}

// unit gives the unit of a record for changing, nil when there is none.
func (a *applier) unit(seq uint64) (*unit, error) {
	v := a.v
	if u := v.active.units[seq]; u != nil {
		return u, nil
	}
	var u *unit
	if f := v.flushing.unit(seq); f != nil {
		u = f.clone()
	} else {
		tx, err := a.read()
		if err != nil {
			return nil, err
		}
		if u, err = loadUnit(tx, seq); err != nil || u == nil {
			return nil, err
		}
	}
	v.active.units[seq] = u
	return u, nil
}

func (d *delta) unit(seq uint64) *unit {
	if d == nil {
		return nil
	}
	return d.units[seq]
}

// locate fills in queue, lane and attempts of a copy. The names the caller gives
// spare a read of the log, and are checked.
func (a *applier) locate(k message.Key, c *copyRow, queue, lane string) error {
	if c.located {
		return nil
	}
	tx, err := a.read()
	if err != nil {
		return err
	}
	return a.v.locate(tx, k, c, queue, lane)
}

// locate finds where a copy is queued that the delta knew only by its state.
func (v *view) locate(tx *bolt.Tx, k message.Key, c *copyRow, queue, lane string) error {
	c.queue, c.lane, c.located = queue, lane, true
	ok, err := loadQueued(tx, k, c)
	if err != nil || ok {
		return err
	}
	d, err := v.delivery(k)
	switch {
	case err == nil:
		c.queue, c.lane = d.Queue, d.Lane
	case !errors.Is(err, errDamaged): // of a damaged record the names given are the best known
		return fmt.Errorf("finding the lane of copy %s: %w", k, err)
	}
	if c.state != message.Queued {
		return nil
	}
	ok, err = loadQueued(tx, k, c)
	if err == nil && !ok {
		err = fmt.Errorf("%w: copy %s is counted as queued but stands in no lane", errView, k)
	}
	return err
}
