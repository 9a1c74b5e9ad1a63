package template

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
)

// maxRounds bounds what {{each}} may go through in one rendering, for blocks that
// write nothing.
const maxRounds = 1_000_000

// renderer is one rendering.
type renderer struct {
	t      *Template
	in     *transforms.Input
	out    []byte
	limit  int
	rounds int
}

// Render makes the text. Values and conditions are computed on in; the document is
// read only, but for the slots of {{each}}, which are free again afterwards.
func (t *Template) Render(in *transforms.Input) ([]byte, error) {
	r := renderer{t: t, in: in, limit: t.Limit}
	if r.limit == 0 {
		r.limit = DefaultLimit
	}
	if err := r.all(t.nodes); err != nil {
		return nil, err
	}
	if t.format == HL7 && !r.atLineStart() {
		r.out = append(r.out, '\r')
	}
	return r.out, nil
}

func (r *renderer) all(nodes []node) error {
	for i := range nodes {
		if err := r.one(&nodes[i]); err != nil {
			return err
		}
		if len(r.out) > r.limit {
			return fmt.Errorf("%s: the template makes more than %d bytes, the limit of what templates make", r.t.file, r.limit)
		}
	}
	return nil
}

func (r *renderer) one(n *node) error {
	switch n.kind {
	case text:
		r.literal(n.literal)
		return nil
	case value:
		s, err := n.value.Text(r.in)
		if err == nil && len(s) <= r.limit {
			r.out, err = n.esc(r.out, s)
		} else if err == nil {
			r.out = append(r.out, s...) // too much anyway: all says so
		}
		return r.at(n, err)
	case cond:
		yes, err := n.cond.Bool(r.in)
		if err != nil || !yes {
			return r.at(n, err)
		}
		return r.all(n.body)
	}
	return r.each(n)
}

// at says where in the template an error comes from.
func (r *renderer) at(n *node, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s:%d: %w", r.t.file, n.line, err)
}

// literal writes the template's own text; in hl7 line by line, none of them blank.
func (r *renderer) literal(s string) {
	if r.t.format != HL7 {
		r.out = append(r.out, s...)
		return
	}
	for line := range strings.SplitAfterSeq(s, "\n") {
		if r.atLineStart() {
			line = strings.TrimLeft(line, " \t\n")
		}
		text, ended := strings.CutSuffix(line, "\n")
		if r.out = append(r.out, text...); ended {
			r.out = append(r.out, '\r')
		}
	}
}

func (r *renderer) atLineStart() bool {
	return len(r.out) == 0 || r.out[len(r.out)-1] == '\r'
}

var errNoWalk = errors.New("documents of this format cannot be walked")

func (r *renderer) each(n *node) error {
	w, ok := r.in.Doc.(message.Walker)
	if !ok {
		return r.at(n, errNoWalk)
	}
	items, err := w.Items(n.sel)
	if err != nil {
		return r.at(n, err)
	}
	defer w.Bind(n.slot, nil, 0)
	for i, it := range items {
		if r.rounds++; r.rounds > maxRounds {
			return r.at(n, fmt.Errorf("each goes round more than %d times in this template", maxRounds))
		}
		w.Bind(n.slot, it, i+1)
		if err := r.all(n.body); err != nil {
			return err
		}
	}
	return nil
}
