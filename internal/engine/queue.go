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
// scheduler what is due; sends, page loads and records are jobs beside it, so that
// the scheduler never waits for a wire or a disk.
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
	due        []lanes.Send          // of these, those that wait no longer
	finish     []message.Finished    // for the recorder
	settles    []func() error        // to be called when finish is durable
	stopped    bool                  // no further send begins
	recording  bool                  // the recorder runs
	failing    bool                  // the last attempt had no answer or a refusal
	lastError  string                // never content
	lastAt     time.Time

	planned time.Time // when the worker looks again by itself
	policy  lanes.Policy
	windows []routes.Pause
	ordered []store.Switch // pauses of the whole queue that people have ordered
	byLane  []store.Switch // ... and of single lanes
	still   bool           // kept still while its copies are decided again
	quiet   chan struct{}  // closed when it is still and nothing is under way
	paused  pauseState     // as the scheduler was told
}

type retiredDest struct {
	dest    adapters.Destination
	sending int
}

// openQueue opens the destination, finishes what a former run left half done,
// and learns from the store what is queued.
func (e *Engine) openQueue(d routes.Destination) (*queue, error) {
	log := e.log.With().Str("queue", d.Queue).Logger()
	dest, err := e.openDestination(d, log)
	if err != nil {
		return nil, placed(d.Place, "destination "+d.Queue, err)
	}
	q := &queue{name: d.Queue, kind: d.Kind, key: d.Config.Key(), log: log, journal: e.store, metrics: e.metrics,
		wake: make(chan struct{}, 1), cancel: func() {}, dest: dest, windows: d.Policy.Pause, policy: e.policy(d),
		unrecorded: map[string]int{}, deferred: map[string]lanes.Send{}}
	if err := q.recover(context.Background()); err != nil {
		closeIt(dest, log)
		return nil, placed(d.Place, "destination "+d.Queue, err)
	}
	if err := q.read(); err != nil {
		closeIt(dest, log)
		return nil, err
	}
	e.mu.Lock()
	q.order(time.Now(), e.ordered)
	e.mu.Unlock()
	return q, nil
}

// read makes a new scheduler of what the store has queued. Copies that are
// committed meanwhile reach the new one as well.
func (q *queue) read() error {
	q.mu.Lock()
	q.lanes = lanes.New(q.policy, uint64(time.Now().UnixNano()))
	if q.paused.on {
		q.lanes.Pause(time.Now(), lanes.Whole(), q.paused.until)
	}
	q.pauseLanes(time.Now())
	q.mu.Unlock()
	var known []lanes.Lane
	err := q.journal.Lanes(q.name, func(l store.Lane) bool {
		known = append(known, lanes.Lane{Name: l.Name, Count: l.Count, Last: l.Last})
		return true
	})
	if err != nil {
		return err
	}
	q.mu.Lock()
	q.lanes.Restore(known)
	q.mu.Unlock()
	return nil
}

// openDestination opens what the copies go to: the declared one, or in shadow a
// folder. Nothing of the declared one is opened then.
func (e *Engine) openDestination(d routes.Destination, log zerolog.Logger) (adapters.Destination, error) {
	if e.opts.Shadow != "" {
		return newCapture(e.path(e.opts.Shadow), d.Queue)
	}
	return d.Config.Open(adapters.DestinationEnv{Name: d.Queue, Project: e.project, Log: log,
		Count: e.metrics.counter("destination", d.Queue)})
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

// job is a piece of work beside the scheduler: a send, a page load, a record. It
// gives the jobs that its end made due.
type job func() []job

// work asks the scheduler what is due when there is news from outside or a time
// has come. What jobs make due they carry on with by themselves: see run.
func (q *queue) work(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		for _, j := range q.step(func(time.Time) {}) {
			q.working.Go(func() { run(q, j) })
		}
		q.mu.Lock()
		timer.Reset(time.Until(q.planned))
		q.mu.Unlock()
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

// run carries a job out and goes on with what it made due: the next copy of a lane
// goes out from the goroutine that saw the last one's record, and no other has to
// wake up for it. What else is due begins first, for a send can take as long as
// its peer likes.
func run(q *queue, j job) {
	for {
		due := j()
		if len(due) == 0 {
			return
		}
		for _, beside := range due[1:] {
			q.working.Go(func() { run(q, beside) })
		}
		j = due[0]
	}
}

// step changes the scheduler's state and gives what that made due.
func (q *queue) step(change func(now time.Time)) []job {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	change(now)
	q.pauses(now)
	actions, wake := q.lanes.Next(now)
	jobs := q.records(actions)
	for _, a := range actions {
		switch a := a.(type) {
		case lanes.Send:
			q.due = append(q.due, a)
		case lanes.Load:
			jobs = append(jobs, q.load(a))
		}
	}
	jobs = append(jobs, q.sends()...)
	q.plan(now, wake)
	q.settled()
	return jobs
}

// plan remembers when the scheduler wants to be asked again, and wakes the
// worker if that is sooner than it thinks. q.mu is held.
func (q *queue) plan(now, wake time.Time) {
	idle := time.Hour
	if len(q.windows) > 0 {
		idle = lookAgain
	}
	if latest := now.Add(idle); wake.IsZero() || wake.After(latest) {
		wake = latest
	}
	sooner := wake.Before(q.planned)
	q.planned = wake
	if sooner {
		q.nudge()
	}
}

func (q *queue) nudge() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// update changes the scheduler's state from outside and lets the worker look.
func (q *queue) update(change func(now time.Time)) {
	q.mu.Lock()
	change(time.Now())
	q.mu.Unlock()
	q.nudge()
}

// setPolicy applies a changed policy to the backlog.
func (q *queue) setPolicy(d routes.Destination, p lanes.Policy) {
	q.update(func(now time.Time) {
		q.windows, q.policy = d.Policy.Pause, p
		q.lanes.SetPolicy(now, p)
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
		q.windows, q.policy = d.Policy.Pause, fresh.policy
		q.lanes.SetPolicy(now, q.policy)
		q.lanes.Kick(now) // a new address deserves a try at once
	})
}

// state is the queue as people see it.
func (q *queue) state(now time.Time) QueueState {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.lanes.Stats(now)
	out := QueueState{Name: q.name, Kind: q.kind, Queued: s.Queued, Lanes: s.Lanes, InFlight: s.InFlight,
		Retrying: s.Retrying, Stopped: s.Stopped, Oldest: s.Oldest, LastError: q.lastError, LastErrorAt: q.lastAt}
	if p := q.pauseNow(now); p.on {
		out.Paused, out.PausedUntil, out.PausedBecause = true, p.until, p.why
	}
	return out
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
