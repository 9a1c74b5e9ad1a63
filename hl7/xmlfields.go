package hl7

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// segment appends a segment as ER7, with its terminator.
func (r *xmlReader) segment(n *xmlNode) error {
	at := len(r.out)
	err := error(nil)
	switch {
	case r.segments == 0 && n.name != "MSH":
		return r.fail(n.line, "the first segment is not MSH", "a message begins with MSH")
	case n.name == "line":
		err = r.opaque(n)
	default:
		err = r.fields(n)
	}
	if err != nil {
		return err
	}
	if len(r.out) > r.limit {
		return r.fail(n.line, "the numbers of fields and components ask for far more separators than there is text", "")
	}
	if len(r.out) == at || bytes.IndexByte(r.out[at:], '\r') >= 0 {
		return r.fail(n.line, "a line is empty or holds a carriage return", "")
	}
	r.out = append(r.out, '\r')
	r.segments++
	return nil
}

func (r *xmlReader) opaque(n *xmlNode) error {
	at := len(r.out)
	if err := r.literal(n); err != nil {
		return err
	}
	if id := segmentID(r.out[at:], r.d.Field); id != nil && !isDigit(id[0]) {
		return r.fail(n.line, "a line begins with a segment id", "make it an element of that name")
	}
	return nil
}

// literal appends text as it stands. An escape element is a character by its bytes.
func (r *xmlReader) literal(n *xmlNode) error {
	if len(n.kids) > 0 {
		return r.fail(n.line, "MSH.1, MSH.2 and lines hold text only", "")
	}
	for _, x := range n.runs {
		if !x.escape {
			r.out = append(r.out, x.text...)
			continue
		}
		b, err := hex.DecodeString(strings.TrimPrefix(x.text, "X"))
		if err != nil || !utf8.Valid(b) {
			return r.fail(n.line, "an escape here must be a character in hex", `such as <escape V="X1B"/>`)
		}
		r.out = append(r.out, b...)
	}
	return nil
}

// fields appends a segment that has an id.
func (r *xmlReader) fields(n *xmlNode) error {
	if !n.structural() {
		return r.fail(n.line, "text beside the fields of a segment", "")
	}
	slices.SortStableFunc(n.kids, func(a, b *xmlNode) int { return a.n - b.n })
	head := isHeader([]byte(n.name))
	if head && r.segments == 0 {
		if err := r.delimiters(n); err != nil {
			return err
		}
	}
	r.out = append(r.out, n.name...)
	at := 0
	for i, f := range n.kids {
		if head && f.n <= 2 {
			if err := r.encoding(n, i); err != nil {
				return err
			}
			at = max(1, f.n)
			continue
		}
		if head && at < 2 {
			return r.fail(f.line, "a header segment has fields but no element for its field 2", "such as MSH.2")
		}
		if i > 0 && n.kids[i-1].n == f.n {
			if r.d.Repetition == 0 {
				return r.fail(f.line, "a repetition, but MSH.2 declares no repetition separator", "")
			}
			r.out = append(r.out, r.d.Repetition)
		}
		r.pad(f.n-at, r.d.Field)
		at = f.n
		if err := r.parts(f, r.formatted(n, f), r.d.Component, r.d.Subcomponent); err != nil {
			return err
		}
		if len(r.out) > r.limit {
			return nil // segment says so
		}
	}
	return nil
}

// pad appends separators, but never many more than segment would refuse.
func (r *xmlReader) pad(n int, delim byte) {
	for range n {
		r.out = append(r.out, delim)
	}
}

// delimiters takes those of MSH.1 and MSH.2, or adds the usual ones.
func (r *xmlReader) delimiters(n *xmlNode) error {
	usual := []run{{text: `|`}, {text: `^~\&`}}
	for k := 2; k >= 1; k-- {
		if !slices.ContainsFunc(n.kids, func(f *xmlNode) bool { return f.n == k }) {
			n.kids = slices.Insert(n.kids, 0, &xmlNode{name: "MSH." + strconv.Itoa(k), n: k, line: n.line, runs: usual[k-1 : k]})
		}
	}
	slices.SortStableFunc(n.kids, func(a, b *xmlNode) int { return a.n - b.n })
	line := append([]byte(nil), "MSH"...)
	for _, f := range n.kids[:2] {
		for _, x := range f.runs {
			line = append(line, x.text...)
		}
	}
	d, _, err := readDelimiters(line, 0)
	if err != nil {
		return err
	}
	r.d = d
	return nil
}

// encoding appends field 1 or 2 of a header segment.
func (r *xmlReader) encoding(n *xmlNode, i int) error {
	f, at := n.kids[i], len(r.out)
	if i > 0 && n.kids[i-1].n == f.n {
		return r.fail(f.line, "field 1 and 2 of a header segment stand once", "")
	}
	if f.n == 2 && i == 0 {
		r.out = append(r.out, r.d.Field)
		at++
	}
	if err := r.literal(f); err != nil {
		return err
	}
	if f.n == 1 && string(r.out[at:]) != string(r.d.Field) {
		return r.fail(f.line, "field 1 of a header segment is not the message's field separator", "")
	}
	if f.n == 2 && bytes.IndexByte(r.out[at:], r.d.Field) >= 0 {
		return r.fail(f.line, "field 2 of a header segment holds the field separator", "")
	}
	return nil
}

// structural: nothing but white space beside the child elements.
func (n *xmlNode) structural() bool {
	return !slices.ContainsFunc(n.runs, func(x run) bool { return x.escape || !blank([]byte(x.text)) })
}

// parts appends a repetition or component: its parts, or its text.
func (r *xmlReader) parts(n *xmlNode, br bool, delim, below byte) error {
	switch {
	case len(n.kids) == 0 && strings.Count(n.name, ".") == 1 && n.structural():
		return nil // white space in an empty field
	case len(n.kids) == 0:
		return r.leaf(n, br)
	case !n.structural():
		return r.fail(n.line, "text beside the parts of a field or component", "")
	}
	slices.SortStableFunc(n.kids, func(a, b *xmlNode) int { return a.n - b.n })
	at := 1
	for i, k := range n.kids {
		if i > 0 && n.kids[i-1].n == k.n {
			return r.fail(k.line, "a component stands twice", "only fields repeat")
		}
		if k.n > 1 && delim == 0 {
			return r.fail(k.line, "a part that MSH.2 declares no separator for", "")
		}
		r.pad(k.n-at, delim)
		at = k.n
		if err := r.parts(k, br, below, 0); err != nil {
			return err
		}
		if len(r.out) > r.limit {
			return nil
		}
	}
	return nil
}

// leaf appends a value, escaped. The truncation character stays: in ER7 it says
// that the value was cut, and as a character it came as <escape V="P"/>.
func (r *xmlReader) leaf(n *xmlNode, br bool) error {
	d := r.d
	d.Truncation = 0
	for _, x := range n.runs {
		var unfit int
		if !x.escape {
			r.out, unfit = escape(r.out, x.text, &d, br)
		} else if d.Escape == 0 {
			unfit = 1
		} else if seq := d.sequence(x.text); seq != nil && (x.text != "P" || r.d.Truncation != 0) {
			r.out = append(r.out, seq...)
		} else {
			return r.fail(n.line, "V of an escape element is no escape sequence", `such as <escape V=".br"/>`)
		}
		if unfit > 0 {
			return &UnfitError{Selector: "an element in line " + strconv.Itoa(n.line), Characters: unfit, Reason: noEscape}
		}
	}
	return nil
}

// sequence makes the escape sequence of a body, nil if that would be none.
func (d *Delimiters) sequence(body string) []byte {
	seq := append(append([]byte{d.Escape}, body...), d.Escape)
	whole := *d
	if whole.Truncation == 0 {
		whole.Truncation = '#' // only so that P is a letter
	}
	kind, _, n := escapeAt(seq, &whole)
	if kind == stray || n != len(seq) || len(body) > 1 && strings.IndexFunc(body, func(r rune) bool {
		return r < 0x20 || r < 0x80 && d.letter(byte(r)) != 0
	}) >= 0 {
		return nil
	}
	return seq
}

// formatted tells whether a line feed in a field is written \.br\.
func (r *xmlReader) formatted(n, f *xmlNode) bool {
	switch {
	case n.name == "NTE" && f.n == 3:
		return true
	case n.name == "OBX" && f.n == 5:
		for _, k := range n.kids {
			if t := k.plain(); k.n == 2 && (t == "FT" || t == "TX") {
				return true
			}
		}
	}
	return false
}

// plain is the text of a node and all below it.
func (n *xmlNode) plain() string {
	var s strings.Builder
	for _, x := range n.runs {
		if !x.escape {
			s.WriteString(strings.TrimSpace(x.text))
		}
	}
	for _, k := range n.kids {
		s.WriteString(k.plain())
	}
	return s.String()
}
