package feedtest

import (
	"bytes"
	"unicode/utf8"

	"github.com/spine-engine/spine-engine/routes"
)

// mostDifferences are shown of one file.
const mostDifferences = 20

// sameAs compares a copy with a file: line ends and blank lines at the end count
// nothing, since editors and version control change them.
func (v *verifier) sameAs(where string, want *routes.SpecFile, body []byte) {
	file := want.Body
	known := v.golden[want.Path]
	if known != nil {
		file = known.After
	}
	same := !want.Missing && sameLines(file, body)
	switch {
	case known != nil && !sameLines(known.After, body):
		v.fail(want.Place, "%s: %s cannot be written: the test %q (%s) wants another content of it", where, want.Path, known.by, known.place)
	case v.update && known == nil: // also of a file that stays: the next test may want another content of it
		v.golden[want.Path] = &Golden{Path: want.Path, Before: want.Body, After: body, by: v.test.Name, place: want.Place, stays: same}
	case v.update, same:
	case want.Missing:
		v.fail(want.Place, "%s: there is no file %s yet; --update writes it", where, want.Path)
	default:
		all := Differences(file, body)
		for _, d := range all[:min(len(all), mostDifferences)] {
			v.fail(want.Place, "%s, same as %s: %s", where, want.Path, d)
		}
		if n := len(all) - mostDifferences; n > 0 {
			v.fail(want.Place, "%s, same as %s: %d more differences", where, want.Path, n)
		}
	}
}

// cutLines cuts at CR, LF or both together; empty lines at the end go.
func cutLines(b []byte) [][]byte {
	var out [][]byte
	for len(b) > 0 {
		i := bytes.IndexAny(b, "\r\n")
		if i < 0 {
			out = append(out, b)
			break
		}
		out = append(out, b[:i])
		if bytes.HasPrefix(b[i:], []byte("\r\n")) {
			i++
		}
		b = b[i+1:]
	}
	for len(out) > 0 && len(out[len(out)-1]) == 0 {
		out = out[:len(out)-1]
	}
	return out
}

// isBinary: what has no lines, such as a PDF.
func isBinary(b []byte) bool {
	return bytes.IndexByte(b, 0) >= 0 || !bytes.HasPrefix(b, []byte("MSH")) && !utf8.Valid(b)
}

func sameLines(a, b []byte) bool {
	if bytes.Equal(a, b) || isBinary(a) || isBinary(b) {
		return bytes.Equal(a, b)
	}
	x, y := cutLines(a), cutLines(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if !bytes.Equal(x[i], y[i]) {
			return false
		}
	}
	return true
}
