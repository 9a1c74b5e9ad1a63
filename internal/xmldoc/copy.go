package xmldoc

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Copy writes what from selects in src over what to selects here. An element
// over an element brings its content as it is written, and its attributes;
// namespaces that this document lacks there are declared. Anything else brings
// its text. An absent source leaves the target empty.
func (d *Doc) Copy(src message.Doc, from, to message.Selector) error {
	o, ok := src.(*Doc)
	if !ok {
		return fmt.Errorf("xml: cannot copy from a %s document into an xml one: %w", src.Format(), message.ErrUnsupported)
	}
	x := mine(from)
	if x == nil {
		return foreign(from)
	}
	if x.Computes() {
		return d.Set(to, o.Text(from))
	}
	set, err := o.all(x)
	if err != nil {
		return err
	}
	if len(set) == 0 {
		return d.Set(to, "")
	}
	if o.at(set[0]).kind != kElement || o.isLeaf(set[0]) {
		if o.isNil(set[0]) {
			return d.SetNull(to)
		}
		return d.Set(to, o.value(set[0]))
	}
	return d.copyElement(o, set[0], to)
}

// isLeaf: nothing but text, and no attributes but xsi:nil.
func (d *Doc) isLeaf(i uint32) bool {
	for a := d.at(i).attr; a != 0; a = d.at(a).next {
		if n := d.at(a); n.kind == kAttr && (n.space != inXSI || !d.isNamed(n, "nil")) {
			return false
		}
	}
	return !d.hasElements(i)
}

func (d *Doc) copyElement(o *Doc, from uint32, to message.Selector) error {
	x, err := settable(to)
	if err != nil {
		return err
	}
	content, err := d.src.enc.fit(x, o.content(from, d.reach(x)))
	if err != nil {
		return err
	}
	i, err := d.target(x, len(content))
	if err != nil {
		return err
	}
	if d.at(i).kind != kElement {
		if o.hasElements(from) {
			return &SetError{Selector: x.in, Text: "an element with elements below it goes only over an element", Err: message.ErrUnsupported}
		}
		return d.setText(x, i, o.value(from))
	}
	content, err = d.src.enc.fit(x, o.content(from, d.scope(i))) // of the place that is there now
	if err != nil {
		return err
	}
	if err := d.setFragment(x, i, content); err != nil {
		return err
	}
	return d.copyAttributes(o, from, i)
}

// reach is what prefixes mean where x selects, or at the root when it selects nothing yet.
func (d *Doc) reach(x *Selector) map[string]string {
	if set, err := d.all(x); err == nil && len(set) > 0 && d.at(set[0]).kind == kElement {
		return d.scope(set[0])
	}
	return d.scope(d.rootElement())
}

func (d *Doc) copyAttributes(o *Doc, from, to uint32) error {
	for a := o.at(from).attr; a != 0; a = o.at(a).next {
		n := o.at(a)
		if n.kind != kAttr {
			continue
		}
		prefix, local := split(o.nameOf(n))
		uri := o.uris[n.space]
		if have := d.attribute(to, d.number(uri), string(local)); have != 0 {
			if err := d.setText(&Selector{}, have, o.value(a)); err != nil {
				return err
			}
			continue
		}
		if _, err := d.addNamed(to, uri, string(local), string(prefix), o.value(a)); err != nil {
			return err
		}
	}
	return nil
}

// content is the notation of all that is in an element, fit for a place where
// prefixes mean what scope says: elements at its top declare what differs.
func (d *Doc) content(i uint32, scope map[string]string) []byte {
	var out []byte
	add := func(p piece) bool {
		if p.made == nil {
			p.made = d.src.text[p.from:p.to]
		}
		out = append(out, p.made...)
		return true
	}
	outer := d.scope(i)
	for c := d.at(i).first; c != 0; c = d.at(c).next {
		begin := len(out)
		d.write(c, add)
		n := d.at(c)
		if n.kind != kElement {
			continue
		}
		decls := d.missing(c, outer, scope)
		out = slices.Insert(out, begin+1+int(n.name), decls...)
	}
	return out
}

// missing are the declarations that an element needs when what prefixes mean
// around it changes from outer to scope.
func (d *Doc) missing(i uint32, outer, scope map[string]string) (out []byte) {
	used := d.used(i)
	for _, p := range slices.Sorted(maps.Keys(used)) {
		if uri, ok := outer[p]; p != "xml" && (ok || p == "") && uri != scope[p] {
			out = append(out, ` `+declaration(p)+`="`+mustEscape(uri, inUTF8)+`"`...)
		}
	}
	return out
}

// used are the prefixes that an element and all in it use and that it does not
// declare itself.
func (d *Doc) used(i uint32) map[string]bool {
	used := map[string]bool{}
	for k := i; k != 0; k = d.following(k, i) {
		if d.at(k).kind == kElement {
			d.prefixes(k, used)
		}
	}
	for a := d.at(i).attr; a != 0; a = d.at(a).next {
		if n := d.at(a); n.kind == kDecl {
			delete(used, declared(d.nameOf(n)))
		}
	}
	return used
}

// declared is the prefix that xmlns:p or xmlns declares.
func declared(name []byte) string {
	prefix, local := split(name)
	if prefix == nil {
		return ""
	}
	return string(local)
}

// prefixes notes those that an element's names use, and those that values of its
// attributes seem to use (xsi:type="v:Id").
func (d *Doc) prefixes(i uint32, used map[string]bool) {
	p, _ := split(d.nameOf(d.at(i)))
	used[string(p)] = true
	for a := d.at(i).attr; a != 0; a = d.at(a).next {
		n := d.at(a)
		if n.kind != kAttr {
			continue
		}
		if p, _ := split(d.nameOf(n)); p != nil {
			used[string(p)] = true
		}
		if p, _, ok := strings.Cut(d.value(a), ":"); ok {
			used[p] = true
		}
	}
}
