package routes

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/internal/xmldoc"
	"github.com/spine-engine/spine-engine/transforms"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
)

// deliver makes the copies of one feed. The conditions, the keys of order and
// the names are read from doc, the message after the feed's transform.
func (r *run) deliver(f *feed, doc message.Doc) {
	r.scope.SetMsg(doc)
	r.scope.Settle()
	copies, handed := len(r.d.Deliveries), len(r.handed)
	shared := rendering{doc: doc, detached: r.detached}
	for _, o := range f.outputs {
		yes, err := r.holds(o.when)
		if err == nil && yes {
			err = r.copies(f, o, &shared)
		}
		switch {
		case err == nil:
		case r.again.waives(o.place) && o.feed == nil:
			r.setAside(f, o, &shared, err)
		case r.again.waives(o.place):
			r.notHandedOn(o, err)
		default:
			r.d.Deliveries, r.handed = r.d.Deliveries[:copies], r.handed[:handed]
			r.part(f, &transforms.Stop{Outcome: message.Held, Reason: err.Error(), Place: o.place}, 0)
			return
		}
	}
	n := len(r.d.Deliveries) - copies
	switch err := unread(doc); {
	case err != nil:
		r.d.Deliveries, r.handed = r.d.Deliveries[:copies], r.handed[:handed]
		r.part(f, &transforms.Stop{Outcome: message.Held, Reason: err.Error(), Place: f.place}, 0)
	case n > 0:
		r.part(f, &transforms.Stop{Outcome: message.Routed}, n)
	case len(r.handed) > handed: // the feeds it was handed to have the word
	case f.unrouted.Outcome == message.Unrouted && r.again.waives(f.unrouted.Place):
		r.part(f, &transforms.Stop{Outcome: message.Dropped, Reason: "released, and no destination takes it", Place: f.unrouted.Place}, 0)
	default:
		r.part(f, &f.unrouted, 0)
	}
}

// setAside makes a held copy for a destination whose condition, key or name
// failed in a message that was released all the same: a person sees it, nothing is lost.
func (r *run) setAside(f *feed, o *output, shared *rendering, err error) {
	d := message.Delivery{Message: r.env.ID, Queue: o.queue, Feed: f.name, Queued: r.now,
		State: message.CopyHeld, Rule: o.place, Reason: err.Error()}
	shared.into(&d, r.env.Body)
	r.d.Deliveries = append(r.d.Deliveries, d)
}

// notHandedOn says so of a message that was released all the same.
func (r *run) notHandedOn(o *output, err error) {
	of := r.number
	if number, err := numberOn(o, of); err == nil {
		r.number = number
	}
	r.part(o.feed, &transforms.Stop{Outcome: message.Dropped, Reason: "released, and could not be handed on: " + err.Error(), Place: o.place}, 0)
	r.number = of
}

// copies makes the deliveries of one destination: one, or one for each entry of
// emit. An error holds the feed's part; a fault of the destination's own
// transform holds its copy alone, as it was before it.
func (r *run) copies(f *feed, o *output, shared *rendering) error {
	if o.feed != nil {
		return r.handOn(o, shared)
	}
	lane, err := r.lane(f, o)
	if err != nil {
		return err
	}
	d := message.Delivery{Message: r.env.ID, Queue: o.queue, Feed: f.name, Lane: lane, Queued: r.now, State: message.Queued}
	if o.name != nil {
		r.input.Doc = shared.doc
		if d.Name, err = o.name.Text(&r.input); err != nil {
			return fmt.Errorf("the file name: %w", err)
		}
	}
	if o.body != nil {
		return r.decoded(o, shared, d)
	}
	if len(o.emit) == 0 {
		r.copy(o, nil, shared, d)
	}
	for _, chain := range o.emit {
		r.copy(o, chain, shared, d)
	}
	return nil
}

// copy makes one delivery.
func (r *run) copy(o *output, emit transforms.Chain, shared *rendering, d message.Delivery) {
	if len(o.steps)+len(emit) == 0 && o.charset == nil {
		shared.into(&d, r.env.Body)
		r.add(o, &d)
		return
	}
	own, stop := r.ownTransform(o, emit, shared)
	switch {
	case stop == nil:
		own.into(&d, r.env.Body)
	case stop.Outcome == message.Dropped:
		return
	default:
		d.State, d.Rule, d.Reason = message.CopyHeld, stop.Place, stop.Reason
		shared.into(&d, r.env.Body)
	}
	r.add(o, &d)
}

func (r *run) add(o *output, d *message.Delivery) {
	r.d.Deliveries = append(r.d.Deliveries, *d)
	if r.trace != nil {
		r.trace(Trace{Place: o.place, What: TraceCopy, Key: o.queue, Result: d.State.String()})
	}
}

// ownTransform applies the destination's steps to a document of its own.
func (r *run) ownTransform(o *output, emit transforms.Chain, shared *rendering) (rendering, *transforms.Stop) {
	r.detached = shared.detached
	r.work(shared.doc.Clone())
	defer r.scope.SetMsg(shared.doc)
	if stop := r.apply(o.place, o.steps, emit); stop != nil {
		return rendering{}, stop
	}
	if o.charset != nil {
		if err := o.charset.recode(r.input.Doc); err != nil {
			return rendering{}, &transforms.Stop{Outcome: message.Held, Reason: err.Error(), Place: o.charset.place}
		}
	}
	return rendering{doc: r.input.Doc, detached: r.detached}, nil
}

// handOn gives the message to another feed, which takes it when this one is done.
func (r *run) handOn(o *output, shared *rendering) error {
	own := *shared
	if len(o.steps) > 0 {
		var stop *transforms.Stop
		if own, stop = r.ownTransform(o, nil, shared); stop != nil {
			if stop.Outcome == message.Dropped {
				return nil
			}
			return errors.New(stop.Reason)
		}
	}
	number, err := numberOn(o, r.number)
	if err != nil {
		return err
	}
	r.handed = append(r.handed, handed{feed: o.feed, doc: own.doc, detached: own.detached, number: number, asked: r.asked})
	if r.trace != nil {
		r.trace(Trace{Place: o.place, What: TraceCopy, Key: o.feed.name, Result: "handed on"})
	}
	return nil
}

// decoded makes a delivery of a field's content instead of the message.
func (r *run) decoded(o *output, shared *rendering, d message.Delivery) error {
	text := shared.doc.Text(o.body.at)
	if text == "" {
		return fmt.Errorf("there is nothing at %s to deliver", o.body.at)
	}
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		d.State, d.Rule, d.Reason = message.CopyHeld, o.body.place, fmt.Sprintf("what stands at %s is not base64", o.body.at)
		b = nil
	}
	if d.Body = message.InMemory(b); err != nil {
		d.Body = shared.body(r.env.Body)
	}
	d.ControlID = shared.controlID()
	r.add(o, &d)
	return nil
}

// lane is the key of order, "" where there is none.
func (r *run) lane(f *feed, o *output) (string, error) {
	switch {
	case o.order.sel != nil:
		return r.scope.Msg().Text(o.order.sel), nil
	case o.order.prg == nil:
		return "", nil
	}
	key, err := o.order.prg.Text(r.scope)
	if err != nil {
		return "", fmt.Errorf("the key of order: %w", err)
	}
	return key, nil
}

// rendering is a document's bytes and control id, made once for all copies that share it.
type rendering struct {
	doc      message.Doc
	detached bool
	made     bool
	b        message.Body
	named    bool
	control  string
}

// largeCopy is from what size on an edited copy is kept as pieces of its original.
const largeCopy = 64 << 10

func (d *rendering) body(raw message.Body) message.Body {
	if !d.made {
		d.b, d.made = render(d.doc, d.detached, raw), true
	}
	return d.b
}

func (d *rendering) controlID() string {
	if !d.named {
		d.control, d.named = d.doc.ControlID(), true
	}
	return d.control
}

// into makes the document the content of a copy.
func (d *rendering) into(c *message.Delivery, raw message.Body) {
	c.Body, c.ControlID = d.body(raw), d.controlID()
}

// written is what documents of all formats have: their bytes, and whether they
// are those that were parsed.
type written interface {
	Edited() bool
	Bytes() []byte
}

func render(doc message.Doc, detached bool, raw message.Body) message.Body {
	w := doc.(written)
	_, inMemory := raw.Bytes()
	switch {
	case !detached && !w.Edited():
		return raw
	case detached || inMemory && raw.Size() < largeCopy:
		return message.InMemory(w.Bytes())
	}
	var pieces []message.Piece
	add := func(original bool, offset, length int, b []byte) {
		if original {
			pieces = append(pieces, message.Piece{Offset: int64(offset), Length: int64(length)})
		} else {
			pieces = append(pieces, message.Piece{Length: int64(length), Literal: b})
		}
	}
	switch d := doc.(type) {
	case *hl7doc.Doc:
		for s := range d.M.Spans {
			add(s.Original, s.Offset, s.Length, s.Bytes)
		}
	case *xmldoc.Doc:
		for s := range d.Spans {
			add(s.Original, s.Offset, s.Length, s.Bytes)
		}
	default:
		return message.InMemory(w.Bytes())
	}
	return message.Compose(raw, pieces)
}
