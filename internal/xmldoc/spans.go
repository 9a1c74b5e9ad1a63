package xmldoc

// A Span is a piece of a document as it is now: bytes [Offset, Offset+Length)
// of the original, or bytes that an edit made. Bytes is set in either case.
type Span struct {
	Original bool
	Offset   int // into what was parsed; 0 unless Original
	Length   int
	Bytes    []byte
}

// Edited tells whether Bytes differs from what was parsed.
func (d *Doc) Edited() bool { return d.edited }

// Bytes gives the document as it is now: the parsed slice itself if unedited.
func (d *Doc) Bytes() []byte {
	if !d.edited {
		return d.src.orig
	}
	out := make([]byte, 0, d.Size())
	d.Spans(func(s Span) bool {
		out = append(out, s.Bytes...)
		return true
	})
	return out
}

// Size is the length of Bytes, without making them.
func (d *Doc) Size() (n int) {
	d.Spans(func(s Span) bool {
		n += s.Length
		return true
	})
	return n
}

// Spans yields the document as pieces, neighbours in the original joined, so
// that an edited copy of a large document can be stored as a few small pieces
// and references. An unedited document is one piece.
func (d *Doc) Spans(yield func(Span) bool) {
	if !d.edited {
		yield(Span{Original: true, Length: len(d.src.orig), Bytes: d.src.orig})
		return
	}
	j := joiner{src: d.src, yield: yield}
	if bom := d.src.bom; bom > 0 && !d.src.same { // the source begins behind it
		if j.at = bom; !yield(Span{Original: true, Length: bom, Bytes: d.src.orig[:bom]}) {
			return
		}
	}
	_ = d.write(0, j.piece) && j.flush()
}

// piece is a run of the document's text: bytes of the source, or made ones.
type piece struct {
	made     []byte // nil: source
	from, to uint32
}

// joiner turns pieces, which come in the order of the source, into spans of the
// original bytes.
type joiner struct {
	src   *source
	yield func(Span) bool

	from, to uint32 // of the source, not yet yielded
	seen, at int    // src.text[:seen] is src.orig[:at]
}

func (j *joiner) piece(p piece) bool {
	if p.made == nil {
		return j.original(p.from, p.to)
	}
	if !j.flush() || len(p.made) == 0 {
		return len(p.made) == 0
	}
	b := p.made
	if j.src.enc > inASCII {
		b = j.src.enc.encode(nil, b)
	}
	return j.yield(Span{Length: len(b), Bytes: b})
}

func (j *joiner) original(from, to uint32) bool {
	if from == j.to {
		j.to = to
		return true
	}
	ok := j.flush()
	j.from, j.to = from, to
	return ok
}

func (j *joiner) flush() bool {
	from, to := j.from, j.to
	j.from = to
	if from == to {
		return true
	}
	a := j.place(int(from))
	b := j.place(int(to))
	return j.yield(Span{Original: true, Offset: a, Length: b - a, Bytes: j.src.orig[a:b]})
}

// place gives the original offset of one in the source; it only goes forward.
func (j *joiner) place(at int) int {
	if j.src.same {
		return at
	}
	j.at += j.src.enc.size(j.src.text[j.seen:at])
	j.seen = at
	return j.at
}

// offset is the original offset of one in the source.
func (s *source) offset(at int) int {
	if s.same {
		return at
	}
	return s.bom + s.enc.size(s.text[:min(at, len(s.text))])
}

// write yields the text of a node as it is now.
func (d *Doc) write(i uint32, yield func(piece) bool) bool {
	n := d.at(i)
	switch {
	case n.kind == kRoot:
		return yield(piece{from: 0, to: uint32(d.src.head)}) && d.writeChildren(i, yield)
	case n.flags&dirty == 0:
		return d.run(n, n.start, n.end, yield)
	}
	t := d.tag(n)
	return d.writeTag(n, t, n.first != 0, yield) && d.writeChildren(i, yield) && d.writeEnd(n, t, yield)
}

func (d *Doc) writeChildren(i uint32, yield func(piece) bool) bool {
	for c := d.at(i).first; c != 0; c = d.at(c).next {
		if !d.write(c, yield) {
			return false
		}
	}
	return true
}

// writeTag yields the start tag, with the attributes as they are now.
func (d *Doc) writeTag(n *node, t tag, filled bool, yield func(piece) bool) bool {
	if !d.run(n, n.start, n.start+1+uint32(n.name), yield) {
		return false
	}
	for a := n.attr; a != 0; a = d.at(a).next {
		if an := d.at(a); !d.run(an, d.lead(an), an.end, yield) {
			return false
		}
	}
	if t.empty && filled {
		return yield(piece{made: []byte{'>'}})
	}
	return d.run(n, t.tail, t.content, yield)
}

// writeEnd yields the end tag; <a/> that has got content gets one.
func (d *Doc) writeEnd(n *node, t tag, yield func(piece) bool) bool {
	switch {
	case !t.empty:
		return d.run(n, t.end, n.end, yield)
	case n.first == 0:
		return true
	}
	return yield(piece{made: append(append([]byte("</"), d.nameOf(n)...), '>')})
}

// run yields bytes of what a node's offsets refer to.
func (d *Doc) run(n *node, from, to uint32, yield func(piece) bool) bool {
	if n.flags&own != 0 {
		return yield(piece{made: d.made[from:to:to]})
	}
	return yield(piece{from: from, to: to})
}

// lead is where the white space before an attribute begins.
func (d *Doc) lead(n *node) uint32 {
	b, i := d.buffer(n), n.start
	for isSpace(b[i-1]) {
		i--
	}
	return i
}

// tag is where the parts of an element stand:
//
//	<v:Id type='NH'  >999</v:Id>
//	               |tail |content
//	                      |end
type tag struct {
	tail, content, end uint32
	empty              bool // <v:Id/>
}

// tag finds the parts of an element, as it was read.
func (d *Doc) tag(n *node) tag {
	b := d.buffer(n)
	t := tag{tail: n.start + 1 + uint32(n.name)}
	i := t.tail
	for b[i] != '>' {
		if c := b[i]; c == '"' || c == '\'' {
			for i++; b[i] != c; i++ {
			}
			t.tail = i + 1
		}
		i++
	}
	t.content, t.empty = i+1, b[i-1] == '/'
	t.end = n.end
	if !t.empty {
		for t.end--; b[t.end] != '<'; t.end-- {
		}
	}
	return t
}
