package xmldoc

import (
	"bytes"
	"fmt"
)

// attribute is one of the tag being read: start, colon (0: no prefix), end of
// name, value between the quotes.
type attribute struct {
	start, colon, nameEnd, from, to int
	space                           uint16
	declares                        bool // xmlns or xmlns:p
}

// name reads p:name or name; it looks no further than MaxName.
func (s *scanner) name(at int, what string) (colon, end int, ok bool) {
	b := s.b[:min(len(s.b), at+s.lim.MaxName+4)] // no further than a name may reach
	end = ncName(b, at)
	if end == at {
		return 0, 0, s.fail(at, "no name where "+what+" must have one")
	}
	if end < len(b) && b[end] == ':' {
		colon = end
		if end = ncName(b, colon+1); end == colon+1 {
			return 0, 0, s.fail(colon, "a colon that separates no prefix from a name")
		}
		if end < len(b) && b[end] == ':' {
			return 0, 0, s.fail(end, "a name with two colons")
		}
	}
	if end-at > s.lim.MaxName {
		return 0, 0, s.fail(at, fmt.Sprintf("a name over the limit MaxName of %d bytes", s.lim.MaxName))
	}
	return colon, end, true
}

// startTag reads <name a="b"> or <name/>, at '<'.
func (s *scanner) startTag() bool {
	from := s.pos
	colon, end, ok := s.name(from+1, "an element")
	if !ok {
		return false
	}
	if s.elements++; s.elements > s.lim.MaxElements {
		return s.fail(from, fmt.Sprintf("over the limit MaxElements of %d", s.lim.MaxElements))
	}
	if len(s.open) > s.lim.MaxDepth {
		return s.fail(from, fmt.Sprintf("elements nested deeper than the limit MaxDepth of %d", s.lim.MaxDepth))
	}
	s.pos = end
	s.attrs = s.attrs[:0]
	empty := false
	for {
		spaced := s.space()
		if s.pos == len(s.b) {
			return s.fail(from, "the document ends within a tag")
		}
		if c := s.b[s.pos]; c == '>' {
			break
		} else if c == '/' {
			if empty = s.pos+1 < len(s.b) && s.b[s.pos+1] == '>'; !empty {
				return s.fail(s.pos, "a slash within a tag")
			}
			break
		}
		if !spaced {
			return s.fail(s.pos, "no white space before an attribute")
		}
		if !s.attribute() {
			return false
		}
	}
	s.pos++
	if empty {
		s.pos++
	}
	return s.element(from, colon, end, empty)
}

// attribute reads name="value".
func (s *scanner) attribute() bool {
	a := attribute{start: s.pos}
	if len(s.attrs) >= s.lim.MaxAttributes {
		return s.fail(s.pos, fmt.Sprintf("an element over the limit MaxAttributes of %d", s.lim.MaxAttributes))
	}
	var ok bool
	if a.colon, a.nameEnd, ok = s.name(s.pos, "an attribute"); !ok {
		return false
	}
	s.pos = a.nameEnd
	s.space()
	if s.pos == len(s.b) || s.b[s.pos] != '=' {
		return s.fail(s.pos, "an attribute without a value")
	}
	s.pos++
	s.space()
	if s.pos == len(s.b) || s.b[s.pos] != '"' && s.b[s.pos] != '\'' {
		return s.fail(s.pos, "an attribute's value without quotes")
	}
	quote := s.b[s.pos]
	s.pos++
	a.from = s.pos
	if !s.value(quote) {
		return false
	}
	a.to = s.pos
	s.pos++
	prefix := s.b[a.start:max(a.colon, a.start)]
	a.declares = string(prefix) == "xmlns" || a.colon == 0 && string(s.b[a.start:a.nameEnd]) == "xmlns"
	s.attrs = append(s.attrs, a)
	return true
}

// value reads up to the closing quote.
func (s *scanner) value(quote byte) bool {
	b := s.b
	for i := s.pos; i < len(b); i++ {
		c := b[i]
		if c == quote {
			s.pos = i
			return true
		}
		if plain[c] || c == ']' {
			continue
		}
		switch {
		case c == '<':
			return s.fail(i, "< within an attribute's value") || s.hint("write &lt;, or close the quote")
		case c == '&':
			s.pos = i
			if !s.reference() {
				return false
			}
			i = s.pos - 1
		case c < 0x20 || nonCharacter(b[i:]):
			return s.fail(i, "a character that XML 1.0 does not allow")
		}
	}
	return s.fail(s.pos, "an attribute's value without an end")
}

// element declares the namespaces of a start tag, checks its names against
// them, and adds it.
func (s *scanner) element(from, colon, nameEnd int, empty bool) bool {
	mark := len(s.ns.undo)
	if !s.distinct() || !s.declare() {
		return false
	}
	space, ok := s.ns.resolve(s.b[from+1 : max(colon, from+1)])
	if !ok || space == inXMLNS {
		return s.fail(from+1, "an element whose prefix is not declared")
	}
	if !s.resolve() {
		return false
	}
	o := opened{at: from, name: from + 1, nameEnd: nameEnd, mark: mark}
	if s.nodes += 1 + len(s.attrs); s.nodes > s.lim.MaxNodes {
		return s.fail(from, fmt.Sprintf("over the limit MaxNodes of %d elements, attributes and texts", s.lim.MaxNodes))
	}
	if s.tree != nil {
		o.id = s.grow(from, nameEnd, space)
	}
	if empty {
		s.ns.leave(mark)
		return true
	}
	s.open = append(s.open, o)
	return true
}

// declare binds the prefixes that the tag's xmlns attributes declare.
func (s *scanner) declare() bool {
	for i := range s.attrs {
		a := &s.attrs[i]
		if !a.declares {
			continue
		}
		var prefix []byte
		if a.colon > 0 {
			prefix = s.b[a.colon+1 : a.nameEnd]
		}
		if bad := s.ns.bind(prefix, s.b[a.from:a.to]); bad != "" {
			return s.fail(a.start, bad)
		}
	}
	return true
}

// resolve finds the namespaces of the attributes. An attribute without a prefix
// is in none.
func (s *scanner) resolve() bool {
	prefixed := 0
	for i := range s.attrs {
		a := &s.attrs[i]
		if a.colon == 0 || a.declares {
			continue
		}
		var ok bool
		if a.space, ok = s.ns.resolve(s.b[a.start:a.colon]); !ok {
			return s.fail(a.start, "an attribute whose prefix is not declared")
		}
		prefixed++
	}
	if prefixed < 2 {
		return true
	}
	s.seen.clear(len(s.attrs))
	for i := range s.attrs {
		if a := &s.attrs[i]; a.space != noSpace && !s.seen.add(s, i, a.colon+1) {
			return s.fail(a.start, "two attributes of the same name in the same namespace")
		}
	}
	return true
}

// distinct refuses two attributes of the same name.
func (s *scanner) distinct() bool {
	if len(s.attrs) < 2 {
		return true
	}
	s.seen.clear(len(s.attrs))
	for i := range s.attrs {
		if !s.seen.add(s, i, s.attrs[i].start) {
			return s.fail(s.attrs[i].start, "an attribute that the element has already")
		}
	}
	return true
}

// endTag reads </name>.
func (s *scanner) endTag() bool {
	from := s.pos
	o := s.open[len(s.open)-1]
	if len(s.open) == 1 {
		return s.fail(from, "an end tag without a start tag")
	}
	name := s.b[o.name:o.nameEnd]
	s.pos += 2
	if !bytes.HasPrefix(s.b[s.pos:], name) {
		return s.mismatch(from, o.at)
	}
	s.pos += len(name)
	s.space()
	if s.pos == len(s.b) || s.b[s.pos] != '>' {
		return s.mismatch(from, o.at)
	}
	s.pos++
	s.ns.leave(o.mark)
	s.open = s.open[:len(s.open)-1]
	if s.tree != nil {
		s.tree.edit(o.id).end = uint32(s.pos)
	}
	return true
}

func (s *scanner) mismatch(at, start int) bool {
	p := (&fault{at: start}).place(s.b, start)
	return s.fail(at, fmt.Sprintf("an end tag that is not that of the element begun at line %d, column %d", p.Line, p.Column))
}
