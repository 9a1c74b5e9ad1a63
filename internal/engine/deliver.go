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

// sends gives the sends that may go now. One whose lane's last answer is not
// durable yet waits: a crash between the two would repeat both copies instead of
// one. q.mu is held.
func (q *queue) sends() (jobs []job) {
	for _, s := range q.due {
		switch {
		case q.stopped:
		case q.unrecorded[s.Lane] > 0:
			q.deferred[s.Lane] = s
		default:
			dest := q.dest
			q.sending++
			jobs = append(jobs, func() []job { return q.send(dest, s) })
		}
	}
	clear(q.due)
	q.due = q.due[:0]
	return jobs
}

// send is the way out: the copies of one lane go to the destination, and the
// answers to the scheduler, which judges them by the reply table.
func (q *queue) send(dest adapters.Destination, s lanes.Send) []job {
	begun := time.Now()
	answers, settle := q.attempt(context.Background(), dest, s.Deliveries)
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
	return q.step(func(now time.Time) {
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
	return code == "AA" || code == "CA" || code == adapters.Written || code == captured || len(code) == 3 && code[0] == '2'
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

// records takes what is to be recorded. Whatever has gathered while the last
// record was being synced goes in one. q.mu is held.
func (q *queue) records(actions []lanes.Action) []job {
	for _, a := range actions {
		switch a := a.(type) {
		case lanes.Finish:
			for _, f := range a.Finished {
				q.unrecorded[f.Lane]++
			}
			q.finish = append(q.finish, a.Finished...)
		case lanes.Note:
			q.journal.Note(a.Finished)
		}
	}
	if q.recording || len(q.finish) == 0 && len(q.settles) == 0 {
		return nil
	}
	q.recording = true
	fs, settles := q.finish, q.settles
	q.finish, q.settles = nil, nil
	return []job{func() []job { return q.record(fs, settles) }}
}

// record makes final states durable, tells the adapters so, and lets the sends go
// that waited for it.
func (q *queue) record(fs []message.Finished, settles []func() error) []job {
	if len(fs) > 0 {
		if err := q.journal.Finish(context.Background(), fs); err != nil {
			// The store has failed or is closed: the engine is ending, and the
			// journal decides at the next start.
			q.log.Error().Err(err).Int("copies", len(fs)).Msg("what was delivered could not be recorded")
			return nil
		}
	}
	for _, settle := range settles {
		if err := settle(); err != nil {
			q.log.Warn().Err(err).Msg("tidying up after a delivery; it is done again at the next start")
		}
	}
	q.count(fs)
	return q.step(func(time.Time) { q.recorded(fs) })
}

// recorded frees the lanes of these records. q.mu is held.
func (q *queue) recorded(fs []message.Finished) {
	q.recording = false
	for _, f := range fs {
		if q.unrecorded[f.Lane]--; q.unrecorded[f.Lane] > 0 {
			continue
		}
		delete(q.unrecorded, f.Lane)
		if s, ok := q.deferred[f.Lane]; ok {
			delete(q.deferred, f.Lane)
			q.due = append(q.due, s)
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

// load fetches a page of a lane from the store. q.mu is held.
func (q *queue) load(l lanes.Load) job {
	asked := q.lanes
	return func() []job {
		ds, err := q.journal.Pending(q.name, l.Lane, l.After.Pos, l.After.Key, l.Limit)
		if err != nil {
			q.log.Error().Err(err).Msg("reading queued copies from the store; tried again")
		}
		return q.step(func(now time.Time) {
			if q.lanes == asked { // or the queue was read anew meanwhile
				q.lanes.Loaded(now, l.Lane, ds, err)
			}
		})
	}
}
