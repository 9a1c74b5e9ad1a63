package feedtest

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
)

// Options choose what is run.
type Options struct {
	Run    *regexp.Regexp // names of tests; nil = all
	Feed   string         // "" = all
	Update bool           // whole-file expectations become what was delivered
	Cover  bool           // find out what the tests touch
}

// Report is what came of all tests.
type Report struct {
	Feeds  []FeedReport
	Golden []Golden // files to write, by path; only with Update
	// Coverage is nil unless asked for.
	Coverage *Coverage
}

// FeedReport is what came of one feed's tests.
type FeedReport struct {
	Feed  string
	Tests []TestReport
}

// TestReport is what came of one test.
type TestReport struct {
	Name     string
	Place    message.Place
	Skipped  string // why it was not run; "" = it was
	Failures []Failure
}

// Failure is one expectation that was not met.
type Failure struct {
	Place message.Place // of the expectation
	Text  string
}

// Golden is a file of a whole-file expectation that differs.
type Golden struct {
	Path   string
	Before []byte // nil = there is none yet
	After  []byte
	by     string
	place  message.Place
	stays  bool // the file is as it should be already
}

// Run carries out the tests of a plan.
func Run(plan *routes.Plan, o Options) *Report {
	r := &Report{}
	golden := goldenFiles{}
	track := &tracker{plan: plan, times: map[touched]int{}}
	for _, t := range plan.Tests() {
		if o.Feed != "" && t.Feed != o.Feed || o.Run != nil && !o.Run.MatchString(t.Name) {
			continue
		}
		out := TestReport{Name: t.Name, Place: t.Place}
		if t.Environment != "" && t.Environment != plan.Environment {
			out.Skipped = fmt.Sprintf("it is about the environment %s: run it with --env %s", t.Environment, t.Environment)
		} else {
			w := newWorld(plan, t)
			if o.Cover {
				w.decide = track.decide
			}
			w.run()
			out.Failures = verify(w, golden, o.Update)
		}
		r.add(t.Feed, out)
	}
	if o.Cover {
		r.Coverage = track.coverage()
	}
	if o.Update {
		r.Golden = golden.sorted()
	}
	return r
}

func (r *Report) add(feed string, t TestReport) {
	i := slices.IndexFunc(r.Feeds, func(f FeedReport) bool { return f.Feed == feed })
	if i < 0 {
		i = len(r.Feeds)
		r.Feeds = append(r.Feeds, FeedReport{Feed: feed})
	}
	r.Feeds[i].Tests = append(r.Feeds[i].Tests, t)
}

// Counts sums up: tests that were run, those of them that failed, and those that
// were skipped.
func (r *Report) Counts() (run, failed, skipped int) {
	for i := range r.Feeds {
		n, bad, left := r.Feeds[i].Counts()
		run, failed, skipped = run+n, failed+bad, skipped+left
	}
	return run, failed, skipped
}

// Counts as of Report.
func (f *FeedReport) Counts() (run, failed, skipped int) {
	for _, t := range f.Tests {
		switch {
		case t.Skipped != "":
			skipped++
		case len(t.Failures) > 0:
			run, failed = run+1, failed+1
		default:
			run++
		}
	}
	return run, failed, skipped
}

// goldenFiles are whole-file expectations to be written, by path.
type goldenFiles map[string]*Golden

func (g goldenFiles) sorted() []Golden {
	var out []Golden
	for _, f := range g {
		if !f.stays {
			out = append(out, *f)
		}
	}
	slices.SortFunc(out, func(a, b Golden) int {
		if a.Path < b.Path {
			return -1
		}
		return 1 // paths differ: they are keys
	})
	return out
}
