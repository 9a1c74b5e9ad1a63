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
	return m.insert(len(m.segs), []byte(id)), nil
}

// InsertSegment puts an empty segment before or behind the first one that at
// selects and returns the path to it, such as TQ1(#2). Nothing goes before MSH.
func (m *Message) InsertSegment(at Path, w Where, id string) (Path, error) {
	if err := newID(id); err != nil {
		return Path{}, err
	}
	i := -1
	if at.p != nil {
		m.eachSegment(at.p, func(j int) bool {
			i = j
			return false
		})
	}
	if i < 0 {
		return Path{}, refuse(at, ErrNoMatch.Error(), "", ErrNoMatch)
	}
	switch w {
	case After:
		i++
	case AtGroupEnd:
		_, i = m.Group(i)
	}
	if i == 0 {
		return Path{}, refuse(at, "nothing stands before MSH", "", nil)
	}
	return m.insert(i, []byte(id)), nil
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

// insert puts a segment with the given content at place i and returns its path.
func (m *Message) insert(i int, content []byte) Path {
	m.private()
	m.edits = append(m.edits, content)
	m.segs = slices.Insert(m.segs, i, segment{own: uint32(len(m.edits))})
	p := &path{seg: step{id: string(content[:3])}}
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
		return n, m.edit(p, false, func([]byte) ([]byte, error) { return nil, nil })
	case p.p.seg.id == "MSH":
		return 0, refuse(p, "a message begins with MSH", "", ErrNotSettable)
	}
	gone := make(map[int]bool)
	m.eachSegment(p.p, func(i int) bool {
		gone[i] = true
		return true
	})
	if len(gone) == 0 {
		return 0, nil
	}
	keep := make([]int, 0, len(m.segs))
	for i := range m.segs {
		if !gone[i] {
			keep = append(keep, i)
		}
	}
	return len(gone), m.Arrange(keep)
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
