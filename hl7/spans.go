package hl7

// A Span is a piece of a message as it is now: bytes [Offset, Offset+Length) of
// the original, or bytes that an edit made. Bytes is set in either case.
type Span struct {
	Original bool
	Offset   int // into what was parsed; 0 unless Original
	Length   int
	Bytes    []byte
}

// Spans yields the message as pieces, neighbours in the original joined, so
// that a copy of a large message with an edited MSH can be stored as one small
// piece and one reference. An unedited message is one piece.
func (m *Message) Spans(yield func(Span) bool) {
	switch {
	case !m.edited:
		yield(Span{Original: true, Length: len(m.orig), Bytes: m.orig})
		return
	case m.decoded || m.cs.wide:
		b := m.Bytes()
		yield(Span{Length: len(b), Bytes: b})
		return
	}
	j := joiner{src: m.src, yield: yield}
	_ = m.pieces(j.original, j.made) && j.flush()
}

// Bytes gives the message as it is now: the parsed slice itself if unedited.
func (m *Message) Bytes() []byte {
	if !m.edited {
		return m.orig
	}
	out := m.appendDecoded(make([]byte, 0, m.sizeDecoded()))
	if !m.cs.wide {
		return out
	}
	// Every text was tried with this encoder before it was put in.
	wide, err := m.cs.enc.NewEncoder().Bytes(out)
	if err != nil {
		return out
	}
	return wide
}

// appendDecoded appends the pieces of src and edits.
func (m *Message) appendDecoded(dst []byte) []byte {
	add := func(b []byte) bool {
		dst = append(dst, b...)
		return true
	}
	m.pieces(func(from, to int) bool { return add(m.src[from:to]) }, add)
	return dst
}

// Size is the length of Bytes, without making them.
func (m *Message) Size() int {
	switch {
	case !m.edited:
		return len(m.orig)
	case m.cs.wide:
		return len(m.Bytes())
	}
	return m.sizeDecoded()
}

func (m *Message) sizeDecoded() (n int) {
	m.pieces(func(from, to int) bool { n += to - from; return true },
		func(b []byte) bool { n += len(b); return true })
	return n
}

// pieces walks the message as it is now: what stood before MSH, each segment
// and its terminator, what stood behind.
func (m *Message) pieces(original func(from, to int) bool, made func([]byte) bool) bool {
	if !m.clean && !m.noLead && !original(0, int(m.segs[0].off)) {
		return false
	}
	for i := 0; i < len(m.segs); i++ {
		s := &m.segs[i]
		if j := m.untouched(i); j > i { // the usual case, many at once
			if !original(int(s.off), int(m.segs[j-1].next)) {
				return false
			}
			i = j - 1
			continue
		}
		if s.own != 0 {
			if !made(m.edits[s.own-1]) {
				return false
			}
		} else if !original(int(s.off), int(s.end)) {
			return false
		}
		if !m.terminator(i, original, made) {
			return false
		}
	}
	return m.clean || original(m.end, len(m.src))
}

// untouched gives the end j of the run of segments [i, j) that stand with their
// line ends in src as they do here; j = i if not even i does.
func (m *Message) untouched(i int) (j int) {
	for j = i; j < len(m.segs) && !m.clean; j++ {
		s := &m.segs[j]
		if s.own != 0 || s.next == s.end || j > i && s.off != m.segs[j-1].next {
			break
		}
	}
	return j
}

// terminator keeps the original line end. A segment without one, made by an
// edit or the last of the input, gets one if anything follows or it is new.
func (m *Message) terminator(i int, original func(from, to int) bool, made func([]byte) bool) bool {
	s := &m.segs[i]
	switch {
	case m.clean && (s.next-s.end != 1 || m.src[s.end] != '\r'):
		return made([]byte{'\r'})
	case s.next > s.end:
		return original(int(s.end), int(s.next))
	case s.next > 0 && i == len(m.segs)-1:
		return true
	case m.clean:
		return made([]byte{'\r'})
	}
	return made(m.lineEnd())
}

// lineEnd is what the message itself uses, by its first segment.
func (m *Message) lineEnd() []byte {
	s := &m.segs[0]
	switch {
	case m.lf:
		return []byte{'\n'}
	case s.next > s.end+1 && m.src[s.end+1] == '\n':
		return []byte("\r\n")
	}
	return []byte{'\r'}
}

// Normalize makes the message fit for MLLP: every segment ends with exactly one
// CR; byte order mark, blank lines and frame bytes around the message go. In a
// segment's text a line feed stays. A message that needs none of this stays unedited.
func (m *Message) Normalize() {
	if m.clean || m.normal() {
		return
	}
	m.private()
	m.clean = true
}

func (m *Message) normal() bool {
	last := &m.segs[len(m.segs)-1]
	if m.segs[0].off != 0 || m.end != len(m.src) || last.next != 0 && last.next == last.end {
		return false
	}
	for i := range m.segs {
		s := &m.segs[i]
		if s.next > s.end && (s.next-s.end != 1 || m.src[s.end] != '\r') {
			return false
		}
	}
	return !m.lf
}

// joiner merges neighbouring pieces of the original.
type joiner struct {
	src      []byte
	yield    func(Span) bool
	from, to int
}

func (j *joiner) original(from, to int) bool {
	switch {
	case from == to:
		return true
	case j.to == from && j.to > j.from:
		j.to = to
		return true
	}
	if !j.flush() {
		return false
	}
	j.from, j.to = from, to
	return true
}

func (j *joiner) made(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	return j.flush() && j.yield(Span{Length: len(b), Bytes: b})
}

func (j *joiner) flush() bool {
	if j.from == j.to {
		return true
	}
	s := Span{Original: true, Offset: j.from, Length: j.to - j.from, Bytes: j.src[j.from:j.to:j.to]}
	j.from, j.to = 0, 0
	return j.yield(s)
}
