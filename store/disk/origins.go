package disk

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// originKey stands for an origin: the first 16 bytes of its SHA-256. The zero
// key is no origin.
type originKey [16]byte

func keyOfOrigin(s string) originKey {
	if s == "" {
		return originKey{}
	}
	h := sha256.Sum256([]byte(s))
	return originKey(h[:16])
}

// firstSeen is the message an origin belongs to.
type firstSeen struct {
	seq uint64
	at  int64 // when it was stored, ns
}

const (
	originsPrefix = "origins-"
	originsExt    = ".db"
	dayLayout     = "20060102"
	day           = 24 * time.Hour

	originsMax    = 1 << 16          // entries in memory
	originsBehind = 64 << 20         // bytes of log to read again at start
	originsEvery  = 10 * time.Second // how long entries stay in memory only
)

// origins remembers which origins were stored, in one bbolt file per day of
// storing. Keys are random, so a day's file is dropped whole, never thinned.
type origins struct {
	dir    string
	window time.Duration
	now    func() time.Time

	flushMu  sync.Mutex
	mu       sync.RWMutex
	active   map[originKey]firstSeen
	flushing map[originKey]firstSeen
	to       uint64 // log offset active has reached
	reached  uint64 // log offset the files have reached
	flushed  time.Time
	gen      uint64       // of the files: how many flushes they have seen
	days     []*originDay // newest first
}

type originDay struct {
	name string // 20260131
	db   *bolt.DB
}

var (
	bucketOrigins = []byte("origins")
	keyDays       = []byte("days")
)

// note remembers origins of durable records; everything before the offset has
// been noted then. Only the writer (or Open, before it) calls it.
func (o *origins) note(fresh map[originKey]firstSeen, to uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for k, f := range fresh {
		o.active[k] = f
	}
	o.to = max(o.to, to)
}

// files looks an origin up in the files. The answer holds for the generation
// returned with it.
func (o *origins) files(k originKey) (f firstSeen, ok bool, gen uint64, err error) {
	o.mu.RLock()
	days, gen := o.days, o.gen
	o.mu.RUnlock()
	err = guarded(func() error {
		for _, d := range days {
			f, ok, err = d.get(k)
			if err != nil || ok {
				return err
			}
		}
		return nil
	})
	return f, ok, gen, err
}

func (d *originDay) get(k originKey) (f firstSeen, ok bool, err error) {
	err = d.db.View(func(tx *bolt.Tx) error {
		val := tx.Bucket(bucketOrigins).Get(k[:])
		if val == nil {
			return nil
		}
		row, err := openRow(k[:], val)
		f, ok = firstSeen{row.uint(), int64(row.uint())}, true
		return err
	})
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) { // dropped meanwhile
		err = nil
	}
	return f, ok, err
}

// known gives the message an origin belongs to, if it is within the window. The
// caller brings what it found in the files, and of which generation that is.
func (o *origins) known(k originKey, found firstSeen, hit bool, gen uint64, now time.Time) (firstSeen, bool, error) {
	o.mu.RLock()
	f, ok := o.active[k]
	if !ok {
		f, ok = o.flushing[k]
	}
	stale := gen != o.gen
	o.mu.RUnlock()
	if !ok {
		f, ok = found, hit
		if stale {
			var err error
			if f, ok, _, err = o.files(k); err != nil {
				return f, false, err
			}
		}
	}
	return f, ok && now.UnixNano()-f.at <= int64(o.window), nil
}

// due says whether the files have fallen behind their bounds.
func (o *origins) due() bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	n := len(o.active)
	return n >= originsMax || o.to-o.reached >= originsBehind || (n > 0 && o.now().Sub(o.flushed) >= originsEvery)
}

// flush writes what is in memory to the days' files and drops old days.
func (o *origins) flush() error {
	o.flushMu.Lock()
	defer o.flushMu.Unlock()
	o.mu.Lock()
	to := o.to
	if to == o.reached && len(o.active) == 0 {
		o.mu.Unlock()
		return nil
	}
	o.flushing, o.active = o.active, map[originKey]firstSeen{}
	rows := o.flushing
	o.mu.Unlock()

	err := guarded(func() error { return o.write(rows, to) })
	if err != nil {
		return fmt.Errorf("writing the origins: %w", err)
	}
	o.mu.Lock()
	o.flushing, o.reached, o.flushed = nil, to, o.now()
	o.gen++
	o.mu.Unlock()
	return nil
}

// write puts each row into its day's file. The newest file is last: it says how
// far all of them have come.
func (o *origins) write(rows map[originKey]firstSeen, to uint64) error {
	byDay := map[string][]originKey{}
	for k, f := range rows {
		name := time.Unix(0, f.at).UTC().Format(dayLayout)
		byDay[name] = append(byDay[name], k)
	}
	newest := o.now().UTC().Format(dayLayout)
	if len(o.days) > 0 {
		newest = o.days[0].name
	}
	byDay[newest] = append([]originKey{}, byDay[newest]...)
	names := slices.Sorted(maps.Keys(byDay))
	for i, name := range names {
		d, err := o.day(name)
		if err != nil {
			return err
		}
		last := i == len(names)-1
		if err := d.db.Update(func(tx *bolt.Tx) error { return o.put(tx, byDay[name], rows, to, last) }); err != nil {
			return err
		}
	}
	return o.dropOld()
}

func (o *origins) put(tx *bolt.Tx, keys []originKey, rows map[originKey]firstSeen, to uint64, last bool) error {
	b := tx.Bucket(bucketOrigins)
	slices.SortFunc(keys, func(a, c originKey) int { return slices.Compare(a[:], c[:]) })
	for _, k := range keys {
		e := encoder{b: make([]byte, 0, 24)}
		e.uint(rows[k].seq)
		e.uint(uint64(rows[k].at))
		if err := b.Put(k[:], closeRow(k[:], e.b)); err != nil {
			return err
		}
	}
	if !last {
		return nil
	}
	e := encoder{}
	e.uint(to)
	e.uint(uint64(len(o.days)))
	for _, d := range o.days {
		e.string(d.name)
	}
	return tx.Bucket(bucketMeta).Put(keyDays, closeRow(keyDays, e.b))
}

// day gives the file of a day, made if need be.
func (o *origins) day(name string) (*originDay, error) {
	for _, d := range o.days {
		if d.name == name {
			return d, nil
		}
	}
	d, err := openDay(o.dir, name)
	if err != nil {
		return nil, err
	}
	days := append(slices.Clone(o.days), d)
	slices.SortFunc(days, func(a, b *originDay) int { return cmp.Compare(b.name, a.name) })
	o.mu.Lock()
	o.days = days
	o.mu.Unlock()
	return d, nil
}

// dropOld removes the files of days that lie wholly before the window.
func (o *origins) dropOld() error {
	oldest := o.oldest()
	var keep, drop []*originDay
	for i, d := range o.days {
		if i > 0 && d.name < oldest { // the newest says how far all have come
			drop = append(drop, d)
		} else {
			keep = append(keep, d)
		}
	}
	o.mu.Lock()
	o.days = keep
	o.mu.Unlock()
	for _, d := range drop {
		if err := d.db.Close(); err != nil {
			return err
		}
		if err := os.Remove(dayPath(o.dir, d.name)); err != nil {
			return err
		}
	}
	return nil
}

// oldest is the first day that may hold origins within the window.
func (o *origins) oldest() string { return o.now().Add(-o.window).UTC().Format(dayLayout) }

func dayPath(dir, name string) string {
	return filepath.Join(dir, originsPrefix+name+originsExt)
}

func openDay(dir, name string) (*originDay, error) {
	db, err := bolt.Open(dayPath(dir, name), 0o600, boltOptions())
	if err != nil {
		return nil, fmt.Errorf("%w: origins of %s: %w", errView, name, err)
	}
	db.AllocSize = 1 << 20
	err = db.Update(func(tx *bolt.Tx) error {
		for _, b := range [][]byte{bucketMeta, bucketOrigins} {
			if _, err := tx.CreateBucketIfNotExists(b); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		db.Close()
		return nil, err
	}
	return &originDay{name, db}, syncDir(dir)
}

// openOrigins opens the days' files. When one is damaged or missing, all go, and
// the log is read again for them.
func openOrigins(dir string, window time.Duration, now func() time.Time) (*origins, error) {
	o := &origins{dir: dir, window: window, now: now, active: map[originKey]firstSeen{}, flushed: now()}
	err := guarded(o.open)
	if err == nil {
		return o, nil
	}
	if !errors.Is(err, errView) {
		return nil, err
	}
	o.close()
	o.days, o.to, o.reached = nil, 0, 0
	return o, dropOrigins(dir)
}

func (o *origins) open() error {
	names, err := dayNames(o.dir)
	if err != nil {
		return err
	}
	slices.Sort(names)
	slices.Reverse(names)
	for _, name := range names {
		d, err := openDay(o.dir, name)
		if err != nil {
			return err
		}
		o.days = append(o.days, d)
	}
	if len(o.days) == 0 {
		return nil
	}
	return o.days[0].db.View(func(tx *bolt.Tx) error { return o.load(tx, names) })
}

// load reads how far the files have come and that none of them is missing.
func (o *origins) load(tx *bolt.Tx, names []string) error {
	d, err := openRow(keyDays, tx.Bucket(bucketMeta).Get(keyDays))
	if err != nil {
		return err
	}
	o.to = d.uint()
	o.reached = o.to
	for range d.count(1) {
		if name := d.string(); name >= o.oldest() && !slices.Contains(names, name) {
			return fmt.Errorf("%w: the origins of %s are missing", errView, name)
		}
	}
	return d.err
}

func dayNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), originsPrefix)
		name, ok2 := strings.CutSuffix(rest, originsExt)
		if ok && ok2 {
			names = append(names, name)
		}
	}
	return names, nil
}

func dropOrigins(dir string) error {
	names, err := dayNames(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := os.Remove(dayPath(dir, name)); err != nil {
			return fmt.Errorf("removing damaged origins: %w", err)
		}
	}
	return nil
}

func (o *origins) close() error {
	var errs []error
	for _, d := range o.days {
		errs = append(errs, guarded(d.db.Close))
	}
	return errors.Join(errs...)
}

// forget drops everything: the log has lost what the files know.
func (o *origins) forget() error {
	if err := o.close(); err != nil {
		return err
	}
	o.days, o.to, o.reached = nil, 0, 0
	clear(o.active)
	return dropOrigins(o.dir)
}
