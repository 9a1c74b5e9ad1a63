package transforms

import (
	"errors"
	"fmt"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Insert puts a new segment beside what At selects and writes its fields. The
// selectors of Set are relative to Slot, which holds the new segment meanwhile.
// Values are those of the message before the step.
type Insert struct {
	Segment string
	Where   message.Spot
	At      message.Selector
	Slot    int
	Set     Set
	IfNone  IfNone // what to do when At selects nothing
}

// Apply inserts.
func (i *Insert) Apply(in *Input) error {
	w, err := walker(in.Doc, "insert")
	if err != nil {
		return err
	}
	texts, before, err := i.values(in)
	if err != nil {
		return err
	}
	var made message.Item
	err = i.IfNone.write(in.Doc, i.At, func() (err error) {
		made, err = w.Insert(i.Segment, i.Where, i.At)
		return err
	})
	switch {
	case errors.Is(err, message.ErrUnsupported):
		return fmt.Errorf("%s documents have no segments to insert: %w", in.Doc.Format(), err)
	case err != nil || made == nil:
		return err
	}
	defer w.Bind(i.Slot, nil, 0)
	w.Bind(i.Slot, made, 1)
	for n := range i.Set.Assignments {
		if err := i.Set.put(in.Doc, &i.Set.Assignments[n], texts[n], before); err != nil {
			return err
		}
	}
	return nil
}

// values computes all texts, and keeps the message as it is for what is copied.
func (i *Insert) values(in *Input) (texts []string, before message.Doc, err error) {
	for n := range i.Set.Assignments {
		a := &i.Set.Assignments[n]
		t, err := a.text(in)
		if err != nil {
			return nil, nil, err
		}
		texts = append(texts, t)
		if a.From != nil && before == nil {
			before = in.Doc.Clone()
		}
	}
	return texts, before, nil
}
