package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// accepting measures (a): decided with five steps, stored, acknowledged.
func (s *speed) accepting(ctx context.Context) error {
	p, err := s.project("accept", nobody(), "", "")
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
