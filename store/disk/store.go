package disk

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

// Options of a store. The zero value is usable.
type Options struct {
	Observer store.Observer // told of every group of records; may be nil

	SegmentSize int64         // bytes of a log segment before the next is begun; default 256 MiB
	SegmentAge  time.Duration // age at which the next segment is begun; default 24 h

	ViewEvery    int           // records before the view is written; default 20,000
	ViewInterval time.Duration // time before the view is written; default 1 s

	MinFree      int64         // bytes that must stay free; default 256 MiB, negative = no floor
	OriginWindow time.Duration // how long origins are remembered; default 7 days

	Now         func() time.Time // default time.Now
	Log         zerolog.Logger   // default: none
	Holder      string           // what the lock file says of the holder; default the command line's first words
	LockTimeout time.Duration    // how long to wait for the lock; default 0

	// Known says whether somebody sends what is queued for a name: copies that a
	// person queues again are refused elsewhere. nil = nobody knows. It must not
	// block and must not call the store.
	Known func(queue string) bool

	// Fatal is called once, from a goroutine of its own, when a write or sync has
	// failed. Everything answers store.ErrFailed from then on.
	Fatal func(error)
}

func (o Options) withDefaults() Options {
	setDefault(&o.SegmentSize, 256<<20)
	setDefault(&o.SegmentAge, 24*time.Hour)
	setDefault(&o.ViewEvery, 20_000)
	setDefault(&o.ViewInterval, time.Second)
	setDefault(&o.MinFree, 256<<20)
	setDefault(&o.OriginWindow, 7*day)
	setDefault(&o.Holder, strings.Join(os.Args[:min(2, len(os.Args))], " "))
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Observer == nil {
		o.Observer = func([]store.Commit) {}
	}
	if o.Fatal == nil {
		o.Fatal = func(error) {}
	}
	return o
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// Store is a store on one disk. It implements store.Journal, store.History,
// store.Switches and store.Archive.
type Store struct {
	dir     string
	bodies  string // folder of body files
	o       Options
	lock    *os.File
	log     *journal
	view    *view
	origins *origins
	space   *space

	w      writer
	failed atomic.Pointer[error]
	closed atomic.Bool
	stop   chan struct{} // ends the flusher
	full   chan struct{} // asks the flusher to write now
	done   sync.WaitGroup

	dayMu   sync.Mutex
	dayMade string // the day whose body folder is known to be durable
}

var (
	_ store.Journal  = (*Store)(nil)
	_ store.History  = (*Store)(nil)
	_ store.Archive  = (*Store)(nil)
	_ store.Switches = (*Store)(nil)
)

// Open opens the store in dir, makes it if there is none, and repairs what a
// crash or damage has left. ErrLocked names the process that has it open.
func Open(dir string, o Options) (*Store, error) {
	s := &Store{dir: dir, bodies: filepath.Join(dir, "bodies"), o: o.withDefaults(), stop: make(chan struct{}), full: make(chan struct{}, 1)}
	s.w.wake = make(chan struct{}, 1)
	s.space = &space{dir: dir, floor: s.o.MinFree, now: s.o.Now}
	s.space.free.Store(math.MaxInt64)
	if err := s.open(); err != nil {
		s.release()
		return nil, fmt.Errorf("opening the store in %s: %w", dir, err)
	}
	s.done.Go(s.write)
	s.done.Go(s.flushNowAndThen)
	return s, nil
}

func (s *Store) open() error {
	if err := s.makeDirs(); err != nil {
		return err
	}
	var err error
	if s.lock, err = takeLock(s.dir, s.o.Holder, s.o.Now(), s.o.LockTimeout); err != nil {
		return err
	}
	s.log = &journal{dir: s.logDir(), size: s.o.SegmentSize, age: s.o.SegmentAge, open: map[uint64]*os.File{}}
	if s.log.segs, err = listSegments(s.logDir()); err != nil {
		return err
	}
	if s.origins, err = openOrigins(s.viewDir(), s.o.OriginWindow, s.o.Now); err != nil {
		return err
	}
	damage, err := s.openView()
	if err != nil {
		return err
	}
	return s.dropOrphans(damage)
}

func (s *Store) makeDirs() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	for _, d := range []string{s.logDir(), s.viewDir(), s.bodiesDir(), s.asideDir(), s.plansDir()} {
		if err := mkdirSynced(d); err != nil {
			return err
		}
	}
	return syncDir(filepath.Dir(filepath.Clean(s.dir)))
}

func (s *Store) logDir() string    { return filepath.Join(s.dir, "log") }
func (s *Store) viewDir() string   { return filepath.Join(s.dir, "view") }
func (s *Store) bodiesDir() string { return s.bodies }
func (s *Store) asideDir() string  { return filepath.Join(s.dir, "set-aside") }
func (s *Store) plansDir() string  { return filepath.Join(s.dir, "plans") }

// usable says whether the store still takes calls.
func (s *Store) usable() error {
	if p := s.failed.Load(); p != nil {
		return *p
	}
	if s.closed.Load() {
		return store.ErrClosed
	}
	return nil
}

// fail makes everything answer ErrFailed from now on, with the first cause.
func (s *Store) fail(cause error) error {
	err := fmt.Errorf("%w: %w", store.ErrFailed, cause)
	if !s.failed.CompareAndSwap(nil, &err) {
		return *s.failed.Load()
	}
	s.o.Log.Error().Err(cause).Msg("the store has failed; nothing more is accepted")
	go s.o.Fatal(err) // it may end the process or close this store, so nobody waits for it
	return err
}

// viewFailed passes nil on and makes the store fail for any fault of the view,
// which the next start will make again.
func (s *Store) viewFailed(err error) error {
	if err == nil {
		return nil
	}
	if p := s.failed.Load(); p != nil {
		return *p
	}
	if s.closed.Load() {
		return store.ErrClosed
	}
	if errors.Is(err, errView) {
		mark := filepath.Join(s.viewDir(), rebuildMark)
		if werr := os.WriteFile(mark, nil, 0o600); werr != nil {
			err = errors.Join(err, werr)
		}
	}
	return s.fail(err)
}

// flushNowAndThen writes the view when it is due.
func (s *Store) flushNowAndThen() {
	t := time.NewTicker(s.o.ViewInterval)
	defer t.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-t.C:
		case <-s.full:
		}
		if s.failed.Load() != nil {
			return
		}
		if err := s.flush(false); err != nil {
			s.viewFailed(err)
			return
		}
	}
}

// flush writes the view, and the origins when they are due or all must be.
func (s *Store) flush(all bool) error {
	if err := s.view.flush(); err != nil {
		return err
	}
	if all || s.origins.due() {
		return s.origins.flush()
	}
	return nil
}

// Close finishes what is in hand, writes the view and lets go of the folder.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.w.close()
	close(s.stop)
	s.done.Wait()
	var err error
	if p := s.failed.Load(); p != nil {
		err = *p
	} else if ferr := s.flush(true); ferr != nil {
		err = s.fail(ferr)
	} else {
		s.log.trim()
	}
	return errors.Join(err, s.release())
}

// release closes what is open, in any state of opening.
func (s *Store) release() error {
	var errs []error
	if s.view != nil {
		errs = append(errs, s.view.close())
	}
	if s.origins != nil {
		errs = append(errs, s.origins.close())
	}
	if s.log != nil {
		errs = append(errs, s.log.close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// readDelivery reads one copy from the log, as it was made.
func (s *Store) readDelivery(k message.Key) (*message.Delivery, error) {
	d, err := s.readMade(k.Seq)
	if err != nil {
		return nil, err
	}
	if int(k.N) >= len(d.Deliveries) {
		return nil, fmt.Errorf("%w: the record at offset %d made no copy %d", errDamaged, k.Seq, k.N)
	}
	return &d.Deliveries[k.N], nil
}

// readMade reads what the record at seq made: a message with its copies, or the
// copies of an action.
func (s *Store) readMade(seq uint64) (*message.Decision, error) {
	typ, payload, err := s.log.read(seq)
	if err != nil {
		return nil, err
	}
	dec := decoder{b: payload, bodies: s.bodiesDir()}
	var d *message.Decision
	switch typ {
	case recAccepted:
		d, _, err = dec.accepted()
	case recAction:
		var a *action
		if a, err = dec.action(); err == nil && a.made != nil {
			a.place(seq)
			return a.made, nil
		}
	}
	if err == nil && d == nil {
		err = fmt.Errorf("%w: the record at offset %d made no copies", errDamaged, seq)
	}
	if err != nil {
		return nil, err
	}
	setKeys(d, seq)
	return d, nil
}
