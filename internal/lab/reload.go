package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// runReload edits a feed while 16 connections send.
func runReload(ctx context.Context, l *lab) error {
	dir, err := l.sub("reload")
	if err != nil {
		return err
	}
	listen, err := freePort()
	if err != nil {
		return err
	}
	r := &reload{lab: l, project: project{dir: dir, listen: listen, feed: feedWith("EDITA")},
		book: newLedger(generator{prefix: 'R', seed: l.seed, size: 1000}, connections), values: []string{"EDITA"}}
	if err := r.project.write(); err != nil {
		return err
	}
	r.engine = l.engine(r.project)
	if err := r.engine.up(ctx); err != nil {
		return err
	}
	defer r.engine.kill()
	if err := r.underLoad(ctx); err != nil {
		return err
	}
	r.judge(ctx)
	return r.restartBroken(ctx)
}

// feedWith sets MSH-5 to a value that every file in the mailbox then shows.
func feedWith(value string) string {
	return "transform:\n  - set: { MSH-5: " + value + " }\ndeliver:\n" + toMailbox("box", "") + "unrouted: hold\n"
}

// reload is the state of the experiment.
type reload struct {
	*lab
	project project
	engine  *engine
	book    *ledger
	traffic *traffic
	mu      sync.Mutex
	values  []string // MSH-5, in the order in which they were written
	marks   []mark
}

// mark says that from these numbers on every message must carry at least this value.
type mark struct {
	value int
	from  []int64
}

func (r *reload) underLoad(ctx context.Context) error {
	box := &consumer{dir: r.project.box("box"), see: func(name string, data []byte) { r.book.inBox(name, data, r.known()...) }}
	stopBox := box.background(ctx)
	r.traffic = newTraffic(r.project.listen, r.book, 2, 0)
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	var senders sync.WaitGroup
	senders.Go(func() { r.traffic.run(running) })
	err := r.edits(ctx)
	close(r.traffic.stop)
	if err != nil {
		cancel()
	}
	senders.Wait()
	if err == nil {
		err = r.engine.drained(ctx, time.Minute)
	}
	if e := stopBox(); err == nil {
		err = e
	}
	if err == nil {
		r.judgeBytes(r.book, box)
	}
	return err
}

func (r *reload) known() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.values
}

// edits writes good and broken projects in every way that editors do.
func (r *reload) edits(ctx context.Context) error {
	ways := []struct {
		name  string
		write func(path string, data []byte) error
	}{{"a new file renamed over the old", replaceFile}, {"the file written anew in place", writePlain}, {"the file written in two halves", writeHalves}}
	for i, way := range ways {
		if err := r.good(ctx, string("BCD"[i]), way.write); err != nil {
			return fmt.Errorf("%s: %w", way.name, err)
		}
		r.check(true, "%s: in force for later messages", way.name)
	}
	if err := r.broken(ctx); err != nil {
		return err
	}
	if err := r.good(ctx, "E", replaceFile); err != nil {
		return fmt.Errorf("mending the broken project: %w", err)
	}
	r.check(true, "mended: in force for later messages")
	return nil
}

// good writes a project with a new value and waits until messages carry it.
func (r *reload) good(ctx context.Context, letter string, write func(string, []byte) error) error {
	before, err := r.engine.engineStatus(ctx)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.values = append(r.values[:len(r.values):len(r.values)], "EDIT"+letter)
	n := len(r.values) - 1
	r.mu.Unlock()
	if err := write(r.project.feedFile(), []byte(feedHead+feedWith("EDIT"+letter))); err != nil {
		return err
	}
	err = eventually(ctx, 20*time.Second, 5*time.Millisecond, func() (bool, error) {
		s, err := r.engine.engineStatus(ctx)
		return s.Plan != before.Plan && s.ReloadError == "", err
	})
	if err != nil {
		return err
	}
	m := mark{value: n, from: make([]int64, connections)}
	for c := range m.from {
		m.from[c] = r.traffic.next[c].Load()
	}
	r.marks = append(r.marks, m)
	return r.moreTraffic(ctx)
}

// moreTraffic lets some messages pass.
func (r *reload) moreTraffic(ctx context.Context) error {
	goal := r.book.ackCount() + 500
	return eventually(ctx, time.Minute, 5*time.Millisecond, func() (bool, error) { return r.book.ackCount() >= goal, nil })
}

const brokenFeed = "transform:\n  - sett: { MSH-5: NEVER }\ndeliver:\n"

// broken writes a project that cannot run: nothing may change but the report of it.
func (r *reload) broken(ctx context.Context) error {
	before, err := r.engine.engineStatus(ctx)
	if err != nil {
		return err
	}
	if err := replaceFile(r.project.feedFile(), []byte(feedHead+brokenFeed)); err != nil {
		return err
	}
	var s engineStatus
	err = eventually(ctx, 20*time.Second, 5*time.Millisecond, func() (bool, error) {
		s, err = r.engine.engineStatus(ctx)
		return s.ReloadError != "", err
	})
	if err != nil {
		return fmt.Errorf("a broken edit was not noticed: %w", err)
	}
	r.check(s.Plan == before.Plan && s.Accepting && len(s.Problems) > 0, "a broken edit changes nothing; status shows %d problems, the plan is still %s", len(s.Problems), s.Plan)
	out, status, err := r.engine.command(ctx, "check", r.project.dir)
	if err != nil {
		return err
	}
	r.check(status == 1 && strings.Contains(string(out), "feeds/lab.yaml:"), "check ends with status 1 and names the line (status %d, %d lines)", status, bytes.Count(out, []byte("\n")))
	return r.moreTraffic(ctx)
}

func (r *reload) judge(ctx context.Context) {
	v := r.book.verdict()
	r.note("sent %d messages over %d edits, %d connections", v.sent, len(r.marks)+1, connections)
	r.check(r.traffic.breaks.Load() == 0 && r.traffic.refusals.Load() == 0, "no connection dropped, none refused: %d, %d", r.traffic.breaks.Load(), r.traffic.refusals.Load())
	r.check(v.boxOff == 0 && v.acked == v.sent, "no message lost: %d of %d acknowledged, %d missing", v.acked, v.sent, v.boxOff)
	r.check(v.boxRepeats == 0, "no message twice: %d", v.boxRepeats)
	early, back := r.edges()
	r.check(early == 0, "every message sent after an edit was in force carries it: %d do not", early)
	r.check(back == 0, "no connection sees an older project after a newer one: %d times", back)
	r.judgeTotals(ctx, r.engine, totals{"messages": {"routed": v.acked}, "copies": {"delivered": v.acked}})
}

// edges counts messages that carry too old a value, by mark and by neighbour.
func (r *reload) edges() (early, back int) {
	at := map[string]int{}
	for i, v := range r.values {
		at[v] = i
	}
	r.book.mu.Lock()
	defer r.book.mu.Unlock()
	for conn, fates := range r.book.conns {
		newest := 0
		for seq := range fates {
			have := at[fates[seq].value]
			if have < newest {
				back++
			}
			newest = max(newest, have)
			for _, m := range r.marks {
				if int64(seq) >= m.from[conn] && have < m.value {
					early++
				}
			}
		}
	}
	return early, back
}

// restartBroken stops the engine and starts it on a folder that cannot run.
func (r *reload) restartBroken(ctx context.Context) error {
	status, err := r.engine.stop()
	if err != nil {
		return err
	}
	r.check(status == 0, "a stop ends with status 0: %d", status)
	if err := replaceFile(r.project.feedFile(), []byte(feedHead+brokenFeed)); err != nil {
		return err
	}
	if err := r.engine.up(ctx); err != nil {
		r.check(false, "a start with a broken project runs the last good one: %v", err)
		return nil
	}
	s, err := r.engine.engineStatus(ctx)
	if err != nil {
		return err
	}
	log, err := os.ReadFile(r.engine.log)
	if err != nil {
		return err
	}
	r.check(s.ReloadError != "" && len(s.Problems) > 0 && strings.Contains(string(log), "last good"),
		"a start with a broken project runs the last good one, and log and status say so (%d problems)", len(s.Problems))
	return r.oneMore(ctx)
}

// oneMore sends a message and looks which project it met.
func (r *reload) oneMore(ctx context.Context) error {
	book := newLedger(generator{prefix: 'S', seed: r.seed, size: 1000}, 1)
	newTraffic(r.project.listen, book, 1, 1).run(ctx)
	if err := r.engine.drained(ctx, time.Minute); err != nil {
		return err
	}
	box := &consumer{dir: r.project.box("box"), see: func(name string, data []byte) { book.inBox(name, data, "EDITE") }}
	if _, err := box.sweep(); err != nil {
		return err
	}
	v := book.verdict()
	r.check(v.inBox == 1 && len(book.faultList()) == 0, "it does what the last good one says %v", book.faultList())
	return nil
}

// The ways in which editors and people write files.

func replaceFile(path string, data []byte) error {
	tmp := path + "~"
	if err := os.WriteFile(tmp, data, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

func writePlain(path string, data []byte) error { return os.WriteFile(path, data, 0o644) }

// writeHalves leaves a file that cannot run for a moment.
func writeHalves(path string, data []byte) error {
	if err := os.WriteFile(path, data[:len(data)/2], 0o644); err != nil {
		return err
	}
	time.Sleep(100 * time.Millisecond)
	return os.WriteFile(path, data, 0o644)
}
