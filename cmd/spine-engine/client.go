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
	api := console.API{Store: s, Release: releaseWithout(dir, s)}
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

// releaseWithout decides a held message by the folder's project.
func releaseWithout(dir string, s engine.Backend) console.Releaser {
	return func(ctx context.Context, id message.ID, by store.Person) (*message.Decision, error) {
		plan, problems := loadProject(dir, "")
		if plan == nil {
			return nil, errors.New("the project has problems; see spine-engine check: " + problems[0].String())
		}
		return engine.Release(ctx, plan, s, id, by)
	}
}
