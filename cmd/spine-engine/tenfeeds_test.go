package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/spine-engine/spine-engine/internal/feedtest"
)

// leastTests is how many tests every one of the ten feeds has at least.
const leastTests = 2

// The ten feeds that are the yardstick of the language check without a problem
// or warning, and their tests pass.
func TestTenFeeds(t *testing.T) {
	projects, err := filepath.Glob("../../testdata/ten-feeds/*/spine.yaml")
	if err != nil || len(projects) == 0 {
		t.Fatalf("no projects: %v", err)
	}
	for _, p := range projects {
		dir := filepath.Dir(p)
		t.Run(filepath.Base(dir), func(t *testing.T) { tenFeedsProject(t, dir) })
	}
}

func tenFeedsProject(t *testing.T, dir string) {
	plan, problems := loadProject(dir, "")
	for _, p := range problems {
		t.Error(p)
	}
	if plan == nil {
		return
	}
	report := feedtest.Run(plan, feedtest.Options{})
	if _, failed, _ := report.Counts(); failed > 0 {
		var out strings.Builder
		if err := report.Print(&out); err != nil {
			t.Fatal(err)
		}
		t.Error(out.String())
	}
	enoughTests(t, dir, report)
}

// enoughTests counts the tests that were run, feed by feed.
func enoughTests(t *testing.T, dir string, report *feedtest.Report) {
	feeds, err := filepath.Glob(filepath.Join(dir, "feeds", "*.yaml"))
	if err != nil || len(feeds) == 0 {
		t.Fatalf("no feeds: %v", err)
	}
	tests := map[string]int{}
	for i := range report.Feeds {
		f := &report.Feeds[i]
		tests[f.Feed], _, _ = f.Counts()
	}
	for _, f := range feeds {
		if name := strings.TrimSuffix(filepath.Base(f), ".yaml"); tests[name] < leastTests {
			t.Errorf("feed %s: %d tests were run, want at least %d", name, tests[name], leastTests)
		}
	}
}
