package disk

import (
	"bytes"
	"encoding/binary"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

// flusher writes one delta in one transaction, each bucket in order of its keys,
// so that bbolt fills its pages instead of splitting them.
type flusher struct {
	d        *delta
	totals   totals
	queues   map[string]int
	switches map[store.Subject]store.Switch
	rows     [len(allBuckets)][]row
	arena    []byte // keys and values lie here, one behind the other
}

// row is one change; val nil deletes.
type row struct{ key, val []byte }

// arenaChunk is how much memory is taken at a time for keys and values.
const arenaChunk = 256 << 10

// begin gives an encoder that writes at the arena's end.
func (w *flusher) begin() encoder {
	if cap(w.arena)-len(w.arena) < 1<<10 {
		w.arena = make([]byte, 0, arenaChunk)
	}
	return encoder{b: w.arena[len(w.arena):]}
}

// put lines up a row whose key ends at mid of what e has written.
func (w *flusher) put(bucket int, e *encoder, mid int) {
	key := e.b[:mid:mid]
	e.b = binary.LittleEndian.AppendUint32(e.b, rowSum(key, e.b[mid:]))
	w.rows[bucket] = append(w.rows[bucket], row{key, e.b[mid:len(e.b):len(e.b)]})
	w.took(e)
}

// delete lines up the removal of the key that e has written.
func (w *flusher) delete(bucket int, e *encoder) {
	w.rows[bucket] = append(w.rows[bucket], row{e.b[:len(e.b):len(e.b)], nil})
	w.took(e)
}

// took moves the arena's end behind what e has written, if it fitted.
func (w *flusher) took(e *encoder) {
	if free := cap(w.arena) - len(w.arena); len(e.b) <= free && cap(e.b) == free {
		w.arena = w.arena[:len(w.arena)+len(e.b)]
	}
}

func (w *flusher) write(tx *bolt.Tx) error {
	w.rows[inUnits] = make([]row, 0, len(w.d.units))
	w.rows[inIDs] = make([]row, 0, len(w.d.units))
	for _, u := range w.d.units {
		w.unit(u)
	}
	for q, n := range w.queues {
		w.count(q, n)
	}
	for s := range w.d.switches {
		w.pause(s)
	}
	e := w.begin()
	e.raw(keyState)
	w.totals.write(&e, w.d.to)
	w.put(inMeta, &e, len(keyState))
	for i, name := range allBuckets {
		if err := putAll(tx.Bucket(name), w.rows[i]); err != nil {
			return err
		}
	}
	return nil
}

func putAll(b *bolt.Bucket, rows []row) error {
	b.FillPercent = 0.9 // keys mostly come in order; a row may still grow a little
	slices.SortFunc(rows, func(a, c row) int { return bytes.Compare(a.key, c.key) })
	for _, r := range rows {
		var err error
		if r.val == nil {
			err = b.Delete(r.key)
		} else {
			err = b.Put(r.key, r.val)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *flusher) count(queue string, n int) {
	e := w.begin()
	e.b = appendName(e.b, queue)
	if n <= 0 {
		w.delete(inQueues, &e)
		return
	}
	mid := len(e.b)
	e.uint(uint64(n))
	w.put(inQueues, &e, mid)
}

func (w *flusher) unit(u *unit) {
	e := w.begin()
	e.be64(u.seq)
	u.write(&e)
	w.put(inUnits, &e, 8)
	if u.isMessage() {
		w.message(u)
	}
	if u.fresh {
		for _, name := range u.bodies {
			e := w.begin()
			e.b = append(e.b, name...)
			e.be64(u.seq)
			w.put(inBodies, &e, len(name))
		}
	}
	for i := range u.copies {
		w.copy(u, i)
	}
}

func (w *flusher) message(u *unit) {
	if u.fresh {
		e := w.begin()
		e.raw(u.id[:])
		e.be64(u.seq)
		w.put(inIDs, &e, len(u.id))
	}
	if u.was == u.outcome {
		return
	}
	if waits(u.was) {
		e := w.begin()
		waitingKey(&e, u.was, u.seq)
		w.delete(inWaiting, &e)
	}
	if waits(u.outcome) {
		e := w.begin()
		waitingKey(&e, u.outcome, u.seq)
		w.put(inWaiting, &e, len(e.b))
	}
}

func (w *flusher) copy(u *unit, n int) {
	c := &u.copies[n]
	k := message.Key{Seq: u.seq, N: uint16(n)}
	if c.was != c.state {
		w.asideRow(u, c, k)
	}
	if c.was == message.Queued && (c.state != message.Queued || c.pos != c.wasPos) {
		e := w.begin()
		e.b = appendQueuedKey(e.b, c.queue, c.lane, place{c.wasPos, k})
		w.delete(inQueued, &e)
	}
	if c.state == message.Queued && c.dirty {
		e := w.begin()
		e.b = appendQueuedKey(e.b, c.queue, c.lane, place{c.pos, k})
		mid := len(e.b)
		c.writeQueued(&e)
		w.put(inQueued, &e, mid)
	}
}

func (w *flusher) asideRow(u *unit, c *copyRow, k message.Key) {
	if aside(c.was) {
		e := w.begin()
		asideKey(&e, c.was, u.owner, k)
		w.delete(inAside, &e)
	}
	if aside(c.state) {
		e := w.begin()
		asideKey(&e, c.state, u.owner, k)
		w.put(inAside, &e, len(e.b))
	}
}

// waits says which outcomes are rare and asked for by themselves.
func waits(o message.Outcome) bool {
	return o == message.Held || o == message.Unrouted || o == message.Rejected || o == message.Quarantined
}

// aside says which states of copies are.
func aside(s message.CopyState) bool { return s == message.CopyHeld || s == message.DeadLettered }

func waitingKey(e *encoder, o message.Outcome, seq uint64) {
	e.byte(byte(o))
	e.be64(seq)
}

func asideKey(e *encoder, s message.CopyState, owner uint64, k message.Key) {
	e.byte(byte(s))
	e.b = appendPlace(e.b, place{owner, k})
}
