package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
	"github.com/spine-engine/spine-engine/store"
)

// Release decides a held message again under plan, with the rules waived that
// held it, and stores the new outcome in the old one's place. Its copies join
// their lanes' ends. It works on a store without an engine as well.
func Release(ctx context.Context, plan *routes.Plan, s store.History, id message.ID, by store.Person) (*message.Decision, error) {
	record, err := s.Get(id)
	if err != nil {
		return nil, err
	}
	switch record.Outcome {
	case message.Held, message.Unrouted, message.Quarantined:
	default:
		return nil, fmt.Errorf("message %s is %s: %w; only held, unrouted and quarantined messages can be released", id, record.Outcome, store.ErrState)
	}
	var waived []message.Place
	for _, p := range record.Parts {
		if p.Outcome == message.Held {
			waived = append(waived, p.Rule)
		}
	}
	d := plan.DecideWaiving(record.Envelope, time.Now().UTC(), waived)
	if d.Outcome == message.Held || d.Outcome == message.Quarantined {
		place, reason := d.Why()
		return nil, fmt.Errorf("message %s would be %s again by %s (%s): %w", id, d.Outcome, place, reason, store.ErrState)
	}
	return d, s.Redecide(ctx, id, d, by)
}

// ReleaseMessage is Release under the running plan.
func (e *Engine) ReleaseMessage(ctx context.Context, id message.ID, by store.Person) (*message.Decision, error) {
	return Release(ctx, e.Plan(), e.store, id, by)
}
