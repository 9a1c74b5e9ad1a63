package httpio

import (
	"bytes"
	"io"
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
)

// firstRoom is what a body is given to begin with.
const firstRoom = 4 << 10

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
