package mllp

import (
	"errors"
	"fmt"
	"io"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/message"
)

var errVoid = errors.New("the frame was not finished")

// collector takes the body of a frame that is too large for the lent buffer: in
// memory as long as it may, then through the engine's spool into a file.
type collector struct {
	env    adapters.SourceEnv
	memory *budget
	max    int64

	mem   []byte
	taken int64 // from the budget
	pipe  *io.PipeWriter
	done  chan spooled
	fault error // of the spool; the rest of the frame is read and dropped
}

type spooled struct {
	body message.Body
	err  error
}

// Write never fails: a spool that cannot take more must not cost the
// connection, for the sender can be told to try again.
func (c *collector) Write(p []byte) (int, error) {
	if c.fault != nil {
		return len(p), nil
	}
	if c.pipe == nil && c.grow(int64(len(p))) {
		c.mem = append(c.mem, p...)
		return len(p), nil
	}
	if c.pipe == nil {
		c.spool()
	}
	if _, err := c.pipe.Write(p); err != nil {
		c.fault = err
	}
	return len(p), nil
}

// grow asks for memory in doubling steps, up to what may stay in memory.
func (c *collector) grow(n int64) bool {
	need := int64(len(c.mem)) + n
	if need > c.env.InMemory {
		return false
	}
	if need <= int64(cap(c.mem)) {
		return true
	}
	size := min(max(need, 2*int64(cap(c.mem))), c.env.InMemory)
	if !c.memory.take(size) {
		return false
	}
	// While it is copied both exist; the old one is given back right after.
	c.mem = append(make([]byte, 0, size), c.mem...)
	c.memory.give(c.taken)
	c.taken = size
	return true
}

// spool hands what is in memory, and all that follows, to the engine's store.
func (c *collector) spool() {
	r, w := io.Pipe()
	c.pipe, c.done = w, make(chan spooled, 1)
	go func() {
		var s spooled
		defer func() {
			if p := recover(); p != nil {
				s.err = fmt.Errorf("spool: panic of type %T", p)
			}
			r.CloseWithError(s.err) // nil reads as "closed" for the writer, which has finished then
			c.done <- s
		}()
		s.body, s.err = c.env.Spool(r, c.max)
	}()
	if _, err := w.Write(c.mem); err != nil {
		c.fault = err
	}
	c.release()
}

func (c *collector) release() {
	c.memory.give(c.taken)
	c.mem, c.taken = nil, 0
}

// finish gives the body once the frame is whole.
func (c *collector) finish() (message.Body, error) {
	if c.pipe == nil {
		body := message.InMemory(append(make([]byte, 0, len(c.mem)), c.mem...))
		c.release()
		return body, nil
	}
	c.pipe.Close()
	s := <-c.done
	if s.err == nil && c.fault != nil {
		s.err = c.fault // the spool stopped reading early without saying why
	}
	if s.err != nil {
		return message.Body{}, fmt.Errorf("spooling a large message: %w", s.err)
	}
	return s.body, nil
}

// abandon voids what was collected; the spool's file goes.
func (c *collector) abandon() {
	c.release()
	if c.pipe != nil {
		c.pipe.CloseWithError(errVoid)
		<-c.done
		c.pipe = nil
	}
}
