package xmldoc

import (
	"bytes"
	"unicode/utf8"
)

// isChar: production [2] of XML 1.0.
func isChar(r rune) bool {
	switch {
	case r < 0x20:
		return r == '\t' || r == '\n' || r == '\r'
	case r <= 0xD7FF:
		return true
	}
	return r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// nameStarts are the ranges of production [4] above ASCII.
var nameStarts = [...][2]rune{
	{0xC0, 0xD6}, {0xD8, 0xF6}, {0xF8, 0x2FF}, {0x370, 0x37D}, {0x37F, 0x1FFF}, {0x200C, 0x200D},
	{0x2070, 0x218F}, {0x2C00, 0x2FEF}, {0x3001, 0xD7FF}, {0xF900, 0xFDCF}, {0xFDF0, 0xFFFD}, {0x10000, 0xEFFFF},
}

// isNameStart leaves out the colon, which separates a prefix.
func isNameStart(r rune) bool {
	if r < 0x80 {
		return r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	for _, x := range nameStarts {
		if r <= x[1] {
			return r >= x[0]
		}
	}
	return false
}

// isNameChar: production [4a], without the colon.
func isNameChar(r rune) bool {
	if r < 0x80 {
		return r == '-' || r == '.' || r >= '0' && r <= '9' || isNameStart(r)
	}
	return r == 0xB7 || r >= 0x300 && r <= 0x36F || r == 0x203F || r == 0x2040 || isNameStart(r)
}

// names are the ASCII characters that go on with a name (1) or may begin one (3).
var names = func() (t [utf8.RuneSelf]uint8) {
	for c := range rune(utf8.RuneSelf) {
		switch {
		case isNameStart(c):
			t[c] = 3
		case isNameChar(c):
			t[c] = 1
		}
	}
	return
}()

// ncName gives the end of the name without colon that begins at b[i]; i if none does.
func ncName(b []byte, i int) int {
	for begins := uint8(2); i < len(b); begins = 1 {
		if c := b[i]; c < utf8.RuneSelf {
			if names[c]&begins == 0 {
				return i
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if begins == 2 && !isNameStart(r) || !isNameChar(r) {
			return i
		}
		i += n
	}
	return i
}

// badChar gives the offset of the first character of b that XML lacks, or -1.
// b is valid UTF-8, so that beside controls only U+FFFE and U+FFFF remain.
func badChar(b []byte) int {
	for i, c := range b {
		if c < 0x20 && !isSpace(c) || c == 0xEF && nonCharacter(b[i:]) {
			return i
		}
	}
	return -1
}

// nonCharacter: EF BF BE and EF BF BF are U+FFFE and U+FFFF.
func nonCharacter(b []byte) bool {
	return len(b) >= 3 && b[1] == 0xBF && b[2] >= 0xBE
}

// reference reads &#10; &#xA; or one of the five entities at b[0] = '&'. n is
// its length, 0 when it is none that is accepted.
func reference(b []byte) (r rune, n int) {
	end := bytes.IndexByte(b[:min(len(b), 12)], ';')
	if end < 2 {
		return longReference(b)
	}
	switch name := b[1:end]; string(name) {
	case "lt":
		return '<', end + 1
	case "gt":
		return '>', end + 1
	case "amp":
		return '&', end + 1
	case "quot":
		return '"', end + 1
	case "apos":
		return '\'', end + 1
	}
	if b[1] != '#' {
		return 0, 0
	}
	if r = number(b[2:end]); !isChar(r) || r == 0 {
		return 0, 0
	}
	return r, end + 1
}

// longReference reads a character reference with more zeros than anybody needs.
func longReference(b []byte) (rune, int) {
	if len(b) < 3 || b[1] != '#' {
		return 0, 0
	}
	i := 2
	if b[i] == 'x' {
		i++
	}
	zeros := i
	for i < len(b) && b[i] == '0' {
		i++
	}
	end := bytes.IndexByte(b[i:min(len(b), i+8)], ';')
	if i == zeros || end < 1 {
		return 0, 0
	}
	digits := b[i : i+end]
	if b[2] == 'x' {
		digits = append([]byte{'x'}, digits...)
	}
	if r := number(digits); r != 0 && isChar(r) {
		return r, i + end + 1
	}
	return 0, 0
}

// number reads 10 or xA; 0 for anything that is no number of a character.
func number(b []byte) (r rune) {
	base := rune(10)
	if len(b) > 1 && b[0] == 'x' {
		base, b = 16, b[1:]
	}
	for _, c := range b {
		v := rune(c - '0')
		switch {
		case c >= '0' && c <= '9':
		case base == 16 && c|0x20 >= 'a' && c|0x20 <= 'f':
			v = rune(c|0x20-'a') + 10
		default:
			return 0
		}
		if r = r*base + v; r > utf8.MaxRune {
			return 0
		}
	}
	return r
}

// runes counts the characters of valid UTF-8. (utf8.RuneCount of Go 1.26 copies
// the bytes when it is inlined.)
func runes(b []byte) (n int) {
	for _, c := range b {
		if c&0xC0 != 0x80 {
			n++
		}
	}
	return n
}
