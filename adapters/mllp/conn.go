package mllp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/hl7"
)

// conn is one connection of a listener: read a frame, hand it over, answer it,
// and only then read the next. What a peer sends ahead waits in buffers.
type conn struct {
	l      *listener
	raw    net.Conn
	wire   *wire // over raw, or over TLS over raw
	ip     netip.Addr
	remote string
	accept adapters.Accept

	large   *collector // of the frame that is arriving
	written time.Time  // when the write deadline was last set
	linger  bool       // an answer was the last thing sent: see part
}

func newConn(l *listener, nc net.Conn, ip netip.Addr) *conn {
	c := &conn{l: l, raw: nc, ip: ip, remote: nc.RemoteAddr().String()}
	if l.cfg.tls != nil {
		nc = tls.Server(nc, l.cfg.tls.Config)
	}
	c.wire = newWire(nc, l.cfg)
	c.wire.onJunk = c.sayUnframed
	return c
}

func (c *conn) serve(ctx context.Context, accept adapters.Accept) {
	defer c.part()
	defer c.survive()
	c.accept = accept
	if err := c.handshake(ctx); err != nil {
		return
	}
	c.l.log.Debug().Str("remote", c.remote).Msg("connection open")
	for {
		if err := c.wire.await(); err != nil {
			c.linger = false // nothing is under way
			c.sayEnd(err)
			return
		}
		if err := c.frames(ctx); err != nil {
			c.sayBroken(err)
			return
		}
	}
}

// survive keeps a fault of ours from ending the process. The value of the panic
// could be anything, so only its type is told.
func (c *conn) survive() {
	if p := recover(); p != nil {
		c.l.env.Count("panics", 1)
		c.l.log.Error().Str("remote", c.remote).Str("type", fmt.Sprintf("%T", p)).Bytes("stack", debug.Stack()).
			Msg("panic while serving a connection; it is closed, what was not acknowledged comes again")
		c.drop()
	}
}

func (c *conn) handshake(ctx context.Context) error {
	tc, ok := c.wire.conn.(*tls.Conn)
	if !ok {
		return nil
	}
	until := time.Now().Add(c.l.cfg.frameTimeout)
	c.wire.arm(until)
	c.raw.SetWriteDeadline(until)
	err := tc.HandshakeContext(ctx)
	if err != nil && !gone(err) && !c.wire.isStopping() {
		c.l.env.Count("tls_failed", 1)
		c.warn("tls_failed", func(e *zerolog.Event) { e.Err(err).Msg("no TLS session") })
	}
	return err
}

// frames serves what has arrived, until nothing of a frame is left.
func (c *conn) frames(ctx context.Context) error {
	s := c.l.pool.Get().(*scratch)
	s.wire, s.unframed = c.wire, c.sayUnframed
	threshold := min(memoryFrame, c.l.env.InMemory)
	for {
		f, err := s.next(c.spill, threshold)
		c.note(&f)
		switch {
		case errors.Is(err, errIdle):
			s.wire, s.unframed = nil, nil
			c.l.pool.Put(s)
			return nil
		case err != nil:
			c.drop()
			return c.failed(ctx, err)
		}
		if err := c.handle(ctx, &f); err != nil {
			return err
		}
		if c.wire.isStopping() {
			return errStopping
		}
	}
}

// spill is asked for a writer when a frame outgrows the lent buffer, and again
// when the sender began the frame anew.
func (c *conn) spill() (io.Writer, error) {
	c.drop()
	c.large = &collector{env: c.l.env, memory: &c.l.memory, max: c.l.cfg.maxMessage}
	return c.large, nil
}

func (c *conn) drop() {
	if c.large != nil {
		c.large.abandon()
		c.large = nil
	}
}

// note counts what stood around a frame.
func (c *conn) note(f *hl7.Frame) {
	if f.Junk > 0 {
		c.l.env.Count("junk_bytes", int(f.Junk))
		c.warn("junk", func(e *zerolog.Event) { e.Int64("bytes", f.Junk).Msg("bytes outside of any frame skipped") })
	}
	if f.Restart > 0 {
		c.l.env.Count("frames_dropped", f.Restart)
		c.warn("restart", func(e *zerolog.Event) {
			e.Int("frames", f.Restart).Int64("bytes", f.Dropped).Msg("start block inside a frame; what was begun before it is dropped")
		})
	}
}

// failed turns a fault of reading into the reason why the connection ends.
func (c *conn) failed(ctx context.Context, err error) error {
	var large *hl7.FrameTooLargeError
	switch {
	case errors.As(err, &large):
		c.l.env.Count("frames_too_large", 1)
		c.refuseLarge(large)
	case errors.Is(err, hl7.ErrTruncatedFrame), c.wire.open && gone(err):
		c.l.env.Count("frames_cut", 1)
	case c.wire.open && isTimeout(err) && !c.wire.isStopping():
		c.l.env.Count("frames_late", 1)
		return fmt.Errorf("frame_timeout of %s: %w", c.l.cfg.frameTimeout, err)
	case c.wire.unframed && isTimeout(err):
		return fmt.Errorf("no frame came within frame_timeout of %s", c.l.cfg.frameTimeout)
	}
	return err
}

// sayEnd logs the end of an idle connection: closed by the other side, by
// idle_timeout or by stopping. A health check (connect and close) is no more.
func (c *conn) sayEnd(err error) {
	c.l.log.Debug().Str("remote", c.remote).Str("reason", err.Error()).Msg("connection closed")
}

// sayBroken logs an end that somebody may want to know of.
func (c *conn) sayBroken(err error) {
	if err == io.EOF || c.wire.isStopping() {
		c.sayEnd(err)
		return
	}
	c.warn("end", func(e *zerolog.Event) { e.Err(err).Msg("connection closed") })
}

func (c *conn) sayUnframed() {
	c.l.env.Count("unframed", 1)
	c.warn("unframed", func(e *zerolog.Event) {
		e.Msg("peer does not frame: bytes without a start block (0B); set it to MLLP")
	})
}

func (c *conn) warn(what string, say func(*zerolog.Event)) {
	c.l.warn(c.ip, what, func(e *zerolog.Event) { say(e.Str("remote", c.remote)) })
}

// gone: the other side has left, which is its right.
func gone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, syscall.ETIMEDOUT)
}
