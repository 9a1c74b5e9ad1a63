package mllp

import (
	"io"
	"sync/atomic"

	"github.com/spine-engine/spine-engine/hl7"
)

const (
	// memoryFrame is the largest frame that arrives in the lent buffer; larger
	// ones ask the listener's budget first.
	memoryFrame = 64 << 10
	// frameMemory bounds what half-received frames of one listener hold in
	// memory together, beside the lent buffers; what goes beyond is spooled.
	frameMemory = 64 << 20
	// defaultInMemory holds when the engine names no limit.
	defaultInMemory = 1 << 20
)

// scratch is what a connection borrows while frames arrive: a frame reader with
// its read buffer, and room for one message. It is reused only after errIdle,
// when the frame reader holds nothing.
type scratch struct {
	wire     *wire
	frames   *hl7.FrameReader
	buf      []byte
	unframed func()
}

func newScratch(maxMessage int64) *scratch {
	s := &scratch{}
	s.frames = hl7.NewFrameReader(s, hl7.FrameLimits{
		MaxFrame:   maxMessage,
		OnStart:    func() { s.wire.open = true },
		OnUnframed: func() { s.wire.unframed = true; s.unframed() },
	})
	return s
}

// Read is the frame reader's view of whichever connection has borrowed it.
func (s *scratch) Read(p []byte) (int, error) { return s.wire.Read(p) }

// next reads a frame. Its body is valid until the next call.
func (s *scratch) next(spill func() (io.Writer, error), threshold int64) (hl7.Frame, error) {
	s.wire.begin()
	f, err := s.frames.NextInto(s.buf[:0], spill, threshold)
	if f.Body != nil {
		s.buf = f.Body[:0]
	}
	return f, err
}

// budget is a number of bytes shared by all connections of a listener.
type budget struct{ left atomic.Int64 }

// take is false, and takes nothing, when less than n is left.
func (b *budget) take(n int64) bool {
	if b.left.Add(-n) >= 0 {
		return true
	}
	b.left.Add(n)
	return false
}

func (b *budget) give(n int64) { b.left.Add(n) }
