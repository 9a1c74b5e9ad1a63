package xmldoc

import (
	"bytes"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/spine-engine/spine-engine/internal/message"
)

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
