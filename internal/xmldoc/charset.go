package xmldoc

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// encoding is how the bytes of a document stand for characters.
type encoding uint8

const (
	inUTF8 encoding = iota
	inASCII
	inLatin1
	in1252
	inUTF16LE
	inUTF16BE
)

var encodingNames = [...]string{"UTF-8", "US-ASCII", "ISO-8859-1", "windows-1252", "UTF-16", "UTF-16"}

func (e encoding) String() string { return encodingNames[e] }

// cp1252 are the characters of bytes 0x80 to 0x9F; the five that the set leaves
// open stand for the control character of the same number, so that each byte
// survives.
var cp1252 = [32]rune{
	0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F,
	0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178,
}

// byName finds the encoding of a declaration; names are compared without case.
func byName(name []byte) (encoding, bool) {
	switch strings.ToLower(string(name)) {
	case "utf-8", "utf8":
		return inUTF8, true
	case "us-ascii", "ascii", "iso646-us", "iso-ir-6":
		return inASCII, true
	case "iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "l1":
		return inLatin1, true
	case "windows-1252", "cp1252":
		return in1252, true
	case "utf-16", "utf-16le", "utf-16be":
		return inUTF16BE, true
	}
	return 0, false
}

// mark tells the encoding by the first bytes (XML 1.0 appendix F), the length
// of the byte order mark, and what is wrong with them.
func mark(b []byte) (e encoding, bom int, problem string) {
	has := func(s string) bool { return len(b) >= len(s) && string(b[:len(s)]) == s }
	switch {
	case has("\xff\xfe\x00\x00"), has("\x00\x00\xfe\xff"), has("\x00\x00\x00<"), has("<\x00\x00\x00"):
		return 0, 0, "UTF-32 is not read"
	case has("\xef\xbb\xbf"):
		return inUTF8, 3, ""
	case has("\xff\xfe"):
		return inUTF16LE, 2, ""
	case has("\xfe\xff"):
		return inUTF16BE, 2, ""
	case has("<\x00"), has("\x00<"):
		return 0, 0, "UTF-16 without a byte order mark"
	case has("\x4c\x6f\xa7\x94"):
		return 0, 0, "EBCDIC is not read"
	}
	return inUTF8, 0, ""
}

// fromUTF16 decodes text after its mark; at is the offset of what cannot be
// decoded, -1 when all can.
func fromUTF16(b []byte, e encoding) (out []byte, at int) {
	order := orderOf(e)
	if len(b)%2 != 0 {
		return nil, len(b) - 1
	}
	walk := func(do func(rune)) int {
		for i := 0; i < len(b); i += 2 {
			r := rune(order.Uint16(b[i:]))
			if utf16.IsSurrogate(r) {
				if i+4 > len(b) {
					return i
				}
				if r = utf16.DecodeRune(r, rune(order.Uint16(b[i+2:]))); r == utf8.RuneError {
					return i
				}
				i += 2
			}
			do(r)
		}
		return -1
	}
	size := 0
	if at = walk(func(r rune) { size += utf8.RuneLen(r) }); at >= 0 {
		return nil, at
	}
	out = make([]byte, 0, size)
	walk(func(r rune) { out = utf8.AppendRune(out, r) })
	return out, -1
}

type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

func orderOf(e encoding) byteOrder {
	if e == inUTF16LE {
		return binary.LittleEndian
	}
	return binary.BigEndian
}

// fromBytes decodes one of the sets with a byte for a character.
func fromBytes(b []byte, e encoding) []byte {
	size := len(b)
	for _, c := range b {
		if c >= 0x80 {
			size++
			if c < 0xA0 {
				size += utf8.RuneLen(e.rune(c)) - 2
			}
		}
	}
	out := make([]byte, 0, size)
	for _, c := range b {
		switch {
		case c < 0x80:
			out = append(out, c)
		case c >= 0xA0: // U+00A0 to U+00FF in both sets
			out = append(out, 0xC0|c>>6, 0x80|c&0x3F)
		default:
			out = utf8.AppendRune(out, e.rune(c))
		}
	}
	return out
}

func (e encoding) rune(c byte) rune {
	if e == in1252 && c >= 0x80 && c < 0xA0 {
		return cp1252[c-0x80]
	}
	return rune(c)
}

// fits tells whether the encoding has a character.
func (e encoding) fits(r rune) bool {
	_, ok := e.byteOf(r)
	return ok || e == inUTF8 || e >= inUTF16LE
}

func (e encoding) byteOf(r rune) (byte, bool) {
	switch {
	case r < 0x80:
		return byte(r), true
	case e == inLatin1 && r <= 0xFF, e == in1252 && r >= 0xA0 && r <= 0xFF:
		return byte(r), true
	case e == in1252:
		for i, x := range cp1252 {
			if x == r {
				return byte(0x80 + i), true
			}
		}
	}
	return 0, false
}

// encode appends UTF-8 text in the encoding; every edit has seen to it that all
// characters fit.
func (e encoding) encode(dst, text []byte) []byte {
	if e <= inASCII {
		return append(dst, text...)
	}
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		text = text[n:]
		if e < inUTF16LE {
			c, _ := e.byteOf(r)
			dst = append(dst, c)
			continue
		}
		if hi, lo := utf16.EncodeRune(r); hi != utf8.RuneError {
			dst = orderOf(e).AppendUint16(orderOf(e).AppendUint16(dst, uint16(hi)), uint16(lo))
			continue
		}
		dst = orderOf(e).AppendUint16(dst, uint16(r))
	}
	return dst
}

// size is the length of UTF-8 text in the encoding.
func (e encoding) size(text []byte) int {
	switch {
	case e <= inASCII:
		return len(text)
	case e < inUTF16LE:
		return runes(text)
	}
	n := 0
	for len(text) > 0 {
		r, k := utf8.DecodeRune(text)
		text = text[k:]
		n += 2 * utf16.RuneLen(r)
	}
	return n
}

func firstHigh(b []byte) int {
	return bytes.IndexFunc(b, func(r rune) bool { return r >= utf8.RuneSelf })
}
