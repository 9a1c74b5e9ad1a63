package hl7

import "slices"

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
