package xmldoc

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// An UnfitError says that a text holds characters that XML 1.0 cannot carry, not
// even as references. It holds neither the text nor a part of it.
type UnfitError struct {
	Selector   string // may be empty
	Characters int    // how many
	First      int    // bytes into the text
}

func (e *UnfitError) Error() string {
	what := "the text"
	if e.Selector != "" {
		what += " for " + e.Selector
	}
	return fmt.Sprintf("xml: %s has %d characters that XML 1.0 cannot carry, the first at byte %d; replace them", what, e.Characters, e.First)
}

// Escape appends a text as the content of an element, or as the value of an
// attribute in quotes of either kind. Reading gives the same text back: carriage
// returns, and in attributes all white space but the blank, become references.
// The error is an *UnfitError; dst is then returned as it was.
func Escape(dst []byte, s string, attr bool) ([]byte, error) { return escape(dst, s, attr, inUTF8) }

// escape also makes references of what the encoding lacks.
func escape(dst []byte, s string, attr bool, e encoding) ([]byte, error) {
	was := len(dst)
	var bad UnfitError
	for i := 0; i < len(s); {
		r, n := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[i:])
		}
		switch ref := escaped(r, attr); {
		case r == utf8.RuneError && n == 1, !isChar(r):
			if bad.Characters++; bad.Characters == 1 {
				bad.First = i
			}
		case ref != "":
			dst = append(dst, ref...)
		case !e.fits(r):
			dst = appendReference(dst, r)
		default:
			dst = append(dst, s[i:i+n]...)
		}
		i += n
	}
	if bad.Characters > 0 {
		return dst[:was], &bad
	}
	return dst, nil
}

func escaped(r rune, attr bool) string {
	switch r {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '\r':
		return "&#13;"
	}
	if attr {
		switch r {
		case '"':
			return "&quot;"
		case '\'':
			return "&apos;"
		case '\n':
			return "&#10;"
		case '\t':
			return "&#9;"
		}
	}
	return ""
}

func appendReference(dst []byte, r rune) []byte {
	return append(strconv.AppendInt(append(dst, "&#"...), int64(r), 10), ';')
}
