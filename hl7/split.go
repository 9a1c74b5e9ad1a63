package hl7

import "bytes"

// split notes the segments of src[start:end].
//
// CR ends a segment, always. LF ends one when it follows CR, when the first
// terminator of the message is LF, when a segment id and field separator come
// next, and at the very end. Otherwise it is data (text typed into NTE-3).
func (m *Message) split(start int) error {
	b := m.src[:m.end]
	n := 1 + bytes.Count(b[start:], []byte{'\r'})
	if bytes.IndexByte(b[start:], '\n') >= 0 {
		m.lf = firstTerminator(b[start:]) == '\n'
		n += bytes.Count(b[start:], []byte{'\n'})
	}
	m.segs = make([]segment, 0, n)
	s := splitter{b: b, sep: m.delims.Field, lf: m.lf, tail: len(bytes.TrimRight(b, "\r\n")), cr: -1, nl: -1}
	for at := start; at < len(b); {
		end := s.end(at)
		next := end
		for next < len(b) && (b[next] == '\r' || b[next] == '\n') {
			next++
		}
		if err := m.check(b[at:end], at); err != nil {
			return err
		}
		m.segs = append(m.segs, m.line(at, end, next))
		at = next
	}
	return nil
}

// A splitter remembers where the next CR and LF are, so that the work is linear
// whatever the mix of terminators.
type splitter struct {
	b      []byte
	sep    byte
	lf     bool // LF always ends a segment
	tail   int  // only line ends from here on
	cr, nl int  // the next of each, len(b) if there is none
}

// end finds the terminator of the segment at b[at], or len(b).
func (s *splitter) end(at int) int {
	if s.cr < at {
		s.cr = s.next(at, '\r')
	}
	for from := at; ; from = s.nl + 1 {
		if s.nl < from {
			s.nl = s.next(from, '\n')
		}
		switch {
		case s.nl >= s.cr:
			return s.cr
		case s.lf || s.nl >= s.tail || startsSegment(s.b[s.nl+1:], s.sep):
			return s.nl
		}
	}
}

func (s *splitter) next(from int, c byte) int {
	if i := bytes.IndexByte(s.b[from:], c); i >= 0 {
		return from + i
	}
	return len(s.b)
}

func firstTerminator(b []byte) byte {
	lf := bytes.IndexByte(b, '\n')
	if bytes.IndexByte(b[:lf], '\r') >= 0 {
		return '\r'
	}
	return '\n'
}

func startsSegment(b []byte, sep byte) bool {
	return len(b) > 3 && b[3] == sep && idOK(b)
}

// check looks at the first bytes of a segment: it refuses a second MSH, whose
// message would be swallowed by the first, and warns of odd ids.
func (m *Message) check(b []byte, off int) error {
	sep := m.delims.Field
	if len(b) >= 3 && idOK(b) && (len(b) == 3 || b[3] == sep) {
		if b[0] == 'M' && len(m.segs) > 0 && string(b[:3]) == "MSH" {
			return &ParseError{Offset: off, Segment: len(m.segs) + 1, Text: "a second MSH: more than one message", Hint: "split it with a BatchReader"}
		}
		return nil
	}
	w := Warning{Offset: off, Segment: len(m.segs) + 1, Text: "line without segment id and field separator: kept as it is"}
	if segmentID(b, sep) != nil {
		w.Text = "segment id is not an upper-case letter and two upper-case letters or digits: kept as it is"
	}
	m.warn(w)
	return nil
}

// idOK: [A-Z][A-Z0-9]{2}.
func idOK(b []byte) bool {
	return isUpper(b[0]) && (isUpper(b[1]) || isDigit(b[1])) && (isUpper(b[2]) || isDigit(b[2]))
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// segmentID gives the id of a line, nil if it has none: three letters or
// digits, then the field separator or the end.
func segmentID(b []byte, sep byte) []byte {
	if len(b) < 3 || len(b) > 3 && b[3] != sep || !isAlnum(b[0]) || !isAlnum(b[1]) || !isAlnum(b[2]) {
		return nil
	}
	return b[:3]
}
