package transforms

import (
	"errors"
	"fmt"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Each does its steps once for each item: for each node that In selects, or
// each group that begins with one of Starts. The items are fixed when the step
// begins, and numbered from 1.
//
// What is inserted beside an item's segments becomes part of a group, but is no
// further item. An item that an earlier turn has removed is passed over; the
// others keep their numbers. Once a step has removed the item of its own turn,
// the rest of that turn reads nothing there, and writing has if_none's outcome.
type Each struct {
	In     message.Selector // a list; nil for groups
	Starts []string         // ids of segments
	Slot   int              // where selectors find the item
	Do     Chain
}

// holder is a walker that can tell whether a slot's item is still there.
type holder interface{ Holds(slot int) bool }

// Apply walks. The first item whose steps fail or stop ends the walk.
func (e *Each) Apply(in *Input) error {
	w, err := walker(in.Doc, "each")
	if err != nil {
		return err
	}
	items, err := e.items(w)
	if err != nil {
		return err
	}
	defer w.Bind(e.Slot, nil, 0)
	for n, it := range items {
		w.Bind(e.Slot, it, n+1)
		if h, ok := w.(holder); ok && !h.Holds(e.Slot) {
			continue
		}
		if err := e.Do.Apply(in); err != nil {
			return err
		}
		if in.Doc != message.Doc(w) {
			return errors.New("a step within each made another document: the items of the old one are gone; put it behind each")
		}
	}
	return nil
}

func (e *Each) items(w message.Walker) ([]message.Item, error) {
	if e.In != nil {
		return w.Items(e.In)
	}
	items, err := w.Groups(e.Starts)
	if errors.Is(err, message.ErrUnsupported) {
		return nil, fmt.Errorf("%s documents have no groups; use in: %w", w.Format(), err)
	}
	return items, err
}

func walker(doc message.Doc, step string) (message.Walker, error) {
	w, ok := doc.(message.Walker)
	if !ok {
		return nil, fmt.Errorf("%s cannot work on %s documents", step, doc.Format())
	}
	return w, nil
}
