package hl7

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// MLLP block characters (HL7 "Transport Specification: MLLP, Release 1"):
//
//	0B data 1C 0D      data holds no byte below 0x20 but 0D
const (
	startBlock = 0x0B
	endBlock   = 0x1C
)

// Limits that hold when FrameLimits leaves them at zero.
const (
	DefaultMaxFrame = 16 << 20
	DefaultMaxJunk  = 64 << 10
)

// headSize is how much of a body is kept when the rest is spilled or too
// large: enough to read any MSH.
const headSize = 8 << 10

// ErrTruncatedFrame: the peer closed inside a frame. There is no message and
// nothing to answer.
var ErrTruncatedFrame = errors.New("mllp: connection closed inside a frame")

// A FrameTooLargeError carries the first bytes of the body, from which
// ParseHeader can make a refusal. Close the connection after it.
type FrameTooLargeError struct {
	Limit int64
	Head  []byte
}

func (e *FrameTooLargeError) Error() string {
	return fmt.Sprintf("mllp: frame is larger than the limit of %d bytes", e.Limit)
}

// A JunkError: more bytes outside frames than allowed. Close the connection.
type JunkError struct {
	Limit    int64
	Unframed bool // the junk begins with MSH: the peer does not frame
}

func (e *JunkError) Error() string {
	if e.Unframed {
		return fmt.Sprintf("mllp: more than %d bytes outside frames: the peer sends HL7 without start block", e.Limit)
	}
	return fmt.Sprintf("mllp: more than %d bytes outside frames", e.Limit)
}

// FrameLimits bound what a peer can make us hold, and tell what goes on.
type FrameLimits struct {
	MaxFrame int64 // bytes of one body; 0 = DefaultMaxFrame
	MaxJunk  int64 // bytes outside frames before one frame; 0 = DefaultMaxJunk
	// OnStart is called when a start block was read: time for the deadline that
	// holds inside a frame. May be nil.
	OnStart func()
	// OnUnframed is called once before each frame when bytes outside frames begin
	// with MSH: the peer does not frame and waits for an answer that will not come. May be nil.
	OnUnframed func()
}

// A Frame is one MLLP block. Its printed form does not show the body.
type Frame struct {
	Body    []byte // in the buffer given; of a spilled body only the first bytes
	Size    int64  // of the whole body
	Spilled bool   // the whole body went to the spill writer
	Junk    int64  // bytes skipped before the start block, without NUL, CR, LF, TAB and space
	Dropped int64  // bytes of frames that were begun and never ended before this one
	Restart int    // how many those were
}

// A FrameReader cuts a byte stream into frames. Line ends and NULs between
// frames are skipped, other bytes counted; 1C ends a frame whether or not 0D
// follows; 0B inside a frame drops what was open, because the sender began anew.
type FrameReader struct {
	r       *bufio.Reader
	limits  FrameLimits
	inFrame bool // a start block has been read that belongs to the next frame
}

// NewFrameReader reads frames from r with a buffer of its own.
func NewFrameReader(r io.Reader, l FrameLimits) *FrameReader {
	if l.MaxFrame <= 0 {
		l.MaxFrame = DefaultMaxFrame
	}
	if l.MaxJunk <= 0 {
		l.MaxJunk = DefaultMaxJunk
	}
	return &FrameReader{r: bufio.NewReaderSize(r, 64<<10), limits: l}
}

// Next reads one frame into fresh memory.
func (f *FrameReader) Next() (Frame, error) { return f.NextInto(nil, nil, 0) }

// NextInto reads one frame, appending the body to buf[:0]. A body above
// threshold bytes goes to the writer that spill gives, from its first byte on.
// spill may be called again for the same frame: the sender then began anew and
// what the earlier writer got is void. A nil spill keeps all bodies in memory.
//
// Errors: io.EOF between frames (Frame.Junk tells what was skipped),
// ErrTruncatedFrame, *FrameTooLargeError, *JunkError, those of the reader and
// of spill. After any error the connection is of no more use.
func (f *FrameReader) NextInto(buf []byte, spill func() (io.Writer, error), threshold int64) (Frame, error) {
	var out Frame
	if err := f.start(&out); err != nil {
		return out, err
	}
	b := body{f: f, buf: buf[:0], spill: spill, threshold: threshold}
	for {
		end, err := f.chunk(&b)
		if err != nil {
			return out, f.inside(err, b.size)
		}
		switch end {
		case endBlock:
			f.inFrame = false
			out.Body, out.Size, out.Spilled = b.buf, b.size, b.w != nil
			return out, nil
		case startBlock:
			out.Dropped += b.size
			out.Restart++
			b.restart()
			f.started()
		}
	}
}

func (f *FrameReader) started() {
	f.inFrame = true
	if f.limits.OnStart != nil {
		f.limits.OnStart()
	}
}

// start skips to behind the next start block.
func (f *FrameReader) start(out *Frame) error {
	var first [3]byte // of the junk, to know HL7 that comes without frames
	for !f.inFrame {
		c, err := f.r.ReadByte()
		switch {
		case err != nil:
			return err
		case c == startBlock:
			f.started()
			return nil
		case c == 0 || c == '\r' || c == '\n' || c == '\t' || c == ' ':
			continue
		}
		if out.Junk < 3 {
			first[out.Junk] = c
		}
		out.Junk++
		if out.Junk == 3 && string(first[:]) == "MSH" && f.limits.OnUnframed != nil {
			f.limits.OnUnframed()
		}
		if out.Junk > f.limits.MaxJunk {
			return &JunkError{Limit: f.limits.MaxJunk, Unframed: string(first[:]) == "MSH"}
		}
	}
	return nil
}

// chunk takes what is buffered up to a block character, which it returns; 0 =
// none yet.
func (f *FrameReader) chunk(b *body) (end byte, err error) {
	if _, err := f.r.Peek(1); err != nil {
		return 0, err
	}
	data, err := f.r.Peek(f.r.Buffered())
	if err != nil {
		return 0, err
	}
	used := len(data)
	if i := bytes.IndexByte(data, endBlock); i >= 0 {
		data, end, used = data[:i], endBlock, i+1
	}
	if i := bytes.IndexByte(data, startBlock); i >= 0 {
		data, end, used = data[:i], startBlock, i+1
	}
	if err := b.add(data); err != nil {
		return 0, err
	}
	_, err = f.r.Discard(used)
	return end, err
}

// inside explains an error met in the middle of a frame.
func (f *FrameReader) inside(err error, size int64) error {
	switch {
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%w, after %d bytes", ErrTruncatedFrame, size)
	case errors.As(err, new(*FrameTooLargeError)):
		return err
	}
	return fmt.Errorf("mllp: inside a frame, after %d bytes: %w", size, err)
}

// body collects one frame in memory or in the spill writer.
type body struct {
	f         *FrameReader
	buf       []byte
	size      int64
	spill     func() (io.Writer, error)
	threshold int64
	w         io.Writer
}

func (b *body) add(data []byte) error {
	b.size += int64(len(data))
	if b.size > b.f.limits.MaxFrame {
		head := append(bytes.Clone(b.buf[:min(len(b.buf), headSize)]), data...)
		return &FrameTooLargeError{Limit: b.f.limits.MaxFrame, Head: head[:min(len(head), headSize)]}
	}
	if b.w == nil && (b.spill == nil || b.size <= b.threshold) {
		b.buf = append(b.buf, data...)
		return nil
	}
	if b.w == nil {
		if err := b.open(); err != nil {
			return err
		}
	}
	if room := headSize - len(b.buf); room > 0 {
		b.buf = append(b.buf, data[:min(room, len(data))]...)
	}
	_, err := b.w.Write(data)
	return err
}

// open hands what is in memory to the spill writer and keeps its head.
func (b *body) open() (err error) {
	if b.w, err = b.spill(); err != nil {
		return err
	}
	_, err = b.w.Write(b.buf)
	b.buf = b.buf[:min(len(b.buf), headSize)]
	return err
}

func (b *body) restart() { b.buf, b.size, b.w = b.buf[:0], 0, nil }
