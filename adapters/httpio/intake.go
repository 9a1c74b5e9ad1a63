package httpio

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
	"net"
	"os"
)

const (
	// maxRatio is how much larger than its gzip stream a body may be, once it is
	// larger than freeInflated bytes. Messages reach 30, seldom more.
	maxRatio     = 100
	freeInflated = 64 << 10
	// headSize is how much of a body is searched for its MSH.
	headSize = 64 << 10
)

// bodyFault is why a body was not read to its end.
type bodyFault struct{ kind bodyKind }

type bodyKind string

const (
	bodyTooLarge bodyKind = "the body is larger than max_message"
	bodyBomb     bodyKind = "the body inflates too much"
	bodyBroken   bodyKind = "the body is not one whole gzip stream"
	bodyLate     bodyKind = "the body came too slowly"
	bodyCut      bodyKind = "the body ended early"
)

func (f *bodyFault) Error() string { return string(f.kind) }

// intake reads a body: bounded, inflated, its beginning kept, its fault remembered
// (a spool may wrap it beyond recognition).
type intake struct {
	r     io.Reader
	max   int64
	size  int64 // given so far
	head  []byte
	fault error

	wire *counted // under gzip
	z    *gzip.Reader
	rest *bufio.Reader // between the two
}

// counted is the body as it came over the wire.
type counted struct {
	r     io.Reader
	n     int64
	max   int64
	ended bool
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.n += int64(n); c.n > c.max {
		return n, &bodyFault{bodyTooLarge}
	}
	c.ended = err == io.EOF
	return n, err
}

func (in *intake) inflate() error {
	in.wire = &counted{r: in.r, max: in.max}
	in.rest = bufio.NewReaderSize(in.wire, firstRoom)
	z, err := gzip.NewReader(in.rest)
	if err != nil {
		in.fault = in.judge(err)
		return in.fault
	}
	z.Multistream(false)
	in.z, in.r = z, z
	return nil
}

// Read gives the inflated bytes. Whatever is wrong is told as a bodyFault, now
// and at every further call.
func (in *intake) Read(p []byte) (int, error) {
	if in.fault != nil {
		return 0, in.fault
	}
	n, err := in.r.Read(p)
	in.size += int64(n)
	if room := headSize - len(in.head); room > 0 {
		in.head = append(in.head, p[:min(n, room)]...)
	}
	switch {
	case in.size > in.max:
		in.fault = &bodyFault{bodyTooLarge}
	case in.z != nil && in.size > freeInflated && in.size > maxRatio*in.wire.n:
		in.fault = &bodyFault{bodyBomb}
	case err == io.EOF && in.z != nil:
		err = in.last()
	case err != nil && err != io.EOF:
		in.fault = in.judge(err)
	}
	if in.fault != nil {
		return 0, in.fault
	}
	return n, err
}

// last reports what stands behind a gzip stream: nothing may.
func (in *intake) last() error {
	_, err := in.rest.ReadByte()
	switch {
	case err == nil:
		in.fault = &bodyFault{bodyBroken}
	case err != io.EOF:
		in.fault = in.judge(err)
	}
	return io.EOF
}

// judge tells a slow sender, one that has gone, and a broken stream apart.
func (in *intake) judge(err error) error {
	var f *bodyFault
	var ne net.Error
	var corrupt flate.CorruptInputError
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &ne) && ne.Timeout():
		return &bodyFault{bodyLate}
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt), in.wire != nil && in.wire.ended:
		return &bodyFault{bodyBroken}
	}
	return &bodyFault{bodyCut}
}

func (in *intake) end() {
	if in.z != nil {
		in.z.Close() // its only error was told by Read
	}
}
