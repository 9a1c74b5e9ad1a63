package engine

import (
	"time"

	"github.com/spine-engine/spine-engine/internal/lanes"
	"github.com/spine-engine/spine-engine/routes"
)

// lanesPolicy puts a destination's policy in the scheduler's words.
func lanesPolicy(d routes.Destination) lanes.Policy {
	p := d.Policy
	out := lanes.Policy{Batch: p.Batch, Concurrency: p.Concurrency, Rate: p.Rate, Reply: map[string]lanes.Rule{},
		MaxLoaded: max(2048, 4*p.Batch), MaxBytes: 8 << 20,
		Retry: lanes.Backoff{First: p.Retry.First, Cap: p.Retry.Cap, Factor: p.Retry.Factor, Jitter: p.Retry.Jitter,
			GiveUpAfter: p.Retry.GiveUpAfter, Then: do(p.Retry.Then)}}
	for code, r := range p.Reply {
		if r.Do == routes.DoRetry && r.Retries == 0 {
			r.Do = r.Then // "retry: 0, then: stop" is no retry at all
		}
		out.Reply[code] = lanes.Rule{Do: do(r.Do), Retries: r.Retries, Then: do(r.Then), Place: r.Place}
	}
	return out
}

func do(d routes.Do) lanes.Do {
	switch d {
	case routes.DoDone:
		return lanes.Done
	case routes.DoDeadLetter:
		return lanes.DeadLetter
	case routes.DoHold:
		return lanes.Hold
	case routes.DoStop:
		return lanes.Stop
	}
	return lanes.Retry
}

// pauses keeps a queue still in the windows that its policy names. q.mu is held.
func (q *queue) pauses(now time.Time) {
	for _, w := range q.windows {
		until, active := w.Active(now)
		if !active || until.Equal(q.pausedUntil) {
			continue
		}
		q.pausedUntil = until
		q.lanes.Pause(now, lanes.Whole(), until)
		q.log.Info().Str("reason", w.Reason).Time("until", until).Msg("paused")
	}
}

// lookAgain bounds how late the begin of a pause window is noticed.
const lookAgain = 15 * time.Second
