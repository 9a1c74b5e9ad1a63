package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// runPowercut cuts the power of the file system under project, store and mailbox
// while senders run: what was not synced is gone, every later call fails.
//
//	host file system:  disk.img (1 GiB)   engine.log   [ledger in memory]
//	                      | loop, ext4
//	                   mnt/project/{store, mailboxes/box}
//
// First nobody takes files, so that everything can be counted where it lies; then
// a consumer empties the mailbox all the time, and its memory is the record.
func runPowercut(ctx context.Context, l *lab) error {
	if os.Geteuid() != 0 {
		l.skip("power cuts: mounting a file system needs root")
		return nil
	}
	return errors.Join(l.powercuts(ctx, l.roundsOr(10), false), l.powercuts(ctx, l.roundsOr(10), true))
}

func (l *lab) powercuts(ctx context.Context, rounds int, consume bool) (err error) {
	disk := &loopDisk{image: filepath.Join(l.dir, "disk.img"), mount: filepath.Join(l.dir, "mnt"), size: 1 << 30}
	if err := disk.make(ctx); err != nil {
		l.skip("power cuts: no loop-mounted ext4 on this machine: %v", err)
		return nil
	}
	c := &powercut{lab: l, consume: consume, disk: disk, book: newLedger(generator{prefix: 'P', seed: l.seed, size: 1000}, connections)}
	defer func() {
		c.end()
		if e := disk.unmake(); err == nil {
			err = e
		}
	}()
	if err := c.prepare(); err != nil {
		return err
	}
	flags := map[uint32]int{}
	for round := range rounds {
		flag := uint32(shutdownNoLog)
		if round%4 == 3 {
			flag = shutdownLog
		}
		flags[flag]++
		if err := c.cut(ctx, flag); err != nil {
			return fmt.Errorf("power cut %d: %w", round+1, err)
		}
	}
	l.note("%d power cuts under load (%d without flushing the journal, %d after flushing it), %s", rounds, flags[shutdownNoLog], flags[shutdownLog],
		map[bool]string{true: "a consumer emptying the mailbox", false: "nobody taking files from the mailbox"}[consume])
	return c.judge(ctx)
}

// powercut is the state of the experiment over all cuts.
type powercut struct {
	*lab
	consume bool
	disk    *loopDisk
	book    *ledger
	project project
	engine  *engine
	files   int
	late    int64 // answers after a cut, not counted as acknowledged
	faults  []string
	cuts    int
	exits   map[int]int // exit status of engines whose disk went away
	next    []int64     // where each connection goes on
	pending [][]int
}

func (c *powercut) prepare() error {
	listen, err := freePort()
	if err != nil {
		return err
	}
	c.exits = map[int]int{}
	c.project = project{dir: filepath.Join(c.disk.mount, "project"), listen: listen, extra: duplicates,
		feed: "deliver:\n" + toMailbox("box", "") + "unrouted: hold\n"}
	if err := c.project.write(); err != nil {
		return err
	}
	c.engine = c.lab.engine(c.project)
	syncDisk() // what is lost from here on is the engine's affair
	return nil
}

// cut is one cycle: start, load, cut, and the disk back again.
//
// The senders' ears close before the power goes. A machine without power sends no
// acknowledgement, but this engine lives on for a moment, and a sync that is under
// way while ext4 shuts down can return success for a commit that was given up: a
// plain loop of write and fdatasync loses its last write that way in one of some
// sixty cuts. Such late answers are counted, and their messages sent again.
func (c *powercut) cut(ctx context.Context, flag uint32) error {
	if err := c.engine.up(ctx); err != nil {
		return err
	}
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	t := newTraffic(c.project.listen, c.book, 4, 0)
	c.resume(t)
	var work sync.WaitGroup
	work.Go(func() { t.run(running) })
	if c.consume {
		work.Go(func() { c.consumeWhile(running) })
	}
	goal := c.book.ackCount() + 200 + c.rng.IntN(1500)
	err := eventually(ctx, time.Minute, time.Millisecond, func() (bool, error) { return c.book.ackCount() >= goal, nil })
	c.pause(5 * time.Millisecond)
	t.dark.Store(true)
	if err == nil {
		err = c.disk.shutdown(flag)
	}
	c.die()
	cancel()
	work.Wait()
	c.suspend(t)
	c.late += t.late.Load()
	if err != nil {
		return err
	}
	return c.disk.remount(ctx)
}

// die gives the engine a moment to notice that its store has failed, then kills it.
func (c *powercut) die() {
	select {
	case <-c.engine.done:
	case <-time.After(2 * time.Second):
		c.engine.kill()
	}
	c.cuts++
	c.exits[c.engine.status()]++
}

// resume and suspend carry the senders over a cut: numbers go on, and what was
// sent without an answer is sent again first.
func (c *powercut) resume(t *traffic) {
	for n := range c.next {
		t.next[n].Store(c.next[n])
	}
	if c.pending != nil {
		t.pending = c.pending
	}
}

func (c *powercut) suspend(t *traffic) {
	c.next = make([]int64, len(t.next))
	for n := range t.next {
		c.next[n] = t.next[n].Load()
	}
	c.pending = t.pending
}

func (c *powercut) consumer(keep bool) *consumer {
	return &consumer{dir: c.project.box("box"), keep: keep,
		see: func(name string, data []byte) { c.book.inBox(name, data, "LAB") }}
}

// consumeWhile takes files until ctx ends or the disk is gone, which is no fault.
func (c *powercut) consumeWhile(ctx context.Context) {
	box := c.consumer(false)
	_ = box.run(ctx)
	c.files += box.files
	c.faults = append(c.faults, box.faults...)
}

// judge sends what is still unanswered, lets everything drain, and counts.
func (c *powercut) judge(ctx context.Context) error {
	if err := c.engine.up(ctx); err != nil {
		return err
	}
	t := newTraffic(c.project.listen, c.book, 4, 0)
	c.resume(t)
	close(t.stop)
	last, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	t.run(last)
	if err := c.engine.drained(ctx, 2*time.Minute); err != nil {
		return err
	}
	box := c.consumer(true)
	if _, err := box.sweep(); err != nil {
		return err
	}
	box.files, box.faults = box.files+c.files, append(box.faults, c.faults...)
	v := c.book.verdict()
	c.note("sent %d messages, %d times again; acknowledged %d; %d answers came after a cut and do not count", v.sent, v.resent, v.acked, c.late)
	c.check(c.exits[70] == c.cuts, "the engine ends by itself with status 70 when its disk goes away: %v (137 = killed by us)", c.exits)
	c.check(v.boxOff == 0, "every acknowledged message is in the mailbox: %d of %d missing", v.boxOff, v.acked)
	c.check(v.acked == v.sent, "every message was acknowledged in the end: %d of %d", v.acked, v.sent)
	if c.consume {
		c.check(v.otherName == 0, "files that came again after a cut (the cut can also undo the consumer's own removal) have the same name: %d repeats, %d under another name, no message more than %d times", v.boxRepeats, v.otherName, v.most)
	} else {
		c.check(v.boxRepeats == 0, "nothing is in the mailbox twice: %d repeats", v.boxRepeats)
	}
	c.judgeBytes(c.book, box)
	c.judgeTotals(ctx, c.engine, totals{"messages": {"routed": v.acked}, "copies": {"delivered": v.acked}})
	return nil
}

func (c *powercut) end() {
	if c.engine != nil {
		c.engine.kill()
	}
}
