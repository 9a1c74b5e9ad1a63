package engine

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/lanes"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
	"github.com/spine-engine/spine-engine/store"
)

// queue is one destination with its scheduler. One goroutine (work) asks the
// scheduler what is due; sends, page loads and records run beside it and report
// back through post, so that the scheduler never waits for a wire or a disk.
type queue struct {
	name    string
	kind    string
	key     string // of the destination's configuration
	log     zerolog.Logger
	journal store.Journal
	metrics *metrics
	wake    chan struct{} // capacity 1: the scheduler has news
	cancel  context.CancelFunc
	done    chan struct{} // nil until started
	working sync.WaitGroup

	mu         sync.Mutex
	lanes      *lanes.Queue
	dest       adapters.Destination
	sending    int                   // sends under way on dest, to know when a replaced one is free
	retired    []retiredDest         // replaced destinations with sends under way
	unrecorded map[string]int        // by lane: final states on their way to the journal
	deferred   map[string]lanes.Send // sends that wait for these
	finish     []message.Finished    // for the recorder
	settles    []func() error        // to be called when finish is durable
	stopped    bool                  // no further send begins
	recording  bool                  // the recorder runs
	failing    bool                  // the last attempt had no answer or a refusal
	lastError  string                // never content
	lastAt     time.Time

	windows     []routes.Pause
	pausedUntil time.Time
}

type retiredDest struct {
	dest    adapters.Destination
	sending int
}

// openQueue opens the destination, finishes what a former run left half done,
// and learns from the store what is queued.
func (e *Engine) openQueue(d routes.Destination) (*queue, error) {
	log := e.log.With().Str("queue", d.Queue).Logger()
	dest, err := d.Config.Open(adapters.DestinationEnv{Name: d.Queue, Project: e.project, Log: log,
		Count: e.metrics.counter("destination", d.Queue)})
	if err != nil {
		return nil, placed(d.Place, "destination "+d.Queue, err)
	}
	q := &queue{name: d.Queue, kind: d.Kind, key: d.Config.Key(), log: log, journal: e.store, metrics: e.metrics,
		wake: make(chan struct{}, 1), cancel: func() {}, dest: dest, windows: d.Policy.Pause,
		unrecorded: map[string]int{}, deferred: map[string]lanes.Send{}}
	if err := q.recover(context.Background()); err != nil {
		closeIt(dest, log)
		return nil, placed(d.Place, "destination "+d.Queue, err)
	}
	q.lanes = lanes.New(lanesPolicy(d), uint64(time.Now().UnixNano()))
	var known []lanes.Lane
	err = e.store.Lanes(d.Queue, func(l store.Lane) bool {
		known = append(known, lanes.Lane{Name: l.Name, Count: l.Count, Last: l.Last})
		return true
	})
	if err != nil {
		closeIt(dest, log)
		return nil, err
	}
	q.lanes.Restore(known)
	return q, nil
}

// recover records what a former run delivered without recording it.
func (q *queue) recover(ctx context.Context) error {
	r, ok := q.dest.(adapters.Recoverer)
	if !ok {
		return nil
	}
	keys, settle, err := r.Recover(ctx)
	if err != nil {
		return err
	}
	fs, err := q.pendingOf(keys)
	if err != nil {
		return err
	}
	if len(fs) > 0 {
		q.log.Info().Int("copies", len(fs)).Msg("delivered before the last stop and recorded now")
		if err := q.journal.Finish(ctx, fs); err != nil {
			return err
		}
	}
	if settle == nil {
		return nil
	}
	return settle()
}

// pendingOf finds the copies of keys that the journal still holds as queued. They
// were in flight, so they stand at the heads of their lanes.
func (q *queue) pendingOf(keys []message.Key) ([]message.Finished, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	want := map[message.Key]bool{}
	for _, k := range keys {
		want[k] = true
	}
	var names []string
	if err := q.journal.Lanes(q.name, func(l store.Lane) bool { names = append(names, l.Name); return true }); err != nil {
		return nil, err
	}
	var out []message.Finished
	for _, lane := range names {
		ds, err := q.journal.Pending(q.name, lane, 0, message.Key{}, len(keys))
		if err != nil {
			return nil, err
		}
		for _, d := range ds {
			if want[d.Key] {
				out = append(out, message.Finished{Key: d.Key, Pos: d.Pos, Queue: d.Queue, Lane: d.Lane,
					State: message.Delivered, At: time.Now().UTC(), Attempts: d.Attempts + 1, Code: adapters.Written})
			}
		}
	}
	return out, nil
}

func (q *queue) start() {
	ctx, cancel := context.WithCancel(context.Background())
	q.cancel, q.done = cancel, make(chan struct{})
	go func() {
		defer close(q.done)
		q.work(ctx)
		q.working.Wait()
		q.mu.Lock()
		dest := q.dest
		q.mu.Unlock()
		closeIt(dest, q.log)
	}()
}

func (q *queue) wait(ctx context.Context) {
	if q.done == nil {
		closeIt(q.dest, q.log)
		return
	}
	select {
	case <-q.done:
	case <-ctx.Done():
		q.log.Warn().Msg("queue did not stop in time; what was in hand is sent again after the next start")
	}
}

// work asks the scheduler what is due, whenever there is news or its time comes.
func (q *queue) work(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		timer.Reset(q.turn(ctx))
		select {
		case <-ctx.Done():
		case <-q.wake:
		case <-timer.C:
		}
	}
	q.mu.Lock()
	q.stopped = true
	q.mu.Unlock()
}

// turn carries out what is due and returns how long nothing will be.
func (q *queue) turn(ctx context.Context) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	q.pauses(now)
	actions, wake := q.lanes.Next(now)
	for _, a := range actions { // records first: a lane's next send waits for its last record
		switch a := a.(type) {
		case lanes.Finish:
			q.record(a.Finished)
		case lanes.Note:
			q.journal.Note(a.Finished)
			q.count(a.Finished)
		}
	}
	if len(q.settles) > 0 {
		q.record(nil)
	}
	for _, a := range actions {
		switch a := a.(type) {
		case lanes.Send:
			q.sendOrDefer(ctx, a)
		case lanes.Load:
			q.load(a)
		}
	}
	idle := time.Hour
	if len(q.windows) > 0 {
		idle = lookAgain
	}
	if wake.IsZero() {
		return idle
	}
	return min(max(time.Until(wake), 0), idle)
}

func (q *queue) nudge() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// update changes the scheduler's state and lets it look again.
func (q *queue) update(change func(now time.Time)) {
	q.mu.Lock()
	change(time.Now())
	q.mu.Unlock()
	q.nudge()
}

// setPolicy applies a changed policy to the backlog.
func (q *queue) setPolicy(d routes.Destination) {
	q.update(func(now time.Time) {
		q.windows = d.Policy.Pause
		q.lanes.SetPolicy(now, lanesPolicy(d))
	})
}

// replace takes over the destination of a freshly opened queue of the same name;
// the old one is closed when what it is sending has ended.
func (q *queue) replace(fresh *queue, d routes.Destination) {
	q.update(func(now time.Time) {
		old := retiredDest{q.dest, q.sending}
		q.dest, q.key, q.kind, q.sending = fresh.dest, fresh.key, fresh.kind, 0
		if old.sending == 0 {
			closeIt(old.dest, q.log)
		} else {
			q.retired = append(q.retired, old)
		}
		q.windows = d.Policy.Pause
		q.lanes.SetPolicy(now, lanesPolicy(d))
		q.lanes.Kick(now) // a new address deserves a try at once
	})
}

// state is the queue as people see it.
func (q *queue) state(now time.Time) QueueState {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.lanes.Stats(now)
	return QueueState{Name: q.name, Kind: q.kind, Queued: s.Queued, Lanes: s.Lanes, InFlight: s.InFlight,
		Retrying: s.Retrying, Stopped: s.Stopped, Oldest: s.Oldest, LastError: q.lastError, LastErrorAt: q.lastAt}
}

// committed is the store's observer: it hands new copies to their queues, in the
// journal's order. It runs in the store's writer and never waits for a wire.
func (e *Engine) committed(commits []store.Commit) {
	queues := *e.byName.Load()
	now := time.Now()
	for name, group := range groupByQueue(commits) {
		q := queues[name]
		if q == nil {
			e.log.Warn().Str("queue", name).Int("copies", len(group.added)).Msg("copies stored for a queue that does not run; they wait in the store")
			continue
		}
		q.mu.Lock()
		if len(group.added) > 0 {
			q.lanes.Added(now, group.added)
		}
		if len(group.removed) > 0 {
			q.lanes.Removed(now, group.removed)
		}
		q.mu.Unlock()
		q.nudge()
	}
}

type news struct {
	added   []*message.Delivery
	removed []message.Finished
}

func groupByQueue(commits []store.Commit) map[string]*news {
	out := map[string]*news{}
	get := func(name string) *news {
		n := out[name]
		if n == nil {
			n = &news{}
			out[name] = n
		}
		return n
	}
	for _, c := range commits {
		for _, d := range c.Queued {
			n := get(d.Queue)
			n.added = append(n.added, d)
		}
		for _, f := range c.Removed {
			n := get(f.Queue)
			n.removed = append(n.removed, f)
		}
	}
	return out
}
