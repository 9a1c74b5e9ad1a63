package hl7

import (
	"bytes"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// Escape sequences (chapter 2, "Use of escape sequences in text fields"), drawn
// with the usual delimiters:
//
//	\F\ \S\ \T\ \R\ \E\ \P\    | ^ & ~ \ #
//	\X0D0A\                    bytes in the message's character set
//	\.br\                      line feed
//	\H\ \N\ \.sp+2\ \C2842\ \M824041\ \Zxx\   kept as text
//	\Temp\  4\5  \             no escape: the character is data
type escapeKind int

const (
	stray     escapeKind = iota // the escape character is data
	delimiter                   // body[0] names it
	hexData                     // body[1:] is an even number of hex digits
	lineBreak
	kept
)

// escapeAt reads the sequence that begins at b[0], the escape character. n is
// its length; a stray one has length 1, so that what follows it is read on its own.
func escapeAt(b []byte, d *Delimiters) (kind escapeKind, body []byte, n int) {
	i := bytes.IndexByte(b[1:], d.Escape)
	if i <= 0 {
		return stray, nil, 1
	}
	body, n = b[1:1+i], i+2
	switch c := body[0]; {
	case i == 1 && d.named(c) != 0:
		return delimiter, body, n
	case i == 1 && (c == 'H' || c == 'N'):
		return kept, body, n
	case c == 'X' && isHex(body[1:]):
		if i%2 == 1 && i > 1 {
			return hexData, body, n
		}
		return kept, body, n
	case c == '.' && i >= 3:
		return formatting(body), body, n
	case (c == 'C' || c == 'M') && i > 1 && isHex(body[1:]), c == 'Z':
		return kept, body, n
	}
	return stray, nil, 1
}

func formatting(body []byte) escapeKind {
	switch string(body[1:3]) {
	case "br", "BR":
		if len(body) == 3 {
			return lineBreak
		}
	}
	return kept
}

// named gives the delimiter that an escape letter stands for, 0 if there is none.
func (d *Delimiters) named(c byte) byte {
	switch c {
	case 'F':
		return d.Field
	case 'S':
		return d.Component
	case 'T':
		return d.Subcomponent
	case 'R':
		return d.Repetition
	case 'E':
		return d.Escape
	case 'P':
		return d.Truncation
	}
	return 0
}

// letter is the reverse of named: 0 if c is no delimiter.
func (d *Delimiters) letter(c byte) byte {
	switch c {
	case 0:
		return 0
	case d.Field:
		return 'F'
	case d.Component:
		return 'S'
	case d.Subcomponent:
		return 'T'
	case d.Repetition:
		return 'R'
	case d.Escape:
		return 'E'
	case d.Truncation:
		return 'P'
	}
	return 0
}

// bare tells whether a text is its own escaped form, in ASCII.
func (d *Delimiters) bare(text string) bool {
	for i := range len(text) {
		c := text[i]
		if !isAlnum(c) && (c < ' ' || c >= 0x7F || d.letter(c) != 0) {
			return false
		}
	}
	return true
}

func isHex(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) && (c < 'A' || c > 'F') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// UnescapeText decodes a leaf once, left to right. What is no escape sequence
// stays, character for character. er7 is UTF-8.
func UnescapeText(er7 string, d Delimiters) string {
	if d.Escape == 0 || strings.IndexByte(er7, d.Escape) < 0 {
		return er7
	}
	cs := utf8Charset()
	return string(unescape(nil, []byte(er7), &d, &cs))
}

// unescape appends the text of a leaf to dst, in UTF-8.
func unescape(dst, b []byte, d *Delimiters, cs *charset) []byte {
	for {
		i := bytes.IndexByte(b, d.Escape)
		if i < 0 || d.Escape == 0 {
			return cs.appendDecoded(dst, b)
		}
		dst = cs.appendDecoded(dst, b[:i])
		kind, body, n := escapeAt(b[i:], d)
		switch kind {
		case delimiter:
			dst = append(dst, d.named(body[0]))
		case lineBreak:
			dst = append(dst, '\n')
		case hexData:
			dst = cs.appendHex(dst, body[1:])
		default:
			dst = cs.appendDecoded(dst, b[i:i+n])
		}
		b = b[i+n:]
	}
}

// appendHex decodes the digits of \X..\: bytes in the character set, or Latin-1
// where they are not valid in it.
func (cs *charset) appendHex(dst, digits []byte) []byte {
	raw := make([]byte, len(digits)/2)
	if _, err := hex.Decode(raw, digits); err != nil {
		return append(dst, digits...)
	}
	if cs.enc == nil && !utf8.Valid(raw) {
		for _, c := range raw {
			dst = utf8.AppendRune(dst, rune(c))
		}
		return dst
	}
	return cs.appendDecoded(dst, raw)
}

// EscapeText makes a leaf of a text: delimiters and the escape character become
// their sequences, every byte below 0x20 becomes \Xhh\, so that no text can end
// a segment or an MLLP block. Nothing else changes. It fails with an
// *UnfitError if the message declares no escape character and one is needed.
func EscapeText(text string, d Delimiters) (string, error) {
	b, n := escape(nil, text, &d, false)
	if n > 0 {
		return "", &UnfitError{Selector: "a value", Characters: n, Reason: noEscape}
	}
	return string(b), nil
}

const noEscape = "it holds delimiters or control characters and MSH-2 declares no escape character"

// escape appends; unfit counts characters that would need an escape character
// which does not exist. br writes a line feed as \.br\, as formatted text has it.
func escape(dst []byte, text string, d *Delimiters, br bool) (b []byte, unfit int) {
	const digits = "0123456789ABCDEF"
	for i := range len(text) {
		c := text[i]
		l := d.letter(c)
		switch {
		case l == 0 && c >= 0x20:
			dst = append(dst, c)
			continue
		case d.Escape == 0:
			unfit++
			continue
		case l != 0:
			dst = append(dst, d.Escape, l, d.Escape)
		case c == '\n' && br:
			dst = append(append(append(dst, d.Escape), ".br"...), d.Escape)
		default:
			dst = append(dst, d.Escape, 'X', digits[c>>4], digits[c&15], d.Escape)
		}
	}
	return dst, unfit
}
