package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spine-engine/spine-engine/internal/peer"
)

// lab is one run: the binary under test, a folder of its own, and the report.
type lab struct {
	*report
	settings
	dir string // the run's own folder
	bin string // the engine
	rng *rand.Rand
}

func newLab(ctx context.Context, s settings, rep *report) (*lab, error) {
	dir, err := os.MkdirTemp(s.dir, "lab")
	if err != nil {
		return nil, fmt.Errorf("making the laboratory's folder: %w", err)
	}
	l := &lab{report: rep, settings: s, dir: dir, bin: filepath.Join(dir, "spine-engine"),
		rng: newRandom(s.seed)}
	build := exec.CommandContext(ctx, "go", "build", "-o", l.bin, "github.com/spine-engine/spine-engine/cmd/spine-engine")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("building the engine: %w\n%s", err, out), l.close())
	}
	return l, nil
}

func (l *lab) close() error {
	if l.keep {
		l.note("kept: %s", l.dir)
		return nil
	}
	if err := os.RemoveAll(l.dir); err != nil {
		return fmt.Errorf("removing the laboratory's folder: %w", err)
	}
	return nil
}

// rounds of an experiment: the flag, or its own number.
func (l *lab) roundsOr(n int) int {
	if l.settings.rounds > 0 {
		return l.settings.rounds
	}
	return n
}

func (l *lab) countOr(n int) int {
	if l.settings.count > 0 {
		return l.settings.count
	}
	return n
}

// sub makes a folder of this name in the lab's own.
func (l *lab) sub(name string) (string, error) {
	dir := filepath.Join(l.dir, name)
	return dir, os.MkdirAll(dir, 0o755)
}

// freePort gives a loopback address nobody listens on.
func freePort() (string, error) {
	found, err := peer.FreePorts(1)
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	return found[0], nil
}

// self is a command that runs one of the lab's inner commands in a process of its own.
func self(ctx context.Context, args ...string) (*exec.Cmd, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding the laboratory's own binary: %w", err)
	}
	return exec.CommandContext(ctx, exe, args...), nil
}

// inner runs the parts of the laboratory that need a process of their own. ok is
// false when the arguments name none of them.
func inner(args []string) (code int, ok bool) {
	if len(args) == 0 {
		return 0, false
	}
	parts := map[string]func([]string) error{
		"_send": sendMain, "_logfloor": logFloorMain, "_filefloor": fileFloorMain, "_within": withinMain, "_resolving": resolvingMain,
	}
	part, ok := parts[args[0]]
	if !ok {
		return 0, false
	}
	if err := part(args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "lab %s: %v\n", args[0], err)
		return 1, true
	}
	return 0, true
}

func newRandom(seed int64) *rand.Rand { return rand.New(rand.NewPCG(uint64(seed), 1)) }
