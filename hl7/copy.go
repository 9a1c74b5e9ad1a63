package hl7

import "bytes"

// CopyFrom copies the node at from in src (which may be m) to the node at to,
// as it stands: escapes, null and parts included. Delimiters and character set
// are rewritten where the two messages differ. A repetition copied to a field
// replaces the whole field. An absent node copies as an empty one. Errors:
// *SetError, for example when a list is copied or a field with components goes
// into a component; *UnfitError.
func (m *Message) CopyFrom(src *Message, from, to Path) error {
	switch {
	case from.IsZero() || to.IsZero():
		return refuse(to, "no selector", "", nil)
	case from.IsList():
		return refuse(to, "a list of nodes cannot be copied to one place", "copy a whole field, or one repetition", nil)
	case (from.Field() == 0) != (to.Field() == 0):
		return refuse(to, "a segment can only be copied to a segment", "", nil)
	}
	n, _ := src.find(from)
	if n.lit && from.Field() > 0 {
		return m.Set(to, n.Text())
	}
	if from.Field() == 0 {
		return m.copySegment(src, n, to)
	}
	er7, err := m.transcribe(src, n.raw, to)
	if err != nil {
		return err
	}
	if err := m.fitsLevel(to, er7); err != nil {
		return err
	}
	if m.put(to.p, er7) {
		return nil
	}
	return m.edit(to, len(er7) > 0, func([]byte) ([]byte, error) { return er7, nil })
}

func (m *Message) copySegment(src *Message, n Node, to Path) error {
	if len(n.raw) < 3 {
		return refuse(to, "the segment to copy does not exist", "", ErrNoMatch)
	}
	er7, err := m.transcribe(src, n.raw[3:], to)
	if err != nil {
		return err
	}
	er7 = append([]byte(to.Segment()), er7...)
	if isHeader(n.raw) {
		return refuse(to, ErrNotSettable.Error(), "copy the other fields one by one", ErrNotSettable)
	}
	if err := m.fitsLevel(to, er7); err != nil {
		return err
	}
	return m.edit(to, true, func([]byte) ([]byte, error) { return er7, nil })
}

// transcribe rewrites ER7 bytes of src for m.
func (m *Message) transcribe(src *Message, b []byte, to Path) ([]byte, error) {
	sameCharset := m.cs.name == src.cs.name && m.cs.wide == src.cs.wide && m.decoded == src.decoded
	if m.delims == src.delims && (sameCharset || isASCII(b) && bytes.IndexByte(b, m.delims.Escape) < 0) {
		return b, nil
	}
	t := transcriber{from: &src.delims, to: &m.delims}
	if !sameCharset {
		b = []byte(src.decode(b))
		t.hex = func(digits []byte) string { return string(src.inner().appendHex(nil, digits)) }
	}
	out := t.run(b)
	if t.unfit > 0 {
		return nil, &UnfitError{Selector: to.String(), Charset: m.cs.name, Characters: t.unfit,
			Reason: "the message declares no delimiter or escape character for it"}
	}
	if sameCharset {
		return out, nil
	}
	return m.encode(to, out)
}

// inner is the character set of src: UTF-8 when the message was decoded to be cut.
func (m *Message) inner() *charset {
	if m.cs.wide {
		cs := utf8Charset()
		return &cs
	}
	return &m.cs
}

// A transcriber rewrites ER7 bytes from one set of delimiters to another.
//
//	|^~\&  a^b\T\c\H\d     ->     |*~!&  a*b!T!c!H!d     data * becomes !S!
type transcriber struct {
	from, to *Delimiters
	hex      func(digits []byte) string // nil: \X..\ stays as it is
	out      []byte
	unfit    int
}

func (t *transcriber) run(b []byte) []byte {
	t.out = make([]byte, 0, len(b)+16)
	for len(b) > 0 {
		n := 1
		if c := b[0]; c == t.from.Escape && c != 0 {
			n = t.sequence(b)
		} else if t.from.letter(c) == 0 {
			t.data(c)
		} else {
			t.delimiter(c)
		}
		b = b[n:]
	}
	return t.out
}

// sequence rewrites one escape sequence and returns its length.
func (t *transcriber) sequence(b []byte) int {
	kind, body, n := escapeAt(b, t.from)
	switch {
	case kind == stray:
		t.data(b[0])
	case kind == delimiter:
		t.data(t.from.named(body[0]))
	case t.to.Escape == 0:
		t.unfit++
	case kind == hexData && t.hex != nil:
		var unfit int
		if t.out, unfit = escape(t.out, t.hex(body[1:]), t.to, false); unfit > 0 {
			t.unfit += unfit
		}
	default:
		t.out = append(append(append(t.out, t.to.Escape), body...), t.to.Escape)
	}
	return n
}

// data writes a character that is a value, escaped if it is a delimiter in the
// target. Control characters stay as they came.
func (t *transcriber) data(c byte) {
	l := t.to.letter(c)
	switch {
	case l == 0:
		t.out = append(t.out, c)
	case t.to.Escape == 0:
		t.unfit++
	default:
		t.out = append(t.out, t.to.Escape, l, t.to.Escape)
	}
}

func (t *transcriber) delimiter(c byte) {
	var d byte
	switch c {
	case t.from.Field:
		d = t.to.Field
	case t.from.Component:
		d = t.to.Component
	case t.from.Repetition:
		d = t.to.Repetition
	case t.from.Subcomponent:
		d = t.to.Subcomponent
	case t.from.Truncation:
		if d = t.to.Truncation; d == 0 {
			t.data(c)
			return
		}
	}
	if d == 0 {
		t.unfit++
		return
	}
	t.out = append(t.out, d)
}
