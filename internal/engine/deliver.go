package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/lanes"
	"github.com/spine-engine/spine-engine/internal/message"
)

// sendOrDefer starts a send, unless the lane's last answer is not durable yet: a
// crash between the two would repeat both copies instead of one. q.mu is held.
func (q *queue) sendOrDefer(ctx context.Context, s lanes.Send) {
	if q.stopped {
		return
	}
	if q.unrecorded[s.Lane] > 0 {
		q.deferred[s.Lane] = s
		return
	}
	dest := q.dest
	q.sending++
	q.working.Go(func() { q.send(ctx, dest, s) })
}

// send is the way out: the copies of one lane go to the destination, and the
// answers to the scheduler, which judges them by the reply table.
func (q *queue) send(ctx context.Context, dest adapters.Destination, s lanes.Send) {
	begun := time.Now()
	answers, settle := q.attempt(context.WithoutCancel(ctx), dest, s.Deliveries)
	q.metrics.sendFor.WithLabelValues(q.name).Observe(time.Since(begun).Seconds())
	results := make([]lanes.Result, len(answers))
	for i, a := range answers {
		results[i] = lanes.Result{Key: s.Deliveries[i].Key, Code: a.Reply.Code, Err: a.Err, Permanent: adapters.IsPermanent(a.Err)}
		code := a.Reply.Code
		if a.Err != nil {
			code = "error"
		}
		q.metrics.attempts.WithLabelValues(q.name, code).Inc()
	}
	q.update(func(now time.Time) {
		q.judge(answers, len(s.Deliveries), now)
		q.released(dest)
		if settle != nil {
			q.settles = append(q.settles, settle)
		}
		q.lanes.Done(now, s.Lane, results)
	})
}

// attempt calls the adapter; a panic there becomes a permanent error, so that the
// copy is set aside and the process lives.
func (q *queue) attempt(ctx context.Context, dest adapters.Destination, ds []*message.Delivery) (rs []adapters.Result, settle func() error) {
	defer func() {
		if p := recover(); p != nil {
			q.log.Error().Str("panic", fmt.Sprintf("%T", p)).Bytes("stack", stackWithoutArguments(debug.Stack())).Msg("destination panicked")
			rs = []adapters.Result{{Err: adapters.Permanent(fmt.Errorf("panic in the adapter (%T)", p))}}
			settle = nil
		}
	}()
	if b, ok := dest.(adapters.BatchSender); ok {
		return b.SendBatch(ctx, ds)
	}
	for _, d := range ds {
		reply, err := dest.Send(ctx, d)
		rs = append(rs, adapters.Result{Reply: reply, Err: err})
		if err != nil {
			break
		}
	}
	return rs, nil
}

// judge notes for people how it goes: the first failure and the first success
// after failures are worth a line each, the rest is counted. q.mu is held.
func (q *queue) judge(answers []adapters.Result, copies int, now time.Time) {
	i := slices.IndexFunc(answers, func(a adapters.Result) bool { return a.Err != nil || !good(a.Reply.Code) })
	if i < 0 && len(answers) == copies {
		if q.failing {
			q.log.Info().Msg("delivering again")
		}
		q.failing, q.lastError = false, ""
		return
	}
	err := errors.New("the destination took a part of the batch")
	if i >= 0 {
		if err = answers[i].Err; err == nil {
			err = fmt.Errorf("answered %s", answers[i].Reply.Code)
		}
	}
	if !q.failing {
		q.log.Warn().Err(err).Msg("delivery failed; its lane waits and tries again")
	}
	q.failing, q.lastError, q.lastAt = true, err.Error(), now
}

func good(code string) bool {
	return code == "AA" || code == "CA" || code == adapters.Written || len(code) == 3 && code[0] == '2'
}

// released counts a send of dest as ended, and closes dest when it was replaced
// and this was its last. q.mu is held.
func (q *queue) released(dest adapters.Destination) {
	if dest == q.dest {
		q.sending--
		return
	}
	for i := range q.retired {
		if q.retired[i].dest == dest {
			if q.retired[i].sending--; q.retired[i].sending == 0 {
				closeIt(dest, q.log)
				q.retired = slices.Delete(q.retired, i, i+1)
			}
			return
		}
	}
}

// record makes final states durable. Whatever has gathered while the last record
// was being synced goes in one. q.mu is held.
func (q *queue) record(fs []message.Finished) {
	for _, f := range fs {
		q.unrecorded[f.Lane]++
	}
	q.finish = append(q.finish, fs...)
	if !q.recording {
		q.recording = true
		q.working.Go(q.recorder)
	}
}

func (q *queue) recorder() {
	for {
		q.mu.Lock()
		fs, settles := q.finish, q.settles
		q.finish, q.settles = nil, nil
		if len(fs) == 0 && len(settles) == 0 {
			q.recording = false
			q.mu.Unlock()
			return
		}
		q.mu.Unlock()
		if len(fs) > 0 {
			if err := q.journal.Finish(context.Background(), fs); err != nil {
				// The store has failed or is closed: the engine is ending, and the
				// journal decides at the next start.
				q.log.Error().Err(err).Int("copies", len(fs)).Msg("what was delivered could not be recorded")
				return
			}
		}
		for _, settle := range settles {
			if err := settle(); err != nil {
				q.log.Warn().Err(err).Msg("tidying up after a delivery; it is done again at the next start")
			}
		}
		q.count(fs)
		q.update(func(time.Time) { q.recorded(fs) })
	}
}

// recorded lets sends go that waited for these records. q.mu is held.
func (q *queue) recorded(fs []message.Finished) {
	for _, f := range fs {
		if q.unrecorded[f.Lane]--; q.unrecorded[f.Lane] > 0 {
			continue
		}
		delete(q.unrecorded, f.Lane)
		if s, ok := q.deferred[f.Lane]; ok {
			delete(q.deferred, f.Lane)
			q.sendOrDefer(context.Background(), s)
		}
	}
}

func (q *queue) count(fs []message.Finished) {
	for _, f := range fs {
		if f.State != message.Queued {
			q.metrics.finished.WithLabelValues(q.name, f.State.String()).Inc()
		}
	}
}

// load fetches a page of a lane from the store.
func (q *queue) load(l lanes.Load) {
	q.working.Go(func() {
		ds, err := q.journal.Pending(q.name, l.Lane, l.After.Pos, l.After.Key, l.Limit)
		if err != nil {
			q.log.Error().Err(err).Msg("reading queued copies from the store; tried again")
		}
		q.update(func(now time.Time) { q.lanes.Loaded(now, l.Lane, ds, err) })
	})
}
