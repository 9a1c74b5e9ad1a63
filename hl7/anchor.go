package hl7

import "strconv"

// An Anchor is a part of a message that stays the same one while the message is
// edited elsewhere: a segment, a group of segments, or a field, repetition,
// component or subcomponent of a segment. A part within a segment is known by
// its numbers. The zero Anchor is none. An Anchor is good where its Handle is.
type Anchor struct {
	seg   Handle
	id    string // of the segment
	group int    // a group by its number, from 1; then all below is zero
	near  int    // where the segment stood when last looked for
	field int    // 0: the segment
	rep   int    // 0: not given
	comp  int
	sub   int
}

func (a *Anchor) given() bool { return a.group > 0 || a.seg != Handle{} }

// Segment is the segment that the anchor is or lies in; zero for a group.
func (a Anchor) Segment() Handle { return a.seg }

// IsGroup tells whether the anchor is a group of segments.
func (a Anchor) IsGroup() bool { return a.group > 0 }

// level is how deep the anchor lies; of a group, SegmentLevel.
func (a *Anchor) level() Level {
	switch {
	case a.sub > 0:
		return SubcomponentLevel
	case a.comp > 0:
		return ComponentLevel
	case a.rep > 0:
		return RepetitionLevel
	case a.field > 0:
		return FieldLevel
	}
	return SegmentLevel
}

// Anchor gives the anchor of a whole segment, the zero one when it is gone.
func (m *Message) Anchor(h Handle) Anchor {
	i, ok := m.Find(h)
	if !ok {
		return Anchor{}
	}
	return m.anchorAt(i)
}

func (m *Message) anchorAt(i int) Anchor {
	return Anchor{seg: m.segs[i].handle(), id: string(segmentID(m.content(i), m.delims.Field)), near: i}
}

// Near gives the same anchor, quicker to find where the message is now. ok is
// false when nothing is left of it.
func (m *Message) Near(a Anchor) (same Anchor, ok bool) {
	var few [16]int
	in := m.anchored(few[:0], &a)
	if len(in) == 0 {
		return a, false
	}
	a.near = in[0]
	return a, true
}

// Anchors fixes what p selects now, in the order of the message.
func (m *Message) Anchors(p Path) []Anchor {
	var out []Anchor
	if p.p == nil {
		return nil
	}
	m.eachSegment(p.p, func(i int) bool {
		out = m.anchorsIn(out, i, p.p)
		return true
	})
	return out
}

// anchorsIn appends the nodes of segment i that p selects.
func (m *Message) anchorsIn(out []Anchor, i int, p *path) []Anchor {
	a := m.anchorAt(i)
	a.field, a.comp, a.sub = p.field, p.comp, p.sub
	if p.field == 0 {
		return append(out, a)
	}
	seg := m.content(i)
	f, ok := field(seg, m.delims.Field, p.field)
	switch {
	case !ok:
		return out
	case !p.rep.given() && p.comp == 0, p.field <= 2 && isHeader(seg):
		a.comp, a.sub = 0, 0
		return append(out, a)
	case p.rep.which == all && len(f) == 0:
		return out
	}
	n, at := 1, 0
	m.eachRepetition(f, &p.rep, func(start, end int) bool {
		for ; at < start; at++ {
			if f[at] == m.delims.Repetition {
				n++
			}
		}
		if _, ok := m.delims.leaf(f[start:end], p.comp, p.sub); ok {
			if a.rep = n; !p.rep.given() {
				a.rep = 0
			}
			out = append(out, a)
		}
		return true
	})
	return out
}

// absolute gives the path to what a is, as one would write it: OBX(#2)-5(#1).1.
// occurrence is the number of its segment among those of the same id.
func (a *Anchor) absolute(occurrence int) string {
	var s = a.id + "(#" + strconv.Itoa(occurrence) + ")"
	if a.field > 0 {
		s += "-" + strconv.Itoa(a.field)
	}
	if a.rep > 0 {
		s += "(#" + strconv.Itoa(a.rep) + ")"
	}
	for _, n := range []int{a.comp, a.sub} {
		if n > 0 {
			s += "." + strconv.Itoa(n)
		}
	}
	return s
}

// Each gives one path for each node that p selects now, in order. Each stays
// on its node while the message is edited. Their texts are absolute, as if p had
// been written node by node: OBX(#2)-5.
func (m *Message) Each(p Path) []Path {
	var out []Path
	seen, next := map[string]int{}, 0
	for _, a := range m.Anchors(p) {
		for ; next <= a.near; next++ {
			seen[string(segmentID(m.content(next), m.delims.Field))]++
		}
		e := &path{at: a, seg: step{id: a.id}, field: a.field, comp: a.comp, sub: a.sub, text: a.absolute(seen[a.id])}
		e.rep.which = a.rep
		out = append(out, Path{e})
	}
	return out
}
