package hl7

import "slices"

// A Handle names one segment of a message for good: the same one whatever is
// inserted, removed, edited or sorted around it. It is comparable; the zero
// Handle names none. It is good in the message that gave it and in the clones
// made of that message afterwards.
//
// A segment that was parsed is known by where it stands in the input, one that
// was made by where its first content stands among the edits:
//
//	off<<1 | 1      parsed      off never changes, edited or not
//	own<<1          made        own never changes, from 1
type Handle struct{ n uint64 }

func (s *segment) handle() Handle {
	if s.next != 0 {
		return Handle{uint64(s.off)<<1 | 1}
	}
	return Handle{uint64(s.own) << 1}
}

// Handle names segment i, from 0; the zero Handle when there is none.
func (m *Message) Handle(i int) Handle {
	if i < 0 || i >= len(m.segs) {
		return Handle{}
	}
	return m.segs[i].handle()
}

// Find gives the place of a segment in the message as it is now, from 0.
func (m *Message) Find(h Handle) (index int, ok bool) { return m.findNear(h, 0) }

// findNear looks at place near first and then to both sides of it.
func (m *Message) findNear(h Handle, near int) (int, bool) {
	n := len(m.segs)
	if h == (Handle{}) || n == 0 {
		return 0, false
	}
	near = min(max(near, 0), n-1)
	for d := 0; near+d < n || near-d >= 0; d++ {
		if i := near + d; i < n && m.segs[i].handle() == h {
			return i, true
		}
		if i := near - d; i >= 0 && m.segs[i].handle() == h {
			return i, true
		}
	}
	return 0, false
}

// A group's members are never changed in place, so that clones may share them.
type groups [][]Handle

// fix remembers groups and gives the number of the first, from 1.
func (m *Message) fix(more groups) int {
	var g groups
	if m.groups != nil {
		g = *m.groups
	}
	n := len(g)
	g = append(g[:n:n], more...)
	m.groups = &g
	return n + 1
}

// joinGroups makes a new segment a member of every group that its neighbour is in.
func (m *Message) joinGroups(made, neighbour Handle) {
	if m.groups == nil || neighbour == (Handle{}) {
		return
	}
	var next groups
	for k, members := range *m.groups {
		if !slices.Contains(members, neighbour) {
			continue
		}
		if next == nil {
			next = slices.Clone(*m.groups)
		}
		next[k] = append(members[:len(members):len(members)], made)
	}
	if next != nil {
		m.groups = &next
	}
}
