package disk

import (
	"bytes"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/spine-engine/spine-engine/internal/message"
)

// flusher writes one delta in one transaction, each bucket in order of its keys,
// so that bbolt fills its pages instead of splitting them.
type flusher struct {
	d      *delta
	totals totals
	queues map[string]int
	rows   map[string][]row // by bucket
}

// row is one change; val nil deletes.
type row struct{ key, val []byte }

func (w *flusher) put(bucket, key, val []byte) {
	w.rows[string(bucket)] = append(w.rows[string(bucket)], row{key, closeRow(key, val)})
}

func (w *flusher) delete(bucket, key []byte) {
	w.rows[string(bucket)] = append(w.rows[string(bucket)], row{key, nil})
}

func (w *flusher) write(tx *bolt.Tx) error {
	w.rows = map[string][]row{}
	for _, u := range w.d.units {
		w.unit(u)
	}
	for q, n := range w.queues {
		if n > 0 {
			w.put(bucketQueues, appendName(nil, q), countRow(n))
		} else {
			w.delete(bucketQueues, appendName(nil, q))
		}
	}
	w.put(bucketMeta, keyState, w.totals.row(w.d.to))
	for _, name := range allBuckets {
		if err := putAll(tx.Bucket(name), w.rows[string(name)]); err != nil {
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

func countRow(n int) []byte {
	e := encoder{}
	e.uint(uint64(n))
	return e.b
}

func (w *flusher) unit(u *unit) {
	w.put(bucketUnits, be64(u.seq), u.row())
	if u.isMessage() {
		w.message(u)
	}
	if u.fresh {
		for _, name := range u.bodies {
			w.put(bucketBodies, []byte(name), be64(u.seq))
		}
	}
	for i := range u.copies {
		w.copy(u, i)
	}
}

func (w *flusher) message(u *unit) {
	if u.fresh {
		w.put(bucketIDs, u.id[:], be64(u.seq))
	}
	if u.was != u.outcome {
		if waits(u.was) {
			w.delete(bucketWaiting, waitingKey(u.was, u.seq))
		}
		if waits(u.outcome) {
			w.put(bucketWaiting, waitingKey(u.outcome, u.seq), nil)
		}
	}
}

func (w *flusher) copy(u *unit, n int) {
	c := &u.copies[n]
	k := message.Key{Seq: u.seq, N: uint16(n)}
	if c.was != c.state {
		if aside(c.was) {
			w.delete(bucketAside, asideKey(c.was, u.owner, k))
		}
		if aside(c.state) {
			w.put(bucketAside, asideKey(c.state, u.owner, k), nil)
		}
	}
	if c.was == message.Queued && (c.state != message.Queued || c.pos != c.wasPos) {
		w.delete(bucketQueued, queuedKey(c.queue, c.lane, place{c.wasPos, k}))
	}
	if c.state == message.Queued && c.dirty {
		w.put(bucketQueued, queuedKey(c.queue, c.lane, place{c.pos, k}), queuedRow(c))
	}
}

// waits says which outcomes are rare and asked for by themselves.
func waits(o message.Outcome) bool {
	return o == message.Held || o == message.Unrouted || o == message.Rejected || o == message.Quarantined
}

// aside says which states of copies are.
func aside(s message.CopyState) bool { return s == message.CopyHeld || s == message.DeadLettered }

func waitingKey(o message.Outcome, seq uint64) []byte {
	return append([]byte{byte(o)}, be64(seq)...)
}

func asideKey(s message.CopyState, owner uint64, k message.Key) []byte {
	return appendPlace([]byte{byte(s)}, place{owner, k})
}
