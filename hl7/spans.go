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
	var few [manyPieces]Span
	for _, p := range m.pieces(few[:0]) {
		if !yield(p) {
			return
		}
	}
}

// manyPieces are more than most edited messages consist of.
const manyPieces = 12

// Bytes gives the message as it is now: the parsed slice itself if unedited.
func (m *Message) Bytes() []byte {
	if !m.edited {
		return m.orig
	}
	var few [manyPieces]Span
	pieces := m.pieces(few[:0])
	out := make([]byte, 0, length(pieces))
	for i := range pieces {
		out = append(out, pieces[i].Bytes...)
	}
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

func (m *Message) sizeDecoded() int {
	var few [manyPieces]Span
	return length(m.pieces(few[:0]))
}

func length(pieces []Span) (n int) {
	for i := range pieces {
		n += pieces[i].Length
	}
	return n
}

// pieces appends the message as it is now, in terms of src: what stood before
// MSH, each segment and its terminator, what stood behind; neighbours joined.
func (m *Message) pieces(out []Span) []Span {
	if !m.clean && !m.noLead {
		out = m.original(out, 0, m.segs[0].off)
	}
	for i := 0; i < len(m.segs); i++ {
		s := &m.segs[i]
		if j := m.untouched(i); j > i { // the usual case, many at once
			out = m.original(out, s.off, m.segs[j-1].next)
			i = j - 1
			continue
		}
		if s.own != 0 {
			out = made(out, m.edits[s.own-1])
		} else {
			out = m.original(out, s.off, s.end)
		}
		out = m.terminator(out, i)
	}
	if !m.clean {
		out = m.original(out, uint32(m.end), uint32(len(m.src)))
	}
	return out
}

// original appends src[from:to], to the last piece where that ends there.
func (m *Message) original(out []Span, from, to uint32) []Span {
	if from == to {
		return out
	}
	if n := len(out); n > 0 && out[n-1].Original && out[n-1].Offset+out[n-1].Length == int(from) {
		from = uint32(out[n-1].Offset)
		out = out[:n-1]
	}
	return append(out, Span{Original: true, Offset: int(from), Length: int(to - from), Bytes: m.src[from:to:to]})
}

func made(out []Span, b []byte) []Span {
	if len(b) == 0 {
		return out
	}
	return append(out, Span{Length: len(b), Bytes: b})
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
func (m *Message) terminator(out []Span, i int) []Span {
	s := &m.segs[i]
	switch {
	case m.clean && (s.next-s.end != 1 || m.src[s.end] != '\r'):
		return made(out, carriageReturn)
	case s.next > s.end:
		return m.original(out, s.end, s.next)
	case s.next > 0 && i == len(m.segs)-1:
		return out
	}
	return made(out, m.lineEnd())
}

// Line ends. Nobody writes to them.
var (
	carriageReturn = []byte("\r")
	lineFeed       = []byte("\n")
	both           = []byte("\r\n")
)

// lineEnd is what the message itself uses, by its first segment.
func (m *Message) lineEnd() []byte {
	s := &m.segs[0]
	switch {
	case m.lf:
		return lineFeed
	case s.next > s.end+1 && m.src[s.end+1] == '\n':
		return both
	}
	return carriageReturn
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
