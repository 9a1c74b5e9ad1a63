package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

// accept is the way in: identity, decision, one durable record, receipt. A nil
// error is the source's right to acknowledge.
func (e *Engine) accept(ctx context.Context, env *message.Envelope) (message.Receipt, error) {
	if e.stopping.Load() {
		e.unspool(env, message.Receipt{}, adapters.ErrBusy)
		return message.Receipt{}, adapters.ErrBusy
	}
	now := time.Now().UTC()
	env.ID = newID(now)
	if env.Received.IsZero() {
		env.Received = now
	}
	size := env.Body.Footprint()
	if err := e.budget.take(ctx, size); err != nil {
		e.unspool(env, message.Receipt{}, err)
		return message.Receipt{}, fmt.Errorf("%w: %w", adapters.ErrBusy, err)
	}
	defer e.budget.give(size)
	e.deciding.RLock()
	decision := e.plan.Load().Decide(env, now)
	receipt, err := e.store.Append(ctx, decision)
	if errors.Is(err, store.ErrTooLarge) {
		decision = withoutCopies(decision, err)
		receipt, err = e.store.Append(ctx, decision)
	}
	e.deciding.RUnlock()
	e.metrics.accepted(decision, receipt, err, time.Since(now))
	e.unspool(env, receipt, err)
	if errors.Is(err, store.ErrFull) {
		return message.Receipt{}, fmt.Errorf("%w: %w", adapters.ErrBusy, err)
	}
	return receipt, err
}

// withoutCopies holds a message whose copies do not go into one record: its
// sender would bring it again for ever, and what follows it would wait.
func withoutCopies(d *message.Decision, why error) *message.Decision {
	return &message.Decision{Envelope: d.Envelope, Outcome: message.Held, Plan: d.Plan, Reply: d.Reply,
		Type: d.Type, Event: d.Event, ControlID: d.ControlID, Parts: []message.Part{{Outcome: message.Held, Reason: why.Error()}}}
}

// unspool gives a large body's file back when nothing was stored that refers to
// it. After a failure of the store nobody knows; the next start looks.
func (e *Engine) unspool(env *message.Envelope, r message.Receipt, err error) {
	if _, spooled := env.Body.File(); !spooled || err == nil && !r.Duplicate || errors.Is(err, store.ErrFailed) {
		return
	}
	if err := e.store.Unspool(env.Body); err != nil && !errors.Is(err, store.ErrClosed) {
		e.log.Warn().Err(err).Msg("the file of a message that was not stored stays until the next start")
	}
}

func newID(now time.Time) message.ID { return ulid.MustNew(ulid.Timestamp(now), rand.Reader) }

// budget bounds the bytes that are in hand between a source and the journal.
type budget struct {
	mu      sync.Mutex
	free    int64
	max     int64
	waiting int
	wake    chan struct{} // closed and replaced when bytes come back to somebody waiting
}

// defaultInFlight holds until the first plan says otherwise.
const defaultInFlight = 64 << 20

func newBudget(n int64) *budget { return &budget{free: n, max: n, wake: make(chan struct{})} }

// take waits until n bytes are free. A message larger than the whole budget
// passes when it is alone.
func (b *budget) take(ctx context.Context, n int64) error {
	for {
		b.mu.Lock()
		if b.free >= n || b.free == b.max {
			b.free -= n
			b.mu.Unlock()
			return nil
		}
		wake := b.wake
		b.waiting++
		b.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (b *budget) give(n int64) {
	b.mu.Lock()
	b.free += n
	if b.waiting > 0 {
		b.waiting = 0
		close(b.wake)
		b.wake = make(chan struct{})
	}
	b.mu.Unlock()
}

// resize changes the whole; what is taken stays taken.
func (b *budget) resize(n int64) {
	b.mu.Lock()
	b.free += n - b.max
	b.max = n
	b.mu.Unlock()
}
