package hl7

import (
	"bytes"
	"math"
	"slices"
	"unicode/utf8"
)

// Options say how to read what a message does not say, or says wrongly.
type Options struct {
	// UseMSH18 takes the character set from the first repetition of MSH-18.
	UseMSH18 bool
	// IgnoreUnknownCharset reads a message whose MSH-18 names an unknown
	// character set as if MSH-18 were empty, with a warning. Otherwise it is a *CharsetError.
	IgnoreUnknownCharset bool
	// Override is the character set whatever MSH-18 says. A byte order mark still wins.
	Override string
	// Otherwise is the character set when neither gives one and the message is
	// not ASCII. Empty: UTF-8, and windows-1252 with a warning if it is not valid UTF-8.
	Otherwise string
	// JoinBrokenLines appends a line that does not begin with a segment id and
	// field separator to the segment before it. The message then counts as edited.
	JoinBrokenLines bool
}

// maxWarnings bounds what a hostile input can make us remember.
const maxWarnings = 100

// Parse reads one message. It keeps b, which the caller must not change
// afterwards. MSH-18 decides the character set, then UTF-8, then windows-1252
// with a warning. Errors: *ParseError, *CharsetError.
func Parse(b []byte) (*Message, error) { return ParseWith(b, Options{UseMSH18: true}) }

// ParseWith is Parse with choices.
func ParseWith(b []byte, o Options) (*Message, error) {
	if uint64(len(b)) >= math.MaxUint32 {
		return nil, &ParseError{Text: "message of 4 GiB or more", Hint: "deliver it as a file, unparsed"}
	}
	m := roomy(&Message{orig: b, src: b, valid: utf8.Valid(b)})
	bom, err := m.decodeWide(&o)
	if err != nil {
		return nil, err
	}
	start, err := messageStart(m.src)
	if err != nil {
		return nil, err
	}
	var warning string
	if m.delims, warning, err = readDelimiters(m.src[start:], start); err != nil {
		return nil, err
	}
	if warning != "" {
		m.warn(Warning{Offset: start + 4, Segment: 1, Selector: "MSH-2", Text: warning})
	}
	m.end = messageEnd(m.src)
	if err := m.split(start); err != nil {
		return nil, err
	}
	if err := m.chooseCharset(&o, bom); err != nil {
		return nil, err
	}
	if o.JoinBrokenLines {
		m.joinBrokenLines()
	}
	return m, nil
}

// messageStart skips what may stand before MSH: byte order mark, white space,
// blank lines, a start block that was not stripped.
func messageStart(b []byte) (int, error) {
	i := 0
	for i < len(b) {
		switch {
		case b[i] <= ' ':
			i++
		case bytes.HasPrefix(b[i:], utf8BOM):
			i += len(utf8BOM)
		default:
			return i, mustBeMSH(b, i)
		}
	}
	return 0, &ParseError{Text: "no MSH: the message is empty"}
}

func mustBeMSH(b []byte, i int) error {
	rest := b[i:]
	switch {
	case bytes.HasPrefix(rest, []byte("MSH")):
		return nil
	case bytes.HasPrefix(rest, []byte("FHS")), bytes.HasPrefix(rest, []byte("BHS")):
		return &ParseError{Offset: i, Segment: 1, Text: "no MSH: this is a batch", Hint: "split it with a BatchReader"}
	case rest[0] == '<':
		return &ParseError{Offset: i, Text: "no MSH: this looks like XML"}
	}
	for _, at := range []string{"\rMSH", "\nMSH"} {
		if j := bytes.Index(rest, []byte(at)); j >= 0 {
			return &ParseError{Offset: i, Segment: 1, Text: "segment outside message: text stands before MSH", Hint: "a message begins with MSH"}
		}
	}
	return &ParseError{Offset: i, Text: "no MSH", Hint: "a message begins with MSH"}
}

// messageEnd cuts end blocks, NUL and SUB that stand behind the last segment.
//
//	...|F\r FS \r      end is before FS; the rest is kept but is no segment
func messageEnd(b []byte) int {
	e := len(b)
	for e > 0 && trailing(b[e-1]) {
		e--
	}
	for ; e < len(b); e++ {
		if b[e] != '\r' && b[e] != '\n' {
			return e
		}
	}
	return e
}

func trailing(c byte) bool {
	return c == '\r' || c == '\n' || c == endBlock || c == 0 || c == 0x1A
}

func (m *Message) warn(w Warning) {
	if len(m.warnings) < maxWarnings {
		m.warnings = append(m.warnings, w)
	}
}

// joinBrokenLines glues each line without a segment id to the segment before
// it, in one pass. A run that holds a line feed which cannot be escaped stays
// broken: glued, it would be split elsewhere.
func (m *Message) joinBrokenLines() {
	for at, end := 0, 0; at < len(m.segs); at = end {
		end = at + 1
		for end < len(m.segs) && segmentID(m.content(end), m.delims.Field) == nil {
			end++
		}
		if end > at+1 {
			m.join(at, end)
		}
	}
	if m.edited {
		m.segs = slices.DeleteFunc(m.segs, func(s segment) bool { return s == segment{} })
	}
}

// join glues the lines [at, end); those behind the first become zero segments.
func (m *Message) join(at, end int) {
	var glued []byte
	for i := at; i < end; i++ {
		glued = append(glued, m.content(i)...)
	}
	glued, err := m.guardLineFeeds(Path{}, glued)
	if err != nil {
		return
	}
	m.replace(at, glued)
	m.segs[at].end, m.segs[at].next = m.segs[end-1].end, m.segs[end-1].next // the last line's terminator
	clear(m.segs[at+1 : end])
}
