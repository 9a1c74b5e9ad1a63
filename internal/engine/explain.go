package engine

import (
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
	"github.com/spine-engine/spine-engine/store"
)

// Explained is a stored message with what a plan makes of it now, and why.
type Explained struct {
	Record   *store.Record
	Decision *message.Decision
	Trace    []routes.Trace
}

// ExplainStored decides a stored message again, without storing anything, and
// tells all that led to it.
func ExplainStored(plan *routes.Plan, s store.History, id message.ID) (*Explained, error) {
	record, err := s.Get(id)
	if err != nil {
		return nil, err
	}
	out := &Explained{Record: record}
	out.Decision, out.Trace = plan.Explain(record.Envelope, time.Now().UTC())
	for i, t := range out.Trace {
		out.Trace[i] = t.Masked()
	}
	return out, nil
}

// Explain is ExplainStored under the running plan.
func (e *Engine) Explain(id message.ID) (*Explained, error) {
	return ExplainStored(e.Plan(), e.store, id)
}
