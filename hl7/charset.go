package hl7

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
)

// charset is a character set in force. The zero value is not valid.
type charset struct {
	name  string            // by HL7 table 0211
	enc   encoding.Encoding // nil: UTF-8 or ASCII
	ascii bool              // nothing above 0x7F may be written
	// wide: a byte that looks like a delimiter may be half of a character, so
	// the message is decoded before it is cut and encoded when it is written.
	wide  bool
	utf16 bool
}

var utf8BOM = []byte("\xEF\xBB\xBF")

func utf8Charset() charset { return charset{name: "UNICODE UTF-8"} }

// decodeWide finds out whether src must be decoded before it can be cut, in the
// order: byte order mark, UTF-16 by its NUL bytes, override, MSH-18.
func (m *Message) decodeWide(o *Options) (bom bool, err error) {
	if bytes.HasPrefix(m.src, utf8BOM) {
		m.cs = utf8Charset()
		return true, nil
	}
	cs, ok := detectUTF16(m.src)
	if !ok {
		if cs, ok, err = m.declaredWide(o); err != nil || !ok {
			return false, err
		}
	}
	b, err := cs.enc.NewDecoder().Bytes(m.src)
	if err != nil || bytes.ContainsRune(b, utf8.RuneError) {
		return false, &ParseError{Text: "the bytes are not valid in the declared character set", Hint: "declare an override for this sender"}
	}
	m.src, m.cs, m.decoded, m.valid = b, cs, true, true
	return true, nil
}

// detectUTF16 knows it by its byte order mark or by the NUL beside each letter
// of MSH, FHS or BHS.
func detectUTF16(b []byte) (cs charset, ok bool) {
	cs = charset{name: "UNICODE UTF-16", wide: true, utf16: true}
	switch {
	case bytes.HasPrefix(b, []byte{0xFF, 0xFE}):
		cs.enc = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM)
	case bytes.HasPrefix(b, []byte{0xFE, 0xFF}):
		cs.enc = unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM)
	case len(b) < 6:
		return charset{}, false
	case b[1]|b[3]|b[5] == 0 && headerLetters(b[0], b[2], b[4]):
		cs.enc = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case b[0]|b[2]|b[4] == 0 && headerLetters(b[1], b[3], b[5]):
		cs.enc = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	default:
		return charset{}, false
	}
	return cs, true
}

func headerLetters(a, b, c byte) bool { return isHeader([]byte{a, b, c}) }

// declaredWide looks for a wide character set in the override or, if the bytes
// are not plain UTF-8, in MSH-18 and then in the default.
func (m *Message) declaredWide(o *Options) (cs charset, wide bool, err error) {
	if o.Override != "" {
		cs, err = byName(o.Override)
		return cs, err == nil && cs.wide, err
	}
	var name []byte
	if o.UseMSH18 && (!m.valid || bytes.IndexByte(m.src, 0x1B) >= 0) {
		name = declaredName(headerLine(m.src))
		if cs, ok := lookupBytes(name); ok && cs.wide {
			return cs, true, nil
		}
	}
	if o.Otherwise != "" && len(name) == 0 && !m.valid {
		cs, err = byName(o.Otherwise)
		return cs, err == nil && cs.wide, err
	}
	return charset{}, false, nil
}

// headerLine gives the MSH line, or nil.
func headerLine(b []byte) []byte {
	start, err := messageStart(b)
	if err != nil || len(b) < start+4 {
		return nil
	}
	b = b[start:]
	if i := bytes.IndexAny(b, "\r\n"); i >= 0 {
		b = b[:i]
	}
	return b
}

// declaredName reads MSH-18: the first repetition, unless that is empty or
// ASCII and a later one names the Japanese sets that ISO 2022 escapes switch to.
func declaredName(msh []byte) []byte {
	if len(msh) < 5 {
		return nil
	}
	sep, rep := msh[3], byte(0)
	if enc, ok := field(msh, sep, 2); ok && len(enc) > 1 {
		rep = enc[1]
	}
	f, _ := field(msh, sep, 18)
	first, _ := part(f, rep, 1)
	if len(first) == len(f) {
		return first
	}
	if cs, ok := lookupBytes(first); len(first) > 0 && (!ok || !cs.ascii) {
		return first
	}
	for n := 2; ; n++ {
		next, ok := part(f, rep, n)
		if !ok {
			return first
		}
		if cs, ok := lookupBytes(next); ok && cs.name == iso2022JP {
			return next
		}
	}
}

// chooseCharset decides the character set of a message that was not decoded
// before it was cut. byBOM: a byte order mark has said UTF-8.
func (m *Message) chooseCharset(o *Options, byBOM bool) error {
	if m.decoded {
		return nil
	}
	var err error
	switch done := byBOM; {
	case done:
	case o.Override != "":
		m.cs, err = byName(o.Override)
	default:
		if o.UseMSH18 {
			done, err = m.charsetOfMSH18(o)
		}
		if !done && err == nil {
			m.cs, err = m.defaultCharset(o)
		}
	}
	if err == nil && m.cs.enc == nil {
		m.fallBack()
	}
	return err
}

// defaultCharset: pure ASCII and UTF-8 first, if nothing else is asked for.
func (m *Message) defaultCharset(o *Options) (charset, error) {
	if o.Otherwise == "" {
		return utf8Charset(), nil
	}
	cs, err := byName(o.Otherwise)
	if cs.ascii || cs.wide { // a wide set was tried before; here all is UTF-8
		return utf8Charset(), err
	}
	return cs, err
}

func (m *Message) charsetOfMSH18(o *Options) (done bool, err error) {
	name := declaredName(m.content(0))
	if len(name) == 0 {
		return false, nil
	}
	cs, ok := lookupBytes(name)
	text := ""
	switch {
	case !ok && !o.IgnoreUnknownCharset:
		return false, &CharsetError{Name: string(name), Offset: m.msh18Offset(), Text: "unsupported charset"}
	case !ok:
		text = "unknown character set: read by default"
	case cs.ascii && !isASCII(m.src):
		text = "declares ASCII but bytes above 0x7F follow: read by default"
	case cs.utf16:
		text = "declares UTF-16 but the bytes are not: read by default"
	case cs.wide && !isASCII(m.src): // decodeWide saw valid UTF-8
		text = "declares " + cs.name + " but the bytes are UTF-8: read by default"
	case cs.wide:
	default:
		m.cs = cs
		return true, nil
	}
	if text != "" {
		m.warn(Warning{Offset: m.msh18Offset(), Segment: 1, Selector: "MSH-18", Text: text})
	}
	return false, nil
}

func (m *Message) msh18Offset() int {
	msh := m.content(0)
	s := spot{end: len(msh)}
	s.descend(msh, m.delims.Field, 18, 0)
	return int(m.segs[0].off) + s.start
}

// fallBack reads bytes that are not UTF-8 as windows-1252, which gives every byte a meaning.
func (m *Message) fallBack() {
	if m.cs.ascii && !isASCII(m.src) {
		m.warn(Warning{Text: "not ASCII as configured: read by default"})
		m.cs = utf8Charset()
	}
	if !m.valid {
		m.cs, _ = lookup("windows-1252")
		m.warn(Warning{Offset: invalidAt(m.src), Text: "not valid UTF-8: read as windows-1252"})
	}
}

// invalidAt gives the offset of the first byte that is not UTF-8, or -1.
func invalidAt(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

func isASCII(b []byte) bool {
	for ; len(b) >= 8; b = b[8:] {
		if binary.LittleEndian.Uint64(b)&0x8080808080808080 != 0 {
			return false
		}
	}
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// decode gives bytes of the message in UTF-8, escapes untouched.
func (m *Message) decode(b []byte) string {
	if m.cs.enc == nil || m.cs.wide || isASCII(b) {
		return string(b)
	}
	return string(m.cs.appendDecoded(nil, b))
}

// text gives a leaf in UTF-8 without escapes.
func (m *Message) text(b []byte) string {
	if m.delims.Escape == 0 || bytes.IndexByte(b, m.delims.Escape) < 0 {
		return m.decode(b)
	}
	cs := m.cs
	if cs.wide {
		cs = utf8Charset() // src is decoded already
	}
	return string(unescape(make([]byte, 0, len(b)), b, &m.delims, &cs))
}

// appendDecoded appends b in UTF-8.
func (cs *charset) appendDecoded(dst, b []byte) []byte {
	if cs.enc == nil || isASCII(b) {
		return append(dst, b...)
	}
	out, err := cs.enc.NewDecoder().Bytes(b)
	if err != nil { // the decoders of x/text replace what they cannot read
		return append(dst, bytes.ToValidUTF8(b, []byte("\uFFFD"))...)
	}
	return append(dst, out...)
}

// appendEncoded appends UTF-8 text in the character set and counts the
// characters it lacks, which are left out.
func (cs *charset) appendEncoded(dst []byte, text []byte) (b []byte, unfit int) {
	if isASCII(text) {
		return append(dst, text...), 0
	}
	if cs.enc == nil && !cs.ascii {
		return append(dst, text...), 0
	}
	for i := 0; i < len(text); {
		n := 1
		if text[i] >= 0x80 {
			_, n = utf8.DecodeRune(text[i:])
		}
		var ok bool
		if dst, ok = cs.appendRune(dst, text[i:i+n]); !ok {
			unfit++
		}
		i += n
	}
	return dst, unfit
}

func (cs *charset) appendRune(dst, char []byte) ([]byte, bool) {
	switch {
	case char[0] < 0x80:
		return append(dst, char...), true
	case cs.ascii:
		return dst, false
	}
	b, err := cs.enc.NewEncoder().Bytes(char)
	if err != nil {
		return dst, false
	}
	return append(dst, b...), true
}
