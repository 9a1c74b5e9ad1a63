package disk

import (
	"slices"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

// A delta is what records changed since the view was last written: whole new
// rows, not differences, so that laying it over the view twice does no harm.
type delta struct {
	records  int
	bytes    uint64
	to       uint64 // log offset behind the last record
	units    map[uint64]*unit
	lanes    map[laneName][]place       // where copies were queued, in order; some may be gone again
	queues   map[string]struct{}        // whose count changed
	switches map[store.Subject]struct{} // that changed
}

type laneName struct{ queue, lane string }

// place is where a copy stands in its lane.
type place struct {
	pos uint64
	key message.Key
}

func (p place) compare(o place) int {
	if c := compare(p.pos, o.pos); c != 0 {
		return c
	}
	if c := compare(p.key.Seq, o.key.Seq); c != 0 {
		return c
	}
	return int(p.key.N) - int(o.key.N)
}

// queue notes that a copy came to a place of a lane. Places come in order, but
// for those of copies that take over another's.
func (d *delta) queue(l laneName, p place) {
	ps := d.lanes[l]
	if n := len(ps); n == 0 || ps[n-1].compare(p) < 0 {
		d.lanes[l] = append(ps, p)
		return
	}
	if i, found := slices.BinarySearchFunc(ps, p, place.compare); !found {
		d.lanes[l] = slices.Insert(ps, i, p)
	}
}

func newDelta() *delta {
	return &delta{units: map[uint64]*unit{}, lanes: map[laneName][]place{}, queues: map[string]struct{}{},
		switches: map[store.Subject]struct{}{}}
}

// unit is one record that made copies: a message, or a person's action.
type unit struct {
	seq     uint64
	owner   uint64 // the message it belongs to; seq itself for a message
	id      message.ID
	fresh   bool            // not written to the view yet
	outcome message.Outcome // 0 unless a message
	was     message.Outcome // as written in the view
	copies  []copyRow
	acts    []uint64 // records of actions on the message and its copies
	bodies  []string // body files the record refers to; only while fresh
}

func (u *unit) isMessage() bool { return u.owner == u.seq }

// copyRow is what the view knows of a copy.
type copyRow struct {
	state    message.CopyState
	was      message.CopyState // as written in the view; 0 = not there
	stopped  bool
	dirty    bool // its row among the queued must be written
	located  bool // queue, lane, attempts, queued are known
	attempts int
	pos      uint64
	wasPos   uint64
	ref      uint64 // the record that says how it came into this state
	queued   int64  // when it was queued, ns
	queue    string
	lane     string
}

// clone copies a unit that is being written, for further changes: by the time
// these are written, the view holds it as it is now.
func (u *unit) clone() *unit {
	c := *u
	c.fresh, c.was, c.bodies = false, u.outcome, nil
	c.copies = slices.Clone(u.copies)
	c.acts = slices.Clone(u.acts)
	for i := range c.copies {
		r := &c.copies[i]
		r.was, r.wasPos, r.dirty = r.state, r.pos, false
	}
	return &c
}

// copyOf gives the row of a copy, nil when the delta does not have it.
func (d *delta) copyOf(k message.Key) *copyRow {
	if d == nil {
		return nil
	}
	u := d.units[k.Seq]
	if u == nil || int(k.N) >= len(u.copies) {
		return nil
	}
	return &u.copies[k.N]
}
