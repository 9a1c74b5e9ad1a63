package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// delivering measures (b): through five steps into a mailbox.
//
// ext4 without a journal does not give out the inode of a removed file for some
// time, and searches past all of them whenever a file is made: who creates and
// removes thousands of files a second measures that search (two thirds of all
// processor time were seen), in the floor and in the engine. Where there is no
// journal, the consumer therefore moves the files into another folder; the rate
// with removals is printed beside it.
func (s *speed) delivering(ctx context.Context) error {
	p, err := s.project("deliver", toMailbox("box", ""), "", "")
	if err != nil {
		return err
	}
	e := s.engine(p)
	if err := e.up(ctx); err != nil {
		return err
	}
	defer e.kill()
	w := watchProcess(ctx, e.pid())
	var floor, floorCPU, engine, cpu sample
	for range s.roundsOr(5) {
		rate, used, err := s.fileFloor(ctx)
		if err != nil {
			return fmt.Errorf("file floor: %w", err)
		}
		floor, floorCPU = append(floor, rate), append(floorCPU, used)
		run, err := s.intoMailbox(ctx, e, p, s.slice)
		if err != nil {
			return err
		}
		engine, cpu = append(engine, run.rate), append(cpu, run.cpu)
	}
	s.note("file floor, files/s: %s", floor)
	s.note("(b) into a mailbox, messages/s: %s; the consumer %s the files", engine, map[bool]string{true: "moves", false: "removes"}[s.moves()])
	s.note("processor per message, us: file floor %.0f, engine %.0f", floorCPU.median(), cpu.median())
	s.judge("(b) into a mailbox", engine, floor, "file floor")
	if err := s.sustained(ctx, e, p); err != nil {
		return err
	}
	if err := s.removing(ctx, e, p); err != nil {
		return err
	}
	anon, _ := w.end()
	s.check(anon < memoryLimit, "(b) RssAnon at most %d MiB (limit %d MiB)", anon>>20, memoryLimit>>20)
	return nil
}

// sustained is one long run of (b) between two floors.
func (s *speed) sustained(ctx context.Context, e *engine, p project) error {
	before, _, err := s.fileFloor(ctx)
	if err != nil {
		return err
	}
	run, err := s.intoMailbox(ctx, e, p, s.length)
	if err != nil {
		return err
	}
	after, _, err := s.fileFloor(ctx)
	if err != nil {
		return err
	}
	s.note("(b) sustained for %s: %.0f messages/s, %d undelivered at the end; %.0f us of processor per message; file floor before it %.0f, after it %.0f",
		s.length, run.rate, run.left, run.cpu, before, after)
	s.judge("(b) sustained", sample{run.rate}, sample{before, after}, "file floor before and after it")
	s.check(float64(run.left) < run.rate, "(b) the queue at the end is under one second of input: %d messages", run.left)
	return nil
}

// moves tells whether the consumer moves files away instead of removing them.
func (s *speed) moves() bool { return s.take == "move" || s.take == "auto" && !journalled(s.dir) }

// removing prints (b) with a consumer that removes files, where that is not what
// was judged.
func (s *speed) removing(ctx context.Context, e *engine, p project) error {
	if !s.moves() {
		return nil
	}
	remover := *s.lab
	remover.take = "remove"
	var rates sample
	for range s.roundsOr(5) {
		run, err := (&speed{&remover}).intoMailbox(ctx, e, p, s.slice)
		if err != nil {
			return err
		}
		rates = append(rates, run.rate)
	}
	s.note("(b) while the consumer removes the files instead of moving them, messages/s: %s (for information)", rates)
	return nil
}

// fileFloor runs the floor in a process of its own, on a fresh folder, and gives
// files per second and microseconds of processor per file.
func (s *speed) fileFloor(ctx context.Context) (rate, used float64, err error) {
	dir, err := s.fresh("floor")
	if err != nil {
		return 0, 0, err
	}
	cmd, err := self(ctx, "_filefloor", "-dir", dir, "-for", s.slice.String())
	if err != nil {
		return 0, 0, err
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, 0, fmt.Errorf("%w: %s", err, stderr.Bytes())
	}
	var files, nanos float64
	if _, err := fmt.Sscan(string(out), &files, &nanos); err != nil {
		return 0, 0, err
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return ratio(files, nanos/1e9), ratio(float64(cpu.Microseconds()), files), nil
}

// fresh makes a folder that nobody has used. What measurements leave behind stays
// until the laboratory ends: a file system remembers what was removed from it, and
// the next measurement would pay.
func (s *speed) fresh(name string) (string, error) { return os.MkdirTemp(s.dir, name) }

// delivered is one run into a mailbox.
type delivered struct {
	rate float64 // files per second
	cpu  float64 // microseconds of processor in the engine per message
	left int     // acknowledged but not delivered when the time was over
}

// intoMailbox sends as fast as files appear, and no message may be missing after it.
func (s *speed) intoMailbox(ctx context.Context, e *engine, p project, length time.Duration) (d delivered, err error) {
	b, err := s.blast(ctx, blastOptions{to: p.listen, paced: true})
	if err != nil {
		return d, err
	}
	box := &sweeper{dir: p.box("box")}
	if s.moves() {
		if box.to, err = s.fresh("taken"); err != nil {
			return d, err
		}
	}
	f := flow{window: boxWindow, warm: time.Second, length: length, done: func() (int, error) {
		_, err := box.sweep()
		return box.taken, err
	}}
	before, _ := cpuTime(e.pid())
	if d.rate, err = f.run(ctx, b); err == nil {
		d.left, err = e.queued(ctx, "")
	}
	if err != nil {
		b.abandon()
		return d, err
	}
	after, _ := cpuTime(e.pid())
	d.cpu = ratio(float64((after - before).Microseconds()), float64(box.taken))
	r, err := b.wait()
	if err != nil {
		return d, err
	}
	err = eventually(ctx, time.Minute, 10*time.Millisecond, func() (bool, error) {
		_, err := box.sweep()
		return box.taken >= r.Acked, err
	})
	if err == nil && box.taken != r.Acked {
		err = fmt.Errorf("%d files for %d acknowledged messages", box.taken, r.Acked)
	}
	return d, err
}

// inGroup runs the engine where it can have 300 MB and no more, the kernel's cache
// of its files included.
func (s *speed) inGroup(ctx context.Context) (err error) {
	g, err := newMemoryGroup(groupLimit)
	if err != nil {
		s.skip("the engine in a memory group of %d MiB: needs root and cgroup version 1: %v", groupLimit>>20, err)
		return nil
	}
	p, err := s.project("group", toMailbox("box", ""), "", "")
	if err != nil {
		return errors.Join(err, g.remove())
	}
	e := s.engine(p)
	if e.within, err = g.within(); err != nil {
		return errors.Join(err, g.remove())
	}
	defer func() {
		e.kill()
		err = errors.Join(err, g.remove())
	}()
	if err := e.up(ctx); err != nil {
		return err
	}
	run, err := s.intoMailbox(ctx, e, p, 2*s.slice)
	s.check(err == nil && e.status() == -1, "(b) completes in a memory group of %d MiB: %.0f messages/s %s", groupLimit>>20, run.rate, errText(err))
	return nil
}
