package xmldoc

import (
	"fmt"
	"maps"
	"slices"
)

// addNamed puts an attribute with a namespace, which is declared if it is not.
func (d *Doc) addNamed(element uint32, uri, local, want, value string) (uint32, error) {
	prefix, declare := d.prefixFor(element, uri, want, true)
	if declare {
		if _, err := d.addAttr(element, kDecl, 0, declaration(prefix), uri); err != nil {
			return 0, err
		}
	}
	name := local
	if prefix != "" {
		name = prefix + ":" + local
	}
	return d.addAttr(element, kAttr, d.number(uri), name, value)
}

func declaration(prefix string) string {
	if prefix == "" {
		return "xmlns"
	}
	return "xmlns:" + prefix
}

// mustEscape escapes a namespace, whose characters were checked when it was read.
func mustEscape(uri string, e encoding) string {
	b, err := escape(nil, uri, true, e)
	if err != nil {
		return ""
	}
	return string(b)
}

// number is that of a namespace in this document.
func (d *Doc) number(uri string) uint16 {
	if n := slices.Index(d.uris, uri); n >= 0 {
		return uint16(n)
	}
	d.uris = append(d.uris, uri)
	return uint16(len(d.uris) - 1)
}

// scope gives what prefixes mean at an element.
func (d *Doc) scope(i uint32) map[string]string {
	out := map[string]string{"xml": xmlSpace}
	for ; d.at(i).kind != kRoot; i = d.at(i).parent {
		for a := d.at(i).attr; a != 0; a = d.at(a).next {
			n := d.at(a)
			if n.kind != kDecl {
				continue
			}
			prefix := declared(d.nameOf(n))
			if _, inner := out[prefix]; !inner {
				out[prefix] = d.value(a)
			}
		}
	}
	return out
}

// prefixFor chooses a prefix for a namespace at an element: that of the element
// itself, the wanted one, any that is declared, or a new one to be declared.
func (d *Doc) prefixFor(element uint32, uri, want string, attr bool) (prefix string, declare bool) {
	scope := d.scope(element)
	if uri == "" {
		return "", !attr && scope[""] != ""
	}
	mine, _ := split(d.nameOf(d.at(element)))
	means := func(p string) bool { return scope[p] == uri && (p != "" || !attr) }
	for _, p := range append([]string{string(mine), want}, slices.Sorted(maps.Keys(scope))...) {
		if means(p) {
			return p, false
		}
	}
	if want == "" {
		want = "ns"
	}
	prefix = want
	for n := 1; ; n++ {
		if _, taken := scope[prefix]; !taken {
			return prefix, true
		}
		prefix = fmt.Sprintf("%s%d", want, n)
	}
}
