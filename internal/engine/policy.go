package engine

import (
	"github.com/spine-engine/spine-engine/internal/lanes"
	"github.com/spine-engine/spine-engine/internal/schedule"
	"github.com/spine-engine/spine-engine/routes"
)

// policy puts a destination's policy in the scheduler's words.
func (e *Engine) policy(d routes.Destination) lanes.Policy {
	p := schedule.Policy(d)
	if e.opts.Shadow != "" {
		p.Reply[captured] = lanes.Rule{Do: lanes.Done}
	}
	return p
}
