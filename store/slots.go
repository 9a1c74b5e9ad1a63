package store

import "github.com/spine-engine/spine-engine/internal/message"

// Slots says of each delivery of a decision which one it is. A feed's deliveries
// stand in the order of its parts; parts that were settled earlier and made no
// delivery of this decision stand before the others.
func Slots(d *message.Decision) []Slot {
	out := make([]Slot, len(d.Deliveries))
	partsOf(d, out)
	type of struct {
		feed, queue string
		part        int
	}
	seen := map[of]int{}
	for i := range d.Deliveries {
		k := of{d.Deliveries[i].Feed, d.Deliveries[i].Queue, out[i].Part}
		out[i].Number = seen[k]
		seen[k]++
	}
	return out
}

// partsOf fills in the part of each delivery, from the last one on.
func partsOf(d *message.Decision, out []Slot) {
	type place struct{ part, left int }
	at := map[string]*place{}
	for i := len(d.Deliveries) - 1; i >= 0; i-- {
		feed := d.Deliveries[i].Feed
		p := at[feed]
		if p == nil {
			p = &place{part: len(d.Parts)}
			at[feed] = p
		}
		for p.left == 0 && p.part > 0 {
			if p.part--; d.Parts[p.part].Feed == feed {
				p.left = d.Parts[p.part].Copies
			}
		}
		if p.left > 0 {
			p.left--
			out[i].Part = d.Parts[p.part].Number
		}
	}
}
