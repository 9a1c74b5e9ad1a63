package routes

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes/internal/expr"
	"github.com/spine-engine/spine-engine/transforms"
)

// split makes one message of each part.
type split struct {
	at    message.Selector
	group []string
	keep  []message.Selector
	id    *expr.Program
	place message.Place
}

// controlID is where a part's id goes in HL7.
var controlID = hl7.MustPath("MSH-10")

// readSplit reads { group: [ORC, OBR] | at: SELECTOR, keep: [MSH, PID], id: EXPR }.
func (f *feed) readSplit(n *conf.Node) {
	if !n.Present() {
		return
	}
	f.env.AllowPart(true)
	m := n.Map("split", "group", "at", "keep", "id")
	s := &split{place: n.Place(), keep: f.cur.all(m["keep"])}
	switch {
	case !n.IsMap():
		return
	case m["group"] != nil && m["at"] != nil:
		m["at"].Errorf("keep one of the two", "split names either a group or what each part begins with")
	case m["group"] == nil && m["at"] == nil:
		n.Errorf("write group: [ORC, OBR], or at: SELECTOR", "split names neither a group nor what each part begins with")
	case m["group"] != nil:
		s.group = f.group(m["group"])
	default:
		s.at = f.cur.of(m["at"])
		if p, ok := s.at.(hl7.Path); ok && p.DeepestLevel() == hl7.SegmentLevel && p.String() == p.Segment() {
			s.group = []string{p.Segment()} // at: PID means each PID with what belongs to it
		}
	}
	if m["keep"] == nil {
		n.Errorf("add keep: [MSH, PID, PV1]", "what every part keeps of the message is not declared")
	}
	if m["id"] == nil {
		n.Errorf(`add id: '= msg["MSH-10"] + "." + string(part.index)'`, "the parts have no control ids of their own")
	} else {
		s.id = compileExpr(f.env, m["id"], expr.Text)
	}
	f.split = s
}

// group reads the ids of the segments a group may begin with.
func (f *feed) group(n *conf.Node) []string {
	if f.cur.format != message.HL7 {
		n.Errorf("write at: or in: with a path", "groups of segments are for HL7")
		return nil
	}
	ids, ok := n.Texts(), true
	for i, id := range ids {
		if p, err := hl7.ParsePath(id); err != nil || p.DeepestLevel() != hl7.SegmentLevel || p.Segment() != id {
			n.Items()[i].Errorf("write names of segments: [ORC, OBR]", "%q is no segment", id)
			ok = false
		}
	}
	if err := hl7.CheckGroup(ids); err != nil && ok {
		_, text, hint := selectorFault(err)
		n.Errorf(cmp.Or(hint, "name each once"), "%s", text)
	}
	return ids
}

// cut gives the parts of a message, each with its id in place.
func (r *run) cut(s *split, doc message.Doc) ([]message.Doc, error) {
	w, ok := doc.(message.Walker)
	if !ok {
		return nil, fmt.Errorf("%s messages cannot be split", doc.Format())
	}
	items, err := itemsOf(w, s)
	switch {
	case err != nil:
		return nil, err
	case len(items) == 0:
		return nil, fmt.Errorf("there is nothing to split the message at")
	case len(items) >= partsWithin:
		return nil, fmt.Errorf("the message has %d parts where at most %d are made of one", len(items), partsWithin-1)
	case r.number%waysApart >= waysApart/partsWithin:
		return nil, fmt.Errorf("the message is a part of parts of parts already, and is not split once more")
	}
	parts, err := w.Cut(items, s.keep)
	if err != nil {
		return nil, err
	}
	return parts, r.identify(s, parts)
}

func itemsOf(w message.Walker, s *split) ([]message.Item, error) {
	if s.group != nil {
		return w.Groups(s.group)
	}
	return w.Items(s.at)
}

// identify gives every part its id and, in HL7, its control id.
func (r *run) identify(s *split, parts []message.Doc) error {
	r.ids = r.ids[:0]
	seen := make(map[string]bool, len(parts))
	for i, p := range parts {
		r.scope.SetMsg(p)
		r.scope.SetPart(i+1, "")
		id, err := s.id.Text(r.scope)
		switch {
		case err != nil:
			return fmt.Errorf("the id of part %d: %w", i+1, err)
		case id == "":
			return fmt.Errorf("the id of part %d is empty", i+1)
		case seen[id]:
			return fmt.Errorf("part %d has the id of an earlier one; use part.index in it", i+1)
		}
		seen[id] = true
		r.ids = append(r.ids, id)
	}
	for i, p := range parts {
		if p.Format() != message.HL7 {
			continue
		}
		if err := p.Set(controlID, r.ids[i]); err != nil {
			return fmt.Errorf("the id of part %d: %w", i+1, err)
		}
	}
	return nil
}

// parts takes each part of the message through the rest of the feed.
func (r *run) parts(f *feed) {
	docs, err := r.cut(f.split, r.in)
	if err != nil {
		stop := transforms.Stop{Outcome: message.Held, Reason: err.Error(), Place: f.split.place}
		if r.again.waives(f.split.place) {
			stop.Outcome, stop.Reason = message.Dropped, "released, and it cannot be split"
		}
		r.part(f, &stop, 0)
		return
	}
	if r.trace != nil {
		r.note(f.split.place, TraceSplit, fmt.Sprintf("%d parts", len(docs)))
	}
	ids, whole, asked, detached := slices.Clone(r.ids), r.number, r.asked, r.detached
	for i, doc := range docs {
		r.number = numberOfPart(whole, i+1)
		if r.asked = asked || r.again.asks(f, r.number); !r.asked && !r.again.leadsOn(f) {
			continue
		}
		r.detached = detached || doc.Format() != message.HL7
		r.scope.ClearLocals()
		r.scope.SetPart(i+1, ids[i])
		r.onward(f, doc)
	}
	r.number = 0
}
