package xmldoc

import (
	"bytes"
	"fmt"
)

// Names of namespaces that have a meaning of their own.
const (
	xmlSpace   = "http://www.w3.org/XML/1998/namespace"
	xmlnsSpace = "http://www.w3.org/2000/xmlns/"
	xsiSpace   = "http://www.w3.org/2001/XMLSchema-instance"
)

// Numbers of namespaces that every document has.
const (
	noSpace = iota
	inXML
	inXMLNS
	inXSI
)

// spaces knows which prefix stands for which namespace while a document is
// scanned. Prefixes and namespaces are numbered, so that a document with a
// million declarations needs no more room than one with the most allowed.
type spaces struct {
	uris     []string          // by number
	numbers  map[string]uint16 // of uris
	prefixes map[string]uint16 // numbers of prefixes; 0 is the default namespace's
	bound    []uint16          // the namespace each prefix stands for now; 0 = none
	undo     []rebinding
	most     int
}

type rebinding struct{ prefix, uri uint16 }

func newSpaces(most int) *spaces {
	return &spaces{
		uris:     []string{"", xmlSpace, xmlnsSpace, xsiSpace},
		numbers:  map[string]uint16{"": noSpace, xmlSpace: inXML, xmlnsSpace: inXMLNS, xsiSpace: inXSI},
		prefixes: map[string]uint16{"": 0, "xml": 1},
		bound:    []uint16{noSpace, inXML},
		most:     most + 4,
	}
}

// bind declares a prefix ("" for the default namespace); value is the raw text
// of the attribute. It answers with what is wrong.
func (s *spaces) bind(prefix, value []byte) string {
	uri, ok := s.number(value)
	switch {
	case !ok:
		return fmt.Sprintf("over the limit MaxNamespaces of %d", s.most-4)
	case string(prefix) == "xmlns", uri == inXMLNS:
		return "the prefix xmlns cannot be declared"
	case (string(prefix) == "xml") != (uri == inXML):
		return "the prefix xml and its namespace belong together"
	case uri == noSpace && len(prefix) > 0:
		return "a prefix is declared without a namespace"
	}
	p, ok := s.prefixes[string(prefix)]
	if !ok {
		if len(s.bound) >= s.most {
			return fmt.Sprintf("over the limit MaxNamespaces of %d prefixes", s.most-4)
		}
		p = uint16(len(s.bound))
		s.prefixes[string(prefix)] = p
		s.bound = append(s.bound, 0)
	}
	s.undo = append(s.undo, rebinding{p, s.bound[p]})
	s.bound[p] = uri
	return ""
}

// number finds or gives the number of a namespace.
func (s *spaces) number(raw []byte) (uint16, bool) {
	if bytes.IndexByte(raw, '&') >= 0 || bytes.ContainsAny(raw, "\r\n\t") {
		raw = appendAttribute(nil, raw)
	}
	if n, ok := s.numbers[string(raw)]; ok {
		return n, true
	}
	if len(s.uris) >= s.most {
		return 0, false
	}
	n := uint16(len(s.uris))
	s.uris = append(s.uris, string(raw))
	s.numbers[string(raw)] = n
	return n, true
}

// resolve gives the namespace of a prefix; false when it is undeclared.
func (s *spaces) resolve(prefix []byte) (uint16, bool) {
	p, ok := s.prefixes[string(prefix)]
	if !ok || s.bound[p] == noSpace {
		return 0, ok && p == 0
	}
	return s.bound[p], true
}

// leave takes back what was declared since undo had a length of mark.
func (s *spaces) leave(mark int) {
	for len(s.undo) > mark {
		last := s.undo[len(s.undo)-1]
		s.bound[last.prefix] = last.uri
		s.undo = s.undo[:len(s.undo)-1]
	}
}
