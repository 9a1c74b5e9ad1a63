package xmldoc

import (
	"fmt"
	"sync/atomic"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Doc is an XML document. Reading is safe from many goroutines as long as
// nobody edits; editing is not.
type Doc struct {
	src    *source
	lim    *Options
	pages  []*page
	owners []*token
	token  atomic.Pointer[token]
	count  uint32 // nodes, those that were removed included
	made   []byte // the bytes of edits; only ever appended to
	uris   []string
	edited bool
	mixed  bool // numbers of nodes are no longer in document order
	slots  []slotted
	order  atomic.Pointer[[]uint32] // place in document order by number, when mixed
	failed atomic.Pointer[error]
}

type slotted struct {
	node  uint32
	index int
	set   bool
}

var _ message.Walker = (*Doc)(nil)

// New is Parse.
func New(b []byte, o Options) (*Doc, error) { return Parse(b, o) }

// Parse reads one document. b is kept and must not be changed. The error is a
// *ParseError.
func Parse(b []byte, o Options) (*Doc, error) {
	lim := o.limited()
	src, f := open(b, &lim)
	if f != nil {
		if src == nil || src.same {
			return nil, f.place(b, f.at)
		}
		return nil, f.place(src.text, src.offset(f.at))
	}
	check := scanner{b: src.text, pos: src.head, lim: &lim, ns: newSpaces(lim.MaxNamespaces)}
	if !check.document() {
		return nil, check.bad.place(src.text, src.offset(check.bad.at))
	}
	d := &Doc{src: src, lim: &lim, count: 1}
	d.token.Store(new(token))
	d.room(check.nodes)
	build := scanner{b: src.text, pos: src.head, lim: &lim, ns: check.ns, tree: d}
	if !build.document() { // cannot be: it was checked
		return nil, build.bad.place(src.text, src.offset(build.bad.at))
	}
	d.uris = build.ns.uris
	return d, nil
}

// Format is XML.
func (d *Doc) Format() message.Format { return message.XML }

// Type is "": XML has no message type of its own.
func (d *Doc) Type() string { return "" }

// Event is "".
func (d *Doc) Event() string { return "" }

// ControlID is "".
func (d *Doc) ControlID() string { return "" }

// Encoding is the name of the document's encoding.
func (d *Doc) Encoding() string { return d.src.enc.String() }

// Err is the first reason why a selector could not be evaluated to its end when
// it was read: it asked for more work or more nodes than is allowed. What was
// read then was "" or nothing. Whoever decides by what was read asks for Err
// afterwards; clones begin without one.
func (d *Doc) Err() error {
	if p := d.failed.Load(); p != nil {
		return *p
	}
	return nil
}

// Clone gives a copy whose edits never show in this document. It copies no
// nodes; each side copies those that it edits.
func (d *Doc) Clone() message.Doc { return d.clone() }

func (d *Doc) clone() *Doc {
	c := &Doc{
		src: d.src, lim: d.lim, count: d.count, uris: d.uris[:len(d.uris):len(d.uris)], edited: d.edited, mixed: d.mixed,
		pages: append([]*page(nil), d.pages...), owners: make([]*token, len(d.owners)),
		made:  d.made[:len(d.made):len(d.made)],
		slots: append([]slotted(nil), d.slots...),
	}
	c.order.Store(d.order.Load())
	c.token.Store(new(token))
	d.token.Store(new(token)) // from now on d, too, copies before it writes
	return c
}

// The ways a value reaches text. None shows content.

// String gives the size.
func (d *Doc) String() string {
	return fmt.Sprintf("xml document of %d bytes", len(d.src.orig))
}

// GoString gives the size.
func (d *Doc) GoString() string { return d.String() }

// MarshalJSON gives the size.
func (d *Doc) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"size":%d}`, len(d.src.orig)), nil
}
