package hl7

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Bounds of FromXML. A few bytes can ask for the field 9999 of a segment, so what
// comes out is bounded by what came in.
const (
	maxXML      = 256 << 20 // bytes
	maxXMLDepth = 6         // root, segment, field, component, subcomponent, escape
	xmlSlack    = 64 << 10
	xmlGrowth   = 16
)

// An XMLError says why XML is not a message. It never holds content.
type XMLError struct {
	Line int // from 1; 0 for the document as a whole
	Text string
	Hint string // may be empty
	Err  error  // may be nil
}

func (e *XMLError) Error() string {
	s := "hl7: " + e.Text
	if e.Line > 0 {
		s += fmt.Sprintf(" (line %d)", e.Line)
	}
	return withHint(s, e.Hint)
}

// Unwrap gives the error beneath, if any.
func (e *XMLError) Unwrap() error { return e.Err }

// FromXML reads what ToXML writes. The name of the root, namespaces, comments,
// other attributes than V, and white space between elements mean nothing;
// elements of one segment may stand in any order, those of the same name are
// repetitions. A field or component may hold its text directly.
//
// The message has CR line ends, the delimiters of MSH.1 and MSH.2 (else the usual
// ones) and the character set that MSH.18 names, else UTF-8. Errors: *XMLError,
// *ParseError, *CharsetError, *UnfitError.
func FromXML(b []byte) (*Message, error) {
	if len(b) > maxXML {
		return nil, &XMLError{Text: fmt.Sprintf("XML of more than %d bytes", maxXML)}
	}
	r := &xmlReader{limit: xmlSlack + xmlGrowth*len(b), d: StandardDelimiters()}
	if r.dec = decoder(b); r.dec == nil {
		return nil, &XMLError{Text: "UTF-16 that cannot be decoded"}
	}
	if err := r.document(); err != nil {
		return nil, err
	}
	m, err := ParseWith(r.out, Options{Override: utf8Charset().name})
	if err != nil {
		return nil, err
	}
	if m.Len() != r.segments {
		return nil, &XMLError{Text: "a line holds what would be read as another segment"}
	}
	return m, m.asDeclared()
}

// decoder reads UTF-8, UTF-16 with a byte order mark, and what the XML
// declaration names.
func decoder(b []byte) *xml.Decoder {
	b = bytes.TrimPrefix(b, utf8BOM)
	wide, _ := detectUTF16(b)
	if wide.enc != nil {
		plain, err := wide.enc.NewDecoder().Bytes(b)
		if err != nil {
			return nil
		}
		b = plain
	}
	dec := xml.NewDecoder(bytes.NewReader(b))
	dec.CharsetReader = charsetReader
	if wide.enc != nil {
		dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	}
	return dec
}

// charsetReader decodes what the XML declaration names.
func charsetReader(name string, in io.Reader) (io.Reader, error) {
	cs, err := byName(name)
	switch {
	case err != nil:
		return nil, err
	case cs.enc == nil:
		return in, nil
	}
	return cs.enc.NewDecoder().Reader(in), nil
}

// asDeclared brings a message of UTF-8 into the character set of its MSH-18.
func (m *Message) asDeclared() error {
	name := string(declaredName(m.content(0)))
	cs, ok := lookup(name)
	switch {
	case name == "" || isASCII(m.src):
		return nil
	case !ok:
		return &CharsetError{Name: name, Offset: m.msh18Offset(), Text: "unsupported charset"}
	case cs.utf16: // cannot be written
		return m.Recode(utf8Charset().name, Unfit{})
	case cs.enc == nil: // of ASCII that is not: read as UTF-8 by all who read it
		return nil
	}
	msh18 := MustPath("MSH-18")
	declared := m.RawText(msh18)
	if err := m.Recode(name, Unfit{}); err != nil {
		return err
	}
	return m.SetRaw(msh18, []byte(declared)) // as it was spelt
}

type xmlReader struct {
	dec      *xml.Decoder
	d        Delimiters
	out      []byte
	limit    int
	segments int
}

// xmlNode is an element below the root.
type xmlNode struct {
	name string
	n    int // the last number of its name
	line int
	runs []run
	kids []*xmlNode
}

// run is a piece of text, or what an escape element holds.
type run struct {
	text   string
	escape bool
}

func (r *xmlReader) fail(line int, text, hint string) error {
	return &XMLError{Line: line, Text: text, Hint: hint}
}

func (r *xmlReader) line() int {
	line, _ := r.dec.InputPos()
	return line
}

// token gives the next start, end or text; nil at the end of the document.
func (r *xmlReader) token() (xml.Token, error) {
	for {
		t, err := r.dec.Token()
		var ce *CharsetError
		switch {
		case err == io.EOF:
			return nil, nil
		case errors.As(err, &ce):
			return nil, &XMLError{Line: 1, Text: "the XML declaration names an unknown encoding", Hint: "use UTF-8"}
		case err != nil: // its text may hold content
			return nil, r.fail(r.line(), "not well-formed XML", "")
		}
		switch t.(type) {
		case xml.Directive:
			return nil, r.fail(r.line(), "a DOCTYPE is not allowed", "remove it")
		case xml.StartElement, xml.EndElement, xml.CharData:
			return t, nil
		}
	}
}

func (r *xmlReader) document() error {
	root := false
	for {
		t, err := r.token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case nil:
			if !root {
				return r.fail(0, "no root element", "")
			}
			return nil
		case xml.StartElement:
			if root {
				return r.fail(r.line(), "more than one root element", "")
			}
			if root, err = true, r.message(); err != nil {
				return err
			}
		case xml.CharData:
			if !blank(t) {
				return r.fail(r.line(), "text outside of the root element", "")
			}
		}
	}
}

// message reads the segments under the root.
func (r *xmlReader) message() error {
	for {
		t, err := r.token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case nil:
			return r.fail(r.line(), "not well-formed XML", "")
		case xml.EndElement:
			if r.segments == 0 {
				return r.fail(r.line(), "no segments", "a message begins with MSH")
			}
			return nil
		case xml.CharData:
			if !blank(t) {
				return r.fail(r.line(), "text between segments", "")
			}
		case xml.StartElement:
			if name := t.Name.Local; name != "line" && (len(name) != 3 || segmentID([]byte(name), 0) == nil || isDigit(name[0])) {
				return r.fail(r.line(), "an element under the root is no segment", "groups of the standard's XML form are not read; a segment is named by its id")
			}
			n, err := r.element(t, 2)
			if err != nil {
				return err
			}
			if err := r.segment(n); err != nil {
				return err
			}
		}
	}
}

func blank(b []byte) bool { return len(bytes.Trim(b, " \t\r\n")) == 0 }

// element reads one element and all below it.
func (r *xmlReader) element(start xml.StartElement, depth int) (*xmlNode, error) {
	n := &xmlNode{name: start.Name.Local, line: r.line()}
	if depth > maxXMLDepth {
		return nil, r.fail(n.line, "elements are nested too deep", "a segment has fields, components and subcomponents")
	}
	for {
		t, err := r.token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case nil:
			return nil, r.fail(r.line(), "not well-formed XML", "")
		case xml.EndElement:
			return n, nil
		case xml.CharData:
			n.runs = append(n.runs, run{text: string(t)})
		case xml.StartElement:
			kid, err := r.element(t, depth+1)
			if err != nil {
				return nil, err
			}
			if err := r.adopt(n, kid, t); err != nil {
				return nil, err
			}
		}
	}
}

// adopt puts an element under its parent: an escape among the text, others by
// their number.
func (r *xmlReader) adopt(n, kid *xmlNode, t xml.StartElement) error {
	if kid.name == "escape" {
		for _, a := range t.Attr {
			if a.Name.Local == "V" && a.Name.Space == "" && len(kid.kids)+len(kid.runs) == 0 {
				n.runs = append(n.runs, run{a.Value, true})
				return nil
			}
		}
		return r.fail(kid.line, "an escape element needs an attribute V and holds nothing", `such as <escape V=".br"/>`)
	}
	num, ok := strings.CutPrefix(kid.name, n.name+".")
	v, err := strconv.Atoi(num)
	if !ok || err != nil || strings.Count(kid.name, ".") > 3 || v < 1 || v > maxField || num[0] == '+' || num[0] == '0' {
		return r.fail(kid.line, "an element is not named by its parent and a number from 1 to "+strconv.Itoa(maxField), "such as PID.3 in PID, PID.3.1 in PID.3")
	}
	kid.n = v
	n.kids = append(n.kids, kid)
	return nil
}
