package feedtest

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
)

// Coverage says what of a project the tests have touched. A rule counts when it
// has stopped a message, a check when it has found something: that they were
// asked shows nothing.
type Coverage struct{ Items []Covered }

// Covered is one thing that tests can touch.
type Covered struct {
	Place message.Place
	What  string // rule, check, split, step, row, destination, unrouted
	Key   string // of a row: table and key; of a destination: its queue
	Times int
}

// kind is a word of the report, what the plan calls it, and what to say when no
// test has touched one.
type kind struct{ what, trace, untouched string }

// kinds stand in the order of the report.
var kinds = []kind{
	{"rule", routes.TraceCondition, "stopped no message"},
	{"check", routes.TraceCheck, "found nothing"},
	{"split", routes.TraceSplit, "cut nothing"},
	{"step", routes.TraceStep, "was not done"},
	{"row", routes.TraceRow, "was not used"},
	{"destination", routes.TraceCopy, "got no copy"},
	{"unrouted", routes.TraceOutcome, "got no message"},
}

// touched is a thing as a trace names it.
type touched struct {
	place     message.Place
	what, key string
}

// tracker counts what decisions touch.
type tracker struct {
	plan  *routes.Plan
	times map[touched]int
}

func (c *tracker) decide(env *message.Envelope, now time.Time) *message.Decision {
	return c.plan.DecideTraced(env, now, routes.Again{}, c.note)
}

func (c *tracker) note(t routes.Trace) {
	switch t.What {
	case routes.TraceCheck:
		if t.Result == "passed" {
			return
		}
	case routes.TraceCondition: // a rule that was asked; its word is an outcome
		return
	case routes.TraceOutcome:
		c.times[touched{t.Place, routes.TraceCondition, ""}]++
	}
	c.times[touched{t.Place, t.What, t.Key}]++
}

func (c *tracker) coverage() *Coverage {
	out := &Coverage{}
	seen := map[touched]bool{}
	for _, t := range c.plan.Coverable() {
		key := touched{t.Place, t.What, t.Key}
		i := slices.IndexFunc(kinds, func(k kind) bool { return k.trace == t.What })
		if i < 0 || seen[key] {
			continue
		}
		seen[key] = true
		out.Items = append(out.Items, Covered{Place: t.Place, What: kinds[i].what, Key: t.Key, Times: c.times[key]})
	}
	slices.SortStableFunc(out.Items, func(a, b Covered) int {
		return cmp.Or(cmp.Compare(a.Place.File, b.Place.File), cmp.Compare(a.Place.Line, b.Place.Line), cmp.Compare(a.Key, b.Key))
	})
	return out
}

// Counts gives how many things of a kind were touched, and how many there are;
// of all kinds for "".
func (c *Coverage) Counts(what string) (hit, all int) {
	for _, i := range c.Items {
		if what != "" && i.What != what {
			continue
		}
		all++
		if i.Times > 0 {
			hit++
		}
	}
	return hit, all
}

// Print writes the counts, and what no test has touched by file and line.
func (c *Coverage) Print(w io.Writer) error {
	var b strings.Builder
	var counts []string
	for _, k := range kinds {
		if hit, all := c.Counts(k.what); all > 0 {
			counts = append(counts, fmt.Sprintf("%s %d of %d", plural(k.what), hit, all))
		}
	}
	hit, all := c.Counts("")
	fmt.Fprintf(&b, "coverage: %d of %d: %s\n", hit, all, strings.Join(counts, ", "))
	for _, i := range c.Items {
		if i.Times > 0 {
			continue
		}
		k := slices.IndexFunc(kinds, func(k kind) bool { return k.what == i.What })
		name := i.What
		if i.Key != "" {
			name += " " + i.Key
		}
		fmt.Fprintf(&b, "      %s: %s %s\n", i.Place, name, kinds[k].untouched)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func plural(what string) string {
	if what == "unrouted" {
		return what
	}
	return what + "s"
}
