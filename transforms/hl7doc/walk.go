package hl7doc

import (
	"fmt"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
)

var _ message.Walker = (*Doc)(nil)

// slot is what a name of the feed stands for: an item and its number, 0 for none.
type slot struct {
	at    hl7.Anchor
	index int
}

// maxSlot bounds what a caller's mistake can make us allocate.
const maxSlot = 1 << 10

// Items fixes what s selects now: segments, fields, repetitions or deeper nodes.
func (d *Doc) Items(s message.Selector) ([]message.Item, error) {
	p, err := d.path(s)
	if err != nil {
		if isNoMatch(err) {
			return nil, nil
		}
		return nil, err
	}
	return items(d.M.Anchors(p)), nil
}

// Groups fixes the groups that begin with one of the segments, which counts as an
// edit where goroutines share a document; see
// hl7.Message.AnchorGroups.
func (d *Doc) Groups(starts []string) ([]message.Item, error) {
	as, err := d.M.AnchorGroups(starts)
	if err != nil {
		return nil, err
	}
	return items(as), nil
}

func items(as []hl7.Anchor) []message.Item {
	out := make([]message.Item, len(as))
	for i, a := range as {
		out[i] = a
	}
	return out
}

// Bind gives a slot an item of this document, or of the one it is a clone of.
func (d *Doc) Bind(at int, it message.Item, index int) {
	a, ok := it.(hl7.Anchor)
	if at < 0 || at > maxSlot || !ok && at >= len(d.slots) {
		return
	}
	for at >= len(d.slots) {
		d.slots = append(d.slots, slot{})
	}
	if !ok {
		d.slots[at] = slot{}
		return
	}
	a, _ = d.M.Near(a)
	d.slots[at] = slot{a, max(index, 1)}
}

// Index is the number of the item in a slot, 0 when there is none.
func (d *Doc) Index(at int) int {
	if at < 0 || at >= len(d.slots) {
		return 0
	}
	return d.slots[at].index
}

// Holds tells whether the item in a slot is still in the document.
func (d *Doc) Holds(at int) bool {
	if d.Index(at) == 0 {
		return false
	}
	_, ok := d.M.Near(d.slots[at].at)
	return ok
}

// Cut makes one document for each item; see hl7.Message.Cut.
func (d *Doc) Cut(parts []message.Item, keep []message.Selector) ([]message.Doc, error) {
	paths, err := d.paths(keep)
	if err != nil {
		return nil, err
	}
	out := make([]message.Doc, 0, len(parts))
	for n, it := range parts {
		a, ok := it.(hl7.Anchor)
		if !ok {
			return nil, fmt.Errorf("part %d is no item of an hl7 document", n+1)
		}
		m, err := d.M.Cut(a, paths...)
		if err != nil {
			return nil, fmt.Errorf("part %d: %w", n+1, mark(err))
		}
		out = append(out, &Doc{M: m, slots: d.cloneSlots()})
	}
	return out, nil
}

// Keep leaves MSH and what is selected; see hl7.Message.Keep.
func (d *Doc) Keep(keep []message.Selector) error {
	paths, err := d.paths(keep)
	if err != nil {
		return err
	}
	return d.M.Keep(paths...)
}

// paths leaves out what can select nothing, for an item that is not there.
func (d *Doc) paths(list []message.Selector) ([]hl7.Path, error) {
	out := make([]hl7.Path, 0, len(list)+1)
	for _, s := range list {
		p, err := d.path(s)
		switch {
		case err == nil:
			out = append(out, p)
		case !isNoMatch(err):
			return nil, err
		}
	}
	return out, nil
}

// Insert puts an empty segment beside what at selects.
func (d *Doc) Insert(segment string, where message.Spot, at message.Selector) (message.Item, error) {
	p, err := d.path(at)
	if err != nil {
		return nil, err
	}
	w := hl7.Before
	switch where {
	case message.After:
		w = hl7.After
	case message.AtEndOf:
		w = hl7.AtGroupEnd
	}
	h, err := d.M.Insert(p, w, segment)
	if err != nil {
		return nil, mark(err)
	}
	return d.M.Anchor(h), nil
}
