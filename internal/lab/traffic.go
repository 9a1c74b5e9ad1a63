package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spine-engine/spine-engine/internal/peer"
)

// traffic is senders that never give up: each connection sends its messages in
// order, at most window ahead of the answers, and after a break connects again and
// repeats exactly what was not acknowledged.
type traffic struct {
	address string
	ledger  *ledger
	window  int
	each    int           // messages per connection; 0 = until stop
	stop    chan struct{} // closed: send nothing new, wait for what is out
	timeout time.Duration // of an answer

	dark     atomic.Bool  // the power is off: what comes now was never received
	late     atomic.Int64 // answers that came all the same
	breaks   atomic.Int64 // connections that ended although nobody stopped them
	refusals atomic.Int64 // answers other than AA
	next     []atomic.Int64
	pending  [][]int // per connection: sent, not acknowledged, in order; its connection's own
}

func newTraffic(address string, l *ledger, window, each int) *traffic {
	return &traffic{address: address, ledger: l, window: window, each: each, stop: make(chan struct{}),
		timeout: 20 * time.Second, next: make([]atomic.Int64, len(l.conns)), pending: make([][]int, len(l.conns))}
}

// run blocks until every connection has its answers, or ctx ends.
func (t *traffic) run(ctx context.Context) {
	var wg sync.WaitGroup
	for n := range t.ledger.conns {
		wg.Go(func() { t.connection(ctx, n) })
	}
	wg.Wait()
}

func (t *traffic) connection(ctx context.Context, n int) {
	out := &t.pending[n]
	for ctx.Err() == nil && !t.dark.Load() {
		c, err := peer.Dial(ctx, t.address, nil, t.timeout)
		if err == nil {
			err = t.converse(ctx, c, n, out)
			c.Close()
			if err == nil {
				return
			}
			t.breaks.Add(1)
		}
		select {
		case <-ctx.Done():
		case <-time.After(3 * time.Millisecond):
		}
	}
}

// converse sends until there is nothing left to send and everything is answered.
func (t *traffic) converse(ctx context.Context, c *peer.Client, n int, out *[]int) error {
	end := context.AfterFunc(ctx, func() { c.Close() })
	defer end()
	for _, seq := range *out {
		if err := t.send(c, n, seq); err != nil {
			return err
		}
	}
	for {
		for len(*out) < t.window && t.more(n) {
			seq := int(t.next[n].Add(1)) - 1
			*out = append(*out, seq)
			if err := t.send(c, n, seq); err != nil {
				return err
			}
		}
		if len(*out) == 0 {
			return nil
		}
		if err := t.answer(c, n, (*out)[0]); err != nil {
			return err
		}
		*out = (*out)[1:]
	}
}

func (t *traffic) more(n int) bool {
	select {
	case <-t.stop:
		return false
	default:
		return t.each == 0 || int(t.next[n].Load()) < t.each
	}
}

func (t *traffic) send(c *peer.Client, n, seq int) error {
	t.ledger.sent(n, seq)
	return c.Write(t.ledger.gen.body(n, seq))
}

func (t *traffic) answer(c *peer.Client, n, seq int) error {
	a, err := c.Answer()
	if err != nil {
		return err
	}
	if t.dark.Load() {
		t.late.Add(1)
		return errors.New("the power is off")
	}
	if want := t.ledger.gen.id(n, seq); a.ControlID != want {
		return fmt.Errorf("the answer to message %s names another", want)
	}
	if a.Code != "AA" {
		t.refusals.Add(1)
		return errors.New("refused")
	}
	t.ledger.acked(n, seq)
	return nil
}
