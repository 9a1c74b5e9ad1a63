package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/spine-engine/spine-engine/internal/feedtest"
	"github.com/spine-engine/spine-engine/routes"
)

// testRun are the choices of the command test.
type testRun struct {
	env, run, junit string
	feedtest.Options
}

func newTest() *cobra.Command {
	var t testRun
	cmd := &cobra.Command{
		Use: "test [DIR]", Short: "The tests of the feeds, on the pure engine with simulated time", Args: projectArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return t.command(cmd.OutOrStdout(), projectArg(args)) },
	}
	envFlag(cmd, &t.env)
	f := cmd.Flags()
	f.StringVar(&t.run, "run", "", "only tests whose name matches this regular expression")
	f.StringVar(&t.Feed, "feed", "", "only the tests of this feed")
	f.BoolVar(&t.Update, "update", false, "write the files of same_as as they are delivered now")
	f.BoolVar(&t.Cover, "coverage", false, "also list what no test has touched, by file and line")
	f.StringVar(&t.junit, "junit", "", "also write a JUnit report into this file")
	return cmd
}

func (t *testRun) command(w io.Writer, dir string) error {
	if t.run != "" {
		re, err := regexp.Compile(t.run)
		if err != nil {
			return usageError{fmt.Errorf("--run: %w", err)}
		}
		t.Run = re
	}
	if t.Cover && (t.Run != nil || t.Feed != "") {
		return usageError{errors.New("--coverage is about all tests; leave out --run and --feed")}
	}
	plan, problems := loadProject(dir, t.env)
	if plan == nil {
		printProblems(w, plan, problems)
		return errSaid
	}
	if !t.Update { // what warns of missing files is about to be written
		for _, p := range problems {
			fmt.Fprintln(w, p)
		}
	}
	if err := t.known(plan); err != nil {
		return err
	}
	return t.report(w, dir, feedtest.Run(plan, t.Options))
}

// known refuses choices that leave nothing to run.
func (t *testRun) known(plan *routes.Plan) error {
	n := 0
	for _, one := range plan.Tests() {
		if (t.Feed == "" || one.Feed == t.Feed) && (t.Run == nil || t.Run.MatchString(one.Name)) {
			n++
		}
	}
	switch {
	case n > 0:
		return nil
	case t.Feed != "" || t.Run != nil:
		return fmt.Errorf("no test is chosen by --feed and --run; the project has %d", len(plan.Tests()))
	}
	return fmt.Errorf("the project has no tests; write them into tests: of its feeds")
}

func (t *testRun) report(w io.Writer, dir string, r *feedtest.Report) error {
	if err := writeGolden(w, dir, r.Golden); err != nil {
		return err
	}
	if t.junit != "" {
		if err := writeJUnit(t.junit, r); err != nil {
			return err
		}
	}
	if err := r.Print(w); err != nil {
		return err
	}
	if r.Coverage != nil {
		if err := r.Coverage.Print(w); err != nil {
			return err
		}
	}
	if _, failed, _ := r.Counts(); failed > 0 {
		return errSaid
	}
	return nil
}

// writeGolden writes the files of whole-file expectations and says what changed.
func writeGolden(w io.Writer, dir string, files []feedtest.Golden) error {
	for _, g := range files {
		path := filepath.Join(dir, filepath.FromSlash(g.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, g.After, 0o644); err != nil {
			return err
		}
		if g.Before == nil {
			fmt.Fprintf(w, "wrote %s (new)\n", g.Path)
			continue
		}
		fmt.Fprintf(w, "wrote %s\n", g.Path)
		for _, d := range feedtest.Changes(g.Before, g.After) {
			fmt.Fprintf(w, "      %s\n", d)
		}
	}
	return nil
}

func writeJUnit(path string, r *feedtest.Report) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("--junit: %w", err)
	}
	err = r.WriteJUnit(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("--junit: %w", err)
	}
	return nil
}
