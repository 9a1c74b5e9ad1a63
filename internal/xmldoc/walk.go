package xmldoc

import (
	"fmt"

	"github.com/spine-engine/spine-engine/internal/message"
)

// item is a node that a walk has fixed, of a document and its clones.
type item struct {
	of   *source
	node uint32
}

// mine gives the node of an item of this document.
func (d *Doc) mine(it message.Item) (uint32, bool) {
	i, ok := it.(item)
	return i.node, ok && i.of == d.src && i.node < d.count
}

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
		out[k] = item{d.src, i}
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
	i, ok := d.mine(it)
	if !ok {
		d.slots[slot] = slotted{}
		return
	}
	d.slots[slot] = slotted{i, index, true}
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
