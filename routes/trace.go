package routes

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
)

// Trace is one thing that happens in a decision, or that could.
type Trace struct {
	Place  message.Place
	What   string // one of the words below
	Result string // true, passed, done, held, queued, ...; an error's text
	Key    string // of a row: table and key, of a copy: its queue, of a feed: its name
}

// What a Trace tells of.
const (
	TraceFeed      = "feed"      // a feed takes the message
	TraceCondition = "condition" // a rule or a when was asked
	TraceCheck     = "check"     // of validate
	TraceSplit     = "split"
	TraceStep      = "step"
	TraceRow       = "row"     // of a table
	TraceCopy      = "copy"    // a destination gets one
	TraceOutcome   = "outcome" // the feed's word
)

// Explain decides and tells all that led to it, in order. Rows and texts of
// errors apart it holds no values of the message.
func (p *Plan) Explain(env *message.Envelope, now time.Time) (*message.Decision, []Trace) {
	var out []Trace
	d := p.decideTraced(env, now, Again{}, func(t Trace) { out = append(out, t) }, true)
	return d, out
}

// Masked is the trace without the codes that tables were asked for, which are
// values of the message.
func (t Trace) Masked() Trace {
	if t.What == TraceRow {
		t.Key, _, _ = strings.Cut(t.Key, " ")
	}
	return t
}

func (r *run) note(at message.Place, what, result string) {
	if r.trace != nil {
		r.trace(Trace{Place: at, What: what, Result: result})
	}
}

// follow tells trace what happens. With changes it also says of each step
// whether the message is another one after it, which costs its writing out.
func (r *run) follow(trace func(Trace), changes bool) {
	r.trace = trace
	var before []byte
	if changes {
		r.began = func(doc message.Doc) { before = bytes.Clone(doc.(written).Bytes()) }
	}
	r.input.Trace = func(e transforms.Event) {
		switch {
		case e.Table != nil:
			t := Trace{Place: e.Table.Place(e.Key), What: TraceRow, Key: e.Table.Name + " " + e.Key, Result: "found"}
			if !e.Found {
				t.Result = "not in the table"
			}
			trace(t)
		case e.Err != nil:
			trace(Trace{Place: e.Place, What: TraceStep, Result: e.Err.Error()})
		default:
			result := "done"
			if changes && !e.Others {
				after := r.input.Doc.(written).Bytes()
				if bytes.Equal(before, after) {
					result = "changes nothing"
				}
				before = bytes.Clone(after)
			}
			trace(Trace{Place: e.Place, What: TraceStep, Result: result})
		}
	}
}

// Coverable gives all that a test could touch: rules, checks, splits, steps, rows
// of tables that steps use, destinations, and unrouted where that can be; each
// with an empty Result.
func (p *Plan) Coverable() []Trace {
	var out []Trace
	add := func(at message.Place, what, key string) { out = append(out, Trace{Place: at, What: what, Key: key}) }
	for _, f := range p.feeds {
		for i := range f.rules {
			add(f.rules[i].place, TraceCondition, "")
		}
		for i := range f.checks {
			add(f.checks[i].place, TraceCheck, "")
		}
		if f.split != nil {
			add(f.split.place, TraceSplit, "")
		}
		seen := map[*transforms.Table]bool{}
		coverSteps(f.steps, seen, add)
		for _, o := range f.outputs {
			key := o.queue
			if o.feed != nil {
				key = o.feed.name
			}
			add(o.place, TraceCopy, key)
			coverSteps(o.steps, seen, add)
			for _, chain := range o.emit {
				coverSteps(chain, seen, add)
			}
		}
		if f.mayBeUnrouted() {
			add(f.unrouted.Place, TraceOutcome, "")
		}
	}
	return out
}

// mayBeUnrouted reports whether a message can come to the end of the feed and no
// destination takes it: not where one of them takes every message.
func (f *feed) mayBeUnrouted() bool {
	return !slices.ContainsFunc(f.outputs, func(o *output) bool {
		return o.when == nil && !mayEnd(o.steps) && !slices.ContainsFunc(o.emit, mayEnd)
	})
}

// mayEnd reports whether steps may end the work on a message by themselves.
func mayEnd(chain transforms.Chain) bool {
	return slices.ContainsFunc(chain, func(s transforms.Placed) bool {
		_, ends := s.Step.(*transforms.End)
		return ends || mayEnd(transforms.Within(s.Step))
	})
}

func coverSteps(chain transforms.Chain, tables map[*transforms.Table]bool, add func(message.Place, string, string)) {
	for _, s := range chain {
		add(s.Place, TraceStep, "")
		if m, ok := s.Step.(*transforms.Map); ok && !tables[m.Table] {
			tables[m.Table] = true
			for _, key := range m.Table.Keys() {
				add(m.Table.Place(key), TraceRow, m.Table.Name+" "+key)
			}
		}
		coverSteps(transforms.Within(s.Step), tables, add)
	}
}
