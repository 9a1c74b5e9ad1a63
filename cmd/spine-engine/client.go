package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/spine-engine/spine-engine/internal/console"
	"github.com/spine-engine/spine-engine/internal/engine"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
	"github.com/spine-engine/spine-engine/store"
)

// connect gives a client for the engine of the project in dir: the running one,
// or, when none runs, the same API in this process on the store itself.
func connect(ctx context.Context, dir string) (*console.Client, func(), error) {
	return target{dir: dir}.connect(ctx)
}

// connectRunning gives a client for the running engine, or an error.
func connectRunning(ctx context.Context, dir string) (*console.Client, error) {
	return target{dir: dir}.running(ctx)
}

// target is which engine a command speaks to: a project's, or its shadow.
type target struct {
	dir    string
	shadow bool
}

// flags are those of commands whose arguments are no project folder.
func (t *target) flags(cmd *cobra.Command) {
	dirFlag(cmd, &t.dir)
	t.shadowFlag(cmd)
}

func (t *target) shadowFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&t.shadow, "shadow", false, "speak to the shadow of the project (run --shadow)")
}

func (t target) connect(ctx context.Context) (*console.Client, func(), error) {
	if client, err := t.running(ctx); err == nil {
		return client, func() {}, nil
	}
	dir := t.dir
	settings := routes.ReadSettings(os.DirFS(dir), loadOptions(dir, ""))
	storeDir := settings.StoreDir
	if !filepath.IsAbs(storeDir) {
		storeDir = filepath.Join(dir, storeDir)
	}
	if t.shadow {
		storeDir = engine.ShadowStore(storeDir)
	}
	if _, err := os.Stat(storeDir); err != nil {
		return nil, nil, fmt.Errorf("no engine runs on %s and it has no store yet (%s); start one with spine-engine run %s", dir, storeDir, dir)
	}
	s, err := openStore(zerolog.Nop())(storeDir, engine.StoreOptions{MinFree: settings.MinFree})
	if err != nil {
		return nil, nil, err
	}
	api := withoutEngine(dir, s)
	return console.Local(api.Handler()), func() { s.Close() }, nil
}

func (t target) running(ctx context.Context) (*console.Client, error) {
	settings := routes.ReadSettings(os.DirFS(t.dir), loadOptions(t.dir, ""))
	dial := console.DialSocket(socketPath(t.dir, settings, t.shadow))
	conn, err := dial(ctx)
	if err != nil {
		how := ""
		if t.shadow {
			how = " --shadow"
		}
		return nil, fmt.Errorf("no engine runs on %s; start one with spine-engine run%s %s", t.dir, how, t.dir)
	}
	conn.Close()
	return console.Dial(dial), nil
}

// withoutEngine is the API on a store that no engine has open. What needs a plan
// takes the folder's.
func withoutEngine(dir string, s engine.Backend) console.API {
	plan := func() (*routes.Plan, error) {
		p, problems := loadProject(dir, "")
		if p == nil {
			return nil, errors.New("the project has problems; see spine-engine check: " + problems[0].String())
		}
		return p, nil
	}
	return console.API{
		Store: s,
		Release: func(ctx context.Context, id message.ID, by store.Person) (*message.Decision, error) {
			p, err := plan()
			if err != nil {
				return nil, err
			}
			return engine.Release(ctx, p, s, id, by)
		},
		Reprocess: func(ctx context.Context, o engine.Reprocess) (engine.Reprocessed, error) {
			p, err := plan()
			if err != nil {
				return engine.Reprocessed{}, err
			}
			return engine.ReprocessStore(ctx, p, s, o)
		},
		Pause: func(ctx context.Context, w store.Switch) ([]string, error) {
			p, err := plan()
			if err != nil {
				return nil, err
			}
			return engine.PauseStore(ctx, p, s, w)
		},
		Explain: func(id message.ID) (*engine.Explained, error) {
			p, err := plan()
			if err != nil {
				return nil, err
			}
			return engine.ExplainStored(p, s, id)
		},
	}
}
