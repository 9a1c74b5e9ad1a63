package schedule

import (
	"testing"
	"time"

	"github.com/spine-engine/spine-engine/internal/lanes"
	"github.com/spine-engine/spine-engine/routes"
)

func TestPolicy(t *testing.T) {
	d := routes.Destination{Policy: routes.Policy{Batch: 1000, Concurrency: 4, Rate: 20,
		Reply: map[string]routes.Rule{
			"AA": {Do: routes.DoDone, Retries: -1},
			"AE": {Do: routes.DoRetry, Retries: 5, Then: routes.DoStop},
			"AR": {Do: routes.DoRetry, Retries: 0, Then: routes.DoHold},
			"CR": {Do: routes.DoDeadLetter},
		},
		Retry: routes.Backoff{First: time.Second, Cap: time.Minute, Factor: 3, Jitter: 0.1, GiveUpAfter: time.Hour, Then: routes.DoDeadLetter}}}
	p := Policy(d)
	want := lanes.Backoff{First: time.Second, Cap: time.Minute, Factor: 3, Jitter: 0.1, GiveUpAfter: time.Hour, Then: lanes.DeadLetter}
	if p.Batch != 1000 || p.Concurrency != 4 || p.Rate != 20 || p.MaxLoaded < 4*p.Batch || p.Retry != want {
		t.Errorf("%+v", p)
	}
	for code, want := range map[string]lanes.Rule{
		"AA": {Do: lanes.Done, Retries: -1},
		"AE": {Do: lanes.Retry, Retries: 5, Then: lanes.Stop},
		"AR": {Do: lanes.Hold, Then: lanes.Hold}, // no retry at all
		"CR": {Do: lanes.DeadLetter},
	} {
		got := p.Reply[code]
		got.Then = max(got.Then, want.Then) // Then counts with Retry only
		if got != want {
			t.Errorf("%s: %+v, want %+v", code, got, want)
		}
	}
}

func TestPausedUntilTheLastWindowEnds(t *testing.T) {
	noon := time.Date(2026, 6, 7, 12, 0, 0, 0, time.UTC) // a Sunday
	window := func(from, to int, why string) routes.Pause {
		return routes.Pause{Day: time.Sunday, From: time.Duration(from) * time.Hour, To: time.Duration(to) * time.Hour, Zone: time.UTC, Reason: why}
	}
	until, why := Paused([]routes.Pause{window(11, 13, "a"), window(10, 15, "b"), window(20, 22, "c")}, noon)
	if !until.Equal(noon.Add(3*time.Hour)) || why != "b" {
		t.Errorf("until %s, %q", until, why)
	}
	if until, _ := Paused([]routes.Pause{window(20, 22, "c")}, noon); !until.IsZero() {
		t.Errorf("paused until %s outside of any window", until)
	}
}
