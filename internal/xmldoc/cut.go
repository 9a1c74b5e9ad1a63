package xmldoc

import (
	"fmt"
	"slices"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Cut makes one document for each item: the XML declaration, the elements that
// the item and what keep selects are in, with their attributes, and these
// themselves, byte for byte, in the order of this document. The parts have no
// items bound.
func (d *Doc) Cut(items []message.Item, keep []message.Selector) ([]message.Doc, error) {
	set, err := d.selected(keep)
	if err != nil {
		return nil, err
	}
	c := cutter{d: d, keep: d.choose(set)}
	c.below = d.families(c.keep)
	out := make([]message.Doc, 0, len(items))
	for n, it := range items {
		i, ok := d.mine(it)
		if !ok || d.isGone(i) || d.at(i).kind != kElement {
			return nil, fmt.Errorf("xml: item %d to be cut is no element of this document", n+1)
		}
		part, err := c.part(i)
		if err != nil {
			return nil, fmt.Errorf("xml: part %d: %w", n+1, err)
		}
		out = append(out, part)
	}
	return out, nil
}

// cutter writes parts. What all of them hold is found once, so that the work is
// by the sum of the parts' sizes.
type cutter struct {
	d     *Doc
	keep  chosen
	below map[uint32][]uint32 // the chosen children of elements on the way, in order
	out   []byte
}

// families lists, for each node on the way, its children that are chosen or on
// the way, in document order.
func (d *Doc) families(c chosen) map[uint32][]uint32 {
	out := map[uint32][]uint32{}
	add := func(i uint32) {
		if n := d.at(i); n.kind != kRoot && n.kind != kAttr {
			out[n.parent] = append(out[n.parent], i)
		}
	}
	for i := range c.whole {
		if !c.way[i] {
			add(i)
		}
	}
	for i := range c.way {
		add(i)
	}
	for p := range out {
		out[p] = d.sorted(out[p])
	}
	return out
}

func (c *cutter) part(i uint32) (*Doc, error) {
	c.out = append(c.out[:0:0], c.d.src.text[:c.d.src.head]...)
	way := map[uint32]uint32{} // from an element to its child that leads to the item
	for p := i; c.d.at(p).kind != kRoot; p = c.d.at(p).parent {
		way[c.d.at(p).parent] = p
	}
	c.write(0, i, way)
	b := c.out
	if src := c.d.src; src.enc > inASCII {
		b = src.enc.encode(slices.Clone(src.orig[:src.bomIfCut()]), b)
	}
	return Parse(b, *c.d.lim)
}

// bomIfCut is the length of the mark that text does not hold.
func (s *source) bomIfCut() int {
	if s.same {
		return 0
	}
	return s.bom
}

// write writes what is chosen of a node on the way to the item.
func (c *cutter) write(i, item uint32, way map[uint32]uint32) {
	if i == item || c.keep.whole[i] {
		c.d.write(i, c.add)
		return
	}
	children := c.below[i]
	if next, ok := way[i]; ok && !slices.Contains(children, next) {
		children = c.d.sorted(append(slices.Clone(children), next))
	}
	n := c.d.at(i)
	if n.kind == kElement {
		c.d.writeTag(n, c.d.tag(n), len(children) > 0, c.add)
	}
	for _, k := range children {
		c.write(k, item, way)
	}
	if n.kind == kElement {
		t := c.d.tag(n)
		if t.empty && len(children) == 0 {
			return
		}
		c.out = append(append(append(c.out, "</"...), c.d.nameOf(n)...), '>')
	}
}

func (c *cutter) add(p piece) bool {
	if p.made == nil {
		p.made = c.d.src.text[p.from:p.to]
	}
	c.out = append(c.out, p.made...)
	return true
}
