package disk

import (
	"bytes"
	"errors"
	"slices"
	"sort"

	bolt "go.etcd.io/bbolt"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

// waitingCopy is one queued copy as the view knows it.
type waitingCopy struct {
	place
	row copyRow
}

// page gives up to limit queued copies of a lane after from, in order: those of
// the file as the deltas have changed them, with those only the deltas have.
func (v *view) page(l laneName, from place, limit int) ([]waitingCopy, error) {
	var out []waitingCopy
	err := guarded(func() error {
		v.mu.RLock()
		defer v.mu.RUnlock()
		var err error
		if out, err = v.filePage(l, from, limit); err != nil {
			return err
		}
		for _, d := range []*delta{v.flushing, v.active} {
			if d != nil {
				out = v.deltaPage(out, d.lanes[l], from, limit)
			}
		}
		return nil
	})
	return out, err
}

func (v *view) filePage(l laneName, from place, limit int) ([]waitingCopy, error) {
	var out []waitingCopy
	err := v.db.View(func(tx *bolt.Tx) error {
		prefix := lanePrefix(l.queue, l.lane)
		c := tx.Bucket(bucketQueued).Cursor()
		for key, val := c.Seek(queuedKey(l.queue, l.lane, from)); bytes.HasPrefix(key, prefix) && len(out) < limit; key, val = c.Next() {
			w := waitingCopy{place: parsePlace(key[len(prefix):])}
			if err := w.row.readQueued(key, val); err != nil {
				return err
			}
			if w.place.compare(from) > 0 && v.overlay(&w) {
				out = append(out, w)
			}
		}
		return nil
	})
	return out, err
}

// overlay lays the newest delta that knows the copy over it, false when the copy
// is no longer queued at that place.
func (v *view) overlay(w *waitingCopy) bool {
	c := v.active.copyOf(w.key)
	if c == nil || !c.located {
		c = v.flushing.copyOf(w.key)
	}
	if c == nil || !c.located {
		return true
	}
	w.row = *c
	return c.state == message.Queued && c.pos == w.pos
}

// deltaPage merges in what a delta queued after from and the page does not have
// yet: mostly behind it, but a copy can take the place of an older one.
func (v *view) deltaPage(out []waitingCopy, ps []place, from place, limit int) []waitingCopy {
	n := len(out)
	i := sort.Search(len(ps), func(i int) bool { return ps[i].compare(from) > 0 })
	for ; i < len(ps) && len(out)-n < limit; i++ {
		if n >= limit && ps[i].compare(out[n-1].place) >= 0 {
			break
		}
		w := waitingCopy{place: ps[i]}
		if v.overlay(&w) {
			out = append(out, w)
		}
	}
	if n > 0 && len(out) > n && out[n].compare(out[n-1].place) <= 0 {
		slices.SortStableFunc(out, func(a, b waitingCopy) int { return a.compare(b.place) })
		out = slices.CompactFunc(out, func(a, b waitingCopy) bool { return a.place == b.place })
	}
	return out[:min(len(out), limit)]
}

// Pending gives up to limit queued copies of one lane in order of (Pos, Key),
// those after (pos, key). A copy whose bytes are damaged is set aside (held, with
// the reason) instead of blocking its lane.
func (s *Store) Pending(queue, lane string, pos uint64, key message.Key, limit int) ([]*message.Delivery, error) {
	from := place{pos, key}
	for {
		if err := s.usable(); err != nil {
			return nil, err
		}
		rows, err := s.view.page(laneName{queue, lane}, from, limit)
		if err != nil {
			return nil, s.viewFailed(err)
		}
		if len(rows) == 0 {
			return nil, nil
		}
		out, bad, err := s.load(queue, lane, rows)
		if err != nil {
			return nil, err
		}
		if len(bad) > 0 {
			if err := s.setAside(bad); err != nil {
				return nil, err
			}
		}
		if len(out) > 0 {
			return out, nil
		}
		from = rows[len(rows)-1].place
	}
}

// load reads the copies of a page from the log. Those that cannot be read come
// back as news of their being held.
func (s *Store) load(queue, lane string, rows []waitingCopy) (out []*message.Delivery, bad []message.Finished, err error) {
	for i := range rows {
		w := &rows[i]
		d, err := s.readDelivery(w.key)
		if err == nil {
			err = verifyBody(d, queue, lane)
		}
		if errors.Is(err, errDamaged) {
			bad = append(bad, damagedCopy(w, queue, lane))
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		d.Pos, d.State, d.Attempts, d.Stopped = w.pos, message.Queued, w.row.attempts, w.row.stopped
		d.Queued = fromNanos(w.row.queued)
		out = append(out, d)
	}
	return out, bad, nil
}

// Lanes calls yield for every lane of the queue that has queued copies, in order
// of their names.
func (s *Store) Lanes(queue string, yield func(store.Lane) bool) error {
	if err := s.usable(); err != nil {
		return err
	}
	var lanes []store.Lane
	err := s.view.read(func(tx *bolt.Tx) error {
		return eachLane(tx, appendName(nil, queue), func(_ []byte, l store.Lane) { lanes = append(lanes, l) })
	})
	if err != nil {
		return s.viewFailed(err)
	}
	for _, l := range lanes {
		if !yield(l) {
			break
		}
	}
	return nil
}

func eachLane(tx *bolt.Tx, prefix []byte, yield func(first []byte, l store.Lane)) error {
	c := tx.Bucket(bucketQueued).Cursor()
	var first []byte
	var lane store.Lane
	for key, _ := c.Seek(prefix); bytes.HasPrefix(key, prefix); key, _ = c.Next() {
		end := len(key) - placeLen
		if end < len(prefix) {
			return errView
		}
		if first == nil || !bytes.Equal(key[:end], first[:len(first)-placeLen]) {
			if first != nil {
				yield(first, lane)
			}
			name, _, ok := cutName(key[len(prefix):])
			if !ok {
				return errView
			}
			first, lane = slices.Clone(key), store.Lane{Name: name}
		}
		lane.Count++
		lane.Last = parsePlace(key[end:]).pos
	}
	if first != nil {
		yield(first, lane)
	}
	return nil
}

// Queues gives every queue that has queued copies, in order of their names.
func (s *Store) Queues() ([]store.Queue, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	var out []store.Queue
	err := s.view.read(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketQueues).ForEach(func(key, val []byte) error {
			name, n, err := readCount(key, val)
			if err != nil {
				return err
			}
			q := store.Queue{Name: name, Queued: n}
			oldest, err := oldestOf(tx, q.Name)
			q.Oldest = fromNanos(oldest)
			out = append(out, q)
			return err
		})
	})
	return out, s.viewFailed(err)
}

// oldestOf says when the first copy of a queue, in the journal's order, was
// queued. It looks at the head of every lane, jumping from lane to lane.
func oldestOf(tx *bolt.Tx, queue string) (int64, error) {
	prefix := appendName(nil, queue)
	c := tx.Bucket(bucketQueued).Cursor()
	var first place
	var oldest int64
	key, val := c.Seek(prefix)
	for bytes.HasPrefix(key, prefix) && len(key) >= placeLen {
		var r copyRow
		if err := r.readQueued(key, val); err != nil {
			return 0, err
		}
		if p := parsePlace(key[len(key)-placeLen:]); first == (place{}) || p.compare(first) < 0 {
			first, oldest = p, r.queued
		}
		next := append(slices.Clone(key[:len(key)-placeLen]), bytes.Repeat([]byte{0xFF}, placeLen)...)
		key, val = c.Seek(next)
	}
	return oldest, nil
}
