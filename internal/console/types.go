package console

import (
	"time"

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
	Name        string    `json:"name"`
	Queued      int       `json:"queued"`
	Oldest      time.Time `json:"oldest,omitzero"`
	State       string    `json:"state"` // idle, sending, retrying, stopped, not running
	Lanes       int       `json:"lanes,omitempty"`
	LastError   string    `json:"last_error,omitempty"`
	LastErrorAt time.Time `json:"last_error_at,omitzero"`
}

// Order is what a person wants done, and why.
type Order struct {
	By     string `json:"by"`
	Reason string `json:"reason"`
}

func (o Order) person() store.Person { return store.Person{Name: o.By, Reason: o.Reason} }

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
	for _, p := range r.Parts {
		d.Parts = append(d.Parts, Part{Feed: p.Feed, Outcome: p.Outcome.String(), Rule: p.Rule.String(), Reason: p.Reason, Copies: p.Copies})
	}
	for _, c := range r.Copies {
		d.CopyList = append(d.CopyList, copyOf(c))
	}
	for _, a := range r.Actions {
		d.ActionList = append(d.ActionList, Action{At: a.At, What: a.What, Copy: a.Copy, By: a.Name, Reason: a.Reason})
	}
	return d
}

func copyOf(c store.Copy) Copy {
	return Copy{Key: c.Key.String(), Message: c.Message.String(), Queue: c.Queue, Lane: c.Lane, State: c.State.String(),
		Stopped: c.Stopped, Attempts: c.Attempts, At: c.At, Code: c.Code, Rule: c.Rule.String(), Reason: c.Reason, Size: c.Body.Size()}
}
