package format

// attach gives each comment to what it stands at: behind an entry, above one, or
// at the end of a mapping or list.
func attach(root *node, all []comment) {
	entries := root.blockEntries()
	for _, c := range all {
		switch {
		case c.flow != nil:
			attachInFlow(c)
		case c.own:
			attachOwn(root, entries, c)
		default:
			if e := lastBefore(entries, c.at); e != nil {
				e.tail = append(e.tail, c)
			} else {
				root.entries[0].head = append(root.entries[0].head, c)
			}
		}
	}
}

// lastBefore is the entry that began last before a position; nil if none has.
func lastBefore(entries []*entry, p position) (found *entry) {
	for _, e := range entries {
		if !e.at.before(p) {
			break
		}
		found = e
	}
	return found
}

// attachInFlow: behind an item on its line, or above the next one.
func attachInFlow(c comment) {
	prev, next := lastBefore(c.flow.entries, c.at), (*entry)(nil)
	for _, e := range c.flow.entries {
		if c.at.before(e.at) {
			next = e
			break
		}
	}
	switch {
	case !c.own && prev != nil:
		prev.tail = append(prev.tail, c)
	case next != nil:
		next.head = append(next.head, c)
	default:
		c.flow.foot = append(c.flow.foot, c)
	}
}

// attachOwn: a comment on its own line belongs to the entry below it, unless it is
// further in than that one; then it ends the block that stands above it.
//
//	transform:
//	  - set: { MSH-3: SPINE }
//	  # - remove: ["NK1(*)"]        ends the list of transform
//	# where it goes                 belongs to deliver
//	deliver:
func attachOwn(root *node, entries []*entry, c comment) {
	prev := lastBefore(entries, c.at)
	if prev != nil && prev.value.at.line > c.at.line && (prev.value.kind == scalar || prev.value.flow) {
		prev.head = append(prev.head, c) // between a key and its value
		return
	}
	var next *entry
	for _, e := range entries {
		if e.at.line > c.at.line {
			next = e
			break
		}
	}
	if prev != nil {
		for in := prev.in; in != nil; in = in.parent() {
			if in.at.col > c.at.col {
				continue
			}
			if next == nil || in.at.col > next.at.col {
				in.foot = append(in.foot, c)
				return
			}
			break
		}
	}
	if next != nil {
		next.head = append(next.head, c)
		return
	}
	root.foot = append(root.foot, c)
}

func (n *node) parent() *node {
	if n.of == nil {
		return nil
	}
	return n.of.in
}

// commented reports whether there are comments anywhere within a node, so that it
// cannot stand on one line.
func (n *node) commented() bool {
	if len(n.foot) > 0 {
		return true
	}
	for _, e := range n.entries {
		if len(e.head) > 0 || len(e.tail) > 0 || e.value.commented() {
			return true
		}
	}
	return false
}
