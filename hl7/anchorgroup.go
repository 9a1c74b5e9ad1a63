package hl7

import (
	"fmt"
	"slices"
)

// AnchorGroups fixes the groups of segments that begin with one of the ids.
//
//	[ORC, OBR]      MSH PID ORC OBR OBX ORC TQ1 OBR OBX OBR OBX
//	                        1-----------2---------------3------
//
// A group begins at the first id, or at a later one that is not the first of
// its id, nor behind a later one yet, in a group that an earlier one began: an OBR
// without an ORC of its own. It ends where the next begins, or before that at a
// segment that ranks as high as its first one (see Group): the orders of a
// patient end at the next PID. A segment that is put beside one of the group's
// becomes one of them. To fix groups counts as an edit where several goroutines
// use a message, though its bytes stay as they are. The error is a *PathError.
func (m *Message) AnchorGroups(ids []string) ([]Anchor, error) {
	if err := CheckGroup(ids); err != nil {
		return nil, err
	}
	var out []Anchor
	var fixed groups
	for i := 0; i < len(m.segs); {
		k := m.among(i, ids)
		if k < 0 {
			i++
			continue
		}
		to := m.groupEnd(i, k, ids)
		members := make([]Handle, 0, to-i)
		for j := i; j < to; j++ {
			members = append(members, m.segs[j].handle())
		}
		fixed, out = append(fixed, members), append(out, Anchor{near: i})
		i = to
	}
	for n, first := 0, m.fix(fixed); n < len(out); n++ {
		out[n].group = first + n
	}
	return out, nil
}

// CheckGroup says whether AnchorGroups would take these ids. The error is a *PathError.
func CheckGroup(ids []string) error {
	if len(ids) == 0 {
		return &PathError{Text: "a group needs the id of its first segment", Hint: "such as [ORC, OBR]"}
	}
	for n, id := range ids {
		switch {
		case len(id) != 3 || !idOK([]byte(id)):
			return &PathError{Input: id, Text: "a segment id is an upper-case letter and two upper-case letters or digits", Hint: "such as ORC"}
		case slices.Contains(ids[:n], id):
			return &PathError{Input: id, Text: fmt.Sprintf("%s is named twice", id)}
		}
	}
	return nil
}

// among gives which of the ids segment i has, -1 for none.
func (m *Message) among(i int, ids []string) int {
	return slices.IndexFunc(ids, func(id string) bool { return m.is(i, id) })
}

// groupEnd gives the end of the group that begins at segment i with ids[k].
func (m *Message) groupEnd(i, k int, ids []string) int {
	limit, id := m.rankOf(i), ids[k]
	for j := i; limit == unranked && j > 0; {
		j--
		limit = m.rankOf(j)
	}
	for to := i + 1; to < len(m.segs); to++ {
		switch next := m.among(to, ids); {
		case next > k:
			k = next
		case next >= 0, m.rankOf(to) <= limit, m.is(to, id):
			return to
		}
	}
	return len(m.segs)
}
