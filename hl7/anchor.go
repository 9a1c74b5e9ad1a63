package hl7

import (
	"slices"
	"strconv"
)

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

// anchored appends the places of the segments that a is or lies in, in order.
func (m *Message) anchored(dst []int, a *Anchor) []int {
	if a.group == 0 {
		if i, ok := m.findNear(a.seg, a.near); ok {
			dst = append(dst, i)
		}
		return dst
	}
	if m.groups == nil || a.group > len(*m.groups) {
		return dst
	}
	near := a.near
	for _, h := range (*m.groups)[a.group-1] {
		if i, ok := m.findNear(h, near); ok {
			dst, near = append(dst, i), i+1
		}
	}
	if !slices.IsSorted(dst) {
		slices.Sort(dst)
	}
	return dst
}

// members appends the places of the segments among which p looks, and says
// where one more of them would go. ok is false when nothing is left of the anchor.
func (m *Message) members(dst []int, p *path) (in []int, end int, ok bool) {
	in = m.anchored(dst, &p.at)
	if len(in) == 0 {
		return in, 0, false
	}
	if p.at.group > 0 || p.below == 0 {
		return in, in[len(in)-1] + 1, true
	}
	from, to := m.scope(in[0], p.below == '>', p.seg.id)
	for in = in[:0]; from < to; from++ {
		in = append(in, from)
	}
	return in, to, true
}

// view is the message as if it had only the given segments.
func (m *Message) view(in []int) *Message {
	v := *m
	v.segs = make([]segment, len(in))
	for k, i := range in {
		v.segs[k] = m.segs[i]
	}
	return &v
}

// eachAnchored is eachSegment for a path below an anchor.
func (m *Message) eachAnchored(p *path, yield func(i int) bool) bool {
	var few [16]int
	in, _, _ := m.members(few[:0], p)
	if p.below == 0 {
		for _, i := range in {
			if !yield(i) {
				return false
			}
		}
		return true
	}
	if len(in) == 0 {
		return true
	}
	return m.view(in).eachFree(p, func(k int) bool { return yield(in[k]) })
}

// room is where a missing segment that p asks for would go, and among which
// segments it would be counted.
func (m *Message) room(p Path) (among []int, at place, err error) {
	end, ok := 0, true
	if p.p.at.given() {
		among, end, ok = m.members(nil, p.p)
	} else {
		among = make([]int, len(m.segs))
		for i := range among {
			among[i] = i
		}
		end = len(among)
	}
	switch {
	case !ok:
		return nil, nowhere, refuse(p, ErrNoMatch.Error(), "", ErrNoMatch)
	case p.p.group != nil:
		from, to, err := m.view(among).onlyScope(p)
		if err != nil {
			return nil, nowhere, err
		}
		among, end = among[from:to], among[to-1]+1
	case !p.p.at.given():
		return among, place{at: end}, nil // at the very end: in no group
	}
	return among, place{end, m.Handle(end - 1)}, nil
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
