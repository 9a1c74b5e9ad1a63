package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/spine-engine/spine-engine/internal/feedtest"
)

// Every example checks without a problem or warning.
func TestExamples(t *testing.T) {
	dirs, err := filepath.Glob("../../examples/*/spine.yaml")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, d := range dirs {
		if plan, problems := loadProject(filepath.Dir(d), ""); plan == nil || len(problems) > 0 {
			t.Errorf("%s: %v", filepath.Dir(d), problems)
		}
	}
}

// The tests of every example pass, and those of what init writes.
func TestExamplesTests(t *testing.T) {
	dirs, err := filepath.Glob("../../examples/*/spine.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range append(dirs, "starter/spine.yaml") {
		plan, problems := loadProject(filepath.Dir(d), "")
		if plan == nil {
			t.Errorf("%s: %v", d, problems)
			continue
		}
		r := feedtest.Run(plan, feedtest.Options{})
		if run, failed, _ := r.Counts(); run < 3 || failed > 0 {
			var out strings.Builder
			if err := r.Print(&out); err != nil {
				t.Fatal(err)
			}
			t.Errorf("%s:\n%s", filepath.Dir(d), &out)
		}
	}
}

// The feed on the front page is the one of the example, so it checks too.
func TestFrontPageFeed(t *testing.T) {
	_, after, ok := strings.Cut(read(t, "../../README.md"), "```yaml feed\n")
	feed, _, ok2 := strings.Cut(after, "```")
	rules, _, ok3 := strings.Cut(read(t, "../../examples/discharges/feeds/discharges.yaml"), "\ntests:")
	if !ok || !ok2 || !ok3 || feed != rules {
		t.Error("README.md and examples/discharges show different feeds")
	}
}
