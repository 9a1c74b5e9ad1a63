package feedtest

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
)

// remote is the sending address unless a test names one (RFC 5737).
const remote = "192.0.2.10:40000"

// arrival is one message on its way in.
type arrival struct {
	at  time.Time
	env *message.Envelope
}

// agenda cuts what a test sends into messages, each with its time.
func agenda(t *routes.Test, at time.Time) []arrival {
	var out []arrival
	for i := range t.Sends {
		s := &t.Sends[i]
		if s.At.After(at) {
			at = s.At
		}
		for n := range s.Inputs {
			if n > 0 {
				at = at.Add(s.Every)
			}
			for _, env := range envelopes(s, &s.Inputs[n]) {
				out = append(out, arrival{at, env})
			}
		}
	}
	return out
}

// envelopes makes of a file what its source would.
func envelopes(s *routes.SpecSend, in *routes.SpecInput) []*message.Envelope {
	one := func(b []byte, index int) *message.Envelope {
		env := &message.Envelope{Source: s.Source, Format: routes.FormatOf(b), Body: message.InMemory(b), Remote: s.Remote}
		switch {
		case s.Mailbox:
			env.File, env.Index = in.Name, index
		case s.Remote == "":
			env.Remote = remote
		}
		return env
	}
	if s.Whole || routes.FormatOf(in.Body) == message.XML {
		return []*message.Envelope{one(in.Body, 1)}
	}
	var out []*message.Envelope
	batch := hl7.NewBatchReader(bytes.NewReader(in.Body), 0)
	for index := 1; ; index++ {
		b, err := batch.Next()
		var large *hl7.MessageTooLargeError
		switch {
		case errors.As(err, &large):
			continue
		case errors.Is(err, io.EOF) && len(out) > 0:
			return out
		case err != nil: // no message in it
			env := one(in.Body, 1)
			if s.Mailbox {
				env.Problem = "there is no message (MSH segment) in it"
			}
			return append(out, env)
		}
		out = append(out, one(b, index))
	}
}

// accept is the way in: identity, decision, record.
func (w *world) accept(a arrival) {
	env := *a.env
	env.ID, env.Received = w.id(), w.now
	d := w.decide(&env, w.now)
	s := &sent{number: len(w.sent) + 1, at: w.now, decision: d}
	w.sent = append(w.sent, s)
	if first := w.repeated(&env); first != nil {
		s.decision, s.duplicate = first.decision, true
		return
	}
	if env.Origin != "" {
		w.origins[env.Source+"\x00"+env.Origin] = s
	}
	w.seq++
	for i := range d.Deliveries {
		if w.feeds == nil || slices.Contains(w.feeds, d.Deliveries[i].Feed) {
			w.add(s, &d.Deliveries[i], uint16(i))
		}
	}
}

// repeated finds the message that this one repeats, where its source declares duplicates.
func (w *world) repeated(env *message.Envelope) *sent {
	first := w.origins[env.Source+"\x00"+env.Origin]
	if env.Origin == "" || first == nil {
		return nil
	}
	for _, s := range w.plan.Sources() {
		if s.Name == env.Source && s.Duplicates > 0 && w.now.Sub(first.at) <= s.Duplicates {
			return first
		}
	}
	return nil
}

// add is what the store and its observer do with a copy.
func (w *world) add(s *sent, d *message.Delivery, n uint16) {
	d.Key, d.Pos = message.Key{Seq: w.seq, N: n}, w.seq
	r := &record{d: d, of: s, state: d.State, reason: d.Reason}
	w.copies = append(w.copies, r)
	w.byKey[d.Key] = r
	if d.State != message.Queued {
		return
	}
	if q := w.queue(d.Queue); q != nil {
		q.open++
		q.pages[d.Lane] = append(q.pages[d.Lane], r)
		q.lanes.Added(w.now, []*message.Delivery{d})
		q.touched = true
	}
}
