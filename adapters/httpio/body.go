package httpio

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
)

const (
	// maxRatio is how much larger than its gzip stream a body may be, once it is
	// larger than freeInflated bytes. Messages reach 30, seldom more.
	maxRatio     = 100
	freeInflated = 64 << 10
	// headSize is how much of a body is searched for its MSH.
	headSize  = 64 << 10
	firstRoom = 4 << 10
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

// coding is Content-Encoding; several are none that is taken.
func (x *exchange) coding() string {
	c := strings.ToLower(strings.Join(x.r.Header.Values("Content-Encoding"), ","))
	return strings.TrimPrefix(strings.TrimSpace(c), "x-")
}

// receive reads the body within its time and makes an envelope of it. A
// bodyFault is the sender's, any other error is ours.
func (x *exchange) receive() (*message.Envelope, error) {
	env := &message.Envelope{Received: time.Now().UTC(), Source: x.s.env.Name, Format: x.media.format, Remote: x.r.RemoteAddr}
	x.beginBody()
	in := &intake{r: x.r.Body, max: x.s.cfg.maxMessage}
	defer in.end()
	var err error
	if env.Body, err = x.collect(in); err != nil {
		return nil, err
	}
	x.endBody()
	if env.Format == message.HL7 {
		if h, err := hl7.ParseHeader(in.head); err == nil {
			x.header = &h
		} else {
			env.Problem = "no MSH segment can be read"
		}
	}
	if env.Body.Size() == 0 {
		env.Problem = "the request has no body"
	}
	env.Origin, err = originOf(x.s.env.Name, x.origin, env.Body)
	return env, err
}

func (x *exchange) beginBody() {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	limit := x.s.cfg.bodyTimeout
	if x.s.stopping {
		limit = min(limit, stopGrace)
	}
	x.until = time.Now().Add(limit)
	x.rc.SetReadDeadline(x.until) // a failure shows at the read
	x.s.reading[x] = struct{}{}
}

// leaveBody must come before the handler ends: then rc is no longer ours.
func (x *exchange) leaveBody() {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	delete(x.s.reading, x)
}

func (x *exchange) endBody() {
	x.leaveBody()
	x.rc.SetReadDeadline(time.Time{})
}

// collect reads in memory as long as it may, then into a file of the store.
func (x *exchange) collect(in *intake) (message.Body, error) {
	defer x.leaveBody()
	if x.coding() == "gzip" {
		if err := in.inflate(); err != nil {
			return message.Body{}, err
		}
	}
	buf, taken, whole, err := x.readMemory(in)
	defer func() { x.s.memory.give(taken) }()
	switch {
	case err != nil:
		return message.Body{}, err
	case whole:
		return message.InMemory(bytes.Clone(buf)), nil
	}
	body, err := x.s.env.Spool(io.MultiReader(bytes.NewReader(buf), in), x.s.cfg.maxMessage)
	if in.fault != nil {
		return message.Body{}, in.fault
	}
	return body, err
}

// readMemory reads until the body ends, or no more of it may be in memory.
func (x *exchange) readMemory(in *intake) (buf []byte, taken int64, whole bool, err error) {
	limit := x.s.env.InMemory
	for {
		if len(buf) == cap(buf) {
			size := min(max(firstRoom, 2*int64(cap(buf))), limit)
			if size == int64(cap(buf)) || !x.s.memory.take(size) {
				return buf, taken, false, nil
			}
			// While it is copied both exist; the old one is given back right after.
			buf = append(make([]byte, 0, size), buf...)
			x.s.memory.give(taken)
			taken = size
		}
		n, err := in.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, taken, true, nil
		}
		if err != nil {
			return buf, taken, false, err
		}
	}
}

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
