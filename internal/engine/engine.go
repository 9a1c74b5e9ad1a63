package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
	"github.com/spine-engine/spine-engine/store"
)

// Backend is a store with all its sides.
type Backend interface {
	store.Journal
	store.History
	store.Switches
	store.Archive
}

// Options say what to run.
type Options struct {
	Project     string // folder of the project
	Environment string // overrides spine.yaml's environment when not empty
	Kinds       []adapters.Kind
	Log         zerolog.Logger
	// OpenStore opens the store under dir.
	OpenStore func(dir string, o StoreOptions) (Backend, error)
	// Shadow, when not empty, is the folder that captures what would be delivered:
	// no destination is opened, and the store is one of its own, <store>-shadow.
	Shadow string
	// ShadowTakes lets a shadow also take messages away, from mailboxes.
	ShadowTakes bool
	// Grace is how long a stop waits for work in hand; 0 = 20 s.
	Grace time.Duration
}

// StoreOptions are what the engine asks of its store.
type StoreOptions struct {
	MinFree  int64         // bytes that must stay free
	Origins  time.Duration // how long origins are remembered
	Observer store.Observer
	Known    func(queue string) bool // whether it is a destination now
	Fatal    func(error)             // called once when the store fails for good
}

// Engine is a running project.
type Engine struct {
	opts    Options
	project string // absolute
	log     zerolog.Logger
	store   Backend
	plan    atomic.Pointer[routes.Plan]
	budget  *budget
	metrics *metrics
	started time.Time

	reloading sync.Mutex // one reload at a time
	// byName is a copy of queues for the store's observer, which may not wait for mu:
	// whoever holds mu may be waiting for the store.
	byName   atomic.Pointer[map[string]*queue]
	deciding sync.RWMutex // held for reading from decision to record, see apply
	mu       sync.Mutex   // guards what follows
	queues   map[string]*queue
	sources  map[string]*source
	reload   ReloadState
	ordered  map[store.Subject]store.Switch // pauses of people
	running  bool                           // sources and queues have been started

	pausesChanged chan struct{}
	life          context.Context // ends when the engine begins to stop
	die           context.CancelFunc

	stopping atomic.Bool
	failed   chan error // the store's fatal error
}

// ErrProject says that the project has problems and nothing could be run.
var ErrProject = errors.New("the project has problems")

// Open loads the project, opens its store and binds everything, without serving
// yet. With a broken folder it takes the last good project from the store.
func Open(o Options) (*Engine, []conf.Problem, error) {
	dir, err := filepath.Abs(o.Project)
	if err != nil {
		return nil, nil, fmt.Errorf("project folder: %w", err)
	}
	if o.Grace == 0 {
		o.Grace = 20 * time.Second
	}
	e := &Engine{opts: o, project: dir, log: o.Log, started: time.Now(),
		queues: map[string]*queue{}, sources: map[string]*source{}, failed: make(chan error, 1),
		pausesChanged: make(chan struct{}, 1)}
	e.life, e.die = context.WithCancel(context.Background())
	e.byName.Store(&map[string]*queue{})
	e.budget = newBudget(defaultInFlight)
	e.metrics = newMetrics(e)
	plan, problems := e.load(os.DirFS(dir))
	settings := routes.ReadSettings(os.DirFS(dir), e.loadOptions(os.DirFS(dir)))
	if plan != nil {
		settings = plan.Settings
	}
	e.store, err = o.OpenStore(e.storeDir(settings), StoreOptions{MinFree: settings.MinFree,
		Origins: originWindow(plan), Observer: e.committed, Known: e.isDestination, Fatal: e.fail})
	if err != nil {
		return nil, problems, err
	}
	if err = e.readPauses(); err == nil {
		err = e.first(plan, problems)
	}
	if err != nil {
		e.store.Close()
		return nil, problems, err
	}
	return e, problems, nil
}

// first brings up the folder's plan, or the last good one when the folder is broken.
func (e *Engine) first(plan *routes.Plan, problems []conf.Problem) error {
	if plan != nil {
		more, err := e.apply(plan)
		if err == nil {
			e.noteReload(nil, nil)
			return e.activate(plan)
		}
		problems = append(problems, more...)
		e.noteReload(problems, err)
	} else {
		e.noteReload(problems, ErrProject)
	}
	why := e.Reload().Err
	last, err := e.lastGood()
	if err != nil {
		return fmt.Errorf("%w, and the store holds no earlier project to run instead", why)
	}
	if _, err := e.apply(last); err != nil {
		return fmt.Errorf("the last good project %s cannot start either: %w", last.Hash(), err)
	}
	e.log.Error().Str("plan", last.Hash().String()).Int("problems", len(problems)).Err(why).
		Msg("the project folder is broken: running the last good project instead; see spine-engine check")
	return nil
}

// originWindow is the longest window that a source declares for duplicates, and
// never less than a week: mailbox files are known by their origins too.
func originWindow(plan *routes.Plan) time.Duration {
	longest := 7 * 24 * time.Hour
	if plan == nil {
		return longest
	}
	for _, s := range plan.Sources() {
		longest = max(longest, s.Duplicates)
	}
	return longest
}

func (e *Engine) load(fsys fs.FS) (*routes.Plan, []conf.Problem) {
	return routes.Load(fsys, e.loadOptions(fsys))
}

func (e *Engine) loadOptions(fs.FS) routes.LoadOptions {
	return routes.LoadOptions{Kinds: e.opts.Kinds, Environment: e.opts.Environment,
		Env: os.LookupEnv, Secrets: os.DirFS(e.project)}
}

// storeDir is where the store lies. A shadow has its own, so that nothing it does
// is ever taken for the live engine's.
func (e *Engine) storeDir(s routes.Settings) string {
	dir := e.path(s.StoreDir)
	if e.opts.Shadow != "" {
		dir = ShadowStore(dir)
	}
	return dir
}

// ShadowStore is the store of the shadow of an engine whose store is in dir.
func ShadowStore(dir string) string { return filepath.Clean(dir) + "-shadow" }

// path makes a configured path absolute; relative ones start at the project.
func (e *Engine) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(e.project, p)
}

// Run serves until ctx ends, then stops in order: sources first, then what is in
// hand, then the store. It returns store.ErrFailed when the store has failed.
func (e *Engine) Run(ctx context.Context) error {
	run, cancel := context.WithCancel(context.Background())
	defer cancel()
	e.mu.Lock()
	for _, q := range e.queues {
		q.start()
	}
	for _, s := range e.sources {
		s.start(e.accept)
	}
	e.running = true
	e.mu.Unlock()
	e.log.Info().Str("plan", e.Plan().Hash().String()).Str("environment", e.Plan().Environment).
		Int("sources", len(e.sources)).Int("destinations", len(e.queues)).Msg("running")
	var watch sync.WaitGroup
	watch.Go(func() { e.watch(run) })
	watch.Go(func() { e.resumes(run) })
	var err error
	select {
	case <-ctx.Done():
	case err = <-e.failed:
	}
	e.die()
	cancel()
	watch.Wait()
	e.reloading.Lock() // an asked-for reload may be under way; none begins after this
	e.stop()
	return errors.Join(err, e.store.Close())
}

// stop ends sources, then queues. Whatever does not end within the grace is
// left: the journal decides at the next start.
func (e *Engine) stop() {
	e.stopping.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), e.opts.Grace)
	defer cancel()
	sources, queues := e.allSources(), e.allQueues()
	for _, s := range sources {
		s.cancel()
	}
	for _, s := range sources {
		s.wait(ctx)
	}
	for _, q := range queues {
		q.cancel()
	}
	for _, q := range queues {
		q.wait(ctx)
	}
	e.log.Info().Msg("stopped")
}

// Close ends an engine that was opened and never run.
func (e *Engine) Close() error {
	e.die()
	e.stop()
	return e.store.Close()
}

// placed says where in the project the part stands that failed.
func placed(p message.Place, what string, err error) error {
	return fmt.Errorf("%s: %s: %w", p, what, err)
}

// fail is called by the store, once, when a write or sync has failed.
func (e *Engine) fail(err error) {
	e.stopping.Store(true)
	select {
	case e.failed <- err:
	default:
	}
}

// Plan is the plan in force.
func (e *Engine) Plan() *routes.Plan { return e.plan.Load() }

// Store gives the store to the console.
func (e *Engine) Store() Backend { return desk{e.store, e} }
