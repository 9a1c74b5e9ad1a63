package main

import (
	"path/filepath"
	"strings"
	"testing"
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

// The feed on the front page is the one of the example, so it checks too.
func TestFrontPageFeed(t *testing.T) {
	_, after, ok := strings.Cut(read(t, "../../README.md"), "```yaml\n")
	feed, _, ok2 := strings.Cut(after, "```")
	if !ok || !ok2 || feed != read(t, "../../examples/discharges/feeds/discharges.yaml") {
		t.Error("README.md and examples/discharges show different feeds")
	}
}
