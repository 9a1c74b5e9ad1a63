package engine

import (
	"slices"
	"strings"
	"time"
)

// QueueState is one queue as people see it.
type QueueState struct {
	Name        string    `json:"name"`
	Kind        string    `json:"kind"`
	Queued      int       `json:"queued"`
	Lanes       int       `json:"lanes"`
	InFlight    int       `json:"in_flight"`
	Retrying    int       `json:"retrying"` // lanes
	Stopped     int       `json:"stopped"`  // lanes
	Paused      bool      `json:"paused,omitempty"`
	PausedUntil time.Time `json:"paused_until,omitzero"`
	// PausedBecause says who or what has paused it, and why.
	PausedBecause string    `json:"paused_because,omitempty"`
	Oldest        time.Time `json:"oldest,omitzero"`
	LastError     string    `json:"last_error,omitempty"`
	LastErrorAt   time.Time `json:"last_error_at,omitzero"`
}

// QueueStates gives all queues by name.
func (e *Engine) QueueStates(now time.Time) []QueueState {
	queues := e.allQueues()
	out := make([]QueueState, len(queues))
	for i, q := range queues {
		out[i] = q.state(now)
	}
	slices.SortFunc(out, func(a, b QueueState) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Status is the engine at a glance.
type Status struct {
	Project     string       `json:"project"`
	Environment string       `json:"environment"`
	Plan        string       `json:"plan"`
	Started     time.Time    `json:"started"`
	Accepting   bool         `json:"accepting"`
	Shadow      string       `json:"shadow,omitempty"` // folder that captures instead of delivering
	Pauses      []Paused     `json:"pauses,omitempty"` // that people have ordered
	Sources     []string     `json:"sources"`
	Queues      []QueueState `json:"queues"`
	ReloadedAt  time.Time    `json:"reloaded_at"`
	ReloadError string       `json:"reload_error,omitempty"`
	Problems    []string     `json:"problems,omitempty"`
}

// Status looks at everything once.
func (e *Engine) Status() Status {
	now := time.Now()
	plan, reload := e.Plan(), e.Reload()
	s := Status{Project: e.project, Environment: plan.Environment, Plan: plan.Hash().String(), Started: e.started,
		Accepting: !e.stopping.Load(), Queues: e.QueueStates(now), ReloadedAt: reload.At,
		Shadow: e.shadowDir(), Pauses: e.pauseList(now)}
	for _, src := range e.allSources() {
		s.Sources = append(s.Sources, src.name)
	}
	slices.Sort(s.Sources)
	if reload.Err != nil {
		s.ReloadError = reload.Err.Error()
		for _, p := range reload.Problems {
			s.Problems = append(s.Problems, p.String())
		}
	}
	return s
}
