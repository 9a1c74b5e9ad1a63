package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spine-engine/spine-engine/internal/console"
)

// engine is the binary under test on one project: a process that can be started,
// stopped and killed many times.
type engine struct {
	bin    string
	dir    string   // project
	log    string   // file that collects its standard error
	listen string   // address that answers when it is ready
	socket string   // of its admin interface, within dir; "" = the one of our own projects
	within []string // command that runs it, before the binary; nil = none
	cmd    *exec.Cmd
	done   chan struct{}
}

func (l *lab) engine(p project) *engine {
	return &engine{bin: l.bin, dir: p.dir, listen: p.listen, log: filepath.Join(l.dir, filepath.Base(p.dir)+".log")}
}

// start runs the process; it does not wait until the engine is ready.
func (e *engine) start() error {
	out, err := os.OpenFile(e.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("the engine's log: %w", err)
	}
	defer out.Close()
	argv := append(append([]string{}, e.within...), e.bin, "run", e.dir)
	e.cmd = exec.Command(argv[0], argv[1:]...)
	e.cmd.Stdout, e.cmd.Stderr = out, out
	// If the laboratory dies, the engine must not go on for ever.
	e.cmd.SysProcAttr = dieWithParent()
	if err := e.cmd.Start(); err != nil {
		return fmt.Errorf("starting the engine: %w", err)
	}
	e.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) {
		defer close(done)
		_ = cmd.Wait() // the state is read from ProcessState
	}(e.cmd, e.done)
	return nil
}

// up starts the engine and waits until its listener and its socket take connections.
func (e *engine) up(ctx context.Context) error {
	if err := e.start(); err != nil {
		return err
	}
	return e.ready(ctx)
}

const readyWithin = 30 * time.Second

func (e *engine) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		if answers(e.listen) && (e.dir == "" || e.admits(ctx)) {
			return nil
		}
		select {
		case <-e.done:
			return fmt.Errorf("the engine ended with status %d before it was ready; its log ends:\n%s", e.status(), e.tail())
		case <-ctx.Done():
			return fmt.Errorf("the engine was not ready: %w; its log ends:\n%s", ctx.Err(), e.tail())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func (e *engine) socketPath() string {
	if e.socket != "" {
		return filepath.Join(e.dir, e.socket)
	}
	return filepath.Join(e.dir, socketName)
}

// answers tells whether anybody listens there.
// admits tells whether the engine's socket takes connections.
func (e *engine) admits(ctx context.Context) bool {
	conn, err := console.DialSocket(e.socketPath())(ctx)
	return err == nil && conn.Close() == nil
}

func answers(address string) bool {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	return err == nil && conn.Close() == nil
}

func (e *engine) pid() int { return e.cmd.Process.Pid }

// status is the exit status; 128+signal when a signal ended it, -1 while it runs.
func (e *engine) status() int {
	select {
	case <-e.done:
	default:
		return -1
	}
	if ws, ok := e.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return e.cmd.ProcessState.ExitCode()
}

// kill ends the process at once and waits.
func (e *engine) kill() {
	if e.cmd == nil {
		return
	}
	_ = e.cmd.Process.Kill() // it may have ended by itself
	<-e.done
}

// stop asks the engine to end and gives its exit status.
func (e *engine) stop() (int, error) {
	if err := e.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return 0, fmt.Errorf("stopping the engine: %w", err)
	}
	select {
	case <-e.done:
		return e.status(), nil
	case <-time.After(60 * time.Second):
		e.kill()
		return e.status(), errors.New("the engine did not stop within 60 s")
	}
}

// tail is the end of the engine's log.
func (e *engine) tail() string {
	data, err := os.ReadFile(e.log)
	if err != nil {
		return err.Error()
	}
	return string(data[max(0, len(data)-2000):])
}

// command runs another command of the binary to its end.
func (e *engine) command(ctx context.Context, args ...string) (stdout []byte, status int, err error) {
	cmd := exec.CommandContext(ctx, e.bin, args...)
	stdout, err = cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return stdout, exit.ExitCode(), nil
	}
	return stdout, 0, err
}
