package peer

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
)

// Server takes MLLP connections and answers each message. It can be stopped and
// started again on the same port, as real peers are.
type Server struct {
	// Answer gives the acknowledgement of a message; nil = AA for everything. It is
	// called from one goroutine per connection. No code ("") = no answer.
	Answer func(h hl7.Header, body []byte) hl7.Ack

	address string
	count   atomic.Uint64
	mu      sync.Mutex
	l       net.Listener
	conns   map[net.Conn]bool
	wg      sync.WaitGroup
}

// NewServer makes a server for host:port; port 0 takes any and keeps it.
func NewServer(address string, answer func(hl7.Header, []byte) hl7.Ack) *Server {
	return &Server{address: address, Answer: answer, conns: map[net.Conn]bool{}}
}

// Start listens.
func (s *Server) Start() error {
	l, err := net.Listen("tcp", s.address)
	if err != nil {
		return fmt.Errorf("peer: %w", err)
	}
	s.mu.Lock()
	s.address, s.l = l.Addr().String(), l
	s.mu.Unlock()
	s.wg.Go(func() { s.serve(l) })
	return nil
}

// Address is host:port.
func (s *Server) Address() string { return s.address }

// Count is how many messages came.
func (s *Server) Count() int { return int(s.count.Load()) }

// Stop closes the port and every connection, and waits.
func (s *Server) Stop() {
	s.mu.Lock()
	if s.l != nil {
		s.l.Close()
		s.l = nil
	}
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

func (s *Server) serve(l net.Listener) {
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // no descriptors left, most likely: connections end, and it goes on
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if !s.keep(l, conn) {
			conn.Close()
			return
		}
		s.wg.Go(func() { s.talk(conn) })
	}
}

func (s *Server) keep(l net.Listener, c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.l != l {
		return false
	}
	s.conns[c] = true
	return true
}

func (s *Server) talk(conn net.Conn) {
	defer func() {
		conn.Close()
		s.mu.Lock()
		delete(s.conns, conn)
		s.mu.Unlock()
	}()
	frames := hl7.NewFrameReader(conn, hl7.FrameLimits{MaxFrame: 1 << 30})
	for {
		f, err := frames.Next()
		if err != nil {
			return
		}
		h, err := hl7.ParseHeader(f.Body)
		if err != nil {
			return
		}
		n := s.count.Add(1)
		ack := hl7.Ack{Code: "AA"}
		if s.Answer != nil {
			ack = s.Answer(h, f.Body)
		}
		if ack.Code == "" {
			continue
		}
		if hl7.WriteFrame(conn, hl7.BuildAck(h, ack, time.Now(), "PEER"+strconv.FormatUint(n, 10))) != nil {
			return
		}
	}
}
