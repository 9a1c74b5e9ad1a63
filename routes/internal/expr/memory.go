package expr

import (
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/spine-engine/spine-engine/internal/message"
)

// memory keeps what was read of a document that nobody edits, for rules ask the
// same few fields again and again. A document that steps may still edit has none.
type memory struct {
	headers [headerCount]remembered
	texts   []remembered // by the number of the selector
}

type remembered struct {
	known bool
	text  string
}

func (m *memory) forget(selectors int) {
	m.headers = [headerCount]remembered{}
	clear(m.texts[:cap(m.texts)])
	if cap(m.texts) < selectors {
		m.texts = make([]remembered, selectors)
	}
	m.texts = m.texts[:selectors]
}

// docVal is msg or orig. Index by number: the number of a selector in Env.selectors.
type docVal struct {
	opaque
	scope  *Scope
	doc    message.Doc
	memory *memory // nil = the document may be edited
}

func (d *docVal) Equal(o ref.Val) ref.Val { return types.Bool(any(d) == any(o)) }
func (d *docVal) Value() any              { return d }

// Get is msg["SEL"].
func (d *docVal) Get(index ref.Val) ref.Val { return types.String(d.text(int(index.(types.Int)))) }

func (d *docVal) selector(index ref.Val) message.Selector {
	return d.scope.env.selectors[int(index.(types.Int))].Selector
}

// text is the value that selector n selects first.
func (d *docVal) text(n int) string {
	s := &d.scope.env.selectors[n]
	if d.memory == nil || s.relative || n >= len(d.memory.texts) {
		return d.doc.Text(s.Selector)
	}
	r := &d.memory.texts[n]
	if !r.known {
		*r = remembered{true, d.doc.Text(s.Selector)}
	}
	return r.text
}

// The headers, which cost a document a search each.
const (
	headerType = iota
	headerEvent
	headerControlID
	headerFormat
	headerCount
)

// headerNames are the fields of msg and orig, by their number.
func headerNames() []string { return []string{"type", "event", "control_id", "format"} }

func (d *docVal) header(n int) string {
	if d.memory == nil {
		return headerOf(d.doc, n)
	}
	r := &d.memory.headers[n]
	if !r.known {
		*r = remembered{true, headerOf(d.doc, n)}
	}
	return r.text
}

func headerOf(d message.Doc, n int) string {
	switch n {
	case headerType:
		return d.Type()
	case headerEvent:
		return d.Event()
	case headerControlID:
		return d.ControlID()
	}
	return d.Format().String()
}

// index is the number of the item bound to a slot, 0 when there is none.
func (d *docVal) index(slot int) int64 {
	if w, ok := d.doc.(message.Walker); ok {
		return int64(w.Index(slot))
	}
	return 0
}

// has: a real value is there; absent, empty and null are none. Of a list, one is
// enough.
func (d *docVal) has(n int) bool {
	if d.text(n) != "" {
		return true
	}
	s := d.scope.env.selectors[n].Selector
	if !s.IsList() {
		return false
	}
	for _, t := range d.doc.List(s) {
		if t != "" {
			return true
		}
	}
	return false
}
