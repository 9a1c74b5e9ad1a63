package hl7

import "bytes"

// put is edit for the usual case: a path that only counts, into a segment that
// is there. er7 is what is to stand at the place, in the message's character
// set. It gives false, with nothing changed, for all that edit has to look at.
//
//	PID|1||9          put PID-3.4 = x     PID|1||9^^^x
//	        ^spot                                 ^pad
func (m *Message) put(p *path, er7 []byte) bool {
	if !p.simple || p.field == 0 || p.rep.which > 1 || p.sub > 1 && m.delims.Subcomponent == 0 {
		return false
	}
	i := m.simpleSegment(p)
	if i < 0 {
		return false
	}
	seg := m.content(i)
	if p.field <= 2 && isHeader(seg) || bytes.IndexByte(seg, '\n') >= 0 || bytes.IndexByte(er7, '\n') >= 0 {
		return false
	}
	s := m.firstSpot(seg, p)
	if string(seg[s.start:s.end]) != string(er7) { // what is missing is empty
		m.replace(i, s.fill(m.roomFor(len(seg)+s.padding()+len(er7)), seg, er7))
	}
	return true
}

// firstSpot is where a simple path without a further repetition leads.
func (m *Message) firstSpot(seg []byte, p *path) spot {
	s, n := spot{end: len(seg)}, p.field+1
	if isHeader(seg) {
		n--
	}
	s.descend(seg, m.delims.Field, n, 0)
	if p.comp > 0 || p.rep.which > 0 {
		s.descend(seg, m.delims.Repetition, 1, 1)
	}
	if p.comp > 0 {
		s.descend(seg, m.delims.Component, p.comp, 2)
	}
	if p.sub > 0 {
		s.descend(seg, m.delims.Subcomponent, p.sub, 3)
	}
	return s
}

// Blocks in which edited segments stand one behind the other, so that most edits
// allocate nothing. Bytes.
const (
	firstBlock = 256
	mostBlock  = 4096
)

// roomFor gives room for n bytes that nobody else writes to.
func (m *Message) roomFor(n int) []byte {
	if cap(m.block)-len(m.block) < n {
		m.block = make([]byte, 0, max(n, firstBlock, min(2*cap(m.block), mostBlock)))
	}
	at := len(m.block)
	m.block = m.block[:at+n]
	return m.block[at : at : at+n]
}
