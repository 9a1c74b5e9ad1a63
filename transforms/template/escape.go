package template

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/spine-engine/spine-engine/hl7"
)

// escape appends a value in the notation of the place it stands at.
type escape func(dst []byte, s string) ([]byte, error)

var (
	errUTF8    = errors.New("the value is not valid UTF-8")
	errXMLChar = errors.New("the value holds a character that XML cannot have (a control character); remove it with replace")
)

func asIs(dst []byte, s string) ([]byte, error) { return append(dst, s...), nil }

// er7 escapes with the delimiters that d holds once the template is parsed.
func er7(d *hl7.Delimiters) escape {
	return func(dst []byte, s string) ([]byte, error) {
		if !utf8.ValidString(s) {
			return dst, errUTF8
		}
		e, err := hl7.EscapeText(s, *d)
		return append(dst, e...), err
	}
}

// xmlText escapes what ends text, and the carriage return that readers would take
// for a line end (XML 1.0, clause 2.11).
func xmlText(dst []byte, s string) ([]byte, error) { return appendXML(dst, s, false) }

// xmlAttribute escapes quotes too, and the white space that readers would take for
// blanks (XML 1.0, clause 3.3.3).
func xmlAttribute(dst []byte, s string) ([]byte, error) { return appendXML(dst, s, true) }

func appendXML(dst []byte, s string, attribute bool) ([]byte, error) {
	for i, r := range s {
		switch {
		case r == '&':
			dst = append(dst, "&amp;"...)
		case r == '<':
			dst = append(dst, "&lt;"...)
		case r == '>':
			dst = append(dst, "&gt;"...)
		case attribute && r == '"':
			dst = append(dst, "&#34;"...)
		case attribute && r == '\'':
			dst = append(dst, "&#39;"...)
		case r == '\r', attribute && (r == '\t' || r == '\n'):
			dst = fmt.Appendf(dst, "&#%d;", r)
		case r < 0x20 && r != '\t' && r != '\n', r == 0xFFFE, r == 0xFFFF:
			return dst, errXMLChar
		case r == utf8.RuneError && !utf8.ValidString(s[i:min(i+3, len(s))]):
			return dst, errUTF8
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst, nil
}

// jsonString writes a string of RFC 8259 clause 7, with its quotes.
func jsonString(dst []byte, s string) ([]byte, error) {
	dst, err := jsonWithin(append(dst, '"'), s)
	return append(dst, '"'), err
}

// jsonWithin writes what stands between the quotes.
func jsonWithin(dst []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return dst, errUTF8
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		case c < 0x20:
			dst = fmt.Appendf(dst, `\u%04x`, c)
		default:
			dst = append(dst, c)
		}
	}
	return dst, nil
}
