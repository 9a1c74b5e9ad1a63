package hl7

// eachSegment yields the indexes of the segments p selects; false = stopped.
func (m *Message) eachSegment(p *path, yield func(i int) bool) bool {
	if p.at.given() {
		return m.eachAnchored(p, yield)
	}
	return m.eachFree(p, yield)
}

// eachFree is eachSegment without regard to an anchor.
func (m *Message) eachFree(p *path, yield func(i int) bool) bool {
	if p.group == nil {
		return m.pick(&p.seg, 0, len(m.segs), yield)
	}
	return m.pick(p.group, 0, len(m.segs), func(anchor int) bool {
		from, to := m.scope(anchor, p.run, p.seg.id)
		return m.pick(&p.seg, from, to, yield)
	})
}

// scope gives the segments that belong to one anchor: its group, or the run of
// segments with an id directly after it.
func (m *Message) scope(anchor int, run bool, id string) (from, to int) {
	if !run {
		return m.Group(anchor)
	}
	to = anchor + 1
	for to < len(m.segs) && m.is(to, id) {
		to++
	}
	return anchor + 1, to
}

// pick yields which of the segments in [from, to) a step chooses.
func (m *Message) pick(s *step, from, to int, yield func(i int) bool) bool {
	n := 0
	for i := from; i < to; i++ {
		if !m.is(i, s.id) || len(s.conds) > 0 && !m.fulfils(i, s.conds) {
			continue
		}
		n++
		switch {
		case s.which == all:
			if !yield(i) {
				return false
			}
		case n == max(s.which, 1):
			return yield(i)
		}
	}
	return true
}

// fulfils tests the conditions of a segment's selector; of a repeating field, the first repetition.
func (m *Message) fulfils(i int, conds []cond) bool {
	seg := m.content(i)
	for j := range conds {
		k := &conds[j]
		b, _ := field(seg, m.delims.Field, k.field)
		if k.comp > 0 {
			b, _ = part(b, m.delims.Repetition, 1)
			b, _ = m.delims.leaf(b, k.comp, k.sub)
		}
		if !m.equal(b, k.text) {
			return false
		}
	}
	return true
}

// unranked: segments that open no group stay in the one they stand in.
const unranked = 99

// rank orders the segments that open groups. It needs no tables of message
// structures, so it holds for every version and for messages that break the standard.
func rank(id []byte) int {
	switch string(id) {
	case "MSH":
		return 0
	case "PID":
		return 1
	case "PV1":
		return 2
	case "ORC", "RGS", "IN1":
		return 3
	case "OBR", "AIS", "AIG", "AIL", "AIP":
		return 4
	case "OBX", "SPM":
		return 5
	case "NTE":
		return 6
	}
	return unranked
}

func (m *Message) rankOf(i int) int { return rank(segmentID(m.content(i), m.delims.Field)) }

// Group gives the segments [from, to) of the group that segment i opens: up to
// the next segment of its own or a higher rank, MSH > PID > PV1 > ORC, RGS, IN1 >
// OBR, AIS, AIG, AIL, AIP > OBX, SPM > NTE. An ORC directly before an OBR
// belongs to it. A segment of no rank opens a group that ends at the next one of
// the same id, or where the group it stands in ends.
func (m *Message) Group(i int) (from, to int) {
	if i < 0 || i >= len(m.segs) {
		return 0, 0
	}
	id := string(segmentID(m.content(i), m.delims.Field))
	limit := m.rankOf(i)
	for j := i; limit == unranked && j > 0; {
		j--
		limit = m.rankOf(j)
	}
	from, to = i, i+1
	for to < len(m.segs) && m.rankOf(to) > limit && !m.is(to, id) {
		to++
	}
	if id == "OBR" && i > 0 && m.is(i-1, "ORC") {
		from--
	}
	return from, to
}
