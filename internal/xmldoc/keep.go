package xmldoc

import (
	"slices"

	"github.com/spine-engine/spine-engine/internal/message"
)

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
