package engine

import (
	"context"
	"fmt"
	"slices"
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
	again, settled := heldParts(record.Parts)
	d := plan.DecideAgain(record.Envelope, time.Now().UTC(), again)
	if d.Outcome == message.Held || d.Outcome == message.Quarantined {
		place, reason := d.Why()
		return nil, fmt.Errorf("message %s would be %s again by %s (%s): %w", id, d.Outcome, place, reason, store.ErrState)
	}
	d.Parts = append(settled, d.Parts...)
	if d.Outcome != message.Rejected && slices.ContainsFunc(settled, func(p message.Part) bool { return p.Outcome == message.Routed }) {
		d.Outcome = message.Routed
	}
	return d, s.Redecide(ctx, id, d, by)
}

// heldParts says what is to be decided again: the feeds that held the message, or
// of a feed with more than one word those that held, their rules waived. What else
// was decided stands: those copies are on their way.
func heldParts(parts []message.Part) (again routes.Again, settled []message.Part) {
	words := map[string]int{}
	for _, p := range parts {
		words[p.Feed]++
	}
	for _, p := range parts {
		if p.Outcome != message.Held {
			settled = append(settled, p)
			continue
		}
		again.Waived = append(again.Waived, p.Rule)
		switch {
		case p.Number > 0, words[p.Feed] > 1 && p.Feed != "":
			again.Parts = append(again.Parts, routes.PartOf{Feed: p.Feed, Number: p.Number})
		case p.Feed != "":
			again.Feeds = append(again.Feeds, p.Feed)
		}
	}
	if len(again.Feeds)+len(again.Parts) == 0 { // unrouted, quarantined, or wanted by no feed: all are asked again
		return again, nil
	}
	return again, settled
}

// ReleaseMessage is Release under the running plan.
func (e *Engine) ReleaseMessage(ctx context.Context, id message.ID, by store.Person) (*message.Decision, error) {
	e.deciding.RLock() // a queue it sends to must not go meanwhile; see dropQueues
	defer e.deciding.RUnlock()
	return Release(ctx, e.Plan(), e.store, id, by)
}

// desk is the store as people use it while the engine runs: nothing is queued
// for a destination that is just going; see dropQueues.
type desk struct {
	Backend
	e *Engine
}

func (d desk) Requeue(ctx context.Context, k message.Key, by store.Person) error {
	d.e.deciding.RLock()
	defer d.e.deciding.RUnlock()
	return d.Backend.Requeue(ctx, k, by)
}

func (d desk) Resend(ctx context.Context, k message.Key, by store.Person) (message.Key, error) {
	d.e.deciding.RLock()
	defer d.e.deciding.RUnlock()
	return d.Backend.Resend(ctx, k, by)
}

// isDestination reports whether the plan in force has a destination of the name.
func (e *Engine) isDestination(queue string) bool {
	plan := e.plan.Load()
	return plan == nil || slices.ContainsFunc(plan.Destinations(), func(d routes.Destination) bool { return d.Queue == queue })
}
