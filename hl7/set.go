package hl7

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// Set makes text the value at p: escaped, and encoded to the message's
// character set. What is missing is made: the next segment occurrence, fields,
// the next repetition, components. `""` writes HL7 null. With (*), every match
// is set. Setting MSH-18 does not change how the message is encoded: see Recode.
// Errors: *SetError, *UnfitError; the message is then unchanged.
func (m *Message) Set(p Path, text string) error {
	if p.p == nil || p.p.field == 0 {
		return refuse(p, "a text needs a field to go to", "such as PID-5.1; use SetRaw for a whole segment", nil)
	}
	var few [64]byte
	if m.delims.bare(text) && m.put(p.p, append(few[:0], text...)) {
		return nil
	}
	if !utf8.ValidString(text) {
		return &UnfitError{Selector: p.String(), Charset: m.cs.name, Characters: 1, Reason: "it is not valid UTF-8"}
	}
	return m.edit(p, len(text) > 0, func(seg []byte) ([]byte, error) {
		er7, unfit := escape(make([]byte, 0, len(text)+8), text, &m.delims, m.formatted(seg, p.p))
		if unfit > 0 {
			return nil, &UnfitError{Selector: p.String(), Charset: m.cs.name, Characters: unfit, Reason: noEscape}
		}
		return m.encode(p, er7)
	})
}

// formatted tells whether a line feed at p is written \.br\: in NTE-3, which is
// FT, and in OBX-5 where OBX-2 says FT or TX.
func (m *Message) formatted(seg []byte, p *path) bool {
	switch {
	case p.seg.id == "NTE" && p.field == 3:
		return true
	case p.seg.id == "OBX" && p.field == 5:
		t, _ := field(seg, m.delims.Field, 2)
		return string(t) == "FT" || string(t) == "TX"
	}
	return false
}

// SetRaw puts ER7 text, in UTF-8 with its own delimiters and escapes, at p. It
// refuses bytes below 0x20 and delimiters above the level of p, which would
// move other values. At a segment path er7 is the whole segment.
func (m *Message) SetRaw(p Path, er7 []byte) error {
	if p.p == nil {
		return refuse(p, "no selector", "", nil)
	}
	if !utf8.Valid(er7) {
		return &UnfitError{Selector: p.String(), Charset: m.cs.name, Characters: 1, Reason: "it is not valid UTF-8"}
	}
	if i := bytes.IndexFunc(er7, func(r rune) bool { return r < 0x20 }); i >= 0 {
		return refuse(p, "the raw text holds a control character, which would break segments or framing", `write it as \Xhh\`, nil)
	}
	if err := m.fitsLevel(p, er7); err != nil {
		return err
	}
	if isASCII(er7) && m.put(p.p, er7) {
		return nil
	}
	return m.edit(p, len(er7) > 0, func([]byte) ([]byte, error) { return m.encode(p, er7) })
}

// SetNull writes HL7 null, which asks the receiver to delete its value.
func (m *Message) SetNull(p Path) error {
	if p.p != nil && m.put(p.p, []byte(null)) {
		return nil
	}
	return m.SetRaw(p, []byte(null))
}

const null = `""`

// fitsLevel refuses delimiters that would leave the node.
func (m *Message) fitsLevel(p Path, er7 []byte) error {
	d := &m.delims
	above := []byte{d.Field, d.Repetition, d.Component, d.Subcomponent}
	switch p.DeepestLevel() {
	case SegmentLevel:
		if p.p.at.group > 0 && p.p.below == 0 {
			return refuse(p, "a group of segments is not one place", "name one of its segments", nil)
		}
		if id := segmentID(er7, d.Field); id == nil || string(id) != p.p.seg.id {
			return refuse(p, "the raw segment does not begin with its id and the field separator", "", nil)
		}
		if isHeader(er7) {
			return refuse(p, ErrNotSettable.Error(), "set the other fields one by one", ErrNotSettable)
		}
		return nil
	case FieldLevel:
		above = above[:1]
	case RepetitionLevel:
		above = above[:2]
	case ComponentLevel:
		above = above[:3]
	}
	for _, c := range above {
		if c != 0 && bytes.IndexByte(er7, c) >= 0 {
			return refuse(p, "the raw text holds a delimiter above its level, which would move other values", "set the field as a whole", nil)
		}
	}
	return nil
}

// encode turns UTF-8 into what src holds.
func (m *Message) encode(p Path, text []byte) ([]byte, error) {
	if isASCII(text) {
		return text, nil
	}
	b, unfit := m.cs.appendEncoded(nil, text)
	if unfit > 0 {
		return nil, &UnfitError{Selector: p.String(), Charset: m.cs.name, Characters: unfit}
	}
	if m.cs.wide {
		return text, nil // src is UTF-8; it was only tried
	}
	return b, nil
}

// edit replaces what p selects by what value makes for its segment. needed is
// false when writing nothing: then nothing that is missing is made.
func (m *Message) edit(p Path, needed bool, value func(seg []byte) ([]byte, error)) error {
	if err := settable(p); err != nil {
		return err
	}
	targets, place, err := m.targets(p, needed)
	if err != nil {
		return err
	}
	if place.at >= 0 {
		return m.editNew(p, place, value)
	}
	var few [2][]byte
	edited := few[:0]
	for _, i := range targets {
		b, err := m.rewrite(m.content(i), p, needed, value)
		if err != nil {
			return err
		}
		edited = append(edited, b)
	}
	for k, i := range targets {
		if !bytes.Equal(edited[k], m.content(i)) {
			m.replace(i, edited[k])
		}
	}
	return nil
}

func (m *Message) editNew(p Path, at place, value func(seg []byte) ([]byte, error)) error {
	seg, err := m.rewrite([]byte(p.p.seg.id), p, true, value)
	if err != nil {
		return err
	}
	m.insert(at, seg)
	return nil
}

// place is where a new segment goes, -1 for nowhere, and the segment whose
// groups it joins.
type place struct {
	at   int
	near Handle
}

var nowhere = place{at: -1}

func settable(p Path) error {
	if h := isHeader([]byte(p.p.seg.id)); h && p.p.field > 0 && p.p.field <= 2 {
		return refuse(p, ErrNotSettable.Error(), "they fix the delimiters of the whole message", ErrNotSettable)
	}
	return nil
}

// targets finds the segments to edit, or the place where the missing next one goes.
func (m *Message) targets(p Path, needed bool) (found []int, at place, err error) {
	m.eachSegment(p.p, func(i int) bool {
		found = append(found, i)
		return true
	})
	if len(found) > 0 {
		return found, nowhere, nil
	}
	at, err = m.missing(p, needed)
	return nil, at, err
}

// missing is the place of the next segment of the kind p asks for.
func (m *Message) missing(p Path, needed bool) (place, error) {
	s := &p.p.seg
	if _, ok := m.Near(p.p.at); p.p.at.given() && (!ok || p.p.below == 0) {
		return nowhere, refuse(p, ErrNoMatch.Error(), "", ErrNoMatch)
	}
	switch {
	case !needed && len(s.conds) == 0:
		return nowhere, nil
	case len(s.conds) > 0:
		return nowhere, refuse(p, ErrNoMatch.Error(), "", ErrNoMatch)
	case s.which == all:
		return nowhere, nil
	case s.id == "MSH":
		return nowhere, refuse(p, "a message has one MSH", "", ErrGap)
	}
	among, at, err := m.room(p)
	if err != nil {
		return nowhere, err
	}
	have := 0
	for _, i := range among {
		if m.is(i, s.id) {
			have++
		}
	}
	if max(s.which, 1) != have+1 {
		return nowhere, refuse(p, "segment gap: an earlier occurrence is missing", "only the next one can be made", ErrGap)
	}
	return at, nil
}

// onlyScope gives the range of the one group in which a segment is to be made.
func (m *Message) onlyScope(p Path) (from, to int, err error) {
	n := 0
	m.pick(p.p.group, 0, len(m.segs), func(anchor int) bool {
		from, to = m.scope(anchor, p.p.run, p.p.seg.id)
		n++
		return true
	})
	if n == 0 {
		return 0, 0, refuse(p, "the group's anchor is missing", "", ErrNoMatch)
	}
	if n > 1 {
		return 0, 0, refuse(p, "a missing segment cannot be made in several groups at once", "name one group, as in OBR(#2)/", nil)
	}
	return from, to, nil
}

// rewrite gives seg with the value put where p says.
func (m *Message) rewrite(seg []byte, p Path, needed bool, value func([]byte) ([]byte, error)) ([]byte, error) {
	v, err := value(seg)
	if err != nil {
		return nil, err
	}
	if p.p.field == 0 {
		return m.guardLineFeeds(p, slices.Clone(v))
	}
	var few [2]spot
	spots, err := m.spots(few[:0], seg, p, needed)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(seg)+len(spots)*(len(v)+8))
	at := 0
	for _, s := range spots {
		out = s.begin(append(out, seg[at:s.start]...))
		out = append(out, v...)
		at = s.end
	}
	return m.guardLineFeeds(p, append(out, seg[at:]...))
}

// guardLineFeeds escapes literal line feeds that would end the segment when it
// is parsed again: all in a message of LF lines and in MSH, whose terminator
// decides for the rest; elsewhere those at the end or before what has become a
// segment id and separator.
//
//	NTE|1||see⏎PID        set NTE-4        NTE|1||see⏎PID|x   (two segments)
func (m *Message) guardLineFeeds(p Path, seg []byte) ([]byte, error) {
	i := bytes.IndexByte(seg, '\n')
	if i < 0 {
		return seg, nil
	}
	out, always := make([]byte, 0, len(seg)+8), m.lf || isHeader(seg)
	for ; i >= 0; i = bytes.IndexByte(seg, '\n') {
		out = append(out, seg[:i]...)
		rest := seg[i+1:]
		if always || len(rest) == 0 || startsSegment(rest, m.delims.Field) {
			var unfit int
			if out, unfit = escape(out, "\n", &m.delims, false); unfit > 0 {
				return nil, &UnfitError{Selector: p.String(), Charset: m.cs.name, Characters: 1, Reason: noEscape}
			}
		} else {
			out = append(out, '\n')
		}
		seg = rest
	}
	return append(out, seg...), nil
}

func refuse(p Path, text, hint string, err error) error {
	return &SetError{Selector: p.String(), Text: text, Hint: hint, Err: err}
}
