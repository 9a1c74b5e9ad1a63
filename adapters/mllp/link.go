package mllp

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/spine-engine/spine-engine/adapters/internal/nets"
	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
)

const (
	maxAnswer = 16 << 20
	keptRoom  = 64 << 10  // larger answers and frames do not leave their room behind
	oneWrite  = 64 << 10  // frames up to this leave in one write
	pushSize  = 256 << 10 // of a larger one, this much has to get through within reply_timeout
)

var errUnframed = errors.New("the answer is not framed")

// link is one connection to the peer, used by one exchange at a time.
type link struct {
	conn   net.Conn // raw, or TLS over it
	raw    net.Conn
	frames *hl7.FrameReader
	used   bool // has carried a message before
	in     []byte
	out    []byte

	// Of the exchange under way:
	open     bool  // a start block has come and no end block yet
	unframed bool  // what came begins with MSH instead of a start block
	heard    int64 // bytes received
	draining bool  // read no more from the network
}

func (s *sender) dial(ctx context.Context) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.connectTimeout)
	defer cancel()
	dialer := net.Dialer{KeepAlive: -1, KeepAliveConfig: nets.KeepAlive(s.cfg.keepalive)}
	raw, err := dialer.DialContext(ctx, "tcp", s.cfg.to.String())
	if err != nil {
		s.env.Count("connect_failed", 1)
		return nil, fmt.Errorf("mllp destination %s cannot connect: %w", s.env.Name, err)
	}
	conn, err := s.secure(ctx, raw)
	if err != nil {
		raw.Close()
		s.env.Count("connect_failed", 1)
		return nil, fmt.Errorf("mllp destination %s, %s: no TLS session: %w", s.env.Name, s.cfg.to, err)
	}
	s.env.Count("connections", 1)
	s.log.Debug().Msg("connected")
	return newLink(conn, raw), nil
}

func (s *sender) secure(ctx context.Context, raw net.Conn) (net.Conn, error) {
	if s.cfg.tls == nil {
		return raw, nil
	}
	tc := tls.Client(raw, s.cfg.tls.Config)
	return tc, tc.HandshakeContext(ctx)
}

func newLink(conn, raw net.Conn) *link {
	l := &link{conn: conn, raw: raw}
	l.frames = hl7.NewFrameReader(l, hl7.FrameLimits{
		MaxFrame:   maxAnswer,
		OnStart:    func() { l.open = true },
		OnUnframed: func() { l.unframed = true },
	})
	return l
}

func (l *link) close() { l.conn.Close() } // what is lost by it is sent again

// Read feeds the frame reader.
func (l *link) Read(p []byte) (int, error) {
	switch {
	case l.draining:
		return 0, errIdle
	case l.unframed && !l.open:
		return 0, errUnframed // a frame that followed in the same bytes has been taken
	}
	n, err := l.conn.Read(p)
	l.heard += int64(n)
	return n, err
}

// next reads one frame of the answer.
func (l *link) next() (hl7.Frame, error) {
	l.open = false
	f, err := l.frames.NextInto(l.in[:0], nil, 0)
	if l.in = nil; cap(f.Body) <= keptRoom {
		l.in = f.Body[:0]
	}
	return f, err
}

// spent reports whether the frame reader holds nothing beyond the answer.
func (l *link) spent() bool {
	l.draining = true
	f, err := l.next()
	l.draining = false
	return errors.Is(err, errIdle) && !l.open && f.Junk == 0
}

// write sends VT, the runs and FS CR: in one write if they are small, for some
// peers read once and take what they get for the whole.
func (l *link) write(v message.View, size int64, timeout time.Duration) error {
	to := pusher{l.conn, timeout}
	if size <= oneWrite {
		l.out = append(l.out[:0], startBlock)
		for _, r := range v.Runs {
			l.out = append(l.out, r...)
		}
		l.out = append(l.out, endBlock, '\r')
		_, err := to.Write(l.out)
		return err
	}
	// An error of the buffer stays and comes back from Flush.
	w := bufio.NewWriterSize(to, oneWrite)
	w.WriteByte(startBlock)
	v.WriteTo(w)
	w.Write([]byte{endBlock, '\r'})
	return w.Flush()
}

// pusher gives every 256 KiB its own deadline: a large message over a slow line
// takes its time, a line that stands still does not.
type pusher struct {
	conn    net.Conn
	timeout time.Duration
}

func (p pusher) Write(b []byte) (int, error) {
	for at := 0; at < len(b); {
		chunk := b[at:min(at+pushSize, len(b))]
		p.conn.SetWriteDeadline(time.Now().Add(p.timeout)) // a failure shows at the write
		n, err := p.conn.Write(chunk)
		if at += n; err != nil {
			return at, err
		}
	}
	return len(b), nil
}
