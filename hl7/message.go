package hl7

import (
	"iter"
	"slices"
)

// A Message is one HL7 v2 message in ER7 form. Reading it is safe from several
// goroutines; editing it is not. See the package comment for how it is stored.
type Message struct {
	orig []byte // as given to Parse
	src  []byte // what the offsets of segs refer to: orig, or its UTF-8 form when decoded
	segs []segment
	// edits hold the segments that are no longer as in src. A buffer is never
	// changed once it is here, so that clones may share it.
	edits    [][]byte
	block    []byte  // where the next of them goes; see roomFor
	groups   *groups // fixed by AnchorGroups; nil if never
	ownSegs  bool    // segs belongs to this Message alone; false after Parse and Clone
	edited   bool
	lf       bool // the first terminator is a line feed
	clean    bool // Normalize was called: lead and tail are not written
	noLead   bool // Recode took a byte order mark away
	decoded  bool // src is not orig but its UTF-8 form
	valid    bool // src is valid UTF-8
	end      int  // src[end:] is what stood after the message: FS, NUL, SUB
	delims   Delimiters
	cs       charset
	warnings []Warning
}

// segment is one line of the message: content src[off:end], terminator
// src[end:next]. own > 0: content is edits[own-1]. An inserted segment has
// next == 0. Without pointers, so that the collector need not look into it.
type segment struct {
	off, end, next uint32
	own            uint32
	id             tag // of the content as it is now
}

// A Warning is a deviation that was read past.
type Warning struct {
	Offset   int    // bytes into the input
	Segment  int    // from 1; 0 = the message as a whole
	Selector string // may be empty
	Text     string
}

// A Segment is one segment as Segments gives it.
type Segment struct {
	Index      int    // place in the message, from 0
	ID         string // "" for a line without a segment id
	Occurrence int    // from 1 among those with the same ID
	Raw        []byte // ER7 bytes without terminator; do not change them
}

// Edited tells whether Bytes differs from what was parsed.
func (m *Message) Edited() bool { return m.edited }

// Delimiters gives those the message declares.
func (m *Message) Delimiters() Delimiters { return m.delims }

// Warnings lists the deviations met while parsing, in order; at most 100.
func (m *Message) Warnings() []Warning { return slices.Clone(m.warnings) }

// Charset is the name, by HL7 table 0211 where it has one, of the character
// set in force.
func (m *Message) Charset() string { return m.cs.name }

// Len is the number of segments.
func (m *Message) Len() int { return len(m.segs) }

// Type is MSH-9.1, such as ADT.
func (m *Message) Type() string { return m.headerPart(9, 1) }

// Event is MSH-9.2, such as A01; "" when there is none.
func (m *Message) Event() string { return m.headerPart(9, 2) }

// Version is MSH-12.1, such as 2.5.1.
func (m *Message) Version() string { return m.headerPart(12, 1) }

// ControlID is MSH-10 byte for byte, with its escapes: what MSA-2 of the answer must equal.
func (m *Message) ControlID() string {
	f, _ := field(m.content(0), m.delims.Field, 10)
	return string(f)
}

// IsResponse tells whether the message is an answer: it carries MSA. Such a
// message is never acknowledged in original mode, nor is an ACK or MCF.
func (m *Message) IsResponse() bool {
	if t := m.headerRaw(9, 1); m.holds(t, "ACK") || m.holds(t, "MCF") {
		return true
	}
	msa := tagFor("MSA")
	for i := range m.segs {
		if m.segs[i].id == msa {
			return true
		}
	}
	return false
}

func (m *Message) headerPart(n, comp int) string { return m.text(m.headerRaw(n, comp)) }

func (m *Message) headerRaw(n, comp int) []byte {
	f, _ := field(m.content(0), m.delims.Field, n)
	r, _ := part(f, m.delims.Repetition, 1)
	c, _ := part(r, m.delims.Component, comp)
	return c
}

// Segments yields all segments in order, lines without an id included.
func (m *Message) Segments() iter.Seq[Segment] {
	return func(yield func(Segment) bool) {
		seen := make(map[string]int, len(m.segs))
		for i := range m.segs {
			b := m.content(i)
			s := Segment{Index: i, ID: string(segmentID(b, m.delims.Field)), Raw: b}
			seen[s.ID]++
			s.Occurrence = seen[s.ID]
			if !yield(s) {
				return
			}
		}
	}
}

// Clone gives a copy whose edits never show in m, nor m's in it. It copies no
// message bytes, and may be called from several goroutines while nobody edits m.
func (m *Message) Clone() *Message {
	c := roomy(m)
	if c.block = nil; m.ownSegs {
		c.segs = slices.Clone(m.segs)
	}
	return c
}

// roomy copies a message into one piece of memory with room for the few segments
// that most feeds edit.
func roomy(m *Message) *Message {
	room := &struct {
		m     Message
		edits [4][]byte
	}{m: *m}
	room.m.edits = append(room.edits[:0], m.edits...)
	return &room.m
}

// line makes the segment src[off:end] with the terminator src[end:next].
func (m *Message) line(off, end, next int) segment {
	return segment{off: uint32(off), end: uint32(end), next: uint32(next), id: tagOf(m.src[off:end], m.delims.Field)}
}

// content gives the bytes of segment i without its terminator.
func (m *Message) content(i int) []byte {
	s := &m.segs[i]
	if s.own != 0 {
		return m.edits[s.own-1]
	}
	return m.src[s.off:s.end:s.end]
}

func (m *Message) is(i int, id string) bool {
	t := tagFor(id)
	return t != 0 && m.segs[i].id == t
}

// private makes segs this message's own before the first edit.
func (m *Message) private() {
	if !m.ownSegs {
		m.segs, m.ownSegs = slices.Clone(m.segs), true
	}
	m.edited = true
}

// replace gives segment i new content; b must not be changed afterwards.
func (m *Message) replace(i int, b []byte) {
	m.private()
	s := &m.segs[i]
	s.id = tagOf(b, m.delims.Field)
	if s.own != 0 {
		m.edits[s.own-1] = b
	} else {
		m.edits = append(m.edits, b)
		s.own = uint32(len(m.edits))
	}
}
