package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	memoryLimit = 150 << 20
	groupLimit  = 300 << 20
	share       = 0.60 // of the floor
	boxWindow   = 2000 // undelivered messages that the sender may be ahead of the mailbox
)

// runSpeed measures the engine against the floors of floor.go, in turns on the same
// disk, with the same sender.
func runSpeed(ctx context.Context, l *lab) error {
	s := &speed{lab: l}
	for _, part := range []func(context.Context) error{s.accepting, s.queueing, s.delivering, s.inGroup, s.starting} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

type speed struct{ *lab }

// fiveSteps are what an ordinary feed does to an ADT message.
const fiveSteps = `tables:
  sex: { rows: { "M": "1", "F": "2", "U": "0" } }
transform:
  - set: { MSH-3: SPINE, MSH-4: HUB }
  - map: { at: PID-8, table: sex, unmapped: keep }
  - copy: { from: PID-3(5=PI).1, to: PID-4.1 }
  - set: { PV1-19.1: '= msg["PV1-19.1"].trim().upperAscii()' }
  - remove: ["ZPI(*)"]
`

// project is a feed of five steps with this deliver list. The listener knows
// duplicates only where more says so.
func (s *speed) project(name, deliver, top, more string) (project, error) {
	dir, err := s.sub(name)
	if err != nil {
		return project{}, err
	}
	listen, err := freePort()
	if err != nil {
		return project{}, err
	}
	p := project{dir: dir, listen: listen, top: top, extra: more, feed: fiveSteps + "deliver:\n" + deliver + "unrouted: { drop: \"nobody wants it\" }\n"}
	return p, p.write()
}

// nobody is a destination that these messages do not go to.
var nobody = toMailbox("nobody", "    when: msg[\"PV1-2\"] == \"O\"\n")

// accepting measures (a): decided with five steps, stored, acknowledged.
func (s *speed) accepting(ctx context.Context) error {
	p, err := s.project("accept", nobody, "", "")
	if err != nil {
		return err
	}
	e := s.engine(p)
	if err := e.up(ctx); err != nil {
		return err
	}
	defer e.kill()
	if _, err := s.blastAll(ctx, blastOptions{to: p.listen, length: time.Second}); err != nil {
		return err
	}
	var floor, floorCPU, engine, median, p99, cpu, senderCPU sample
	acked := 0
	w := watchProcess(ctx, e.pid())
	for range s.roundsOr(5) {
		rate, used, err := s.logFloor(ctx)
		if err != nil {
			return fmt.Errorf("log floor: %w", err)
		}
		floor, floorCPU = append(floor, rate), append(floorCPU, used)
		before, _ := cpuTime(e.pid())
		r, err := s.blastAll(ctx, blastOptions{to: p.listen, length: s.slice})
		if err != nil {
			return err
		}
		after, _ := cpuTime(e.pid())
		engine, median, p99 = append(engine, r.rate()), append(median, r.Median*1000), append(p99, r.P99*1000)
		cpu = append(cpu, ratio(float64((after-before).Microseconds()), float64(r.Acked)))
		senderCPU = append(senderCPU, ratio(r.CPU*1e6, float64(r.Acked)))
		acked += r.Acked
	}
	anon, _ := w.end()
	s.note("log floor, messages/s: %s", floor)
	s.note("(a) accepting alone, messages/s: %s; answer after %.0f us in the median, %.0f us at p99", engine, median.median(), p99.median())
	s.note("processor per message, us: log floor %.0f, engine %.0f, their sender %.0f", floorCPU.median(), cpu.median(), senderCPU.median())
	s.judge("(a) accepting alone", engine, floor, "log floor")
	s.check(anon < memoryLimit, "(a) RssAnon at most %d MiB (limit %d MiB)", anon>>20, memoryLimit>>20)
	t, err := e.totals(ctx)
	s.check(err == nil && t["messages"]["dropped"] >= acked, "(a) the engine has all %d of them: %v %v", acked, t["messages"], errText(err))
	return nil
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (s *speed) judge(what string, engine, floor sample, name string) {
	r := ratio(engine.median(), floor.median())
	s.check(r >= share, "%s is %.2f of the %s (at least %.2f)", what, r, name, share)
}

// logFloor runs the floor's server in a process of its own, on a fresh file, and
// gives messages per second and microseconds of processor per message.
func (s *speed) logFloor(ctx context.Context) (rate, used float64, err error) {
	listen, err := freePort()
	if err != nil {
		return 0, 0, err
	}
	file := filepath.Join(s.dir, "floor.log")
	defer os.Remove(file)
	cmd, err := self(ctx, "_logfloor", "-listen", listen, "-file", file)
	if err != nil {
		return 0, 0, err
	}
	cmd.Stderr = os.Stderr
	server := &engine{cmd: cmd, listen: listen, done: make(chan struct{})}
	cmd.SysProcAttr = dieWithParent()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	go func() {
		defer close(server.done)
		_ = cmd.Wait() // it is killed below
	}()
	defer server.kill()
	if err := server.ready(ctx); err != nil {
		return 0, 0, err
	}
	r, err := s.blastAll(ctx, blastOptions{to: listen, length: s.slice})
	cpu, _ := cpuTime(server.pid())
	return r.rate(), ratio(float64(cpu.Microseconds()), float64(r.Acked)), err
}

// queueing prints (a2): as (a), but every message queues for a peer that is down.
func (s *speed) queueing(ctx context.Context) error {
	closed, err := freePort()
	if err != nil {
		return err
	}
	p, err := s.project("queueing", toPeer("down", "DOWN"), peersYAML(peerYAML("down", closed)), "")
	if err != nil {
		return err
	}
	e := s.engine(p)
	if err := e.up(ctx); err != nil {
		return err
	}
	defer e.kill()
	w := watchProcess(ctx, e.pid())
	var engine sample
	for range s.roundsOr(5) {
		r, err := s.blastAll(ctx, blastOptions{to: p.listen, length: s.slice})
		if err != nil {
			return err
		}
		engine = append(engine, r.rate())
	}
	anon, _ := w.end()
	queued, err := e.queued(ctx, "")
	s.note("(a2) accepting while everything queues for a peer that is down, messages/s: %s; %d queued in the end", engine, queued)
	s.check(anon < memoryLimit, "(a2) RssAnon at most %d MiB with that queue (limit %d MiB)", anon>>20, memoryLimit>>20)
	return err
}

// delivering measures (b): through five steps into a mailbox.
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
	var floor, engine sample
	for range s.roundsOr(5) {
		rate, err := s.fileFloor(ctx)
		if err != nil {
			return fmt.Errorf("file floor: %w", err)
		}
		floor = append(floor, rate)
		rate, _, err = s.intoMailbox(ctx, e, p, s.slice)
		if err != nil {
			return err
		}
		engine = append(engine, rate)
	}
	s.note("file floor, files/s: %s", floor)
	s.note("(b) into a mailbox, messages/s: %s", engine)
	s.judge("(b) into a mailbox", engine, floor, "file floor")
	before, _ := cpuTime(e.pid())
	rate, left, err := s.intoMailbox(ctx, e, p, s.length)
	if err != nil {
		return err
	}
	after, _ := cpuTime(e.pid())
	anon, _ := w.end()
	s.note("(b) sustained for %s: %.0f messages/s, %d undelivered at the end; %.0f us of processor per message in the engine", s.length, rate, left,
		ratio(float64((after-before).Microseconds()), rate*s.length.Seconds()))
	s.judge("(b) sustained", sample{rate}, floor, "file floor")
	s.check(float64(left) < rate, "(b) the queue at the end is under one second of input: %d messages", left)
	s.check(anon < memoryLimit, "(b) RssAnon at most %d MiB (limit %d MiB)", anon>>20, memoryLimit>>20)
	return nil
}

// fileFloor runs the floor in a process of its own, on a fresh folder.
func (s *speed) fileFloor(ctx context.Context) (float64, error) {
	dir := filepath.Join(s.dir, "floor")
	defer os.RemoveAll(dir)
	cmd, err := self(ctx, "_filefloor", "-dir", dir, "-for", s.slice.String())
	if err != nil {
		return 0, err
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("%w: %s", err, stderr.Bytes())
	}
	var files, nanos float64
	if _, err := fmt.Sscan(string(out), &files, &nanos); err != nil {
		return 0, err
	}
	return ratio(files, nanos/1e9), nil
}

// intoMailbox gives the rate at which files appear, and how many messages were
// acknowledged but not yet delivered when the time was over.
func (s *speed) intoMailbox(ctx context.Context, e *engine, p project, length time.Duration) (rate float64, left int, err error) {
	b, err := s.blast(ctx, blastOptions{to: p.listen, paced: true})
	if err != nil {
		return 0, 0, err
	}
	box := &sweeper{dir: p.box("box")}
	f := flow{window: boxWindow, warm: time.Second, length: length, done: func() (int, error) {
		_, err := box.sweep()
		return box.taken, err
	}}
	if rate, err = f.run(ctx, b); err == nil {
		left, err = e.queued(ctx, "")
	}
	if err != nil {
		b.abandon()
		return 0, 0, err
	}
	r, err := b.wait()
	if err != nil {
		return 0, 0, err
	}
	err = eventually(ctx, time.Minute, 10*time.Millisecond, func() (bool, error) {
		_, err := box.sweep()
		return box.taken >= r.Acked, err
	})
	if err == nil && box.taken != r.Acked {
		err = fmt.Errorf("%d files for %d acknowledged messages", box.taken, r.Acked)
	}
	return rate, left, err
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
	rate, _, err := s.intoMailbox(ctx, e, p, 2*s.slice)
	s.check(err == nil && e.status() == -1, "(b) completes in a memory group of %d MiB: %.0f messages/s %s", groupLimit>>20, rate, errText(err))
	return nil
}
