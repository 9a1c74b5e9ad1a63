package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary stand in for the laboratory where a part of it
// runs in a process of its own.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "_decide" {
		if err := decideMain(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if code, ok := inner(os.Args[1:]); ok {
		os.Exit(code)
	}
	os.Exit(m.Run())
}

const (
	testCorpus   = "../../../shared/corpus/hl7/files"
	testExamples = "../../examples"
)

// TestLaboratory runs short forms of the experiments on the real binary.
func TestLaboratory(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped by -short: the experiments on the real binary")
	}
	base, err := newLab(t.Context(), settings{seed: 1, dir: t.TempDir()}, newReport(t.Output()))
	if err != nil {
		t.Fatal(err)
	}
	rows := []struct {
		name string
		set  settings
		run  func(context.Context, *lab) error
	}{
		{"corpus", settings{corpus: testCorpus}, runCorpus},
		{"kill", settings{rounds: 3, count: 2000}, runKill},
		{"power cut", settings{rounds: 2}, runPowercut},
		{"reload", settings{}, runReload},
		{"reprocess", settings{rounds: 1, count: 400}, runReprocess},
		{"explain", settings{examples: testExamples, corpus: "none", count: 5}, runExplain},
		{"hostile", settings{examples: testExamples, rounds: 1}, says(runHostile,
			"each is refused with a status of 4xx", "no copy was made for anybody", "an ordinary document is taken afterwards")},
		{"feed tests", settings{rounds: 3}, says(runFeedtests, "200 tests, 20 failed", "3 runs gave 1 different reports")},
		{"large", settings{count: 1}, runLarge},
		{"speed", settings{rounds: 1, slice: 200 * time.Millisecond, length: 200 * time.Millisecond, fill: 1, take: "auto"}, runsAtAll},
	}
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			row.set.seed = time.Now().UnixNano() % 1_000_000_007
			rep := newReport(t.Output())
			l := *base
			l.report, l.settings, l.dir = rep, row.set, filepath.Join(base.dir, string(rune('a'+i)))
			l.rng = newRandom(row.set.seed)
			rep.note("seed %d", row.set.seed)
			if err := os.Mkdir(l.dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := row.run(t.Context(), &l); err != nil {
				t.Fatal(err)
			}
			if rep.failed > 0 {
				t.Errorf("%d of %d checks failed", rep.failed, rep.checks)
			}
			if rep.checks == 0 {
				t.Skip("skipped: " + row.name + "; the report above says why")
			}
		})
	}
}

// runsAtAll runs a measurement for its own sake: that every part of it works. The
// figures of so short a run mean nothing, so what they are compared with is not
// judged.
func runsAtAll(ctx context.Context, l *lab) error {
	var out bytes.Buffer
	outer := l.report
	defer func() { l.report = outer }()
	l.report = newReport(&out)
	if err := runSpeed(ctx, l); err != nil {
		return err
	}
	for _, want := range []string{"log floor, messages/s", "file floor, files/s", "sustained for", "start to first acknowledgement after a kill"} {
		outer.check(bytes.Contains(out.Bytes(), []byte(want)), "the measurement says: %s", want)
	}
	return nil
}

// says runs an experiment and asks for these lines alone to pass: times and memory
// are judged by the laboratory, not by a test.
func says(run func(context.Context, *lab) error, lines ...string) func(context.Context, *lab) error {
	return func(ctx context.Context, l *lab) error {
		var out bytes.Buffer
		outer := l.report
		defer func() { l.report = outer }()
		l.report = newReport(&out)
		if err := run(ctx, l); err != nil {
			return err
		}
		for _, want := range lines {
			ok := slices.ContainsFunc(strings.Split(out.String(), "\n"), func(line string) bool {
				return strings.HasPrefix(line, "PASS") && strings.Contains(line, want)
			})
			outer.check(ok, "%s", want)
		}
		return nil
	}
}
