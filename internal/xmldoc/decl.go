package xmldoc

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// source is a document's bytes and what the tree refers to.
type source struct {
	orig []byte
	text []byte   // orig, or its UTF-8 form without byte order mark
	enc  encoding // of orig
	head int      // text[:head] is byte order mark and XML declaration
	same bool     // text is orig
	bom  int      // length of the byte order mark in orig
}

// fault is what is wrong at an offset into text (or into orig, before there is one).
type fault struct {
	at         int
	text, hint string
}

// open finds the encoding, decodes and reads the XML declaration.
func open(b []byte, lim *Options) (*source, *fault) {
	enc, bom, problem := mark(b)
	if problem != "" {
		return nil, &fault{0, problem, "send UTF-8"}
	}
	s := &source{orig: b, text: b, enc: enc, bom: bom, same: true}
	if len(b) > lim.MaxBytes {
		return s, &fault{lim.MaxBytes, fmt.Sprintf("%d bytes, over the limit MaxBytes of %d", len(b), lim.MaxBytes), ""}
	}
	start := bom
	if enc >= inUTF16LE {
		var at int
		if s.text, at = fromUTF16(b[bom:], enc); at >= 0 {
			return nil, &fault{bom + at, "not UTF-16, as its byte order mark says", ""}
		}
		s.same, start = false, 0
	}
	if f := s.declaration(start); f != nil {
		return s, f
	}
	return s, s.decode(lim)
}

// decode makes UTF-8 of the rest, or makes sure that it is.
func (s *source) decode(lim *Options) *fault {
	switch s.enc {
	case inLatin1, in1252:
		if firstHigh(s.text) < 0 {
			return nil
		}
		s.text, s.same = fromBytes(s.orig, s.enc), false
	case inASCII:
		if at := firstHigh(s.text); at >= 0 {
			return &fault{at, "a byte above 127 in a document that declares US-ASCII", ""}
		}
	case inUTF8:
		if !utf8.Valid(s.text) {
			return &fault{invalidAt(s.text), "not UTF-8", "declare the encoding that the sender uses"}
		}
	}
	if len(s.text) > lim.MaxBytes {
		return &fault{0, fmt.Sprintf("%d bytes in UTF-8, over the limit MaxBytes of %d", len(s.text), lim.MaxBytes), ""}
	}
	return nil
}

func invalidAt(b []byte) int {
	i := 0
	for i < len(b) {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		i += n
	}
	return i
}

// known are names of encodings that may be named in an error.
var known = []string{"utf-7", "utf-32", "ebcdic", "gb18030", "gb2312", "big5", "shift_jis", "euc-jp", "euc-kr", "iso-2022-jp", "koi8-r", "macintosh"}

// declaration reads <?xml version="1.0" encoding="..." standalone="..."?> at from.
func (s *source) declaration(from int) *fault {
	s.head = from
	b := s.text
	if !bytes.HasPrefix(b[from:], []byte("<?xml")) || len(b) > from+5 && !isSpace(b[from+5]) && b[from+5] != '?' {
		return nil
	}
	d := declReader{b: b[:min(len(b), from+1000)], i: from + 5}
	version, vAt := d.pair("version")
	name, nAt := d.pair("encoding")
	alone, aAt := d.pair("standalone")
	d.space()
	switch {
	case vAt == 0 || !bytes.HasPrefix(d.b[d.i:], []byte("?>")):
		return &fault{d.i, "the XML declaration is malformed", `write <?xml version="1.0" encoding="UTF-8"?>`}
	case string(version) != "1.0":
		return &fault{vAt, "only XML 1.0 is read", ""}
	case aAt != 0 && string(alone) != "yes" && string(alone) != "no":
		return &fault{aAt, "standalone is neither yes nor no", ""}
	}
	s.head = d.i + 2
	if nAt == 0 {
		return nil
	}
	return s.declared(name, nAt)
}

// declared compares the declared encoding with what the first bytes said.
func (s *source) declared(name []byte, at int) *fault {
	enc, ok := byName(name)
	switch {
	case !ok:
		what := "the declared encoding"
		if lower := strings.ToLower(string(name)); slices.Contains(known, lower) || strings.HasPrefix(lower, "iso-8859-") && len(name) < 12 {
			what = "the declared encoding " + lower
		}
		return &fault{at, what + " is not read", "send UTF-8, UTF-16, ISO-8859-1, windows-1252 or US-ASCII"}
	case s.enc >= inUTF16LE && enc != inUTF16BE:
		return &fault{at, "declares " + enc.String() + " but is UTF-16", ""}
	case s.enc < inUTF16LE && enc == inUTF16BE:
		return &fault{at, "declares UTF-16 but is not", ""}
	case s.bom == 3 && enc != inUTF8:
		return &fault{at, "declares " + enc.String() + " but has the byte order mark of UTF-8", ""}
	case s.enc < inUTF16LE:
		s.enc = enc
	}
	return nil
}

// declReader reads the pairs of an XML declaration in their order.
type declReader struct {
	b []byte
	i int
}

func (d *declReader) space() bool {
	from := d.i
	for d.i < len(d.b) && isSpace(d.b[d.i]) {
		d.i++
	}
	return d.i > from
}

// pair reads name="value" if it is next; at is where the value stands, 0 if it is not.
func (d *declReader) pair(name string) (value []byte, at int) {
	back := d.i
	if !d.space() || !bytes.HasPrefix(d.b[d.i:], []byte(name)) {
		d.i = back
		return nil, 0
	}
	d.i += len(name)
	d.space()
	if d.i >= len(d.b) || d.b[d.i] != '=' {
		return nil, 0
	}
	d.i++
	d.space()
	if d.i >= len(d.b) || d.b[d.i] != '"' && d.b[d.i] != '\'' {
		return nil, 0
	}
	at = d.i + 1
	end := bytes.IndexByte(d.b[at:], d.b[d.i])
	if end < 0 {
		return nil, 0
	}
	d.i = at + end + 1
	return d.b[at : at+end], at
}

// place makes the error of a fault at an offset into b.
func (f *fault) place(b []byte, offset int) *ParseError {
	before := b[:min(f.at, len(b))]
	line := bytes.LastIndexByte(before, '\n') + 1
	return &ParseError{
		Offset: offset, Line: 1 + bytes.Count(before, []byte{'\n'}),
		Column: 1 + runes(before[line:]), Text: f.text, Hint: f.hint,
	}
}
