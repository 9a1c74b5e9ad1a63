package hl7

// Lacks tells whether a list leaves something out: whether a segment that p
// chooses, or a repetition of it, has no node where p leads. Segments end with
// their last value, so that OBX(*)-11 selects two nodes here and lacks one:
//
//	OBX|1|NM|A||140||||||F
//	OBX|2|NM|B||4.1
//	OBX|3|NM|C||71||||||F
//
// A list of segments lacks nothing, and neither does one that chooses no segment.
func (m *Message) Lacks(p Path) (lacks bool) {
	if p.p == nil || p.p.field == 0 {
		return false
	}
	whole := *p.p
	whole.comp, whole.sub = 0, 0
	var some []Anchor
	m.eachSegment(p.p, func(i int) bool {
		some = m.anchorsIn(some[:0], i, p.p)
		there := len(some)
		some = m.anchorsIn(some[:0], i, &whole)
		lacks = there == 0 || there < len(some)
		return !lacks
	})
	return lacks
}
