package generate

import (
	"slices"
	"time"
)

// share is how often an event happens, in a hundred.
type share struct {
	kind   Kind
	event  string
	weight int
}

// mix is a day of a general hospital as its interfaces see it.
func mix() []share {
	return []share{{ADT, "A01", 9}, {ADT, "A02", 7}, {ADT, "A03", 8}, {ADT, "A08", 16}, {ADT, "A11", 1}, {ADT, "A13", 1}, {ADT, "A28", 6},
		{ADT, "A31", 8}, {ADT, "A40", 1}, {ORU, "R01", 17}, {ORM, "O01", 13}, {SIU, "S12", 5}, {SIU, "S13", 2}, {SIU, "S14", 2}, {SIU, "S15", 1}, {MDM, "T02", 3}}
}

// Day makes n messages spread over 24 hours, or fewer of them close together: the
// mix of a general hospital, in the order of what can happen. Nobody is transferred who was not admitted.
func (g *Generator) Day(n int) ([][]byte, error) { return g.Mix(n, Kinds()...) }

// Mix is Day with messages of some kinds only. What they speak of may then have
// happened before the first of them: results alone belong to orders nobody sees.
func (g *Generator) Mix(n int, kinds ...Kind) ([][]byte, error) {
	out := make([][]byte, 0, n)
	for range n {
		gap := min(24*time.Hour/time.Duration(n), 20*time.Minute)
		g.now = g.now.Add(gap * time.Duration(g.dice.between(50, 150)) / 100)
		s := g.next(kinds)
		msg, err := g.at(s.kind, s.event)
		if err != nil {
			return out, err
		}
		out = append(out, msg)
	}
	return out, nil
}

// next draws an event that the state of the hospital allows.
func (g *Generator) next(kinds []Kind) share {
	for range 100 {
		r := g.dice.n(100)
		for _, s := range mix() {
			if r -= s.weight; r < 0 {
				if slices.Contains(kinds, s.kind) && g.possible(s) {
					return s
				}
				break
			}
		}
	}
	k := kinds[0]
	return share{kind: k, event: Events(k)[0]}
}

// possible reports whether the event needs nobody to have come before the messages
// began.
func (g *Generator) possible(s share) bool {
	switch s.event {
	case "A02", "A03", "A08", "A11", "O01":
		return g.some(func(p *someone) bool { return p.visit != nil }) != nil
	case "A13", "T02":
		return g.some(func(p *someone) bool { return p.visit == nil && p.last != nil }) != nil
	case "A31":
		return g.some(func(p *someone) bool { return p.visit == nil }) != nil
	case "A40":
		return g.some(mergeable) != nil
	case "R01":
		return len(g.orders) > 0
	case "S13", "S14", "S15":
		return len(g.booked) > 0
	}
	return true
}
