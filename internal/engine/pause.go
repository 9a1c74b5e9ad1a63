package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/routes"
	"github.com/spine-engine/spine-engine/store"
)

// What can be paused (store.Subject.Kind). A peer is paused as the destination
// of its name.
const (
	KindSource      = "source"
	KindFeed        = "feed"
	KindDestination = "destination"
	KindLane        = "lane"
)

// ErrPause says that what was to be paused or resumed cannot be.
var ErrPause = errors.New("cannot be paused or resumed")

// PauseStore records a pause or its end, and says which sources and queues it is
// about. Without an engine it takes effect when one starts.
func PauseStore(ctx context.Context, plan *routes.Plan, s Backend, w store.Switch) ([]string, error) {
	about, err := subjectsOf(plan, w.Subject)
	if err != nil && !w.Paused {
		err = knownPause(s, w.Subject) // what the project has no more can still be resumed
	}
	if err != nil {
		return nil, err
	}
	if w.Paused && !w.Until.IsZero() && !w.Until.After(time.Now()) {
		return nil, fmt.Errorf("%w: its end %s lies in the past", ErrPause, w.Until.Format(time.RFC3339))
	}
	if !w.Paused {
		if err := knownPause(s, w.Subject); err != nil {
			return nil, err
		}
	}
	return about, s.Switch(ctx, w)
}

func knownPause(s Backend, sub store.Subject) error {
	all, err := s.Switches()
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(all, func(w store.Switch) bool { return w.Subject == sub }) {
		return fmt.Errorf("%w: %s %s is not paused by anybody", ErrPause, sub.Kind, sub.Name)
	}
	return nil
}

// subjectsOf says which sources and queues a subject stands for.
func subjectsOf(plan *routes.Plan, sub store.Subject) ([]string, error) {
	var sources, queues []string
	for _, s := range plan.Sources() {
		sources = append(sources, s.Name)
	}
	for _, d := range plan.Destinations() {
		queues = append(queues, d.Queue)
	}
	switch sub.Kind {
	case KindSource:
		return oneOf(sub, sources)
	case KindDestination, KindLane:
		return oneOf(sub, queues)
	case KindFeed:
		if _, err := oneOf(sub, plan.Feeds()); err != nil {
			return nil, err
		}
		return ofFeed(sub.Name, sources, queues)
	}
	return nil, fmt.Errorf("%w: %q is no kind of thing that can be; write source, feed, destination, peer or lane", ErrPause, sub.Kind)
}

func oneOf(sub store.Subject, names []string) ([]string, error) {
	if slices.Contains(names, sub.Name) {
		return []string{sub.Name}, nil
	}
	return nil, fmt.Errorf("%w: the project has no %s of the name %q; it has %s", ErrPause, sub.Kind, sub.Name, strings.Join(names, ", "))
}

// ofFeed is what a feed has for itself. Listeners and peers are shared, or may be
// tomorrow: they are paused by their own names.
func ofFeed(feed string, sources, queues []string) (own []string, err error) {
	for _, s := range sources {
		if strings.HasPrefix(s, feed+"/") {
			own = append(own, "source "+s)
		}
	}
	for _, q := range queues {
		if strings.HasPrefix(q, feed+"/") {
			own = append(own, "destination "+q)
		}
	}
	if len(own) == 0 {
		return nil, fmt.Errorf("%w: feed %s has no source or destination of its own; pause its listener or its peers by their names", ErrPause, feed)
	}
	return own, nil
}

// Pause pauses, or resumes, and says which sources and queues that is about.
func (e *Engine) Pause(ctx context.Context, w store.Switch) ([]string, error) {
	e.reloading.Lock()
	defer e.reloading.Unlock()
	about, err := PauseStore(ctx, e.Plan(), e.store, w)
	if err != nil {
		return nil, err
	}
	word := "a person resumes"
	if w.Paused {
		word = "a person pauses"
	}
	orResumed(e.log.Info().Str("kind", w.Kind).Str("name", w.Name).Str("by", w.By.Name), w.Until).Msg(word)
	return about, e.takePauses()
}

// readPauses learns what people have paused.
func (e *Engine) readPauses() error {
	all, err := e.store.Switches()
	if err != nil {
		return err
	}
	ordered := map[store.Subject]store.Switch{}
	for _, w := range all {
		ordered[w.Subject] = w
	}
	e.mu.Lock()
	e.ordered = ordered
	e.mu.Unlock()
	return nil
}

// takePauses brings sources and queues into the state that people have ordered.
// e.reloading is held.
func (e *Engine) takePauses() error {
	if err := e.readPauses(); err != nil {
		return err
	}
	e.mu.Lock()
	for _, q := range e.queues {
		q.order(time.Now(), e.ordered)
	}
	e.mu.Unlock()
	err := e.takeSourcePauses()
	select {
	case e.pausesChanged <- struct{}{}:
	default:
	}
	return err
}

// takeSourcePauses stops the sources that are paused and opens those that are so
// no longer.
func (e *Engine) takeSourcePauses() error {
	plan := e.Plan()
	var errs []error
	for _, s := range plan.Sources() {
		old := e.source(s.Name)
		switch serves := e.serves(s); {
		case !serves && old != nil:
			e.stopSource(old)
			e.log.Info().Str("source", s.Name).Msg("source paused")
		case serves && old == nil:
			src, err := e.openSource(s, plan.Settings.Limits)
			if err != nil {
				errs = append(errs, fmt.Errorf("%w; it is tried again every %s", err, lookAgain))
				continue
			}
			e.mu.Lock()
			e.sources[s.Name] = src
			if e.running {
				src.start(e.accept)
			}
			e.mu.Unlock()
			e.log.Info().Str("source", s.Name).Msg("source resumed")
		}
	}
	return errors.Join(errs...)
}

// serves reports whether a source of the plan is to be open now.
func (e *Engine) serves(s routes.Source) bool {
	return !e.leftAlone(s) && !e.sourcePaused(s.Name, time.Now())
}

func (e *Engine) sourcePaused(name string, now time.Time) bool {
	feed, _, own := strings.Cut(name, "/")
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, sub := range []store.Subject{{Kind: KindSource, Name: name}, {Kind: KindFeed, Name: feed}} {
		if w, ok := e.ordered[sub]; ok && !ended(w, now) && (own || sub.Kind == KindSource) {
			return true
		}
	}
	return false
}

// leftAlone: a shadow opens what others bring their messages to, and does not
// take messages away from where the live engine would take them.
func (e *Engine) leftAlone(s routes.Source) bool {
	return e.opts.Shadow != "" && !e.opts.ShadowTakes &&
		slices.ContainsFunc(s.Config.Claims(), func(c string) bool { return !strings.HasPrefix(c, "port ") })
}

// resumes opens sources whose pause has come to its end.
func (e *Engine) resumes(ctx context.Context) {
	for ctx.Err() == nil {
		timer := time.NewTimer(e.nextResume(time.Now()))
		select {
		case <-ctx.Done():
		case <-e.pausesChanged:
		case <-timer.C:
			e.reloading.Lock()
			if err := e.takeSourcePauses(); err != nil && ctx.Err() == nil {
				e.log.Error().Err(err).Msg("a source whose pause is over cannot be opened")
			}
			e.reloading.Unlock()
		}
		timer.Stop()
	}
}

// nextResume is how long it is until a pause ends, at least a moment. A source
// that could not be opened is tried again.
func (e *Engine) nextResume(now time.Time) time.Duration {
	next := time.Hour
	for _, s := range e.Plan().Sources() {
		if e.serves(s) && e.source(s.Name) == nil {
			next = lookAgain
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, w := range e.ordered {
		if !w.Until.IsZero() && w.Until.After(now) {
			next = min(next, w.Until.Sub(now)+time.Millisecond)
		}
	}
	return next
}

// Paused is one pause that a person has ordered. The key of a lane is left out:
// it can be a patient's number.
type Paused struct {
	Kind   string    `json:"kind"`
	Name   string    `json:"name"`
	Until  time.Time `json:"until,omitzero"`
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
}

// pauseList gives the pauses in force, by kind and name.
func (e *Engine) pauseList(now time.Time) []Paused {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []Paused
	for _, w := range e.ordered {
		if !ended(w, now) {
			out = append(out, Paused{Kind: w.Kind, Name: w.Name, Until: w.Until, By: w.By.Name, Reason: w.By.Reason, At: w.At})
		}
	}
	slices.SortFunc(out, func(a, b Paused) int {
		return strings.Compare(a.Kind+" "+a.Name+a.At.String(), b.Kind+" "+b.Name+b.At.String())
	})
	return out
}

// ReprocessQueue decides the undelivered copies of a queue again under the
// running plan. What is being sent ends first; then the queue is kept still until
// it is done. Everything else goes on.
func (e *Engine) ReprocessQueue(ctx context.Context, o Reprocess) (out Reprocessed, err error) {
	e.reloading.Lock() // the plan stays the same throughout
	defer e.reloading.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(e.life, func() { cancel(errors.New("the engine is stopping; run it again for the rest")) })()
	q := e.queue(o.Queue)
	if q == nil || o.DryRun {
		return ReprocessStore(ctx, e.Plan(), e.store, o)
	}
	if err := q.keepStill(ctx); err != nil {
		return Reprocessed{}, fmt.Errorf("waiting for what is being sent to %s: %w", o.Queue, err)
	}
	defer q.goOn()
	// Messages that were decided under the former plan are stored after this.
	e.deciding.Lock()
	e.deciding.Unlock() //lint:ignore SA2001 it waits for the decisions in hand
	out, err = ReprocessStore(ctx, e.Plan(), e.store, o)
	if rerr := q.read(); rerr != nil {
		err = errors.Join(err, rerr)
	}
	e.log.Info().Str("queue", o.Queue).Str("by", o.By.Name).Int("copies", out.Copies).Int("replaced", out.Replaced).
		Int("discarded", out.Discarded).Int("held", out.Held).Int("left", out.Left).Int("added", out.Added).Err(err).Msg("reprocessed")
	return out, err
}
