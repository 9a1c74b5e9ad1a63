package engine

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
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
	// What was written since the project was loaded shows in the first look.
	seen, pending := e.fingerprint(), true
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

// fingerprint sums up names, sizes and times of the project's files, and of those
// it takes secrets from: a token or certificate that is renewed is taken up.
func (e *Engine) fingerprint() string {
	var b strings.Builder
	note := func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // what cannot be read now shows as a change later
		}
		if st, err := d.Info(); err == nil {
			fmt.Fprintln(&b, p, st.Size(), st.ModTime().UnixNano())
		}
		return nil
	}
	for _, top := range []string{"spine.yaml", "feeds", "values", "tables", "templates"} {
		filepath.WalkDir(filepath.Join(e.project, top), note)
	}
	for _, name := range e.Plan().SecretFiles() {
		if st, err := os.Stat(filepath.Join(e.project, name)); err == nil { // behind links too
			fmt.Fprintln(&b, name, st.Size(), st.ModTime().UnixNano())
		}
	}
	return b.String()
}
