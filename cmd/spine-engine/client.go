package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/internal/console"
	"github.com/spine-engine/spine-engine/internal/engine"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
	"github.com/spine-engine/spine-engine/store"
)

// connect gives a client for the engine of the project in dir: the running one,
// or, when none runs, the same API in this process on the store itself.
func connect(ctx context.Context, dir string) (*console.Client, func(), error) {
	if client, err := connectRunning(ctx, dir); err == nil {
		return client, func() {}, nil
	}
	settings := routes.ReadSettings(os.DirFS(dir), loadOptions(dir, ""))
	storeDir := settings.StoreDir
	if !filepath.IsAbs(storeDir) {
		storeDir = filepath.Join(dir, storeDir)
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

// connectRunning gives a client for the running engine, or an error.
func connectRunning(ctx context.Context, dir string) (*console.Client, error) {
	settings := routes.ReadSettings(os.DirFS(dir), loadOptions(dir, ""))
	dial := dialSocket(socketPath(dir, settings))
	conn, err := dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("no engine runs on %s; start one with spine-engine run %s", dir, dir)
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
