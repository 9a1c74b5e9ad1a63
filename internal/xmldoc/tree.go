package xmldoc

import "bytes"

// kind is what a node is.
type kind uint8

const (
	kRoot    kind = iota // the document itself, node 0
	kElement             // <a ...> to </a>
	kAttr                // a="b", without the white space before it
	kDecl                // xmlns="..." or xmlns:p="..."; no attribute to XPath
	kText                // characters, references and CDATA sections in a row
	kComment
	kPI
	kSpace // white space outside the root; not there for XPath
)

const (
	own   uint8 = 1 << iota // its bytes are in made, not in the source
	dirty                   // its bytes are no longer those of start to end
	gone                    // removed
)

// node is one node, without pointers so that the collector need not look into
// it. Links are numbers of nodes; 0 is none, for nothing links to the document
// but its children, as parent.
type node struct {
	start, end         uint32 // bytes of all of it, in the source or in made
	parent, next, prev uint32 // prev of an attribute too
	first, attr        uint32 // first child, first attribute or declaration
	name               uint16 // length of the name, prefix included
	space              uint16 // number of its namespace
	kind               kind
	flags              uint8
}

// Nodes are kept in pages, so that a clone shares all that neither side edits.
const (
	pageBits = 6
	pageSize = 1 << pageBits
)

type page [pageSize]node

// token marks the pages that a Doc alone uses. (It has a size, so that each is
// at an address of its own.)
type token struct{ _ byte }

// at reads a node.
func (d *Doc) at(i uint32) *node { return &d.pages[i>>pageBits][i%pageSize] }

// edit gives a node to be changed; what pointed to it before is not valid any more.
func (d *Doc) edit(i uint32) *node {
	p := i >> pageBits
	if t := d.token.Load(); d.owners[p] != t {
		c := *d.pages[p]
		d.pages[p], d.owners[p] = &c, t
	}
	return &d.pages[p][i%pageSize]
}

// room makes pages for n further nodes at once.
func (d *Doc) room(n int) {
	want := (int(d.count) + n + pageSize - 1) / pageSize
	if want <= len(d.pages) {
		return
	}
	fresh := make([]page, want-len(d.pages))
	for i := range fresh {
		d.pages = append(d.pages, &fresh[i])
		d.owners = append(d.owners, d.token.Load())
	}
}

// append adds a node as the last child of parent, behind last (0: the first).
func (d *Doc) append(parent, last uint32, n node) uint32 {
	id := d.count
	d.room(1)
	d.count++
	n.parent, n.prev = parent, last
	*d.edit(id) = n
	switch {
	case last != 0:
		d.edit(last).next = id
	default:
		d.edit(parent).first = id
	}
	return id
}

// grow adds the element just read, with its attributes.
func (s *scanner) grow(from, nameEnd int, space uint16) uint32 {
	o := &s.open[len(s.open)-1]
	n := s.node(kElement, from, s.pos, nameEnd-from-1)
	n.space = space
	id := s.tree.append(o.id, o.last, n)
	o.last = id
	last := uint32(0)
	for i := range s.attrs {
		a := &s.attrs[i]
		n := s.node(kAttr, a.start, a.to+1, a.nameEnd-a.start)
		n.space = a.space
		if a.declares {
			n.kind = kDecl
		}
		last = s.tree.appendAttr(id, last, n)
	}
	return id
}

func (d *Doc) appendAttr(element, last uint32, n node) uint32 {
	id := d.count
	d.room(1)
	d.count++
	n.parent, n.prev = element, last
	*d.edit(id) = n
	if last != 0 {
		d.edit(last).next = id
	} else {
		d.edit(element).attr = id
	}
	return id
}

// buffer is what the offsets of a node refer to.
func (d *Doc) buffer(n *node) []byte {
	if n.flags&own != 0 {
		return d.made
	}
	return d.src.text
}

func (d *Doc) raw(n *node) []byte { return d.buffer(n)[n.start:n.end] }

// nameOf is the name with its prefix, of an element, attribute or instruction.
func (d *Doc) nameOf(n *node) []byte {
	from := n.start
	switch n.kind {
	case kElement:
		from++
	case kPI:
		from += 2
	}
	return d.buffer(n)[from : from+uint32(n.name)]
}

// split cuts a name at its colon.
func split(name []byte) (prefix, local []byte) {
	if i := bytes.IndexByte(name, ':'); i >= 0 {
		return name[:i], name[i+1:]
	}
	return nil, name
}

// isNamed tells whether the local part of n's name is local.
func (d *Doc) isNamed(n *node, local string) bool {
	name := d.nameOf(n)
	cut := len(name) - len(local)
	return cut >= 0 && string(name[cut:]) == local && (cut == 0 || name[cut-1] == ':')
}

// between gives where the value of an attribute or declaration stands between its quotes.
func (d *Doc) between(n *node) (from, to uint32) {
	b := d.buffer(n)
	for from = n.start + uint32(n.name); b[from] != '"' && b[from] != '\''; from++ {
	}
	return from + 1, n.end - 1
}

// attribute finds an attribute of an element by number of namespace and local name.
func (d *Doc) attribute(element uint32, space uint16, local string) uint32 {
	for a := d.at(element).attr; a != 0; a = d.at(a).next {
		if n := d.at(a); n.kind == kAttr && n.space == space && d.isNamed(n, local) {
			return a
		}
	}
	return 0
}

// isGone tells whether a node, or what it was in, has been removed.
func (d *Doc) isGone(i uint32) bool {
	for ; ; i = d.at(i).parent {
		if n := d.at(i); n.flags&gone != 0 {
			return true
		} else if n.kind == kRoot {
			return false
		}
	}
}

// rootElement is the number of the one element of the document.
func (d *Doc) rootElement() uint32 {
	for c := d.at(0).first; c != 0; c = d.at(c).next {
		if d.at(c).kind == kElement {
			return c
		}
	}
	return 0
}

// after is the node that follows i and all in it, in document order and within
// top; 0 when there is none. Attributes are left out.
func (d *Doc) after(i, top uint32) uint32 {
	for i != top {
		if n := d.at(i); n.next != 0 {
			return n.next
		} else if n.kind == kRoot {
			return 0
		} else {
			i = n.parent
		}
	}
	return 0
}

// following walks document order within top, top itself left out.
func (d *Doc) following(i, top uint32) uint32 {
	if f := d.at(i).first; f != 0 {
		return f
	}
	return d.after(i, top)
}
