package engine

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/internal/lanes"
	"github.com/spine-engine/spine-engine/internal/schedule"
	"github.com/spine-engine/spine-engine/store"
)

// lookAgain bounds how late the begin of a pause window is noticed.
const lookAgain = 15 * time.Second

// pauseState says whether a queue is paused, until when (zero = until somebody
// resumes it), and why. The reason may be a person's own words: never log it.
type pauseState struct {
	on    bool
	until time.Time
	why   string
	log   string // why, for the log
}

// pauseNow is the pause that the queue is under: the one that ends last of what
// people have ordered and what the project's windows say. q.mu is held.
func (q *queue) pauseNow(now time.Time) (p pauseState) {
	if q.still {
		return pauseState{on: true, why: "its copies are being decided again", log: "its copies are being decided again"}
	}
	until, reason := schedule.Paused(q.windows, now)
	if !until.IsZero() {
		p = pauseState{on: true, until: until, why: reason, log: reason}
	}
	for _, w := range q.ordered {
		if ended(w, now) || p.on && (p.until.IsZero() || !w.Until.IsZero() && w.Until.Before(p.until)) {
			continue
		}
		p = pauseState{on: true, until: w.Until, why: strings.TrimSuffix(w.By.Name+": "+w.By.Reason, ": "), log: "ordered by " + w.By.Name}
	}
	return p
}

func ended(w store.Switch, now time.Time) bool { return !w.Until.IsZero() && !w.Until.After(now) }

// pauses tells the scheduler when the queue's pause has changed. q.mu is held.
func (q *queue) pauses(now time.Time) {
	p := q.pauseNow(now)
	if p.on == q.paused.on && p.until.Equal(q.paused.until) {
		return
	}
	was := q.paused
	q.paused = p
	if p.on {
		q.lanes.Pause(now, lanes.Whole(), p.until)
		orResumed(q.log.Info().Str("why", p.log), p.until).Msg("paused")
		return
	}
	q.lanes.Resume(now, lanes.Whole())
	q.log.Info().Str("was", was.log).Msg("resumed")
}

// orResumed says until when, where that is known.
func orResumed(ev *zerolog.Event, until time.Time) *zerolog.Event {
	if until.IsZero() {
		return ev
	}
	return ev.Time("until", until)
}

// order takes what people have paused.
func (q *queue) order(now time.Time, all map[store.Subject]store.Switch) {
	q.mu.Lock()
	defer q.mu.Unlock()
	feed, _, own := strings.Cut(q.name, "/")
	before := q.byLane
	q.ordered, q.byLane = nil, nil
	for _, w := range all {
		switch {
		case w.Kind == KindDestination && w.Name == q.name, w.Kind == KindFeed && own && w.Name == feed:
			q.ordered = append(q.ordered, w)
		case w.Kind == KindLane && w.Name == q.name:
			q.byLane = append(q.byLane, w)
		}
	}
	for _, w := range before {
		if !slices.ContainsFunc(q.byLane, func(n store.Switch) bool { return n.Lane == w.Lane }) {
			q.lanes.Resume(now, lanes.One(w.Lane))
		}
	}
	q.pauseLanes(now)
	q.pauses(now)
	q.nudge()
}

// pauseLanes tells the scheduler of all paused lanes. q.mu is held.
func (q *queue) pauseLanes(now time.Time) {
	for _, w := range q.byLane {
		if !ended(w, now) {
			q.lanes.Pause(now, lanes.One(w.Lane), w.Until)
		}
	}
}

// keepStill lets no further send begin and waits until nothing is under way: no
// send, no record.
func (q *queue) keepStill(ctx context.Context) error {
	quiet := make(chan struct{})
	q.update(func(time.Time) { q.still, q.quiet = true, quiet })
	select {
	case <-quiet:
		return nil
	case <-ctx.Done():
		q.goOn()
		return context.Cause(ctx)
	}
}

func (q *queue) goOn() {
	q.update(func(time.Time) { q.still, q.quiet = false, nil })
}

// settled tells who waits for it that nothing is under way. q.mu is held.
func (q *queue) settled() {
	if q.quiet == nil || q.sending > 0 || len(q.retired) > 0 || len(q.deferred)+len(q.due) > 0 ||
		q.recording || len(q.finish)+len(q.settles) > 0 {
		return
	}
	close(q.quiet)
	q.quiet = nil
}
