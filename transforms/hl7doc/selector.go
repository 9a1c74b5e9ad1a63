package hl7doc

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
)

// Selector compiles the text of a selector. The error is a *hl7.PathError.
func Selector(text string) (message.Selector, error) { return Compile(text, nil) }

// relative is a selector below the item that a slot is bound to.
type relative struct {
	hl7.Relative
	slot int
}

// Compile is Selector for texts that may begin with the name of an item: obx-5,
// ord/OBR-4.1, id.1, obx alone for the item itself. items gives the slot of each
// name. The error is a *hl7.PathError.
func Compile(text string, items map[string]int) (message.Selector, error) {
	name := hl7.ItemName(text)
	if name == "" {
		p, err := hl7.ParsePath(text)
		if err != nil {
			return nil, err
		}
		return p, nil
	}
	slot, ok := items[name]
	if !ok {
		return nil, unknownItem(text, name, items)
	}
	r, err := hl7.ParseRelative(text)
	if err != nil {
		return nil, err
	}
	return &relative{r, slot}, nil
}

// unknownItem says what may have been meant: another item, or a segment.
func unknownItem(text, name string, items map[string]int) error {
	var meant []string
	if best := near(name, items); best != "" {
		meant = append(meant, strconv.Quote(best))
	}
	upper := strings.ToUpper(name)
	if _, err := hl7.ParsePath(upper); err == nil && len(name) == 3 {
		meant = append(meant, "the segment "+upper)
	}
	e := &hl7.PathError{Input: text, Text: fmt.Sprintf("there is no item %q here", name)}
	switch {
	case len(meant) > 0:
		e.Hint = "did you mean " + strings.Join(meant, " or ") + "?"
	case len(items) > 0:
		e.Hint = "the items here are " + strings.Join(slices.Sorted(maps.Keys(items)), ", ")
	default:
		e.Hint = "a segment id is three upper-case letters or digits, and an item is named by the as of each"
	}
	return e
}

// near gives the item whose name is at most a third of its letters away.
func near(name string, items map[string]int) string {
	best, least := "", 1+max(len(name)/3, 1)
	for _, other := range slices.Sorted(maps.Keys(items)) {
		if d := distance(name, other); d < least {
			best, least = other, d
		}
	}
	return best
}

// distance counts the letters to change, add or leave out; the same letters in
// another order count one.
func distance(a, b string) int {
	if len(a) == len(b) && a != b && slices.Equal(slices.Sorted(slices.Values([]byte(a))), slices.Sorted(slices.Values([]byte(b)))) {
		return 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		left := i
		row[0] = i + 1
		for j := range len(b) {
			cost := left
			if a[i] != b[j] {
				cost++
			}
			left = row[j+1]
			row[j+1] = min(cost, row[j]+1, left+1)
		}
	}
	return row[len(b)]
}

// Fits says whether a selector can select anything below the items that in
// selects, or below groups when in is nil: obx-5 does below OBX(*), ord-5 does
// not below a group. It passes what only a message can tell.
func Fits(s, in message.Selector) error {
	r, ok := s.(*relative)
	if !ok {
		return nil
	}
	if in == nil {
		return r.Fits(hl7.SegmentLevel, true)
	}
	p, ok := in.(hl7.Path)
	if rel, is := in.(*relative); is {
		p, ok = rel.Path()
	}
	if !ok {
		return nil
	}
	return r.Fits(p.DeepestLevel(), false)
}

// path gives what a selector means in this document now. A slot that is not
// bound, or whose item is gone, gives a path that selects nothing.
func (d *Doc) path(s message.Selector) (hl7.Path, error) {
	switch s := s.(type) {
	case hl7.Path:
		return s, nil
	case *relative:
		if s.slot >= len(d.slots) || d.slots[s.slot].index == 0 {
			return hl7.Path{}, noMatch{fmt.Errorf("nothing matches %s: no item is bound to %s", s, s.Name())}
		}
		return s.In(d.slots[s.slot].at)
	case nil:
		return hl7.Path{}, fmt.Errorf("no selector")
	}
	return hl7.Path{}, fmt.Errorf("%s is no selector of hl7 documents", s)
}

// reading is path where an error means that nothing is selected.
func (d *Doc) reading(s message.Selector) hl7.Path {
	p, err := d.path(s)
	if err != nil {
		return hl7.Path{}
	}
	return p
}
