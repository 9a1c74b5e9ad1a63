package disk

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

// viewFormat names what the rows look like. A view of another format is made
// again from the log.
const viewFormat = "1"

// totals counts messages by outcome and copies by state. Indexes above the last
// outcome or state collect what no known version writes.
type totals struct {
	messages [8]int
	copies   [8]int
}

// view answers questions about the log: bbolt's file, the delta being written to
// it (flushing) and the one being filled (active), newest last.
type view struct {
	db       *bolt.DB
	path     string
	delivery func(message.Key) (*message.Delivery, error) // from the log

	flushMu sync.Mutex // held by whoever writes a delta
	mu      sync.RWMutex
	active  *delta
	// flushing is not changed while it is set. It stays until its rows can be
	// read from the file.
	flushing *delta
	totals   totals
	queues   map[string]int // queued copies
	switches map[store.Subject]store.Switch
}

// boltOptions keep the list of free pages in the file: without it bbolt reads the
// whole file at every opening, in a goroutine of its own, where a damaged page
// would end the process.
func boltOptions() *bolt.Options {
	return &bolt.Options{
		Timeout:         time.Second, // the store's own lock is held already
		FreelistType:    bolt.FreelistMapType,
		InitialMmapSize: 4 << 30, // addresses only; growth then never waits for readers
		NoStatistics:    true,
	}
}

// openView opens the view's file, or makes an empty one.
func openView(dir string) (*view, error) {
	v := &view{path: filepath.Join(dir, "view.db"), active: newDelta(), queues: map[string]int{}, switches: map[store.Subject]store.Switch{}}
	err := guarded(func() (err error) {
		if v.db, err = bolt.Open(v.path, 0o600, boltOptions()); err != nil {
			return fmt.Errorf("%w: %w", errView, err)
		}
		if err := v.db.Update(makeBuckets); err != nil {
			return err
		}
		return v.db.View(v.load)
	})
	if err != nil {
		v.close()
		return nil, err
	}
	return v, nil
}

// dropView removes the view's file, so that it is made again from the log.
func dropView(dir string) error {
	for _, name := range []string{"view.db", rebuildMark} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("removing the damaged view: %w", err)
		}
	}
	return syncDir(dir)
}

// rebuildMark is a file that asks the next start for a new view.
const rebuildMark = "rebuild"

func makeBuckets(tx *bolt.Tx) error {
	for _, name := range allBuckets {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	meta := tx.Bucket(bucketMeta)
	switch f := meta.Get([]byte("format")); {
	case f == nil:
		return meta.Put([]byte("format"), []byte(viewFormat))
	case string(f) != viewFormat:
		return fmt.Errorf("%w: it has another format", errView)
	}
	return nil
}

var keyState = []byte("state")

// load reads offset, totals and counts, and holds the queued rows against them.
func (v *view) load(tx *bolt.Tx) error {
	val := tx.Bucket(bucketMeta).Get(keyState)
	if val == nil {
		return nil
	}
	d, err := openRow(keyState, val)
	if err != nil {
		return err
	}
	v.active.to = d.uint()
	for i := range v.totals.messages {
		v.totals.messages[i] = int(d.uint())
	}
	for i := range v.totals.copies {
		v.totals.copies[i] = int(d.uint())
	}
	if d.err != nil {
		return fmt.Errorf("%w: its state is cut short", errView)
	}
	if err := v.loadSwitches(tx); err != nil {
		return err
	}
	return v.loadQueues(tx)
}

func (v *view) loadQueues(tx *bolt.Tx) error {
	err := tx.Bucket(bucketQueues).ForEach(func(key, val []byte) error {
		name, n, err := readCount(key, val)
		v.queues[name] = n
		return err
	})
	if err != nil {
		return err
	}
	n := 0
	err = tx.Bucket(bucketQueued).ForEach(func(key, val []byte) error {
		n++
		_, err := openRow(key, val)
		return err
	})
	if err == nil && n != v.totals.copies[message.Queued] {
		err = fmt.Errorf("%w: %d copies stand in lanes and %d are counted as queued", errView, n, v.totals.copies[message.Queued])
	}
	return err
}

// write writes offset and totals.
func (t *totals) write(e *encoder, to uint64) {
	e.uint(to)
	for _, n := range t.messages {
		e.uint(uint64(n))
	}
	for _, n := range t.copies {
		e.uint(uint64(n))
	}
}

// offset is the log offset the view has reached, delta included.
func (v *view) offset() uint64 {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.active.to
}

// flush writes the delta to the file. What was committed before the call is in
// the file after it.
func (v *view) flush() error {
	v.flushMu.Lock()
	defer v.flushMu.Unlock()
	v.mu.Lock()
	d := v.active
	if d.records == 0 {
		v.mu.Unlock()
		return nil
	}
	v.flushing, v.active = d, newDelta()
	v.active.to = d.to
	w := flusher{d: d, totals: v.totals, queues: map[string]int{}, switches: maps.Clone(v.switches)}
	for q := range d.queues {
		w.queues[q] = v.queues[q]
	}
	maps.DeleteFunc(v.queues, func(_ string, n int) bool { return n == 0 })
	v.mu.Unlock()

	err := guarded(func() error { return v.db.Update(w.write) })
	if err != nil {
		return fmt.Errorf("writing the view: %w", err)
	}
	v.mu.Lock()
	v.flushing = nil
	v.mu.Unlock()
	return nil
}

// read calls fn with the file as it stands after everything committed before.
func (v *view) read(fn func(tx *bolt.Tx) error) error {
	if err := v.flush(); err != nil {
		return err
	}
	return guarded(func() error { return v.db.View(fn) })
}

func (v *view) close() error {
	if v.db == nil {
		return nil
	}
	return guarded(v.db.Close)
}
