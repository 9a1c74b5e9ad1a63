package disk

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/spine-engine/spine-engine/internal/message"
)

// The ways a body is described in a head.
const (
	bodyInline   = iota + 1 // length; the bytes follow the head
	bodyFile                // name below bodies/, size, sum
	bodySame                // the envelope's body
	bodyPieces              // pieces of the envelope's body
	bodyComposed            // a body of its own (inline or file) and pieces of it
)

// encoder writes one record's payload. It is pooled: every Append uses one.
type encoder struct {
	b      []byte   // frame header, then payload
	runs   [][]byte // inline bytes, in order, to follow the head
	files  []string // names of body files the record refers to
	bodies string   // folder that body files must lie in
	err    error
}

var encoders = sync.Pool{New: func() any { return new(encoder) }}

func newEncoder(bodies string) *encoder {
	e := encoders.Get().(*encoder)
	e.b = append(e.b[:0], make([]byte, frameHeader)...)
	e.runs, e.files, e.bodies, e.err = e.runs[:0], nil, bodies, nil
	return e
}

// free returns the encoder to the pool, unless it has grown large.
func (e *encoder) free() {
	clear(e.runs)
	if cap(e.b) <= 256<<10 {
		encoders.Put(e)
	}
}

func (e *encoder) byte(v byte)     { e.b = append(e.b, v) }
func (e *encoder) uint(v uint64)   { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) raw(p []byte)    { e.b = append(e.b, p...) }
func (e *encoder) string(s string) { e.uint(uint64(len(s))); e.b = append(e.b, s...) }

func (e *encoder) be64(v uint64) { e.b = binary.BigEndian.AppendUint64(e.b, v) }

func (e *encoder) bool(v bool) {
	if v {
		e.byte(1)
	} else {
		e.byte(0)
	}
}

// time writes nanoseconds since 1970, and 0 for the zero time.
func (e *encoder) time(t time.Time) { e.b = binary.AppendVarint(e.b, nanos(t)) }

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// accepted writes a decision: head length and sum, head, inline bytes.
func (e *encoder) accepted(d *message.Decision, stored time.Time) {
	at := len(e.b)
	e.raw(make([]byte, 8))
	e.time(stored)
	e.envelope(d.Envelope)
	e.decision(d)
	e.uint(uint64(len(d.Deliveries)))
	for i := range d.Deliveries {
		e.delivery(&d.Deliveries[i], d.Envelope.Body)
	}
	e.later(d)
	head := e.b[at+8:]
	binary.LittleEndian.PutUint32(e.b[at:], uint32(len(head)))
	binary.LittleEndian.PutUint32(e.b[at+4:], checksum(head))
	for _, r := range e.runs {
		e.raw(r)
	}
}

func (e *encoder) envelope(v *message.Envelope) {
	e.raw(v.ID[:])
	e.time(v.Received)
	e.string(v.Source)
	e.string(v.Origin)
	e.byte(byte(v.Format))
	e.string(v.Remote)
	e.string(v.File)
	e.uint(uint64(v.Index))
	e.string(v.Problem)
	e.uint(uint64(v.Body.Size()))
	e.ownBody(v.Body)
}

func (e *encoder) decision(d *message.Decision) {
	e.byte(byte(d.Outcome))
	e.string(d.Type)
	e.string(d.Event)
	e.string(d.ControlID)
	e.raw(d.Plan[:])
	e.string(d.Reply.Code)
	e.string(d.Reply.Text)
	e.uint(uint64(len(d.Reply.Errors)))
	for _, r := range d.Reply.Errors {
		e.string(r.Location)
		e.string(r.Code)
		e.string(r.Text)
		e.string(r.Severity)
	}
	e.uint(uint64(len(d.Parts)))
	for _, p := range d.Parts {
		e.string(p.Feed)
		e.byte(byte(p.Outcome))
		e.place(p.Rule)
		e.string(p.Reason)
		e.uint(uint64(p.Copies))
	}
}

func (e *encoder) place(p message.Place) {
	e.string(p.File)
	e.uint(uint64(p.Line))
}

func (e *encoder) delivery(d *message.Delivery, base message.Body) {
	e.string(d.Queue)
	e.string(d.Feed)
	e.string(d.Lane)
	e.string(d.Name)
	e.string(d.ControlID)
	e.time(d.Queued)
	e.byte(byte(d.State))
	e.place(d.Rule)
	e.string(d.Reason)
	e.uint(uint64(d.Attempts))
	e.bool(d.Stopped)
	e.copyBody(d.Body, base)
}

// copyBody writes a delivery's body, as a reference to the envelope's where it is
// that body or made of it.
func (e *encoder) copyBody(b, base message.Body) {
	if sameBody(b, base) {
		e.byte(bodySame)
		return
	}
	of, pieces, composed := b.Pieces()
	if !composed || !sameBody(of, base) {
		e.ownBody(b)
		return
	}
	e.byte(bodyPieces)
	e.pieces(pieces)
}

func (e *encoder) ownBody(b message.Body) {
	if of, pieces, ok := b.Pieces(); ok {
		e.byte(bodyComposed)
		e.ownBody(of)
		e.pieces(pieces)
		return
	}
	if f, ok := b.File(); ok {
		e.file(f)
		return
	}
	m, _ := b.Bytes()
	e.byte(bodyInline)
	e.uint(uint64(len(m)))
	e.runs = append(e.runs, m)
}

func (e *encoder) file(f message.File) {
	name, err := filepath.Rel(e.bodies, f.Path)
	if err != nil || !filepath.IsLocal(name) || strings.Count(name, "/") != 1 {
		e.err = fmt.Errorf("a body of %d bytes lies in a file that is none of this store; spool it first", f.Size)
		return
	}
	e.byte(bodyFile)
	e.string(name)
	e.uint(uint64(f.Size))
	e.raw(f.Sum[:])
	e.files = append(e.files, name)
}

func (e *encoder) pieces(ps []message.Piece) {
	e.uint(uint64(len(ps)))
	for _, p := range ps {
		e.bool(p.Literal != nil)
		if p.Literal != nil {
			e.uint(uint64(len(p.Literal)))
			e.runs = append(e.runs, p.Literal)
			continue
		}
		e.uint(uint64(p.Offset))
		e.uint(uint64(p.Length))
	}
}

func (e *encoder) finished(fs []message.Finished) {
	e.uint(uint64(len(fs)))
	for i := range fs {
		f := &fs[i]
		e.uint(f.Key.Seq)
		e.uint(uint64(f.Key.N))
		e.uint(f.Pos)
		e.string(f.Queue)
		e.string(f.Lane)
		e.byte(byte(f.State))
		e.time(f.At)
		e.uint(uint64(f.Attempts))
		e.bool(f.Stopped)
		e.string(f.Code)
		e.string(f.Reason)
	}
}

// sameBody says whether two bodies are certainly the same bytes, looking only at
// what is in memory.
func sameBody(a, b message.Body) bool {
	if a.Size() != b.Size() {
		return false
	}
	if fa, ok := a.File(); ok {
		fb, ok := b.File()
		return ok && fa.Path == fb.Path
	}
	ma, okA := a.Bytes()
	mb, okB := b.Bytes()
	if !okA || !okB {
		return false
	}
	return unsafe.SliceData(ma) == unsafe.SliceData(mb) || bytes.Equal(ma, mb)
}
