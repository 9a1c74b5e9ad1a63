package engine

import (
	"time"

	"github.com/spine-engine/spine-engine/internal/lanes"
	"github.com/spine-engine/spine-engine/internal/schedule"
	"github.com/spine-engine/spine-engine/routes"
)

// lanesPolicy puts a destination's policy in the scheduler's words.
func lanesPolicy(d routes.Destination) lanes.Policy { return schedule.Policy(d) }

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
