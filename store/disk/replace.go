package disk

import (
	"context"
	"fmt"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

// outgoing is a copy that gave up its place.
type outgoing struct {
	key      message.Key
	pos      uint64
	queue    string
	lane     string
	state    message.CopyState // what became of it
	attempts int
	reason   string
}

// incoming is a new copy in the place of an old one.
type incoming struct {
	pos  uint64
	of   message.Key
	slot store.Slot
}

func (e *encoder) replaced(a *action) {
	e.uint(uint64(len(a.out)))
	for i := range a.out {
		o := &a.out[i]
		e.uint(o.key.Seq)
		e.uint(uint64(o.key.N))
		e.uint(o.pos)
		e.string(o.queue)
		e.string(o.lane)
		e.byte(byte(o.state))
		e.uint(uint64(o.attempts))
		e.string(o.reason)
	}
	e.uint(uint64(len(a.in)))
	for _, n := range a.in {
		e.uint(n.pos)
		e.uint(n.of.Seq)
		e.uint(uint64(n.of.N))
		e.uint(uint64(n.slot.Part))
		e.uint(uint64(n.slot.Number))
	}
}

func (d *decoder) replaced(a *action) {
	a.out = make([]outgoing, d.count(8))
	for i := range a.out {
		a.out[i] = outgoing{key: d.key(), pos: d.uint(), queue: d.string(), lane: d.string(),
			state: message.CopyState(d.byte()), attempts: int(d.uint()), reason: d.string()}
	}
	a.in = make([]incoming, d.count(5))
	for i := range a.in {
		a.in[i] = incoming{pos: d.uint(), of: d.key(), slot: store.Slot{Part: int(d.uint()), Number: int(d.uint())}}
	}
}

// copies are those the action made.
func (a *action) copies() []message.Delivery {
	if a.made == nil {
		return nil
	}
	return a.made.Deliveries
}

// place gives the copies an action made their keys and first places.
func (a *action) place(seq uint64) {
	if a.made == nil {
		return
	}
	setKeys(a.made, seq)
	for i := range a.in {
		a.made.Deliveries[i].Pos = a.in[i].pos
	}
}

// Replace puts other copies into the places of undelivered ones.
func (s *Store) Replace(ctx context.Context, rs []store.Replacement, by store.Person) ([]store.Replaced, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.usable(); err != nil || len(rs) == 0 {
		return nil, err
	}
	seqs := make([]uint64, len(rs))
	out := make([]store.Replaced, len(rs))
	for i := range rs {
		if out[i].Err = checkReplacement(&rs[i]); out[i].Err == nil {
			seqs[i], out[i].Err = s.seqOf(rs[i].Message)
		}
	}
	if err := s.space.check(); err != nil {
		return nil, err
	}
	b := &request{done: make(chan struct{}, 1)}
	b.prepare = func(b *request) error {
		seen := map[uint64]bool{}
		for i := range rs {
			if out[i].Err == nil && seen[seqs[i]] {
				out[i].Err = fmt.Errorf("message %s: %w: it is replaced twice at once", rs[i].Message, store.ErrState)
			}
			if out[i].Err != nil {
				continue
			}
			r, err := s.replacement(&rs[i], seqs[i], by)
			if out[i].Err = err; err == nil {
				seen[seqs[i]], r.of = true, i
				b.batch = append(b.batch, r)
			}
		}
		return s.usableByWriter()
	}
	err := s.do(b)
	for _, r := range b.batch {
		if err == nil {
			err = r.err
		}
		out[r.of].Seq = r.ev.seq
		r.enc.free()
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

func checkReplacement(r *store.Replacement) error {
	news := 0
	if r.New != nil {
		if err := checkDecision(r.New); err != nil {
			return err
		}
		if news = len(r.New.Deliveries); r.New.Envelope.ID != r.Message {
			return fmt.Errorf("message %s cannot be decided again by a decision about %s", r.Message, r.New.Envelope.ID)
		}
	}
	if len(r.Old) == 0 || len(r.In) != news {
		return fmt.Errorf("message %s: %d new copies with %d places, for %d old ones", r.Message, news, len(r.In), len(r.Old))
	}
	for _, n := range r.In {
		if n.Of < 0 || n.Of >= len(r.Old) {
			return fmt.Errorf("message %s: a new copy takes the place of none", r.Message)
		}
	}
	for _, o := range r.Old {
		if o.State != message.Discarded && o.State != message.CopyHeld {
			return fmt.Errorf("copy %s cannot give up its place and be %s", o.Key, o.State)
		}
	}
	return nil
}

// replacement makes the record of one replacement, in the writer.
func (s *Store) replacement(r *store.Replacement, seq uint64, by store.Person) (*request, error) {
	a := &action{what: didReprocess, at: s.o.Now(), by: by, owner: seq, made: r.New}
	queued := make([]time.Time, len(r.Old))
	for i, o := range r.Old {
		t, err := s.target(o.Key)
		if err != nil {
			return nil, err
		}
		if t.unit.owner != seq {
			return nil, fmt.Errorf("copy %s is none of message %s: %w", o.Key, r.Message, store.ErrNotFound)
		}
		if err := t.in(message.Queued, message.CopyHeld, message.DeadLettered); err != nil {
			return nil, err
		}
		queued[i] = a.at
		if t.row.state == message.Queued {
			if queued[i], err = s.queuedAt(t.d, t.row.pos); err != nil {
				return nil, err
			}
		}
		a.out = append(a.out, outgoing{key: o.Key, pos: t.row.pos, queue: t.d.Queue, lane: t.d.Lane, state: o.State, attempts: t.tries, reason: o.Reason})
	}
	for i, n := range r.In {
		a.in = append(a.in, incoming{pos: a.out[n.Of].pos, of: a.out[n.Of].key, slot: n.Slot})
		r.New.Deliveries[i].Queued = queued[n.Of]
	}
	if r.New != nil {
		prepareDeliveries(r.New, a.at)
	}
	q := &request{done: make(chan struct{}, 1), enc: newEncoder(s.bodiesDir())}
	q.ev.act = a
	q.enc.action(a)
	if err := q.finishEncoding(recAction); err != nil {
		q.enc.free()
		return nil, err
	}
	return q, nil
}
