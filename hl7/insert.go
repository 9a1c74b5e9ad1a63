package hl7

import "slices"

// A Where places a new segment.
type Where int

// Places for InsertSegment, from the segment its path selects.
const (
	Before     Where = iota
	After            // directly behind it
	AtGroupEnd       // behind the group it opens; see Group
)

// AppendSegment puts an empty segment at the end and returns the path to it.
func (m *Message) AppendSegment(id string) (Path, error) {
	if err := newID(id); err != nil {
		return Path{}, err
	}
	m.insert(place{at: len(m.segs)}, []byte(id))
	return m.pathTo(len(m.segs) - 1), nil
}

// InsertSegment puts an empty segment before or behind the first one that at
// selects and returns the path to it, such as TQ1(#2). Nothing goes before MSH.
func (m *Message) InsertSegment(at Path, w Where, id string) (Path, error) {
	h, err := m.Insert(at, w, id)
	if err != nil {
		return Path{}, err
	}
	i, _ := m.Find(h)
	return m.pathTo(i), nil
}

// Insert is InsertSegment for those who want the segment and not a path. Where
// at is the anchor of a group, Before is before its first segment, After and
// AtGroupEnd behind its last. The new segment belongs to the groups that the
// segment belongs to beside which it was put.
func (m *Message) Insert(at Path, w Where, id string) (Handle, error) {
	if err := newID(id); err != nil {
		return Handle{}, err
	}
	to, ok := m.beside(at, w)
	switch {
	case !ok:
		return Handle{}, refuse(at, ErrNoMatch.Error(), "", ErrNoMatch)
	case to.at == 0:
		return Handle{}, refuse(at, "nothing stands before MSH", "", nil)
	}
	return m.insert(to, []byte(id)), nil
}

// beside finds the place that at and w mean.
func (m *Message) beside(at Path, w Where) (to place, ok bool) {
	if at.p == nil {
		return nowhere, false
	}
	i := -1
	m.eachSegment(at.p, func(j int) bool {
		i = j
		return false
	})
	if i < 0 {
		return nowhere, false
	}
	to = place{i, m.Handle(i)}
	group := at.p.at.group > 0
	switch {
	case group && at.p.below == 0 && w != Before:
		_, to.at, _ = m.members(nil, at.p)
	case w == After:
		to.at++
	case w == AtGroupEnd && group:
		in, _, _ := m.members(nil, at.p)
		k, _ := slices.BinarySearch(in, i)
		_, end := m.view(in).Group(k)
		to.at = in[end-1] + 1
	case w == AtGroupEnd:
		_, to.at = m.Group(i)
	}
	return to, true
}

func newID(id string) error {
	if len(id) != 3 || !idOK([]byte(id)) {
		return &SetError{Selector: "a new segment", Text: "its id is not an upper-case letter and two upper-case letters or digits"}
	}
	if isHeader([]byte(id)) {
		return &SetError{Selector: id, Text: "a message has one header", Err: ErrNotSettable}
	}
	return nil
}

// insert puts a segment with the given content at a place.
func (m *Message) insert(to place, content []byte) Handle {
	m.private()
	m.edits = append(m.edits, content)
	made := segment{own: uint32(len(m.edits)), id: tagOf(content, m.delims.Field)}
	m.segs = slices.Insert(m.segs, to.at, made)
	m.joinGroups(made.handle(), to.near)
	return made.handle()
}

// pathTo gives the path to segment i, such as TQ1(#2).
func (m *Message) pathTo(i int) Path {
	p := &path{seg: step{id: string(segmentID(m.content(i), m.delims.Field))}}
	for j := range i + 1 {
		if m.is(j, p.seg.id) {
			p.seg.which++
		}
	}
	return p.sealed()
}

// Remove takes segments away, or empties fields, repetitions, components. n is
// the number of segments, or of nodes that held something. MSH stays.
func (m *Message) Remove(p Path) (n int, err error) {
	switch {
	case p.p == nil:
		return 0, refuse(p, "no selector", "", nil)
	case p.p.field > 0:
		for v := range m.All(p) {
			if len(v.raw) > 0 {
				n++
			}
		}
		if n == 0 {
			return 0, settable(p)
		}
		if m.put(p.p, nil) {
			return n, nil
		}
		return n, m.edit(p, false, func([]byte) ([]byte, error) { return nil, nil })
	case p.p.seg.id == "MSH":
		return 0, refuse(p, "a message begins with MSH", "", ErrNotSettable)
	}
	var few [32]int
	gone := few[:0]
	m.eachSegment(p.p, func(i int) bool {
		gone = append(gone, i)
		return true
	})
	if len(gone) == 0 {
		return 0, nil
	}
	slices.Sort(gone) // what lies in several groups is found in each
	if gone = slices.Compact(gone); gone[0] == 0 {
		return 0, refuse(p, "a message begins with MSH", "", ErrNotSettable)
	}
	m.drop(gone)
	return len(gone), nil
}

// drop takes away the segments with the given indexes, which ascend.
func (m *Message) drop(gone []int) {
	m.private()
	left := m.segs[:gone[0]]
	for i := gone[0]; i < len(m.segs); i++ {
		if len(gone) > 0 && i == gone[0] {
			gone = gone[1:]
			continue
		}
		left = append(left, m.segs[i])
	}
	m.segs = left
}

// Arrange keeps the segments with the given indexes, in the given order; each
// at most once, MSH (index 0) first. It removes, sorts and splits.
func (m *Message) Arrange(order []int) error {
	seen := make([]bool, len(m.segs))
	for k, i := range order {
		if i < 0 || i >= len(m.segs) || seen[i] || (k == 0) != (i == 0) {
			return &SetError{Selector: "the order of segments", Text: "indexes must exist, differ and begin with MSH"}
		}
		seen[i] = true
	}
	if len(order) == 0 {
		return &SetError{Selector: "the order of segments", Text: "a message begins with MSH", Err: ErrNotSettable}
	}
	if len(order) == len(m.segs) && slices.IsSorted(order) {
		return nil
	}
	m.private()
	next := make([]segment, len(order))
	for k, i := range order {
		next[k] = m.segs[i]
	}
	m.segs = next
	return nil
}
