package peer

import (
	"crypto/tls"
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
	// Script decides instead of Answer when it is not nil.
	Script *Script
	// TLS makes it a TLS server. Like the other fields it is set before Start.
	TLS *tls.Config
	// Saw is told of each message once it has been dealt with; nil = nobody. It is
	// called from one goroutine per connection.
	Saw func(Seen)

	address string
	count   atomic.Uint64
	mu      sync.Mutex
	l       net.Listener
	conns   map[net.Conn]bool
	stopped chan struct{} // closed when it stops, so that no wait outlives it
	wg      sync.WaitGroup
}

// NewServer makes a server for host:port; port 0 takes any and keeps it.
func NewServer(address string, answer func(hl7.Header, []byte) hl7.Ack) *Server {
	return &Server{address: address, Answer: answer, conns: map[net.Conn]bool{}, stopped: make(chan struct{})}
}

// NewScripted makes a server that does what the script says.
func NewScripted(address string, acts ...Act) *Server {
	s := NewServer(address, nil)
	s.Script = NewScript(acts...)
	return s
}

// Start listens.
func (s *Server) Start() error {
	l, err := net.Listen("tcp", s.address)
	if err != nil {
		return fmt.Errorf("peer: %w", err)
	}
	s.mu.Lock()
	s.address, s.l, s.stopped = l.Addr().String(), l, make(chan struct{})
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
		close(s.stopped)
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
		if a, ok := s.Script.refuses(); ok {
			s.tell(conn, hl7.Header{}, nil, a)
			reset(conn)
			continue
		}
		if s.TLS != nil {
			conn = tls.Server(conn, s.TLS)
		}
		stopped, ok := s.keep(l, conn)
		if !ok {
			conn.Close()
			return
		}
		s.wg.Go(func() { s.talk(conn, stopped) })
	}
}

// reset closes so that the other side gets an error instead of an end.
func reset(conn net.Conn) {
	if c, ok := conn.(*net.TCPConn); ok {
		c.SetLinger(0)
	}
	conn.Close()
}

// keep remembers a connection of the listener, if that is still the one.
func (s *Server) keep(l net.Listener, c net.Conn) (stopped chan struct{}, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.l != l {
		return nil, false
	}
	s.conns[c] = true
	return s.stopped, true
}

func (s *Server) talk(conn net.Conn, stopped <-chan struct{}) {
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
		if err != nil { // what has no MSH cannot be answered
			s.tell(conn, h, f.Body, Act{Close: true})
			return
		}
		n := s.count.Add(1)
		if s.Script == nil {
			err = s.answer(conn, h, f.Body, n)
		} else {
			err = s.act(conn, h, f.Body, n, stopped)
		}
		if err != nil {
			return
		}
	}
}

// answer does what Answer says.
func (s *Server) answer(conn net.Conn, h hl7.Header, body []byte, n uint64) error {
	ack := hl7.Ack{Code: "AA"}
	if s.Answer != nil {
		ack = s.Answer(h, body)
	}
	if ack.Code == "" {
		s.tell(conn, h, body, Act{Nothing: true})
		return nil
	}
	err := writeAck(conn, h, ack, n)
	s.tell(conn, h, body, Act{Reply: ack.Code})
	return err
}

// errActed ends a connection that an act has closed.
var errActed = errors.New("closed by the script")

// act does what the script says.
func (s *Server) act(conn net.Conn, h hl7.Header, body []byte, n uint64, stopped <-chan struct{}) error {
	a := s.Script.Next()
	if !pause(a.Wait, stopped) {
		return errActed
	}
	defer s.tell(conn, h, body, a)
	switch {
	case a.Refuse:
		reset(conn)
		return errActed
	case a.Close:
		return errActed
	case a.Nothing:
		return nil
	}
	if a.WrongID {
		h.ControlID = wrongID
	}
	return writeAck(conn, h, hl7.Ack{Code: a.code(), Text: a.Text}, n)
}

// wrongID is in the answer to a message that nobody sent.
const wrongID = "NOTYOURS"

func writeAck(conn net.Conn, h hl7.Header, ack hl7.Ack, n uint64) error {
	return hl7.WriteFrame(conn, hl7.BuildAck(h, ack, time.Now(), "PEER"+strconv.FormatUint(n, 10)))
}

// pause waits; false when the server stopped meanwhile.
func pause(d time.Duration, stopped <-chan struct{}) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-stopped:
		return false
	}
}

func (s *Server) tell(conn net.Conn, h hl7.Header, body []byte, a Act) {
	if s.Saw == nil {
		return
	}
	s.Saw(Seen{At: time.Now(), Remote: conn.RemoteAddr().String(), ControlID: h.ControlID, Type: h.Type, Event: h.Event, Size: len(body),
		Answered: a.said(), Body: body})
}
