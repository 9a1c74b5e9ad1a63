package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/internal/console"
	"github.com/spine-engine/spine-engine/internal/engine"
	"github.com/spine-engine/spine-engine/routes"
	"github.com/spine-engine/spine-engine/store/disk"
)

// lockTimeout is how long a command waits for the store: another one that only
// looks into it is done in less.
const lockTimeout = 3 * time.Second

// openStore opens the store of a project for the engine or for a command.
func openStore(log zerolog.Logger) func(string, engine.StoreOptions) (engine.Backend, error) {
	return func(dir string, o engine.StoreOptions) (engine.Backend, error) {
		return disk.Open(dir, disk.Options{Observer: o.Observer, Known: o.Known, MinFree: o.MinFree, OriginWindow: o.Origins, Fatal: o.Fatal,
			LockTimeout: lockTimeout, Log: log, Holder: "spine-engine " + strings.Join(os.Args[1:], " ")})
	}
}

// socketPath is where the engine of a project listens for its own user. Its
// shadow has a socket of its own, in its store.
func socketPath(dir string, s routes.Settings, shadow bool) string {
	p := s.AdminSocket
	if shadow {
		p = filepath.Join(engine.ShadowStore(s.StoreDir), filepath.Base(p))
	}
	if !filepath.IsAbs(p) {
		p = filepath.Join(dir, p)
	}
	return p
}

func listenSocket(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("folder of the engine's socket: %w", err)
	}
	// Whoever holds the store's lock owns the socket: what lies there is a dead engine's.
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("removing an old socket: %w", err)
	}
	short, done, err := console.Socket(path)
	if err != nil {
		return nil, err
	}
	defer done()
	l, err := net.Listen("unix", short)
	if err != nil {
		return nil, fmt.Errorf("the engine's socket %s: %w", path, err)
	}
	return l, os.Chmod(path, 0o600)
}
