package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/peer"
)

// systemAnswers is how long a quick hospital system takes to answer a message.
const systemAnswers = 5 * time.Millisecond

// runIsolation measures what a dead destination costs a living one, and how its
// queue drains when it comes back.
func runIsolation(ctx context.Context, l *lab) error {
	for _, answer := range []time.Duration{time.Millisecond, 0} {
		if err := l.besideDead(ctx, answer); err != nil {
			return err
		}
	}
	for _, answer := range []time.Duration{systemAnswers, time.Millisecond, 0} {
		if err := l.comesBack(ctx, answer); err != nil {
			return err
		}
	}
	return nil
}

// slowPeer answers AA after some time, one message after the other.
func slowPeer(answer time.Duration, see func(body []byte)) *peer.Server {
	return peer.NewServer("127.0.0.1:0", func(_ hl7.Header, body []byte) hl7.Ack {
		if see != nil {
			see(body)
		}
		if answer > 0 {
			time.Sleep(answer)
		}
		return hl7.Ack{Code: "AA"}
	})
}

// besideDead measures the live peer alone and beside a dead one, in turns.
func (l *lab) besideDead(ctx context.Context, answer time.Duration) error {
	var alone, beside sample
	for round := range l.roundsOr(5) {
		for _, dead := range []bool{false, true} {
			rate, err := l.liveRate(ctx, answer, dead, fmt.Sprintf("isolation-%s-%d-%t", answer, round, dead))
			if err != nil {
				return err
			}
			if dead {
				beside = append(beside, rate)
			} else {
				alone = append(alone, rate)
			}
		}
	}
	share := ratio(beside.median(), alone.median())
	l.note("live peer that answers after %s, messages/s: alone %s; beside a dead one %s", answer, alone, beside)
	l.check(share >= 0.9, "the live peer (%s) keeps %.2f of its rate alone (at least 0.90)", answer, share)
	return nil
}

func (l *lab) liveRate(ctx context.Context, answer time.Duration, dead bool, name string) (float64, error) {
	live := slowPeer(answer, nil)
	if err := live.Start(); err != nil {
		return 0, err
	}
	defer live.Stop()
	p, err := l.peersProject(name, live.Address(), dead)
	if err != nil {
		return 0, err
	}
	e := l.engine(p)
	if err := e.up(ctx); err != nil {
		return 0, err
	}
	defer e.kill()
	b, err := l.blast(ctx, blastOptions{to: p.listen, paced: true})
	if err != nil {
		return 0, err
	}
	f := flow{window: 500, warm: time.Second, length: l.slice, done: func() (int, error) { return live.Count(), nil }}
	rate, err := f.run(ctx, b)
	if err != nil {
		b.abandon()
		return 0, err
	}
	_, err = b.wait()
	return rate, err
}

// peersProject delivers to a live peer, and to one whose port is closed when dead.
func (l *lab) peersProject(name, live string, dead bool) (project, error) {
	dir, err := l.sub(name)
	if err != nil {
		return project{}, err
	}
	listen, err := freePort()
	if err != nil {
		return project{}, err
	}
	closed, err := freePort()
	if err != nil {
		return project{}, err
	}
	peers, deliver := []string{peerYAML("live", live)}, toPeer("live", "LIVE")
	if dead {
		peers, deliver = append(peers, peerYAML("dead", closed)), deliver+toPeer("dead", "DEAD")
	}
	p := project{dir: dir, listen: listen, top: peersYAML(peers...), feed: "deliver:\n" + deliver + "unrouted: hold\n"}
	return p, p.write()
}

// comesBack fills the queue of a peer that is down, brings it up, and compares the
// pace of the drain with two plain clients that feed the same peer: one that
// forgets, which is the peer's own speed, and one that makes each answer durable
// before it sends the next message, as the engine promises to (decision 3).
func (l *lab) comesBack(ctx context.Context, answer time.Duration) error {
	a := &arrivals{}
	back := slowPeer(answer, a.see)
	if err := back.Start(); err != nil {
		return err
	}
	defer back.Stop()
	var forgetful, durable sample
	feed := func() error {
		for _, into := range []struct {
			rates *sample
			sync  bool
		}{{&forgetful, false}, {&durable, true}} {
			rate, err := l.feedDirectly(ctx, back.Address(), into.sync)
			if err != nil {
				return err
			}
			*into.rates = append(*into.rates, rate)
		}
		return nil
	}
	if err := feed(); err != nil {
		return err
	}
	back.Stop()
	a.reset()
	if err := l.drain(ctx, answer, back, a); err != nil {
		return err
	}
	if err := feed(); err != nil {
		return err
	}
	own := ratio(a.rate(), forgetful.median())
	line := fmt.Sprintf("peer that answers after %s: drained %.0f messages/s; its own speed, a client that forgets: %s; the drain is %.2f of it", answer, a.rate(), forgetful, own)
	if answer == 0 {
		l.note("%s (for information)", line)
	} else {
		l.check(own >= 0.9, "%s (at least 0.90)", line)
	}
	part := ratio(a.rate(), durable.median())
	line = fmt.Sprintf("peer that answers after %s: a client that syncs each answer: %s; the drain is %.2f of it", answer, durable, part)
	if answer == 0 {
		l.note("%s (for information)", line)
		return nil
	}
	l.check(part >= 0.9, "%s (at least 0.90)", line)
	return nil
}

// drain queues messages for a peer that is down and waits until it has them all.
func (l *lab) drain(ctx context.Context, answer time.Duration, back *peer.Server, a *arrivals) error {
	count := l.countOr(50000)
	if answer >= systemAnswers {
		count /= 5 // the pace is the question here; the whole number drains below
	}
	p, err := l.peersProject(fmt.Sprintf("drain-%s", answer), back.Address(), false)
	if err != nil {
		return err
	}
	e := l.engine(p)
	if err := e.up(ctx); err != nil {
		return err
	}
	defer e.kill()
	if _, err := l.blastAll(ctx, blastOptions{to: p.listen, messages: count}); err != nil {
		return err
	}
	queued, err := e.queued(ctx, "")
	if err != nil {
		return err
	}
	l.check(queued == count, "%d messages wait for the peer that is down: %d", count, queued)
	if err := back.Start(); err != nil {
		return err
	}
	err = eventually(ctx, 10*time.Minute, 10*time.Millisecond, func() (bool, error) { return a.count() >= count, nil })
	if err != nil {
		return fmt.Errorf("%d of %d messages had drained: %w", a.count(), count, err)
	}
	if err := e.drained(ctx, time.Minute); err != nil {
		return err
	}
	distinct, repeats, disorder := a.verdict()
	l.check(distinct == count && repeats == 0 && disorder == 0, "the queue drains whole, once and in order: %d arrived, %d repeats, %d out of order", distinct, repeats, disorder)
	return nil
}

// feedDirectly is how fast one plain client feeds the peer, for 3 seconds. With
// sync it appends each answer to a file, in bytes already there, and syncs it.
func (l *lab) feedDirectly(ctx context.Context, address string, sync bool) (float64, error) {
	c, err := peer.Dial(ctx, address, nil, 10*time.Second)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	answers, err := os.CreateTemp(l.dir, "answers")
	if err != nil {
		return 0, err
	}
	defer answers.Close()
	if _, err := answers.WriteAt(make([]byte, 4<<20), 0); err != nil {
		return 0, err
	}
	if err := syncData(answers); err != nil {
		return 0, err
	}
	g := generator{prefix: 'D', size: 1000}
	began := time.Now()
	n := 0
	for ; time.Since(began) < 3*time.Second; n++ {
		a, err := c.Ask(g.body(0, n))
		if err != nil {
			return 0, err
		}
		if a.Code != "AA" {
			return 0, errors.New("the laboratory's own peer refused a message")
		}
		if !sync {
			continue
		}
		if _, err := fmt.Fprintf(answers, "%-60s\n", a.ControlID); err != nil {
			return 0, err
		}
		if err := syncData(answers); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(began).Seconds(), ctx.Err()
}

// arrivals is what a peer saw of the cheap sender's messages.
type arrivals struct {
	mu                sync.Mutex
	newest            map[int]int // per connection
	seen              map[[2]int]bool
	repeats, disorder int
	first, last       time.Time
}

func (a *arrivals) reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.newest, a.seen, a.repeats, a.disorder, a.first = map[int]int{}, map[[2]int]bool{}, 0, 0, time.Time{}
}

func (a *arrivals) see(body []byte) {
	conn, n, ok := generator{prefix: 'M'}.parseID(controlID(body))
	a.mu.Lock()
	defer a.mu.Unlock()
	if !ok || a.seen == nil {
		return
	}
	a.last = time.Now()
	if a.first.IsZero() {
		a.first = a.last
	}
	switch {
	case a.seen[[2]int{conn, n}]:
		a.repeats++
		return
	case n < a.newest[conn]:
		a.disorder++
	}
	a.seen[[2]int{conn, n}] = true
	a.newest[conn] = max(a.newest[conn], n)
}

func (a *arrivals) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.seen)
}

func (a *arrivals) rate() float64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return ratio(float64(len(a.seen)-1), a.last.Sub(a.first).Seconds())
}

func (a *arrivals) verdict() (distinct, repeats, disorder int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.seen), a.repeats, a.disorder
}
