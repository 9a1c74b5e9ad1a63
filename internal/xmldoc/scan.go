package xmldoc

import (
	"bytes"
	"fmt"
)

// scanner reads a document, or a fragment of one, front to back. Without a tree
// it only checks; with one it also adds the nodes. Its memory is bounded by
// MaxDepth and MaxAttributes.
type scanner struct {
	b    []byte
	pos  int
	lim  *Options
	ns   *spaces
	tree *Doc // nil: check only
	made bool // b is the tree's made bytes, not its source

	open     []opened // open[0] is the document, or what a fragment goes into
	attrs    []attribute
	seen     table
	elements int
	nodes    int
	bad      *fault
}

// opened is an element whose end has not come yet.
type opened struct {
	at, name, nameEnd int
	mark              int // length of ns.undo outside of it
	id, last          uint32
}

func (s *scanner) fail(at int, text string) bool {
	if s.bad == nil {
		s.bad = &fault{at: at, text: text}
	}
	return false
}

func (s *scanner) hint(text string) bool {
	if s.bad.hint == "" {
		s.bad.hint = text
	}
	return false
}

// document reads everything behind the XML declaration.
func (s *scanner) document() bool {
	s.open = append(s.open, opened{})
	if !s.misc() {
		return false
	}
	if s.pos == len(s.b) {
		return s.fail(s.pos, "no root element")
	}
	if !s.startTag() || !s.content(1) || !s.misc() {
		return false
	}
	if s.pos < len(s.b) {
		return s.fail(s.pos, "a second root element")
	}
	return true
}

// fragment reads what may stand in an element, up to the end.
func (s *scanner) fragment(into uint32) bool {
	s.open = append(s.open, opened{id: into})
	return s.content(0)
}

// misc reads white space, comments and instructions outside the root, up to a
// start tag or the end.
func (s *scanner) misc() bool {
	for s.pos < len(s.b) {
		from := s.pos
		if s.space() {
			s.add(kSpace, from, s.pos, 0)
			continue
		}
		if s.b[s.pos] != '<' {
			return s.fail(s.pos, "text outside the root element")
		}
		if s.pos+1 < len(s.b) && s.b[s.pos+1] != '!' && s.b[s.pos+1] != '?' {
			return true
		}
		if !s.markup() {
			return false
		}
	}
	return true
}

func (s *scanner) space() bool {
	from := s.pos
	for s.pos < len(s.b) && isSpace(s.b[s.pos]) {
		s.pos++
	}
	return s.pos > from
}

// content reads until no more than least elements are open, or a fragment ends.
func (s *scanner) content(least int) bool {
	for text := s.pos; len(s.open) > least; text = s.pos {
		if !s.text() || s.pos > text && !s.add(kText, text, s.pos, 0) {
			return false
		}
		if s.pos == len(s.b) {
			break
		}
		if !s.markup() {
			return false
		}
	}
	if open := len(s.open) - 1; open > 0 {
		return s.fail(s.pos, fmt.Sprintf("the document ends within %d open elements", open))
	}
	return true
}

// markup reads one tag, comment or instruction at '<'.
func (s *scanner) markup() bool {
	rest := s.b[s.pos:]
	switch {
	case len(rest) < 2:
		return s.fail(s.pos, "the document ends within a tag")
	case rest[1] == '/':
		return s.endTag()
	case rest[1] == '?':
		return s.instruction()
	case bytes.HasPrefix(rest, []byte("<!--")):
		return s.comment()
	case bytes.HasPrefix(rest, []byte("<!DOCTYPE")):
		return s.fail(s.pos, "a document type declaration") || s.hint("it is refused, for it can name files and multiply text; ask the sender to leave it out")
	case rest[1] == '!':
		return s.fail(s.pos, "neither a comment nor a CDATA section")
	}
	return s.startTag()
}

// plain are the bytes of text that need no second look.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x20 && c != '<' && c != '&' && c != ']' && c != 0xEF || c == '\t' || c == '\n' || c == '\r'
	}
	return
}()

// text reads characters, references and CDATA sections up to other markup.
func (s *scanner) text() bool {
	b := s.b
	for i := s.pos; ; i++ {
		for i < len(b) && plain[b[i]] {
			i++
		}
		s.pos = i
		if i == len(b) {
			return true
		}
		switch c := b[i]; {
		case c == '<' && bytes.HasPrefix(b[i:], []byte("<![CDATA[")):
			if !s.until(i+9, "]]>", "a CDATA section without an end") {
				return false
			}
			i = s.pos - 1
		case c == '<':
			return true
		case c == '&':
			if !s.reference() {
				return false
			}
			i = s.pos - 1
		case c == ']' && bytes.HasPrefix(b[i:], []byte("]]>")):
			return s.fail(i, "]]> in text") || s.hint("write ]]&gt;")
		case c < 0x20 || c == 0xEF && nonCharacter(b[i:]):
			return s.fail(i, "a character that XML 1.0 does not allow")
		}
	}
}

func (s *scanner) reference() bool {
	r, n := reference(s.b[s.pos:])
	if n > 0 {
		s.pos += n
		return true
	}
	if r == 0 && bytes.HasPrefix(s.b[s.pos:], []byte("&#")) {
		return s.fail(s.pos, "a character reference that names no character of XML 1.0")
	}
	return s.fail(s.pos, "an ampersand that begins none of the five entities") || s.hint("write &amp; for the sign itself; entities of a document type are refused")
}

// until reads to behind the next end and checks the characters on the way.
func (s *scanner) until(from int, end, missing string) bool {
	n := bytes.Index(s.b[from:], []byte(end))
	if n < 0 {
		return s.fail(s.pos, missing)
	}
	if at := badChar(s.b[from : from+n]); at >= 0 {
		return s.fail(from+at, "a character that XML 1.0 does not allow")
	}
	s.pos = from + n + len(end)
	return true
}

func (s *scanner) comment() bool {
	from := s.pos
	if !s.until(from+4, "--", "a comment without an end") {
		return false
	}
	if s.pos == len(s.b) || s.b[s.pos] != '>' {
		return s.fail(s.pos-2, "-- within a comment")
	}
	s.pos++
	return s.add(kComment, from, s.pos, 0)
}

func (s *scanner) instruction() bool {
	from := s.pos
	end := ncName(s.b[:min(len(s.b), from+2+s.lim.MaxName+4)], from+2)
	name := s.b[from+2 : end]
	switch {
	case len(name) == 0:
		return s.fail(from, "a processing instruction without a name")
	case len(name) > s.lim.MaxName:
		return s.fail(from, fmt.Sprintf("a name over the limit MaxName of %d bytes", s.lim.MaxName))
	case bytes.EqualFold(name, []byte("xml")):
		return s.fail(from, "an XML declaration that is not at the very start") || s.hint("nothing may stand before it, not even white space")
	}
	rest := s.b[end:]
	if !bytes.HasPrefix(rest, []byte("?>")) && (len(rest) == 0 || !isSpace(rest[0])) {
		return s.fail(end, "a processing instruction whose name is malformed")
	}
	if !s.until(end, "?>", "a processing instruction without an end") {
		return false
	}
	return s.add(kPI, from, s.pos, len(name))
}

// add counts a node and puts it into the tree, if there is one.
func (s *scanner) add(k kind, from, to, name int) bool {
	if s.nodes++; s.nodes > s.lim.MaxNodes {
		return s.fail(from, fmt.Sprintf("over the limit MaxNodes of %d elements, attributes and texts", s.lim.MaxNodes))
	}
	if s.tree != nil {
		o := &s.open[len(s.open)-1]
		o.last = s.tree.append(o.id, o.last, s.node(k, from, to, name))
	}
	return true
}

func (s *scanner) node(k kind, from, to, name int) node {
	n := node{kind: k, start: uint32(from), end: uint32(to), name: uint16(name)}
	if s.made {
		n.flags = own
	}
	return n
}
