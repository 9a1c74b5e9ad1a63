package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/routes"
)

// change is what a new plan needs beyond what runs already.
type change struct {
	queues  []*queue  // opened, not in force yet
	sources []*source // opened, not serving yet
	stopped []string  // sources that had to give up what a new one claims
}

// apply puts a plan in force: everything that can fail first, then one swap,
// then the new is started and the old ended. The first start is the same path
// with nothing running.
func (e *Engine) apply(plan *routes.Plan) ([]conf.Problem, error) {
	if problems := e.orphans(plan); len(problems) > 0 {
		return problems, ErrProject
	}
	c, err := e.prepare(plan)
	if err != nil {
		e.abandon(c)
		return nil, err
	}
	// Point of no return: nothing below fails. Destinations first, for the plan may
	// address them as soon as it is in force.
	live := e.plan.Load() != nil
	e.mu.Lock()
	defer e.mu.Unlock()
	e.budget.resize(plan.Settings.Limits.InFlightBytes)
	e.takeQueues(plan, c, live)
	e.plan.Store(plan)
	e.takeSources(plan, c, live)
	e.dropQueues(plan)
	return nil, nil
}

// orphans are queues with work but without a destination in the plan: to forget
// them would lose messages without a word.
func (e *Engine) orphans(plan *routes.Plan) []conf.Problem {
	queues, err := e.store.Queues()
	if err != nil {
		return []conf.Problem{{File: "spine.yaml", Text: "the store cannot list its queues: " + err.Error()}}
	}
	known := map[string]bool{}
	for _, d := range plan.Destinations() {
		known[d.Queue] = true
	}
	var problems []conf.Problem
	for _, q := range queues {
		if !known[q.Name] {
			problems = append(problems, conf.Problem{File: "spine.yaml",
				Text: fmt.Sprintf("%d copies are queued for %q, which is no destination any more", q.Queued, q.Name),
				Hint: "keep the destination with `retired: true` until its queue is empty, or discard the copies first"})
		}
	}
	return problems
}

func (e *Engine) prepare(plan *routes.Plan) (*change, error) {
	c := &change{}
	for _, d := range plan.Destinations() {
		if old := e.queue(d.Queue); old != nil && old.key == d.Config.Key() {
			continue
		}
		q, err := e.openQueue(d)
		if err != nil {
			return c, err
		}
		c.queues = append(c.queues, q)
	}
	for _, s := range plan.Sources() {
		if !e.serves(s) {
			continue
		}
		if old := e.source(s.Name); old != nil && old.key == s.Config.Key() {
			continue
		}
		e.vacate(s, c)
		src, err := e.openSource(s, plan.Settings.Limits)
		if err != nil {
			return c, err
		}
		c.sources = append(c.sources, src)
	}
	return c, nil
}

// vacate stops a running source that holds what the new one must bind.
func (e *Engine) vacate(s routes.Source, c *change) {
	for _, old := range e.allSources() {
		if overlap(old.claims, s.Config.Claims()) && !slices.Contains(c.stopped, old.name) {
			e.stopSource(old)
			c.stopped = append(c.stopped, old.name)
		}
	}
}

// abandon closes what was opened for a plan that failed and brings back the
// sources that had made room for it.
func (e *Engine) abandon(c *change) {
	for _, q := range c.queues {
		closeIt(q.dest, q.log)
	}
	for _, s := range c.sources {
		closeIt(s.src, s.log)
	}
	old := e.Plan()
	if old == nil {
		return
	}
	for _, s := range old.Sources() {
		if !slices.Contains(c.stopped, s.Name) || !e.serves(s) {
			continue
		}
		src, err := e.openSource(s, old.Settings.Limits)
		if err != nil {
			e.log.Error().Err(err).Msg("a source that made room for the new project cannot come back; the next reload tries again")
			continue
		}
		e.mu.Lock()
		e.sources[s.Name] = src
		src.start(e.accept)
		e.mu.Unlock()
	}
}

// takeQueues brings the plan's queues in. e.mu is held.
func (e *Engine) takeQueues(plan *routes.Plan, c *change, live bool) {
	fresh := map[string]*queue{}
	for _, q := range c.queues {
		fresh[q.name] = q
	}
	for _, d := range plan.Destinations() {
		old, opened := e.queues[d.Queue], fresh[d.Queue]
		switch {
		case old == nil:
			e.queues[d.Queue] = opened
			if live {
				opened.start()
			}
		case opened != nil:
			old.replace(opened, d)
		default:
			old.setPolicy(d, e.policy(d))
		}
	}
	e.publishQueues()
}

// dropQueues ends the queues that the plan no longer has. Messages decided under
// the former plan may still be on their way into the journal: it waits for them,
// and keeps a queue that got one. e.mu is held.
func (e *Engine) dropQueues(plan *routes.Plan) {
	gone := map[string]*queue{}
	maps.Copy(gone, e.queues)
	for _, d := range plan.Destinations() {
		delete(gone, d.Queue)
	}
	if len(gone) == 0 {
		return
	}
	e.deciding.Lock()
	e.deciding.Unlock() //lint:ignore SA2001 it waits for the decisions in hand
	stored, err := e.store.Queues()
	if err != nil {
		e.log.Error().Err(err).Msg("the store cannot list its queues; destinations that are gone go on until the next reload")
		return
	}
	for _, q := range stored {
		delete(gone, q.Name)
	}
	for name, q := range gone {
		delete(e.queues, name)
		q.cancel()
	}
	e.publishQueues()
}

func (e *Engine) publishQueues() {
	snapshot := maps.Clone(e.queues)
	e.byName.Store(&snapshot)
}

// takeSources starts the new sources and ends those that are gone. e.mu is held.
func (e *Engine) takeSources(plan *routes.Plan, c *change, live bool) {
	keep := map[string]bool{}
	for _, s := range plan.Sources() {
		keep[s.Name] = true
	}
	for _, s := range c.sources {
		if old := e.sources[s.name]; old != nil {
			old.cancel()
		}
		e.sources[s.name] = s
		if live {
			s.start(e.accept)
		}
	}
	for name, s := range e.sources {
		if !keep[name] {
			delete(e.sources, name)
			s.cancel()
		}
	}
}

func (e *Engine) stopSource(s *source) {
	ctx, cancel := context.WithTimeout(context.Background(), e.opts.Grace)
	defer cancel()
	s.cancel()
	s.wait(ctx)
	e.mu.Lock()
	delete(e.sources, s.name)
	e.mu.Unlock()
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

func (e *Engine) queue(name string) *queue {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.queues[name]
}

func (e *Engine) source(name string) *source {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.sources[name]
}

func (e *Engine) allQueues() []*queue {
	return slices.Collect(maps.Values(*e.byName.Load()))
}

func (e *Engine) allSources() []*source {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Collect(maps.Values(e.sources))
}
