package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// watcher samples a process from outside.
type watcher struct {
	pid    int
	stop   context.CancelFunc
	wg     sync.WaitGroup
	mu     sync.Mutex
	anon   int64 // bytes of RssAnon, the most that was seen
	before time.Duration
	began  time.Time
}

const watchEvery = 250 * time.Millisecond

func watchProcess(ctx context.Context, pid int) *watcher { return watchOften(ctx, pid, watchEvery) }

func watchOften(ctx context.Context, pid int, every time.Duration) *watcher {
	w := &watcher{pid: pid, began: time.Now()}
	w.before, _ = cpuTime(pid) // 0 where there is no /proc
	ctx, w.stop = context.WithCancel(ctx)
	w.wg.Go(func() {
		for {
			w.look()
			select {
			case <-ctx.Done():
				w.look()
				return
			case <-time.After(every):
			}
		}
	})
	return w
}

func (w *watcher) look() {
	n, err := rssAnon(w.pid)
	if err != nil {
		return // it has ended
	}
	w.mu.Lock()
	w.anon = max(w.anon, n)
	w.mu.Unlock()
}

// end gives the most memory seen and the processor time used.
func (w *watcher) end() (anon int64, cpu time.Duration) {
	after, err := cpuTime(w.pid)
	w.stop()
	w.wg.Wait()
	if err != nil {
		return w.anon, 0
	}
	return w.anon, after - w.before
}

// rssAnon reads RssAnon of /proc/PID/status: memory that is not a file's.
func rssAnon(pid int) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		rest, ok := strings.CutPrefix(line, "RssAnon:")
		if !ok {
			continue
		}
		kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
		return kb << 10, err
	}
	return 0, errors.New("no RssAnon in /proc/PID/status")
}

// cpuTime reads utime and stime of /proc/PID/stat, in ticks of 10 ms.
func cpuTime(pid int) (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	s := string(data)
	f := strings.Fields(s[strings.LastIndexByte(s, ')')+1:]) // the name may hold spaces
	if len(f) < 13 {
		return 0, errors.New("short /proc/PID/stat")
	}
	user, err1 := strconv.ParseInt(f[11], 10, 64)
	system, err2 := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond, errors.Join(err1, err2)
}

// memoryGroup is a memory cgroup (version 1) with a limit, in which a process can
// be started.
type memoryGroup struct{ dir string }

const memoryRoot = "/sys/fs/cgroup/memory"

func newMemoryGroup(limit int64) (*memoryGroup, error) {
	g := &memoryGroup{dir: fmt.Sprintf("%s/lab%d", memoryRoot, os.Getpid())}
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(g.dir+"/memory.limit_in_bytes", []byte(strconv.FormatInt(limit, 10)), 0o644); err != nil {
		return nil, errors.Join(err, g.remove())
	}
	return g, nil
}

// remove succeeds once the last process has gone, which can take a moment.
func (g *memoryGroup) remove() error {
	var err error
	for range 50 {
		if err = os.Remove(g.dir); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

// within is the command line that runs another command in the group.
func (g *memoryGroup) within() ([]string, error) {
	exe, err := os.Executable()
	return []string{exe, "_within", g.dir}, err
}

// withinMain enters a group and becomes another program: _within DIR PROGRAM ARGS.
func withinMain(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: _within DIR PROGRAM ARGS")
	}
	if err := os.WriteFile(args[0]+"/cgroup.procs", []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
		return err
	}
	return syscall.Exec(args[1], args[1:], os.Environ())
}
