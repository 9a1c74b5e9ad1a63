package feedtest

import (
	"time"

	"github.com/spine-engine/spine-engine/internal/lanes"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/internal/schedule"
	"github.com/spine-engine/spine-engine/routes"
)

// queue is one destination: the scheduler that runs live, and a scripted peer.
type queue struct {
	name    string
	rank    int // in the project
	lanes   *lanes.Queue
	peer    *peer
	windows []routes.Pause
	policy  routes.Backoff
	pages   map[string][]*record // by lane, in order
	wake    time.Time            // when the scheduler wants to be asked again; zero = it does not
	touched bool                 // it has news
	open    int                  // copies without a final state
	vain    int                  // tries since one ended a copy
}

// step asks the scheduler until it has nothing more to do at this instant.
func (w *world) step(q *queue) {
	q.touched = false
	for {
		if until, _ := schedule.Paused(q.windows, w.now); !until.IsZero() {
			q.lanes.Pause(w.now, lanes.Whole(), until)
		}
		actions, wake := q.lanes.Next(w.now)
		q.wake = wake
		if len(actions) == 0 {
			return
		}
		for _, a := range actions {
			w.do(q, a)
		}
	}
}

func (w *world) do(q *queue, a lanes.Action) {
	switch a := a.(type) {
	case lanes.Send:
		w.send(q, a)
	case lanes.Load:
		q.lanes.Loaded(w.now, a.Lane, q.page(a), nil)
	case lanes.Finish:
		for _, f := range a.Finished {
			w.record(q, &f)
		}
	case lanes.Note:
		for _, f := range a.Finished {
			w.record(q, &f)
		}
	}
}

// page reads from the lane's beginning on: what the store would give.
func (q *queue) page(l lanes.Load) []*message.Delivery {
	var out []*message.Delivery
	for _, r := range q.pages[l.Lane] {
		at := lanes.Cursor{Pos: r.d.Pos, Key: r.d.Key}
		if r.state == message.Queued && l.After.Before(at) && len(out) < l.Limit {
			d := *r.d
			d.Attempts, d.Stopped = r.attempts, r.stopped
			out = append(out, &d)
		}
	}
	return out
}

// record is what the journal would keep.
func (w *world) record(q *queue, f *message.Finished) {
	r := w.byKey[f.Key]
	r.attempts, r.stopped, r.reason = f.Attempts, f.Stopped, f.Reason
	if f.State == message.Queued || r.state != message.Queued {
		return
	}
	r.state = f.State
	q.open--
	q.vain = 0
	if f.State == message.Delivered {
		w.landed++
		r.order = w.landed
	}
}

// hopeless: the peer repeats its last answer, which ends no copy, and trying has no end.
func (q *queue) hopeless() bool {
	return q.policy.GiveUpAfter == 0 && q.peer.repeats() && q.vain > 100+10*q.open+q.peer.limit
}
