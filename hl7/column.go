package hl7

// Column returns the texts of a list, one for each thing that is listed: for
// each segment that p chooses, or for each repetition where p lists these. What
// holds nothing there is "", so that no segment drops out of a rule about all:
//
//	OBR|1||||...|F          Column(OBR(*)-25) = "F", ""
//	OBR|2
//
// A segment whose repetitions are listed and that has none counts once when the
// segments are listed too. A path that is no list has at most one text, as List.
func (m *Message) Column(p Path) []string {
	if p.p == nil || !p.IsList() || p.p.field == 0 {
		return m.List(p)
	}
	whole := *p.p
	whole.comp, whole.sub = 0, 0
	segments := p.p.seg.which == all || p.p.group != nil && p.p.group.which == all
	var out []string
	m.eachSegment(p.p, func(i int) bool {
		before := len(out)
		m.eachNode(m.content(i), &whole, func(n Node) bool {
			if p.p.comp > 0 && !n.lit {
				if !p.p.rep.given() { // a component is of the first repetition
					n.raw, _ = part(n.raw, m.delims.Repetition, 1)
				}
				n.raw, _ = m.delims.leaf(n.raw, p.p.comp, p.p.sub)
			}
			out = append(out, n.Text())
			return true
		})
		if segments && len(out) == before {
			out = append(out, "")
		}
		return true
	})
	return out
}
