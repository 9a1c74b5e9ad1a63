package routes

import (
	"strconv"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
)

// slot is the next free place an item can be bound to.
func (f *feed) slot() int { return len(f.cur.items) }

// enter opens the scope of an item: selectors and expressions may name it until
// end.
func (f *feed) enter(name string, slot int, walks message.Selector) (end func(), err error) {
	if f.env == nil {
		return func() {}, nil
	}
	if err := f.env.PushItem(name, slot); err != nil {
		return nil, err
	}
	outer := f.cur
	f.cur = f.cur.with(name, slot, walks)
	f.depth++
	return func() {
		f.cur = outer
		f.depth--
		f.env.PopItem()
	}, nil
}

// each reads { in: OBX(*), as: obx, do: [...] } or { group: [ORC, OBR], as: ord, do: [...] }.
func (f *feed) each(n *conf.Node) transforms.Step {
	m := n.Map("each step", "in", "group", "as", "do")
	switch {
	case !n.IsMap():
		return nil
	case m["in"] != nil && m["group"] != nil:
		m["group"].Errorf("keep one of the two", "each walks either a list or groups")
		return nil
	case m["in"] == nil && m["group"] == nil:
		n.Errorf(`write in: "OBX(*)", or group: [ORC, OBR]`, "each walks a list or groups, and names neither")
		return nil
	case m["as"] == nil || m["do"] == nil:
		n.Errorf("write { in: \"OBX(*)\", as: obx, do: [...] }", "each names its item (as) and its steps (do)")
		return nil
	}
	s := &transforms.Each{Slot: f.slot()}
	if m["group"] != nil {
		s.Starts = f.group(m["group"])
	} else if s.In = f.cur.of(m["in"]); s.In != nil && !s.In.IsList() && f.cur.format == message.HL7 {
		m["in"].Errorf("write "+s.In.String()+"(*) for all of them", "%s is one place, not a list", s.In)
	}
	end, err := f.enter(m["as"].Text(), s.Slot, s.In)
	if err != nil {
		m["as"].Errorf("", "%v", err)
		return nil
	}
	locals := f.begin()
	s.Do = f.chain(m["do"])
	locals()
	end()
	return s
}

// inserted names the new segment within insert; no feed can spell it as an item.
const inserted = "segment"

var spots = map[string]message.Spot{"before": message.Before, "after": message.After, "at_end_of": message.AtEndOf}

// insert reads { segment: TQ1, after: SELECTOR, set: { 1: ... } }.
func (f *feed) insert(n *conf.Node) transforms.Step {
	m := n.Map("insert step", "segment", "before", "after", "at_end_of", "set", "if_none")
	if !n.IsMap() {
		return nil
	}
	if f.cur.format != message.HL7 {
		n.Errorf("set a path, or use a template", "insert is for segments of HL7")
		return nil
	}
	s := &transforms.Insert{Segment: textOf(m["segment"]), Slot: f.slot(), IfNone: readIfNone(m["if_none"])}
	if p, err := hl7.ParsePath(s.Segment); err != nil || p.Segment() != s.Segment || p.DeepestLevel() != hl7.SegmentLevel {
		at := n
		if m["segment"].Present() {
			at = m["segment"]
		}
		at.Errorf("write segment: TQ1", "insert needs the name of a segment")
		return nil
	}
	f.spot(s, n, m)
	if v := m["set"]; v.Present() {
		f.filling(s, v)
	}
	return s
}

// spot reads where the segment goes.
func (f *feed) spot(s *transforms.Insert, n *conf.Node, m map[string]*conf.Node) {
	for _, k := range []string{"before", "after", "at_end_of"} {
		switch {
		case !m[k].Present():
		case s.At != nil:
			m[k].Errorf("keep one of them", "the segment goes to one place")
		default:
			s.At, s.Where = f.cur.of(m[k]), spots[k]
		}
	}
	if m["before"] == nil && m["after"] == nil && m["at_end_of"] == nil {
		n.Errorf("add after: SELECTOR, before: SELECTOR or at_end_of: SELECTOR", "where the segment goes is not declared")
	}
}

// filling reads what the new segment holds, by the numbers of its fields.
func (f *feed) filling(s *transforms.Insert, n *conf.Node) {
	outer := f.cur
	f.cur = f.cur.with(inserted, s.Slot, hl7.MustPath(s.Segment))
	defer func() { f.cur = outer }()
	for _, e := range n.Fields() {
		if v, err := strconv.Atoi(e.Key); err != nil || v < 1 {
			e.Name.Errorf("write { 1: ..., 7: { 4: ... } }", "%q is no number of a field", e.Key)
			continue
		}
		f.assign(&s.Set, e.Name, inserted+"-"+e.Key, e.Node)
	}
}
