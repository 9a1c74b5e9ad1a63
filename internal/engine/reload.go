package engine

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/routes"
)

// ReloadState tells how the last look at the project folder ended.
type ReloadState struct {
	At       time.Time
	Err      error // nil: the folder's project is the one in force
	Problems []conf.Problem
}

// Reload gives the state of the last reload.
func (e *Engine) Reload() ReloadState {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.reload
}

func (e *Engine) noteReload(problems []conf.Problem, err error) {
	e.mu.Lock()
	e.reload = ReloadState{At: time.Now(), Err: err, Problems: problems}
	e.mu.Unlock()
}

// ReloadNow compiles the folder and, when it has no problems, puts it in force.
// The running plan stays in force in every other case.
func (e *Engine) ReloadNow() ([]conf.Problem, error) {
	e.reloading.Lock()
	defer e.reloading.Unlock()
	plan, problems := e.load(os.DirFS(e.project))
	if plan == nil {
		e.noteReload(problems, ErrProject)
		e.log.Error().Int("problems", len(problems)).Stringer("first", first(problems)).
			Msg("project not reloaded: the running plan stays in force")
		return problems, ErrProject
	}
	if plan.Same(e.Plan()) && e.Reload().Err == nil {
		return problems, nil
	}
	more, err := e.apply(plan)
	problems = append(problems, more...)
	if err == nil {
		err = e.activate(plan)
	}
	e.noteReload(problems, err)
	if err != nil {
		e.log.Error().Err(err).Msg("project not reloaded: the running plan stays in force")
		return problems, err
	}
	e.log.Info().Str("plan", plan.Hash().String()).Msg("project reloaded")
	return problems, nil
}

func first(ps []conf.Problem) fmt.Stringer {
	if i := slices.IndexFunc(ps, func(p conf.Problem) bool { return p.Severity == conf.Error }); i >= 0 {
		return ps[i]
	}
	return conf.Problem{Text: "unknown"}
}

// change is what a new plan needs beyond what runs already.
type change struct {
	queues  []*queue  // opened, not in force yet
	sources []*source // opened, not serving yet
	stopped []string  // sources that had to give up what a new one claims
}

// apply puts a plan in force: everything that can fail first, then one swap,
// then the new is started and the old ended. The first start is the same path
// with nothing running.
func (e *Engine) apply(plan *routes.Plan) ([]conf.Problem, error) {
	if problems := e.orphans(plan); len(problems) > 0 {
		return problems, ErrProject
	}
	c, err := e.prepare(plan)
	if err != nil {
		e.abandon(c)
		return nil, err
	}
	// Point of no return: nothing below fails. Destinations first, for the plan may
	// address them as soon as it is in force.
	live := e.plan.Load() != nil
	e.mu.Lock()
	defer e.mu.Unlock()
	e.budget.resize(plan.Settings.Limits.InFlightBytes)
	e.takeQueues(plan, c, live)
	e.plan.Store(plan)
	e.takeSources(plan, c, live)
	e.dropQueues(plan)
	return nil, nil
}

// orphans are queues with work but without a destination in the plan: to forget
// them would lose messages without a word.
func (e *Engine) orphans(plan *routes.Plan) []conf.Problem {
	queues, err := e.store.Queues()
	if err != nil {
		return []conf.Problem{{File: "spine.yaml", Text: "the store cannot list its queues: " + err.Error()}}
	}
	known := map[string]bool{}
	for _, d := range plan.Destinations() {
		known[d.Queue] = true
	}
	var problems []conf.Problem
	for _, q := range queues {
		if !known[q.Name] {
			problems = append(problems, conf.Problem{File: "spine.yaml",
				Text: fmt.Sprintf("%d copies are queued for %q, which is no destination any more", q.Queued, q.Name),
				Hint: "keep the destination with `retired: true` until its queue is empty, or discard the copies first"})
		}
	}
	return problems
}

func (e *Engine) prepare(plan *routes.Plan) (*change, error) {
	c := &change{}
	for _, d := range plan.Destinations() {
		if old := e.queue(d.Queue); old != nil && old.key == d.Config.Key() {
			continue
		}
		q, err := e.openQueue(d)
		if err != nil {
			return c, err
		}
		c.queues = append(c.queues, q)
	}
	for _, s := range plan.Sources() {
		if old := e.source(s.Name); old != nil && old.key == s.Config.Key() {
			continue
		}
		e.vacate(s, c)
		src, err := e.openSource(s, plan.Settings.Limits)
		if err != nil {
			return c, err
		}
		c.sources = append(c.sources, src)
	}
	return c, nil
}

// vacate stops a running source that holds what the new one must bind.
func (e *Engine) vacate(s routes.Source, c *change) {
	for _, old := range e.allSources() {
		if overlap(old.claims, s.Config.Claims()) && !slices.Contains(c.stopped, old.name) {
			e.stopSource(old)
			c.stopped = append(c.stopped, old.name)
		}
	}
}

// abandon closes what was opened for a plan that failed and brings back the
// sources that had made room for it.
func (e *Engine) abandon(c *change) {
	for _, q := range c.queues {
		closeIt(q.dest, q.log)
	}
	for _, s := range c.sources {
		closeIt(s.src, s.log)
	}
	old := e.Plan()
	if old == nil {
		return
	}
	for _, s := range old.Sources() {
		if !slices.Contains(c.stopped, s.Name) {
			continue
		}
		src, err := e.openSource(s, old.Settings.Limits)
		if err != nil {
			e.log.Error().Err(err).Msg("a source that made room for the new project cannot come back; the next reload tries again")
			continue
		}
		e.mu.Lock()
		e.sources[s.Name] = src
		src.start(e.accept)
		e.mu.Unlock()
	}
}

// takeQueues brings the plan's queues in. e.mu is held.
func (e *Engine) takeQueues(plan *routes.Plan, c *change, live bool) {
	fresh := map[string]*queue{}
	for _, q := range c.queues {
		fresh[q.name] = q
	}
	for _, d := range plan.Destinations() {
		old, opened := e.queues[d.Queue], fresh[d.Queue]
		switch {
		case old == nil:
			e.queues[d.Queue] = opened
			if live {
				opened.start()
			}
		case opened != nil:
			old.replace(opened, d)
		default:
			old.setPolicy(d)
		}
	}
	e.publishQueues()
}

// dropQueues ends the queues that the plan no longer has. Messages decided under
// the former plan may still be on their way into the journal: it waits for them,
// and keeps a queue that got one. e.mu is held.
func (e *Engine) dropQueues(plan *routes.Plan) {
	gone := map[string]*queue{}
	maps.Copy(gone, e.queues)
	for _, d := range plan.Destinations() {
		delete(gone, d.Queue)
	}
	if len(gone) == 0 {
		return
	}
	e.deciding.Lock()
	e.deciding.Unlock() //lint:ignore SA2001 it waits for the decisions in hand
	stored, err := e.store.Queues()
	if err != nil {
		e.log.Error().Err(err).Msg("the store cannot list its queues; destinations that are gone go on until the next reload")
		return
	}
	for _, q := range stored {
		delete(gone, q.Name)
	}
	for name, q := range gone {
		delete(e.queues, name)
		q.cancel()
	}
	e.publishQueues()
}

func (e *Engine) publishQueues() {
	snapshot := maps.Clone(e.queues)
	e.byName.Store(&snapshot)
}

// takeSources starts the new sources and ends those that are gone. e.mu is held.
func (e *Engine) takeSources(plan *routes.Plan, c *change, live bool) {
	keep := map[string]bool{}
	for _, s := range plan.Sources() {
		keep[s.Name] = true
	}
	for _, s := range c.sources {
		if old := e.sources[s.name]; old != nil {
			old.cancel()
		}
		e.sources[s.name] = s
		if live {
			s.start(e.accept)
		}
	}
	for name, s := range e.sources {
		if !keep[name] {
			delete(e.sources, name)
			s.cancel()
		}
	}
}

func (e *Engine) stopSource(s *source) {
	ctx, cancel := context.WithTimeout(context.Background(), e.opts.Grace)
	defer cancel()
	s.cancel()
	s.wait(ctx)
	e.mu.Lock()
	delete(e.sources, s.name)
	e.mu.Unlock()
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

func (e *Engine) queue(name string) *queue {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.queues[name]
}

func (e *Engine) source(name string) *source {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.sources[name]
}

func (e *Engine) allQueues() []*queue {
	return slices.Collect(maps.Values(*e.byName.Load()))
}

func (e *Engine) allSources() []*source {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Collect(maps.Values(e.sources))
}

// activate archives the plan's files in the store, so that a start with a broken
// folder can run them.
func (e *Engine) activate(plan *routes.Plan) error {
	z, err := plan.Zip()
	if err != nil {
		return fmt.Errorf("archiving the project: %w", err)
	}
	return e.store.Activate(plan.Hash(), z)
}

// lastGood compiles the project that was last in force.
func (e *Engine) lastGood() (*routes.Plan, error) {
	hash, data, err := e.store.Active()
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("archived project %s: %w", hash, err)
	}
	plan, problems := e.load(z)
	if plan == nil {
		return nil, fmt.Errorf("archived project %s no longer compiles: %s", hash, first(problems))
	}
	return plan, nil
}

// quiet is how long the folder must be still before it is compiled.
const quiet = 500 * time.Millisecond

// poll is how often the folder is looked at. File notices only make it sooner:
// they do not come from network shares, and they can be lost.
const poll = 2 * time.Second

// watch reloads when the folder has changed and is still again.
func (e *Engine) watch(ctx context.Context) {
	hints := make(chan struct{}, 1)
	if w := e.hints(ctx, hints); w != nil {
		defer w.Close()
	}
	seen := e.fingerprint()
	pending := false
	for ctx.Err() == nil {
		wait := poll
		if pending {
			wait = quiet
		}
		select {
		case <-ctx.Done():
			return
		case <-hints:
		case <-time.After(wait):
		}
		now := e.fingerprint()
		switch {
		case now != seen:
			seen, pending = now, true
		case pending:
			pending = false
			if e.Plan().Settings.Reload != routes.ReloadAsked {
				e.ReloadNow() // it has logged and noted its own outcome
			}
		}
	}
}

func (e *Engine) hints(ctx context.Context, hints chan<- struct{}) *fsnotify.Watcher {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		e.log.Debug().Err(err).Msg("no file notices; the folder is polled")
		return nil
	}
	for _, d := range []string{"", "feeds", "values", "tables", "templates"} {
		if err := w.Add(filepath.Join(e.project, d)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			e.log.Debug().Err(err).Msg("no file notices for a folder; it is polled")
		}
	}
	go func() {
		for range w.Events {
			select {
			case hints <- struct{}{}:
			default:
			}
		}
	}()
	return w
}

// fingerprint sums up names, sizes and times of the project's files.
func (e *Engine) fingerprint() string {
	var b strings.Builder
	for _, top := range []string{"spine.yaml", "feeds", "values", "tables", "templates"} {
		filepath.WalkDir(filepath.Join(e.project, top), func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil // what cannot be read now shows as a change later
			}
			if st, err := d.Info(); err == nil {
				fmt.Fprintln(&b, p, st.Size(), st.ModTime().UnixNano())
			}
			return nil
		})
	}
	return b.String()
}
