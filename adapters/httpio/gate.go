package httpio

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/adapters/internal/nets"
)

// gate is a port that lets in only who may come: everybody else is closed before
// TLS, and before a byte of theirs is read.
type gate struct {
	net.Listener
	s *source
}

func (g *gate) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		ip := nets.AddrOf(c)
		if v := g.s.door.Enter(ip); v != nets.Welcome {
			c.Close()
			g.s.turnAway(ip, v)
			continue
		}
		g.s.env.Count("connections", 1)
		return &guest{Conn: c, gone: sync.OnceFunc(func() {
			g.s.door.Leave(ip)
			g.s.env.Count("connections_closed", 1)
		})}, nil
	}
}

func (s *source) turnAway(ip netip.Addr, v nets.Verdict) {
	counter := "refused_limit"
	if v == nets.Foreign {
		counter = "refused_address"
	}
	s.env.Count(counter, 1)
	s.warn(ip, counter, func(e *zerolog.Event) { e.Stringer("reason", v).Msg("connection refused") })
}

// warn logs at most once a minute for each peer and matter.
func (s *source) warn(ip netip.Addr, what string, say func(*zerolog.Event)) {
	skipped, due := s.quiet.Speak(ip, what, time.Now())
	if !due {
		return
	}
	e := s.log.Warn().Stringer("peer", ip)
	if skipped > 0 {
		e = e.Int("left_out", skipped)
	}
	say(e)
}

// guest is a connection that has a place until it is closed.
type guest struct {
	net.Conn
	gone func()
}

// Close gives the place back.
func (g *guest) Close() error {
	defer g.gone()
	return g.Conn.Close()
}

// CloseWrite lets the server say goodbye without a reset.
func (g *guest) CloseWrite() error {
	if c, ok := g.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}
