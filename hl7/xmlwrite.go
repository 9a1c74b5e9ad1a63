package hl7

import (
	"bytes"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ToXML writes the message as XML by position, which needs no tables: an
// element for each segment, field repetition, component and, where a component
// has several, subcomponent.
//
//	PID|1||77^^^RXX&9~88|""          <PID>
//	                                   <PID.1><PID.1.1>1</PID.1.1></PID.1>
//	                                   <PID.3><PID.3.1>77</PID.3.1><PID.3.4><PID.3.4.1>RXX</PID.3.4.1><PID.3.4.2>9</PID.3.4.2></PID.3.4></PID.3>
//	                                   <PID.3><PID.3.1>88</PID.3.1></PID.3>
//	                                   <PID.4><PID.4.1>""</PID.4.1></PID.4>
//
// The root is named by MSH-9.3, else MSH-9.1_MSH-9.2, else HL7; there is no
// namespace, for this is not the form of the HL7 XML Encoding Syntax, which
// needs the data types of each version. Taken from there:
//
//   - Text is without escapes. Those that stand for no character stay what they
//     are: <escape V="H"/>, <escape V=".br"/>, <escape V="Z1"/>.
//   - Null is "". An empty node is left out, but for an empty repetition and the
//     last node of its parent, whose number says how many there are: <PID.3/>.
//   - MSH.1 and MSH.2 hold the delimiters as they are.
//
// A character that XML forbids is <escape V="Xhh"/>, its UTF-8 bytes in hex. A
// line that has no segment id, or none that can name an element, is a <line>, as
// it stands. FromXML reads all of this back to the same message.
func (m *Message) ToXML() []byte {
	w := xmlWriter{m: m, out: make([]byte, 0, 4*m.sizeDecoded()+256)}
	root := m.xmlRoot()
	w.out = append(w.out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<"+root+">\n"...)
	for i := range m.segs {
		w.segment(m.content(i))
	}
	return append(w.out, "</"+root+">\n"...)
}

func (m *Message) xmlRoot() string {
	kind := m.Type()
	for _, name := range []string{m.headerPart(9, 3), kind + "_" + m.Event(), kind} {
		if strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == "" && strings.Trim(name, "_") == name && name != "" && isUpper(name[0]) {
			return name
		}
	}
	return "HL7"
}

type xmlWriter struct {
	m   *Message
	out []byte
}

func (w *xmlWriter) segment(seg []byte) {
	id := segmentID(seg, w.m.delims.Field)
	if id == nil || isDigit(id[0]) {
		w.out = append(w.out, "<line>"...)
		w.text([]byte(w.m.decode(seg)))
		w.out = append(w.out, "</line>\n"...)
		return
	}
	name := string(id)
	w.out = append(w.out, "<"+name+">"...)
	switch {
	case isHeader(seg) && len(seg) > 3:
		w.literal(name+".1", seg[3:4])
		eachPart(seg[4:], w.m.delims.Field, func(n int, b []byte, last bool) {
			if n == 1 {
				w.literal(name+".2", b)
				return
			}
			w.field(name+"."+strconv.Itoa(n+1), b, last)
		})
	case len(seg) > 3:
		eachPart(seg[4:], w.m.delims.Field, func(n int, b []byte, last bool) {
			w.field(name+"."+strconv.Itoa(n), b, last)
		})
	}
	w.out = append(w.out, "</"+name+">\n"...)
}

// eachPart gives the parts of b by number, from 1.
func eachPart(b []byte, delim byte, visit func(n int, b []byte, last bool)) {
	for n := 1; ; n++ {
		i := -1
		if delim != 0 {
			i = bytes.IndexByte(b, delim)
		}
		if i < 0 {
			visit(n, b, true)
			return
		}
		visit(n, b[:i], false)
		b = b[i+1:]
	}
}

// literal writes MSH-1 and MSH-2: no escapes, no parts.
func (w *xmlWriter) literal(name string, b []byte) {
	w.out = append(w.out, "<"+name+">"...)
	w.text([]byte(w.m.decode(b)))
	w.out = append(w.out, "</"+name+">"...)
}

func (w *xmlWriter) field(name string, f []byte, last bool) {
	if w.empty(name, f, last) {
		return
	}
	eachPart(f, w.m.delims.Repetition, func(_ int, rep []byte, _ bool) {
		if w.empty(name, rep, true) {
			return
		}
		w.out = append(w.out, "<"+name+">"...)
		eachPart(rep, w.m.delims.Component, func(n int, comp []byte, last bool) {
			w.component(name+"."+strconv.Itoa(n), comp, last)
		})
		w.out = append(w.out, "</"+name+">"...)
	})
}

func (w *xmlWriter) component(name string, comp []byte, last bool) {
	if w.empty(name, comp, last) {
		return
	}
	w.out = append(w.out, "<"+name+">"...)
	if d := w.m.delims.Subcomponent; d == 0 || bytes.IndexByte(comp, d) < 0 {
		w.leaf(comp)
	} else {
		eachPart(comp, d, func(n int, sub []byte, last bool) {
			if at := name + "." + strconv.Itoa(n); !w.empty(at, sub, last) {
				w.out = append(w.out, "<"+at+">"...)
				w.leaf(sub)
				w.out = append(w.out, "</"+at+">"...)
			}
		})
	}
	w.out = append(w.out, "</"+name+">"...)
}

// empty handles a node without content: only the last of its parent is written.
func (w *xmlWriter) empty(name string, b []byte, last bool) bool {
	if len(b) > 0 {
		return false
	}
	if last {
		w.out = append(w.out, "<"+name+"/>"...)
	}
	return true
}

// leaf writes a value: its characters, and the escapes that stand for none.
func (w *xmlWriter) leaf(b []byte) {
	d := &w.m.delims
	cs := w.m.inner()
	for d.Escape != 0 {
		i := bytes.IndexByte(b, d.Escape)
		if i < 0 {
			break
		}
		w.text(cs.appendDecoded(nil, b[:i]))
		kind, body, n := escapeAt(b[i:], d)
		switch {
		case kind == delimiter && body[0] != 'P':
			w.text([]byte{d.named(body[0])})
		case kind == hexData:
			w.text(cs.appendHex(nil, body[1:]))
		case kind != stray && clean(body):
			w.out = append(w.out, `<escape V="`...)
			w.text(cs.appendDecoded(nil, body))
			w.out = append(w.out, `"/>`...)
		default:
			w.text([]byte{d.Escape})
			n = 1
		}
		b = b[i+n:]
	}
	w.text(cs.appendDecoded(nil, b))
}

// clean: nothing that an attribute could not hold, or would not keep.
func clean(body []byte) bool {
	return bytes.IndexFunc(body, func(r rune) bool { return r < 0x20 || r == '"' || r == utf8.RuneError || !inXML(r) }) < 0
}

// text writes UTF-8 characters.
func (w *xmlWriter) text(s []byte) {
	for i, n := 0, 0; i < len(s); i += n {
		var r rune
		r, n = utf8.DecodeRune(s[i:])
		switch {
		case r == '&':
			w.out = append(w.out, "&amp;"...)
		case r == '<':
			w.out = append(w.out, "&lt;"...)
		case r == '>':
			w.out = append(w.out, "&gt;"...)
		case r == '\r':
			w.out = append(w.out, "&#13;"...)
		case !inXML(r) || r == utf8.RuneError && n == 1:
			w.out = append(w.out, `<escape V="X`+strings.ToUpper(hex.EncodeToString(s[i:i+n]))+`"/>`...)
		default:
			w.out = append(w.out, s[i:i+n]...)
		}
	}
}

// inXML tells whether XML 1.0 allows a character ("Characters", production 2).
func inXML(r rune) bool {
	return r >= 0x20 && r != 0xFFFE && r != 0xFFFF && r <= utf8.MaxRune || r == '\t' || r == '\n' || r == '\r'
}
