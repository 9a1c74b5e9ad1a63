package xmldoc

// changed marks what is no longer as it was read, up to the document.
func (d *Doc) changed(i uint32) {
	d.edited = true
	for {
		n := d.edit(i)
		if n.flags&dirty != 0 {
			return
		}
		if n.flags |= dirty; n.kind == kRoot {
			return
		}
		i = n.parent
	}
}

// put keeps the bytes of an edit. A zero stands before them, so that looking
// back for white space ends there.
func (d *Doc) put(parts ...[]byte) (from, to uint32) {
	d.made = append(d.made, 0)
	from = uint32(len(d.made))
	for _, p := range parts {
		d.made = append(d.made, p...)
	}
	return from, uint32(len(d.made))
}

// added: nodes were put among others.
func (d *Doc) added() {
	d.mixed = true
	d.order.Store(nil)
}

// setContent makes escaped text the only content of an element.
func (d *Doc) setContent(i uint32, esc []byte) {
	f := d.at(i).first
	if len(esc) > 0 && f != 0 && d.at(f).next == 0 && d.at(f).kind == kText {
		d.replaceText(f, esc)
		return
	}
	d.clear(i)
	if len(esc) > 0 {
		from, to := d.put(esc)
		d.append(i, 0, node{kind: kText, start: from, end: to, flags: own})
		d.added()
	}
}

// clear takes out the content of an element.
func (d *Doc) clear(i uint32) {
	for c := d.at(i).first; c != 0; c = d.at(c).next {
		d.edit(c).flags |= gone
	}
	d.edit(i).first = 0
	d.changed(i)
}

// replaceText gives a text node other bytes; without any it goes.
func (d *Doc) replaceText(i uint32, esc []byte) {
	if len(esc) == 0 {
		d.unlink(i)
		return
	}
	from, to := d.put(esc)
	n := d.edit(i)
	n.start, n.end = from, to
	n.flags |= own
	d.changed(n.parent)
}

// setAttr writes an attribute's value; name, quotes and white space stay.
func (d *Doc) setAttr(i uint32, esc []byte) {
	n := d.at(i)
	b, lead := d.buffer(n), d.lead(n)
	open, _ := d.between(n)
	quote := b[open-1 : open]
	from, to := d.put(b[lead:open], esc, quote)
	e := d.edit(i)
	e.start, e.end = from+e.start-lead, to
	e.flags |= own
	d.changed(e.parent)
}

// addAttr puts a new attribute, or declaration, behind the others.
func (d *Doc) addAttr(element uint32, k kind, space uint16, name, value string) (uint32, error) {
	esc, err := escape(nil, value, true, d.src.enc)
	if err != nil {
		return 0, err
	}
	from, to := d.put([]byte(" "+name+`="`), esc, []byte(`"`))
	last := d.at(element).attr
	for last != 0 && d.at(last).next != 0 {
		last = d.at(last).next
	}
	n := node{kind: k, start: from + 1, end: to, name: uint16(len(name)), space: space, flags: own}
	i := d.appendAttr(element, last, n)
	d.added()
	d.changed(element)
	return i, nil
}

// unlink takes a node out of the tree.
func (d *Doc) unlink(i uint32) {
	n := *d.at(i)
	p := d.edit(n.parent)
	switch {
	case n.prev != 0:
		d.edit(n.prev).next = n.next
	case n.kind == kAttr || n.kind == kDecl:
		p.attr = n.next
	default:
		p.first = n.next
	}
	if n.next != 0 {
		d.edit(n.next).prev = n.prev
	}
	d.edit(i).flags |= gone
	d.changed(n.parent)
}

func (d *Doc) dropNil(i uint32) {
	if a := d.attribute(i, inXSI, "nil"); a != 0 && d.isNil(i) {
		d.unlink(a)
	}
}
