package xmldoc

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

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

// SetRaw writes a well-formed fragment as the content of an element (what
// stands between its tags), or the notation of an attribute's value. Whatever
// Parse refuses is refused in a fragment too. Prefixes are those of the document
// at that place, and those of Options.Namespaces.
func (d *Doc) SetRaw(s message.Selector, raw string) error {
	x, err := settable(s)
	if err != nil {
		return err
	}
	b, err := d.src.enc.fit(x, []byte(raw))
	if err != nil {
		return err
	}
	set, err := d.all(x)
	if err != nil {
		return err
	}
	into := uint32(0) // namespaces are those of the root, until there is a place
	if len(set) > 0 {
		into = set[0]
	}
	if f := d.tryRaw(b, into); f != nil {
		return &SetError{Selector: x.in, Text: "the fragment: " + f.Error(), Hint: f.Hint}
	}
	i, err := d.target(x, len(b))
	if err != nil {
		return err
	}
	switch d.at(i).kind {
	case kAttr:
		return d.setRawAttr(x, i, b)
	case kText:
		return &SetError{Selector: x.in, Text: "a text node takes no fragment", Hint: "select its element", Err: message.ErrUnsupported}
	}
	return d.setFragment(x, i, b)
}

// tryRaw checks a fragment before anything is made for it.
func (d *Doc) tryRaw(b []byte, into uint32) *ParseError {
	if d.at(into).kind != kElement {
		into = d.rootElement()
	}
	sc := d.fragmentScanner(b, 0, into)
	if sc.fragment(into) {
		return nil
	}
	return sc.bad.place(b, sc.bad.at)
}

func (d *Doc) setRawAttr(x *Selector, i uint32, b []byte) error {
	if bytes.ContainsAny(b, "<>\"'") {
		return &SetError{Selector: x.in, Text: "an attribute's value with quotes or angle brackets", Hint: "write &quot; &apos; &lt; &gt;"}
	}
	d.setAttr(i, b)
	return nil
}

// setFragment replaces the content of an element.
func (d *Doc) setFragment(x *Selector, i uint32, b []byte) error {
	sc := d.fragmentScanner(b, 0, i)
	if !sc.fragment(i) {
		return &SetError{Selector: x.in, Text: "the fragment: " + sc.bad.place(b, sc.bad.at).Error(), Hint: sc.bad.hint}
	}
	d.dropNil(i)
	d.clear(i)
	d.graft(i, 0, b)
	return nil
}

// fragmentScanner reads b, from an offset on, as content of an element.
func (d *Doc) fragmentScanner(b []byte, from int, into uint32) *scanner {
	lim := *d.lim
	lim.MaxDepth = max(0, lim.MaxDepth-d.depth(into))
	ns := newSpaces(lim.MaxNamespaces)
	for _, uri := range d.uris[len(ns.uris):] {
		ns.numbers[uri] = uint16(len(ns.uris))
		ns.uris = append(ns.uris, uri)
	}
	scope := d.scope(into)
	for prefix, uri := range d.lim.Namespaces {
		if _, ok := scope[prefix]; !ok && prefix != "" {
			scope[prefix] = uri
		}
	}
	for prefix, uri := range scope {
		if uri == "" || prefix == "xml" {
			continue
		}
		if esc, err := Escape(nil, uri, true); err == nil {
			ns.bind([]byte(prefix), esc)
		}
	}
	return &scanner{b: b, pos: from, lim: &lim, ns: ns, nodes: int(d.count)}
}

// depth counts an element and those it is in.
func (d *Doc) depth(i uint32) (n int) {
	for ; d.at(i).kind != kRoot; i = d.at(i).parent {
		n++
	}
	return n
}

// graft puts a fragment, which was checked, into an element behind last (0: as
// its first content), and gives its first node.
func (d *Doc) graft(into, last uint32, b []byte) uint32 {
	from, to := d.put(b)
	sc := d.fragmentScanner(d.made[:to], int(from), into)
	sc.tree, sc.made = d, true
	tail := d.at(into).first
	if last != 0 {
		tail = d.at(last).next
	}
	first, scope := d.count, d.scope(into)
	sc.open = append(sc.open, opened{id: into, last: last})
	sc.content(0)
	d.uris = sc.ns.uris
	if end := sc.open[0].last; end != last && tail != 0 {
		d.edit(end).next, d.edit(tail).prev = tail, end
	}
	d.added()
	d.changed(into)
	for i := first; i != tail && i != 0 && i < d.count; i = d.at(i).next {
		if d.at(i).kind == kElement {
			d.declareUsed(i, scope)
		}
	}
	return first
}

// declareUsed declares, at the top of a fragment, prefixes of the feed that it
// uses and the document does not have there.
func (d *Doc) declareUsed(i uint32, scope map[string]string) {
	used := d.used(i)
	for _, p := range slices.Sorted(maps.Keys(d.lim.Namespaces)) {
		if _, have := scope[p]; !have && used[p] && p != "" {
			d.addAttr(i, kDecl, 0, declaration(p), d.lim.Namespaces[p])
		}
	}
}

// fit makes references of the characters of a fragment that the encoding lacks;
// in comments, CDATA sections and instructions there can be none.
func (e encoding) fit(x *Selector, raw []byte) ([]byte, error) {
	if !utf8.Valid(raw) {
		return nil, &SetError{Selector: x.in, Text: "the fragment is not UTF-8"}
	}
	if e == inUTF8 || e >= inUTF16LE || firstHigh(raw) < 0 {
		return raw, nil
	}
	var out []byte
	closing := ""
	for i := 0; i < len(raw); {
		rest := raw[i:]
		switch {
		case closing != "" && bytes.HasPrefix(rest, []byte(closing)):
			closing = ""
		case closing == "" && bytes.HasPrefix(rest, []byte("<!--")):
			closing = "-->"
		case closing == "" && bytes.HasPrefix(rest, []byte("<![CDATA[")):
			closing = "]]>"
		case closing == "" && bytes.HasPrefix(rest, []byte("<?")):
			closing = "?>"
		}
		r, n := utf8.DecodeRune(rest)
		switch {
		case e.fits(r):
			out = append(out, rest[:n]...)
		case closing != "":
			return nil, &SetError{Selector: x.in, Text: "a comment, CDATA section or instruction of the fragment has characters that " + e.String() + " lacks"}
		default:
			out = appendReference(out, r)
		}
		i += n
	}
	return out, nil
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
