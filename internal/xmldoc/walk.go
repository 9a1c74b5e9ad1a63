package xmldoc

import (
	"fmt"
	"slices"

	"github.com/spine-engine/spine-engine/internal/message"
)

// item is a node that a walk has fixed.
type item uint32

// maxSlots bounds the numbers of slots; they are those of nested each steps.
const maxSlots = 1 << 10

// Items fixes the nodes that s selects now, in the order of the document.
func (d *Doc) Items(s message.Selector) ([]message.Item, error) {
	x := mine(s)
	switch {
	case x == nil:
		return nil, foreign(s)
	case x.Computes():
		return nil, fmt.Errorf("xml: %s computes a value and selects no nodes: %w", x, message.ErrUnsupported)
	}
	set, err := d.all(x)
	if err != nil {
		return nil, err
	}
	out := make([]message.Item, len(set))
	for k, i := range set {
		out[k] = item(i)
	}
	return out, nil
}

// Groups is for formats with segments.
func (d *Doc) Groups([]string) ([]message.Item, error) {
	return nil, fmt.Errorf("xml: groups of segments: %w", message.ErrUnsupported)
}

// Insert is for formats with segments.
func (d *Doc) Insert(string, message.Spot, message.Selector) (message.Item, error) {
	return nil, fmt.Errorf("xml: inserting a segment: %w", message.ErrUnsupported)
}

// Bind gives a slot an item of this document, or of one it is a clone of.
func (d *Doc) Bind(slot int, it message.Item, index int) {
	if slot < 0 || slot >= maxSlots {
		return
	}
	if slot >= len(d.slots) {
		d.slots = append(d.slots, make([]slotted, slot+1-len(d.slots))...)
	}
	i, ok := it.(item)
	if !ok || uint32(i) >= d.count {
		d.slots[slot] = slotted{}
		return
	}
	d.slots[slot] = slotted{uint32(i), index, true}
}

// Index is the number of the item bound to the slot.
func (d *Doc) Index(slot int) int {
	if slot < 0 || slot >= len(d.slots) {
		return 0
	}
	return d.slots[slot].index
}

// bound is the node of the item in a slot, if it is still there.
func (d *Doc) bound(slot int) (uint32, bool) {
	if slot < 0 || slot >= len(d.slots) || !d.slots[slot].set || d.isGone(d.slots[slot].node) {
		return 0, false
	}
	return d.slots[slot].node, true
}

// chosen says what of a document stays: whole nodes, and the elements on the way
// to them.
type chosen struct {
	whole, way map[uint32]bool
}

func (d *Doc) choose(set []uint32) chosen {
	c := chosen{map[uint32]bool{}, map[uint32]bool{}}
	for _, i := range set {
		if c.whole[i] {
			continue
		}
		c.whole[i] = true
		for p := i; d.at(p).kind != kRoot && !c.way[d.at(p).parent]; {
			p = d.at(p).parent
			c.way[p] = true
		}
	}
	return c
}

// selected is all that selectors select, together.
func (d *Doc) selected(keep []message.Selector) (out []uint32, err error) {
	for _, s := range keep {
		x, err := settable(s)
		if err != nil {
			return nil, err
		}
		set, err := d.all(x)
		if err != nil {
			return nil, err
		}
		out = append(out, set...)
	}
	return out, nil
}

// Keep removes everything that none of the selectors selects. What leads to a
// kept node stays as a bare element, with its declarations of namespaces but
// without text and attributes, unless those are selected themselves. The root
// element always stays.
func (d *Doc) Keep(keep []message.Selector) error {
	set, err := d.selected(keep)
	if err != nil {
		return err
	}
	c := d.choose(append(set, 0)) // the document itself is no reason to keep all of it
	delete(c.whole, 0)
	if slices.Contains(set, 0) {
		return nil
	}
	c.way[0], c.way[d.rootElement()] = true, true
	d.prune(0, c)
	return nil
}

// prune removes what is not chosen from below an element that is on the way.
func (d *Doc) prune(i uint32, c chosen) {
	if c.whole[i] {
		return
	}
	for a := d.at(i).attr; a != 0; a = d.at(a).next {
		if d.at(a).kind == kAttr && !c.whole[a] {
			d.unlink(a)
		}
	}
	for k := d.at(i).first; k != 0; k = d.at(k).next {
		switch n := d.at(k); {
		case c.way[k] && !c.whole[k]:
			d.prune(k, c)
		case !c.whole[k] && n.kind != kSpace:
			d.unlink(k)
		}
	}
}

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
		i, ok := it.(item)
		if !ok || uint32(i) >= d.count || d.isGone(uint32(i)) || d.at(uint32(i)).kind != kElement {
			return nil, fmt.Errorf("xml: item %d to be cut is no element of this document", n+1)
		}
		part, err := c.part(uint32(i))
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
