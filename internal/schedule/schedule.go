package schedule

import (
	"time"

	"github.com/spine-engine/spine-engine/internal/lanes"
	"github.com/spine-engine/spine-engine/routes"
)

// Policy is what the scheduler is told of a destination.
func Policy(d routes.Destination) lanes.Policy {
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

// Paused reports whether one of the destination's windows lies around now: until
// when, and why. Of several the one that ends last counts.
func Paused(windows []routes.Pause, now time.Time) (until time.Time, reason string) {
	for _, w := range windows {
		if end, active := w.Active(now); active && end.After(until) {
			until, reason = end, w.Reason
		}
	}
	return until, reason
}
