package console

import (
	"time"

	"github.com/spine-engine/spine-engine/internal/engine"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

// Message is one line of a list of messages. It holds no content.
type Message struct {
	ID       string         `json:"id"`
	Received time.Time      `json:"received"`
	Source   string         `json:"source"`
	Type     string         `json:"type"` // MSH-9.1^MSH-9.2
	Control  string         `json:"control_id"`
	Size     int64          `json:"size"`
	Outcome  string         `json:"outcome"`
	Feed     string         `json:"feed,omitempty"`
	Rule     string         `json:"rule,omitempty"` // file:line
	Reason   string         `json:"reason,omitempty"`
	Plan     string         `json:"plan"`
	Copies   int            `json:"copies"`
	States   map[string]int `json:"states,omitempty"` // of the copies
}

// Detail is one message whole, without its bytes.
type Detail struct {
	Message
	Remote     string   `json:"remote,omitempty"`
	File       string   `json:"file,omitempty"`
	Index      int      `json:"index,omitempty"`
	Reply      string   `json:"reply,omitempty"`
	Parts      []Part   `json:"parts,omitempty"`
	CopyList   []Copy   `json:"copy_list,omitempty"`
	ActionList []Action `json:"actions,omitempty"`
}

// Part is one feed's word on the message.
type Part struct {
	Feed    string `json:"feed"`
	Outcome string `json:"outcome"`
	Rule    string `json:"rule,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Copies  int    `json:"copies"`
	Number  int    `json:"number,omitempty"` // of a split message: which part, from 1
	// Findings are the warnings of validate, and what was found beside the rule
	// that decided.
	Findings []Finding `json:"findings,omitempty"`
}

// Finding is what one rule of validate has to say.
type Finding struct {
	Rule string `json:"rule,omitempty"`
	Text string `json:"text"`
}

// Copy is one copy for one destination.
type Copy struct {
	Key      string    `json:"key"`
	Message  string    `json:"message"`
	Queue    string    `json:"queue"`
	Lane     string    `json:"-"` // a key of order can be a patient's number
	State    string    `json:"state"`
	Stopped  bool      `json:"stopped,omitempty"`
	Attempts int       `json:"attempts"`
	At       time.Time `json:"at,omitzero"`
	Code     string    `json:"code,omitempty"`
	Rule     string    `json:"rule,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Size     int64     `json:"size"`
	Part     int       `json:"part,omitempty"` // of a split message
	Of       string    `json:"of,omitempty"`   // the copy that it repeats, or whose place it took
}

// Action is what a person did.
type Action struct {
	At     time.Time `json:"at"`
	What   string    `json:"what"`
	Copy   string    `json:"copy,omitempty"`
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
}

// Queue is one queue of the store, with what the engine knows of it while it runs.
type Queue struct {
	Name          string    `json:"name"`
	Queued        int       `json:"queued"`
	Oldest        time.Time `json:"oldest,omitzero"`
	State         string    `json:"state"` // idle, sending, retrying, stopped, paused, not running
	PausedUntil   time.Time `json:"paused_until,omitzero"`
	PausedBecause string    `json:"paused_because,omitempty"`
	Lanes         int       `json:"lanes,omitempty"`
	LastError     string    `json:"last_error,omitempty"`
	LastErrorAt   time.Time `json:"last_error_at,omitzero"`
}

// Order is what a person wants done, and why.
type Order struct {
	By     string `json:"by"`
	Reason string `json:"reason"`
}

func (o Order) person() store.Person { return store.Person{Name: o.By, Reason: o.Reason} }

// PauseOrder pauses or resumes something.
type PauseOrder struct {
	Order
	Kind  string    `json:"kind"` // source, feed, destination, peer, lane
	Name  string    `json:"name"`
	Lane  string    `json:"lane,omitempty"` // key of order; it can be a patient's number
	Until time.Time `json:"until,omitzero"`
}

// peer is another word for the destination of its name.
func (o PauseOrder) subject() store.Subject {
	kind := o.Kind
	if kind == "peer" {
		kind = engine.KindDestination
	}
	return store.Subject{Kind: kind, Name: o.Name, Lane: o.Lane}
}

// Pause is a pause that a person has ordered and that has not ended.
type Pause struct {
	engine.Paused
	Lane *string `json:"lane,omitempty"` // of kind lane: its key, which can be a patient's number
}

// PauseAnswer says what a pause or its end is about.
type PauseAnswer struct {
	About []string `json:"about"`
	Now   bool     `json:"now"` // an engine runs; without one it counts when one starts
}

// ReprocessOrder has undelivered copies decided again.
type ReprocessOrder struct {
	Order
	Queue  string `json:"queue"`
	State  string `json:"state,omitempty"` // queued (default), held, dead-lettered
	DryRun bool   `json:"dry_run,omitempty"`
}

// ReprocessLine is one line of the answer to it: how far it is, then the result
// or what went wrong.
type ReprocessLine struct {
	Done   int                 `json:"done,omitempty"`
	Total  int                 `json:"total,omitempty"`
	Result *engine.Reprocessed `json:"result,omitempty"`
	Error  string              `json:"error,omitempty"`
}

// Explanation is a stored message with what the plan in force makes of it now.
type Explanation struct {
	Stored  Detail  `json:"stored"` // as it was decided, with its copies, attempts and replies
	Plan    string  `json:"plan"`   // that explains
	Outcome string  `json:"outcome"`
	Rule    string  `json:"rule,omitempty"`
	Reason  string  `json:"reason,omitempty"`
	Reply   string  `json:"reply,omitempty"`
	Parts   []Part  `json:"parts,omitempty"`
	Copies  []Made  `json:"copies,omitempty"` // that it would make
	Trace   []Trace `json:"trace"`
}

// Made is a copy that a plan would make.
type Made struct {
	Queue   string `json:"queue"`
	Feed    string `json:"feed"`
	State   string `json:"state"`
	Rule    string `json:"rule,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Control string `json:"control_id,omitempty"`
	Size    int64  `json:"size"`
}

// Trace is one thing that led to the decision; see routes.Trace.
type Trace struct {
	Place  string `json:"place,omitempty"`
	What   string `json:"what"`
	Result string `json:"result,omitempty"`
	Key    string `json:"key,omitempty"`
}

func explanationOf(x *engine.Explained) Explanation {
	d := x.Decision
	place, reason := d.Why()
	out := Explanation{Stored: detailOf(x.Record), Plan: d.Plan.String(), Outcome: d.Outcome.String(), Rule: place.String(),
		Reason: reason, Reply: d.Reply.Code, Parts: partsOf(d.Parts), Trace: make([]Trace, len(x.Trace))}
	for i := range d.Deliveries {
		v := &d.Deliveries[i]
		out.Copies = append(out.Copies, Made{Queue: v.Queue, Feed: v.Feed, State: v.State.String(), Rule: v.Rule.String(),
			Reason: v.Reason, Control: v.ControlID, Size: v.Body.Size()})
	}
	for i, t := range x.Trace {
		out.Trace[i] = Trace{Place: t.Place.String(), What: t.What, Result: t.Result, Key: t.Key}
	}
	return out
}

// Failure is the body of every answer that is not a success.
type Failure struct {
	Error string   `json:"error"`
	More  []string `json:"more,omitempty"` // problems of a project
}

func messageOf(e store.Entry) Message {
	m := Message{ID: e.ID.String(), Received: e.Received, Source: e.Source, Type: e.Type, Control: e.Control,
		Size: e.Size, Outcome: e.Outcome.String(), Feed: e.Feed, Rule: e.Rule.String(), Reason: e.Reason,
		Plan: e.Plan.String(), Copies: e.Copies}
	if e.Event != "" {
		m.Type += "^" + e.Event
	}
	if len(e.States) > 0 {
		m.States = map[string]int{}
		for s, n := range e.States {
			m.States[s.String()] = n
		}
	}
	return m
}

func detailOf(r *store.Record) Detail {
	d := Detail{Message: messageOf(r.Entry), Remote: r.Envelope.Remote, File: r.Envelope.File,
		Index: r.Envelope.Index, Reply: r.Reply.Code}
	d.Parts = partsOf(r.Parts)
	for _, c := range r.Copies {
		d.CopyList = append(d.CopyList, copyOf(c))
	}
	for _, a := range r.Actions {
		d.ActionList = append(d.ActionList, Action{At: a.At, What: a.What, Copy: a.Copy, By: a.Name, Reason: a.Reason})
	}
	return d
}

func partsOf(ps []message.Part) (out []Part) {
	for _, p := range ps {
		part := Part{Feed: p.Feed, Outcome: p.Outcome.String(), Rule: p.Rule.String(), Reason: p.Reason, Copies: p.Copies, Number: p.Number}
		for _, f := range p.Findings {
			part.Findings = append(part.Findings, Finding{f.Rule.String(), f.Text})
		}
		out = append(out, part)
	}
	return out
}

func copyOf(c store.Copy) Copy {
	out := Copy{Key: c.Key.String(), Message: c.Message.String(), Queue: c.Queue, Lane: c.Lane, State: c.State.String(),
		Stopped: c.Stopped, Attempts: c.Attempts, At: c.At, Code: c.Code, Rule: c.Rule.String(), Reason: c.Reason, Size: c.Body.Size(), Part: c.Part}
	if c.Of != (message.Key{}) {
		out.Of = c.Of.String()
	}
	return out
}
