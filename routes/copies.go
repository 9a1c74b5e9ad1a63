package routes

import (
	"fmt"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
)

// deliver makes the copies of one feed. The conditions, the keys of order and
// the names are read from doc, the message after the feed's transform.
func (r *run) deliver(f *feed, doc message.Doc) {
	r.scope.SetMsg(doc)
	before := len(r.d.Deliveries)
	shared := rendering{doc: doc}
	for _, o := range f.outputs {
		yes, err := r.holds(o.when)
		if err == nil && yes {
			err = r.copy(f, o, &shared)
		}
		switch {
		case err == nil:
		case r.again.waives(o.place):
			r.setAside(f, o, &shared, err)
		default:
			r.d.Deliveries = r.d.Deliveries[:before]
			r.part(f, &transforms.Stop{Outcome: message.Held, Reason: err.Error(), Place: o.place}, 0)
			return
		}
	}
	n := len(r.d.Deliveries) - before
	switch {
	case n > 0:
		r.part(f, &transforms.Stop{Outcome: message.Routed}, n)
	case f.unrouted.Outcome == message.Unrouted && r.again.waives(f.unrouted.Place):
		r.part(f, &transforms.Stop{Outcome: message.Dropped, Reason: "released, and no destination takes it", Place: f.unrouted.Place}, 0)
	default:
		r.part(f, &f.unrouted, 0)
	}
}

// setAside makes a held copy for a destination whose condition, key or name
// failed in a message that was released all the same: a person sees it, nothing is lost.
func (r *run) setAside(f *feed, o *output, shared *rendering, err error) {
	r.d.Deliveries = append(r.d.Deliveries, message.Delivery{Message: r.env.ID, Queue: o.queue, Feed: f.name, Queued: r.now,
		State: message.CopyHeld, Rule: o.place, Reason: err.Error(), Body: shared.body(r.env.Body), ControlID: shared.doc.ControlID()})
}

// copy makes one delivery. An error holds the feed's part; a fault of the
// destination's own transform holds this copy alone, as it was before it.
func (r *run) copy(f *feed, o *output, shared *rendering) error {
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
	own := shared
	if len(o.steps) > 0 {
		own = r.ownTransform(o, shared, &d)
		if own == nil {
			return nil
		}
	}
	d.Body, d.ControlID = own.body(r.env.Body), own.doc.ControlID()
	r.d.Deliveries = append(r.d.Deliveries, d)
	return nil
}

// ownTransform applies the destination's steps to a copy of its own; nil when
// one of them dropped the copy.
func (r *run) ownTransform(o *output, shared *rendering, d *message.Delivery) *rendering {
	doc := shared.doc.Clone()
	r.input.Doc = doc
	r.scope.SetMsg(doc)
	err := o.steps.Apply(&r.input)
	r.scope.SetMsg(shared.doc)
	if err == nil {
		return &rendering{doc: doc}
	}
	stop := err.(*transforms.Stop)
	if stop.Outcome == message.Dropped {
		return nil
	}
	d.State, d.Rule, d.Reason = message.CopyHeld, stop.Place, stop.Reason
	return shared
}

// lane is the key of order, "" where there is none.
func (r *run) lane(f *feed, o *output) (string, error) {
	switch {
	case o.order.sel != nil:
		return r.scope.Msg().Text(o.order.sel), nil
	case o.order.prg == nil:
		return "", nil
	}
	if o.order.env != nil {
		doc := r.scope.Msg()
		r.scope.Set(o.order.env, r.orig, r.env, r.now)
		r.scope.SetMsg(doc)
		defer func() {
			r.scope.Set(f.env, r.orig, r.env, r.now)
			r.scope.SetMsg(doc)
		}()
	}
	key, err := o.order.prg.Text(r.scope)
	if err != nil {
		return "", fmt.Errorf("the key of order: %w", err)
	}
	return key, nil
}

// rendering is a document's bytes, made once for all copies that share it.
type rendering struct {
	doc  message.Doc
	made bool
	b    message.Body
}

// largeCopy is from what size on an edited copy is kept as pieces of its original.
const largeCopy = 64 << 10

func (d *rendering) body(raw message.Body) message.Body {
	if !d.made {
		d.b, d.made = render(d.doc.(*hl7doc.Doc), raw), true
	}
	return d.b
}

func render(doc *hl7doc.Doc, raw message.Body) message.Body {
	_, inMemory := raw.Bytes()
	switch {
	case !doc.M.Edited():
		return raw
	case inMemory && raw.Size() < largeCopy:
		return message.InMemory(doc.M.Bytes())
	}
	var pieces []message.Piece
	for s := range doc.M.Spans {
		p := message.Piece{Offset: int64(s.Offset), Length: int64(s.Length)}
		if !s.Original {
			p = message.Piece{Length: int64(s.Length), Literal: s.Bytes}
		}
		pieces = append(pieces, p)
	}
	return message.Compose(raw, pieces)
}
