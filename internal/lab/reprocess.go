package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/peer"
)

// runReprocess queues messages with a wrong mapping for a peer that is down, mends
// the feed, has the backlog decided again, kills the engine while it does so, and
// looks at what the peer gets when it comes up.
func runReprocess(ctx context.Context, l *lab) error {
	r := &reprocessing{lab: l, count: l.countOr(3000)}
	r.book = newLedger(generator{prefix: 'P', seed: l.seed, size: 1000}, 4)
	r.peer = peer.NewServer("127.0.0.1:0", func(_ hl7.Header, body []byte) hl7.Ack {
		r.book.atPeer(body, "RIGHT", "LATER")
		if r.arrived.Add(1); bytes.Contains(body, []byte("|LATER|")) {
			r.later.Add(1)
		}
		time.Sleep(time.Millisecond) // so that the queue drains for seconds
		return hl7.Ack{Code: "AA"}
	})
	if err := r.peer.Start(); err != nil { // to have a port
		return err
	}
	r.peer.Stop()
	if err := r.begin(ctx); err != nil {
		return err
	}
	defer func() { r.engine.kill() }()
	if err := r.mend(ctx); err != nil {
		return err
	}
	if err := r.killMeanwhile(ctx); err != nil {
		return err
	}
	return r.arrive(ctx)
}

// reprocessing is the state of the experiment.
type reprocessing struct {
	*lab
	count   int
	project project
	engine  *engine
	book    *ledger
	peer    *peer.Server
	took    time.Duration // of deciding the whole backlog again
	arrived atomic.Int64  // at the peer
	later   atomic.Int64  // of those, as the feed had them that was edited while the queue drained
}

// reprocessed is what the command says.
type reprocessed struct {
	Copies, Replaced, Unchanged, Discarded, Held, Left, Added int
}

func (r *reprocessing) feed(receiver string) string {
	return "deliver:\n" + toPeer("lims", receiver) + toMailbox("box", "") + "unrouted: hold\n"
}

// begin fills the queue under the wrong mapping.
func (r *reprocessing) begin(ctx context.Context) error {
	dir, err := r.sub("reprocess")
	if err != nil {
		return err
	}
	listen, err := freePort()
	if err != nil {
		return err
	}
	r.project = project{dir: dir, listen: listen, top: peersYAML(peerYAML("lims", r.peer.Address())), feed: r.feed("WRONG")}
	if err := r.project.write(); err != nil {
		return err
	}
	r.engine = r.lab.engine(r.project)
	if err := r.engine.up(ctx); err != nil {
		return err
	}
	newTraffic(listen, r.book, 8, r.count/4).run(ctx)
	return eventually(ctx, time.Minute, 10*time.Millisecond, func() (bool, error) {
		n, err := r.engine.queued(ctx, "lims")
		box, err2 := r.engine.queued(ctx, "lab/box")
		return n == r.count && box == 0, errors.Join(err, err2)
	})
}

// edit writes the feed and has the engine take it up.
func (r *reprocessing) edit(ctx context.Context, receiver string) error {
	if err := replaceFile(r.project.feedFile(), []byte(feedHead+r.feed(receiver))); err != nil {
		return err
	}
	out, status, err := r.engine.command(ctx, "reload", r.project.dir)
	if err == nil && status != 0 {
		err = fmt.Errorf("reload ended with status %d: %s", status, out)
	}
	return err
}

func (r *reprocessing) reprocess(ctx context.Context, more ...string) (got reprocessed, took time.Duration, status int, err error) {
	began := time.Now()
	args := append([]string{"queue", "reprocess", "lims", "-C", r.project.dir, "--json", "--by", "lab", "--reason", "the mapping was wrong"}, more...)
	out, status, err := r.engine.command(ctx, args...)
	if err != nil || status != 0 {
		return got, 0, status, err
	}
	return got, time.Since(began), status, json.Unmarshal(out, &got)
}

// mend edits the feed and decides the whole backlog again.
func (r *reprocessing) mend(ctx context.Context) error {
	if err := r.edit(ctx, "BETTER"); err != nil {
		return err
	}
	dry, _, _, err := r.reprocess(ctx, "--dry-run")
	if err != nil {
		return err
	}
	before, err := r.engine.totals(ctx)
	if err != nil {
		return err
	}
	r.check(dry.Replaced == r.count && before["copies"]["discarded"] == 0, "a dry run counts %d of %d and changes nothing", dry.Replaced, r.count)
	got, took, status, err := r.reprocess(ctx)
	if err != nil {
		return err
	}
	r.note("%d copies decided again and stored in %s: %.0f/s; memory of the engine afterwards %s", got.Copies, took.Round(time.Millisecond), ratio(float64(got.Copies), took.Seconds()), r.memory())
	r.took = took
	r.check(status == 0 && got.Replaced == r.count && got.Copies == r.count, "all are replaced: %d of %d", got.Replaced, r.count)
	again, _, _, err := r.reprocess(ctx)
	if err != nil {
		return err
	}
	r.check(again.Unchanged == r.count && again.Replaced == 0, "a second time changes nothing: %d unchanged", again.Unchanged)
	return nil
}

// memory is what the engine's process holds.
func (r *reprocessing) memory() string {
	n, err := rssAnon(r.engine.pid())
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

// killMeanwhile kills the engine at some moment of a reprocess, several times, and
// further times until at least one kill has fallen into the middle of it.
func (r *reprocessing) killMeanwhile(ctx context.Context) error {
	partly, done := 0, 0
	for rounds := r.roundsOr(4); done < rounds || partly == 0 && done < 4*rounds; done++ {
		fell, err := r.killOnce(ctx, fmt.Sprintf("ROUND%d", done))
		if err != nil {
			return err
		}
		if fell {
			partly++
		}
	}
	r.check(partly > 0, "%d of %d kills fell into the middle of it", partly, done)
	return nil
}

// killOnce tells whether the kill fell into the middle: some copies are decided by
// the new feed, some by the old one.
func (r *reprocessing) killOnce(ctx context.Context, receiver string) (bool, error) {
	if err := r.edit(ctx, receiver); err != nil {
		return false, err
	}
	done := make(chan error, 1)
	go func() { _, _, _, err := r.reprocess(ctx); done <- err }()
	time.Sleep(20*time.Millisecond + time.Duration(r.rng.Int64N(int64(r.took))))
	r.engine.kill()
	<-done // it fails or not, as the kill falls
	r.engine = r.lab.engine(r.project)
	if err := r.engine.up(ctx); err != nil {
		return false, err
	}
	n, err := r.engine.queued(ctx, "lims")
	if err != nil {
		return false, err
	}
	dry, _, _, err := r.reprocess(ctx, "--dry-run")
	r.check(err == nil && n == r.count && dry.Copies == r.count && dry.Unchanged+dry.Replaced == r.count,
		"killed while it decides again: %d queued, %d as the new feed has them, %d as the old one", n, dry.Unchanged, dry.Replaced)
	return dry.Unchanged > 0 && dry.Replaced > 0, err
}

// arrive lets the peer come up, decides again what is left while the queue drains,
// and looks at every message.
func (r *reprocessing) arrive(ctx context.Context) error {
	if err := r.edit(ctx, "RIGHT"); err != nil {
		return err
	}
	got, _, _, err := r.reprocess(ctx)
	if err != nil {
		return err
	}
	r.check(got.Replaced == r.count, "the last edit replaces all: %d", got.Replaced)
	if err := r.peer.Start(); err != nil {
		return err
	}
	defer r.peer.Stop()
	if err := r.whileDraining(ctx); err != nil {
		return err
	}
	v := r.book.verdict()
	r.check(v.atPeer == r.count && v.peerRepeats == 0, "every message arrives exactly once: %d of %d, %d repeats", v.atPeer, r.count, v.peerRepeats)
	r.check(v.disorder == 0, "in order: %d connections are not", v.disorder)
	r.check(len(r.book.faultList()) == 0, "with one of the last two mappings, the old control id and no other byte changed %v", r.book.faultList())
	boxed := 0
	box := &consumer{dir: r.project.box("box"), see: func(string, []byte) { boxed++ }}
	if _, err := box.sweep(); err != nil {
		return err
	}
	r.check(boxed == r.count, "the other destination got each message once: %d", boxed)
	t, err := r.engine.totals(ctx)
	if err != nil {
		return err
	}
	r.check(t["copies"]["delivered"] == 2*r.count && t["copies"]["queued"] == 0, "the store agrees: %v", t["copies"])
	return nil
}

// whileDraining edits the feed when a part has arrived and decides the rest again
// beside the sending.
func (r *reprocessing) whileDraining(ctx context.Context) error {
	err := eventually(ctx, time.Minute, time.Millisecond, func() (bool, error) { return r.arrived.Load() >= int64(r.count)/10, nil })
	if err != nil {
		return err
	}
	if err := r.edit(ctx, "LATER"); err != nil {
		return err
	}
	got, _, _, err := r.reprocess(ctx)
	if err != nil {
		return err
	}
	at := r.arrived.Load()
	if err := r.engine.drained(ctx, 2*time.Minute); err != nil {
		return err
	}
	r.check(int64(got.Replaced) == r.later.Load() && got.Replaced > 0 && at < int64(r.count),
		"decided again while the queue drained: %d were replaced, and %d arrived as replaced; %d had arrived when it ended", got.Replaced, r.later.Load(), at)
	return nil
}
