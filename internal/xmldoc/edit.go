package xmldoc

import (
	"errors"
	"fmt"

	"github.com/spine-engine/spine-engine/internal/message"
)

// settable gives the selector of an edit, or why there can be none.
func settable(s message.Selector) (*Selector, error) {
	x := mine(s)
	switch {
	case x == nil:
		return nil, foreign(s)
	case x.Computes():
		return nil, &SetError{Selector: x.in, Text: "it computes a value, it is no path", Err: message.ErrUnsupported}
	}
	return x, nil
}

// target is the node that an edit writes to. One that is not there is made if
// the selector says how. need is how many bytes are to be written there.
func (d *Doc) target(x *Selector, need int) (uint32, error) {
	set, err := d.all(x)
	switch {
	case err != nil:
		return 0, err
	case len(d.made)+need > d.lim.MaxBytes:
		return 0, &SetError{Selector: x.in, Text: fmt.Sprintf("the edits of this document are over the limit MaxBytes of %d", d.lim.MaxBytes)}
	case len(set) > 1:
		return 0, several(x, len(set))
	case len(set) == 0:
		return d.makeNode(x, false)
	}
	switch d.at(set[0]).kind {
	case kElement, kAttr, kText:
		return set[0], nil
	}
	return 0, &SetError{Selector: x.in, Text: "it selects neither an element, an attribute nor a text", Err: message.ErrUnsupported}
}

func several(x *Selector, n int) error {
	return &SetError{Selector: x.in, Text: fmt.Sprintf("it selects %d nodes", n), Hint: "choose one with a condition or [1], or walk them with each"}
}

// Set writes a text, escaped, to the node that s selects; one that is absent is
// made if s is a path of names. More than one is an error, for a value that was
// read from the first must not be written over the others. An element with
// elements below is never overwritten.
func (d *Doc) Set(s message.Selector, text string) error {
	x, err := settable(s)
	if err != nil {
		return err
	}
	esc, err := escape(nil, text, true, d.src.enc)
	if err != nil {
		return unfitFor(x, err)
	}
	i, err := d.target(x, len(esc))
	if err != nil {
		return err
	}
	return d.setText(x, i, text)
}

func unfitFor(x *Selector, err error) error {
	var u *UnfitError
	if errors.As(err, &u) {
		u.Selector = x.in
	}
	return err
}

// setText writes a text that can be escaped.
func (d *Doc) setText(x *Selector, i uint32, text string) error {
	n := d.at(i)
	if n.kind == kElement && d.hasElements(i) {
		return &SetError{Selector: x.in, Text: "it has elements below it", Hint: "set a leaf, or use a template"}
	}
	if d.value(i) == text && !d.isNil(i) {
		return nil
	}
	esc, err := escape(nil, text, n.kind == kAttr, d.src.enc)
	switch {
	case err != nil:
		return unfitFor(x, err)
	case n.kind == kAttr:
		d.setAttr(i, esc)
	case n.kind == kText:
		d.replaceText(i, esc)
	default:
		d.dropNil(i)
		d.setContent(i, esc)
	}
	return nil
}

func (d *Doc) hasElements(i uint32) bool {
	for c := d.at(i).first; c != 0; c = d.at(c).next {
		if d.at(c).kind == kElement {
			return true
		}
	}
	return false
}

// SetNull empties an element and marks it xsi:nil="true".
func (d *Doc) SetNull(s message.Selector) error {
	x, err := settable(s)
	if err != nil {
		return err
	}
	if x.plain != nil && len(x.plain.steps) > 0 && x.plain.steps[len(x.plain.steps)-1].axis == attributes {
		return noNull(x)
	}
	i, err := d.target(x, 0)
	if err != nil {
		return err
	}
	if d.at(i).kind != kElement {
		return noNull(x)
	}
	d.clear(i)
	if a := d.attribute(i, inXSI, "nil"); a != 0 {
		if !d.isNil(i) {
			d.setAttr(a, []byte("true"))
		}
		return nil
	}
	_, err = d.addNamed(i, xsiSpace, "nil", "xsi", "true")
	return err
}

func noNull(x *Selector) error {
	return &SetError{Selector: x.in, Text: "only an element can be null", Err: message.ErrUnsupported}
}

// Remove takes out every node that s selects and says how many those were. The
// root element cannot go.
func (d *Doc) Remove(s message.Selector) (int, error) {
	x, err := settable(s)
	if err != nil {
		return 0, err
	}
	set, err := d.all(x)
	if err != nil {
		return 0, err
	}
	root := d.rootElement()
	for _, i := range set {
		if i == 0 || i == root {
			return 0, &SetError{Selector: x.in, Text: "the root element cannot be removed"}
		}
	}
	n := 0
	for _, i := range set {
		if !d.isGone(i) {
			d.unlink(i)
			n++
		}
	}
	return n, nil
}
