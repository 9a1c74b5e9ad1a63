package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/peer"
)

const connections = 16

// runKill kills the engine again and again while 16 connections send, a consumer
// empties the mailbox and a peer answers, and then counts.
func runKill(ctx context.Context, l *lab) error {
	rounds, count := l.roundsOr(20), l.countOr(20000)
	gen := generator{prefix: 'K', seed: l.seed, size: 1000}
	book := newLedger(gen, connections)
	there := peer.NewServer("127.0.0.1:0", func(_ hl7.Header, body []byte) hl7.Ack {
		book.atPeer(body, "THERE")
		return hl7.Ack{Code: "AA"}
	})
	if err := there.Start(); err != nil {
		return err
	}
	defer there.Stop()
	p, err := l.twoWays("kill", there.Address())
	if err != nil {
		return err
	}
	e := l.engine(p)
	if err := e.up(ctx); err != nil {
		return err
	}
	defer e.kill()
	box := &consumer{dir: p.box("box"), see: func(name string, data []byte) { book.inBox(name, data, "LAB") }}
	stopBox := box.background(ctx)
	each := (count + connections - 1) / connections
	t := newTraffic(p.listen, book, 4, each)
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	var senders sync.WaitGroup
	senders.Go(func() { t.run(running) })
	early, err := l.killRounds(ctx, e, book, rounds, each*connections)
	if err == nil {
		senders.Wait()
		err = e.drained(ctx, 2*time.Minute)
	}
	cancel()
	senders.Wait()
	if err != nil {
		return err
	}
	if err := stopBox(); err != nil {
		return err
	}
	l.note("%d kills under load and %d more while starting; %d connections broke; up to %d messages ahead on each of %d connections",
		rounds, early, t.breaks.Load(), t.window, connections)
	l.judgeKill(ctx, e, book, box, t)
	return nil
}

// twoWays is a project with duplicates known, a mailbox and a peer.
func (l *lab) twoWays(name, peerAddress string) (project, error) {
	dir, err := l.sub(name)
	if err != nil {
		return project{}, err
	}
	listen, err := freePort()
	if err != nil {
		return project{}, err
	}
	p := project{dir: dir, listen: listen, extra: duplicates, top: peersYAML(peerYAML("there", peerAddress)),
		feed: "deliver:\n" + toMailbox("box", "") + toPeer("there", "THERE") + "unrouted: hold\n"}
	return p, p.write()
}

// killRounds kills when a random number of acknowledgements has been reached, and
// now and then once more while the engine starts again.
func (l *lab) killRounds(ctx context.Context, e *engine, book *ledger, rounds, count int) (early int, err error) {
	for round := range rounds {
		from, to := count*round/rounds, count*(round+1)/rounds
		at := from + l.rng.IntN(max(1, (to-from)*9/10))
		if err := eventually(ctx, 2*time.Minute, 200*time.Microsecond, func() (bool, error) { return book.ackCount() >= at, nil }); err != nil {
			return early, fmt.Errorf("round %d: %d of %d messages acknowledged: %w", round+1, book.ackCount(), at, err)
		}
		l.pause(3 * time.Millisecond)
		e.kill()
		for l.rng.IntN(4) == 0 {
			early++
			if err := e.start(); err != nil {
				return early, err
			}
			l.pause(150 * time.Millisecond)
			e.kill()
		}
		if err := e.up(ctx); err != nil {
			return early, fmt.Errorf("round %d: %w", round+1, err)
		}
	}
	return early, nil
}

// pause waits a random time up to most: a kill has to fall anywhere.
func (l *lab) pause(most time.Duration) { time.Sleep(time.Duration(l.rng.Int64N(int64(most)))) }

// background runs the consumer; the function that comes back ends it after one
// last look.
func (c *consumer) background(ctx context.Context) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	result := make(chan error, 1)
	go func() { result <- c.run(ctx) }()
	return func() error {
		cancel()
		return <-result
	}
}

func (l *lab) judgeKill(ctx context.Context, e *engine, book *ledger, box *consumer, t *traffic) {
	v := book.verdict()
	l.note("sent %d messages, %d of them again after a break; acknowledged %d; refused %d", v.sent, v.resent, v.acked, t.refusals.Load())
	l.note("duplicates at the peer: %d", v.peerRepeats)
	l.check(v.acked == v.sent && t.refusals.Load() == 0, "every message was acknowledged in the end: %d of %d", v.acked, v.sent)
	l.check(v.boxOff == 0, "every acknowledged message is in the mailbox: %d missing", v.boxOff)
	l.check(v.boxRepeats == 0, "none is in the mailbox twice: %d repeats", v.boxRepeats)
	l.check(v.peerOff == 0, "every acknowledged message reached the peer: %d missing", v.peerOff)
	l.check(v.disorder == 0, "first arrivals at the peer are in order on every connection: %d of %d out of order", v.disorder, connections)
	l.judgeBytes(book, box)
	l.judgeTotals(ctx, e, totals{"messages": {"routed": v.acked}, "copies": {"delivered": 2 * v.acked}})
}

// judgeBytes: whole messages were compared at every arrival.
func (l *lab) judgeBytes(book *ledger, box *consumer) {
	l.check(len(book.faultList()) == 0, "every message arrived with its own bytes, nothing else arrived %v", book.faultList())
	if box != nil {
		l.check(len(box.faults) == 0, "%d mailbox files seen, none empty, partial or temporary %v", box.files, box.faults)
	}
}

// judgeTotals compares the engine's own counts with the ledger.
func (l *lab) judgeTotals(ctx context.Context, e *engine, want totals) {
	have, err := e.totals(ctx)
	if err != nil {
		l.check(false, "the engine's totals cannot be read: %v", err)
		return
	}
	for _, side := range []string{"messages", "copies"} {
		ok := have.sum(side) == want.sum(side)
		for k, n := range want[side] {
			ok = ok && have[side][k] == n
		}
		l.check(ok, "the engine counts %s: %v, the ledger %v", side, have[side], want[side])
	}
}
