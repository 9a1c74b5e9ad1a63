package hl7

import "bytes"

// split notes the segments of src[start:end].
//
// CR ends a segment, always. LF ends one when it follows CR, when the first
// terminator of the message is LF, when a segment id and field separator come
// next, and at the very end. Otherwise it is data (text typed into NTE-3).
func (m *Message) split(start int) error {
	b := m.src[:m.end]
	lf := bytes.IndexByte(b[start:], '\n') >= 0
	n := 1 + bytes.Count(b[start:], []byte{'\r'})
	if lf {
		m.lf = firstTerminator(b[start:]) == '\n'
		n += bytes.Count(b[start:], []byte{'\n'})
	}
	m.segs = make([]segment, 0, n)
	for at := start; at < len(b); {
		end := m.segmentEnd(b, at, lf)
		next := end
		for next < len(b) && (b[next] == '\r' || b[next] == '\n') {
			next++
		}
		if err := m.check(b[at:end], at); err != nil {
			return err
		}
		m.segs = append(m.segs, segment{off: uint32(at), end: uint32(end), next: uint32(next)})
		at = next
	}
	return nil
}

// segmentEnd finds the terminator of the segment at b[at], or len(b).
func (m *Message) segmentEnd(b []byte, at int, lf bool) int {
	end := len(b)
	if i := bytes.IndexByte(b[at:], '\r'); i >= 0 {
		end = at + i
	}
	if !lf {
		return end
	}
	for from := at; ; {
		i := bytes.IndexByte(b[from:end], '\n')
		if i < 0 {
			return end
		}
		if i += from; m.lf || startsSegment(b[i+1:], m.delims.Field) || onlyLineEnds(b[i:]) {
			return i
		}
		from = i + 1
	}
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

// onlyLineEnds looks at no more than it must: a message with many data LFs stays linear.
func onlyLineEnds(b []byte) bool {
	for _, c := range b {
		if c != '\r' && c != '\n' {
			return false
		}
	}
	return true
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
