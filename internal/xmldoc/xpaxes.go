package xmldoc

// axis is a direction from a node (XPath 1.0 section 2.2).
type axis uint8

const (
	child axis = iota
	descendant
	descendantOrSelf
	self
	parent
	ancestor
	ancestorOrSelf
	attributes
	followingSibling
	precedingSibling
	followingNodes
	precedingNodes
)

var axes = map[string]axis{
	"child": child, "descendant": descendant, "descendant-or-self": descendantOrSelf, "self": self, "parent": parent,
	"ancestor": ancestor, "ancestor-or-self": ancestorOrSelf, "attribute": attributes,
	"following-sibling": followingSibling, "preceding-sibling": precedingSibling,
	"following": followingNodes, "preceding": precedingNodes,
}

// walk visits the nodes of an axis in its order, until visit says no.
func (d *Doc) walk(a axis, i uint32, visit func(uint32) bool) {
	n := d.at(i)
	switch a {
	case child:
		for c := n.first; c != 0 && visit(c); c = d.at(c).next {
		}
	case self:
		visit(i)
	case descendantOrSelf:
		if visit(i) {
			d.walk(descendant, i, visit)
		}
	case descendant:
		for c := d.following(i, i); c != 0 && visit(c); c = d.following(c, i) {
		}
	case parent:
		if n.kind != kRoot {
			visit(n.parent)
		}
	case ancestorOrSelf:
		if visit(i) {
			d.walk(ancestor, i, visit)
		}
	case ancestor:
		for n.kind != kRoot && visit(n.parent) {
			n = d.at(n.parent)
		}
	case attributes:
		if n.kind == kElement {
			for c := n.attr; c != 0 && visit(c); c = d.at(c).next {
			}
		}
	default:
		d.walkSideways(a, i, visit)
	}
}

func (d *Doc) walkSideways(a axis, i uint32, visit func(uint32) bool) {
	n := d.at(i)
	attr := n.kind == kAttr
	switch a {
	case followingSibling:
		for c := n.next; !attr && c != 0 && visit(c); c = d.at(c).next {
		}
	case precedingSibling:
		for c := n.prev; !attr && c != 0 && visit(c); c = d.at(c).prev {
		}
	case followingNodes:
		from := d.after(i, 0)
		if attr { // what follows an attribute is the content of its element
			from = d.following(n.parent, 0)
		}
		for c := from; c != 0 && visit(c); c = d.following(c, 0) {
		}
	case precedingNodes:
		if attr {
			d.walkSideways(a, n.parent, visit)
			return
		}
		d.preceding(i, visit)
	}
}

// preceding visits all that ends before i begins, backwards: ancestors do not count.
func (d *Doc) preceding(i uint32, visit func(uint32) bool) {
	for ; d.at(i).kind != kRoot; i = d.at(i).parent {
		for s := d.at(i).prev; s != 0; s = d.at(s).prev {
			for c := d.deepest(s); ; {
				if !visit(c) {
					return
				}
				if c == s {
					break
				}
				if p := d.at(c).prev; p != 0 {
					c = d.deepest(p)
				} else {
					c = d.at(c).parent
				}
			}
		}
	}
}

// deepest is the last node, in document order, of i and all below it.
func (d *Doc) deepest(i uint32) uint32 {
	for c := d.at(i).first; c != 0; c = d.at(i).first {
		for d.at(c).next != 0 {
			c = d.at(c).next
		}
		i = c
	}
	return i
}

// passes tells whether a node of an axis meets a node test.
func (t *test) passes(d *Doc, a axis, i uint32) bool {
	n := d.at(i)
	switch t.nodes {
	case anyNode:
		return n.kind != kSpace && n.kind != kDecl
	case textNode:
		return n.kind == kText
	case commentNode:
		return n.kind == kComment
	case piNode:
		return n.kind == kPI && (t.anyName || string(d.nameOf(n)) == t.local)
	}
	if a == attributes && n.kind != kAttr || a != attributes && n.kind != kElement {
		return false
	}
	return (t.anyName || d.isNamed(n, t.local)) && (t.anySpace || d.uris[n.space] == t.space)
}
