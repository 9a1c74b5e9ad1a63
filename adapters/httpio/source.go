package httpio

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/adapters/internal/nets"
)

const (
	// bodyMemory bounds what half-received bodies of one listener hold in memory
	// together; what goes beyond is spooled.
	bodyMemory = 64 << 20
	// defaultInMemory holds when the engine names no limit.
	defaultInMemory = 1 << 20
	// stopGrace is how long a body that has begun to arrive may go on arriving
	// when the listener stops.
	stopGrace = 5 * time.Second
	// window is what HTTP/2 peers may have sent ahead, for each connection.
	window = 256 << 10
)

// source serves one path of one port. Run waits for every request.
type source struct {
	cfg    *listenConfig
	env    adapters.SourceEnv
	log    zerolog.Logger
	ln     net.Listener
	srv    *http.Server
	door   *nets.Door
	quiet  *nets.Quiet
	memory budget        // bytes of bodies that are still arriving
	slots  chan struct{} // one per request in hand
	accept adapters.Accept

	wg       sync.WaitGroup // requests
	mu       sync.Mutex
	fresh    map[net.Conn]struct{} // connections that have not begun a request
	reading  map[*exchange]struct{}
	stopping bool
}

func newSource(c *listenConfig, env adapters.SourceEnv, ln net.Listener) *source {
	if env.Count == nil {
		env.Count = func(string, int) {}
	}
	if env.Spool == nil {
		env.InMemory = c.maxMessage
	} else if env.InMemory <= 0 {
		env.InMemory = defaultInMemory
	}
	s := &source{
		cfg: c, env: env, ln: ln, log: env.Log.With().Str("listener", env.Name).Logger(),
		door: nets.NewDoor(c.allow, c.maxConns, c.maxPerPeer), quiet: nets.NewQuiet(),
		slots: make(chan struct{}, c.maxRequests),
		fresh: map[net.Conn]struct{}{}, reading: map[*exchange]struct{}{},
	}
	s.memory.left.Store(bodyMemory)
	s.srv = s.server()
	return s
}

func (s *source) server() *http.Server {
	srv := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: s.cfg.headerTimeout,
		IdleTimeout:       s.cfg.idleTimeout,
		MaxHeaderBytes:    s.cfg.maxHeader,
		ConnState:         s.note,
		ErrorLog:          log.New(serverLog{s}, "", 0),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          min(s.cfg.maxRequests, 100),
			MaxReceiveBufferPerConnection: window,
			MaxReceiveBufferPerStream:     window,
			WriteByteTimeout:              s.cfg.bodyTimeout,
		},
	}
	if s.cfg.tls != nil {
		srv.TLSConfig = s.cfg.tls.Config.Clone()
	}
	return srv
}

// Addr is the bound address, with the real port when any free one was asked for.
func (s *source) Addr() net.Addr { return s.ln.Addr() }

// Run serves until ctx ends: then it takes no more connections and no more
// requests, lets those in hand finish, answers them, and returns.
func (s *source) Run(ctx context.Context, accept adapters.Accept) error {
	s.accept = accept
	// What is in hand when ctx ends is finished, not cut short.
	s.srv.BaseContext = func(net.Listener) context.Context { return context.WithoutCancel(ctx) }
	s.log.Info().Stringer("address", s.Addr()).Bool("tls", s.cfg.tls != nil).Str("path", s.cfg.path).Msg("http listener takes requests")
	served := make(chan error, 1)
	go func() { served <- s.serve() }()
	var err error
	select {
	case <-ctx.Done():
	case err = <-served:
	}
	s.stop()
	s.srv.Shutdown(context.Background()) // its only error is the listener's, which is closed already
	if err == nil {
		err = <-served
	}
	s.wg.Wait() // HTTP/2 streams that their client has given up are still in hand
	s.log.Info().Stringer("address", s.Addr()).Msg("http listener has stopped")
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return fmt.Errorf("http listener %s stopped taking connections: %w", s.Addr(), err)
}

func (s *source) serve() error {
	g := &gate{Listener: s.ln, s: s}
	if s.cfg.tls != nil {
		return s.srv.ServeTLS(g, "", "")
	}
	return s.srv.Serve(g)
}

// Close gives the port back and ends what is still connected. After Run it has
// nothing left to do.
func (s *source) Close() error {
	s.stop()
	s.ln.Close() // closed already when Run has served
	s.srv.Close()
	return nil
}

// stop refuses what is new and hurries what is late.
func (s *source) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return
	}
	s.stopping = true
	for c := range s.fresh {
		c.Close()
	}
	until := time.Now().Add(stopGrace)
	for x := range s.reading {
		if until.Before(x.until) {
			x.rc.SetReadDeadline(until) // a failure shows at the read
		}
	}
}

func (s *source) isStopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}

// enter is false when the listener is stopping; every true needs a wg.Done.
func (s *source) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return false
	}
	s.wg.Add(1)
	return true
}

// note keeps the connections that have nothing in hand: http.Server would wait
// five seconds for them.
func (s *source) note(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(s.fresh, c)
	case s.stopping:
		c.Close()
	default:
		s.fresh[c] = struct{}{}
	}
}

// serverLog takes the lines of http.Server. Some of them hold what a peer has
// sent, so only two kinds are passed on: TLS sessions that did not come about,
// and faults of accepting.
type serverLog struct{ s *source }

func (l serverLog) Write(line []byte) (int, error) {
	s := l.s
	text := strings.TrimSpace(string(line))
	if rest, ok := strings.CutPrefix(text, "http: TLS handshake error from "); ok {
		from, reason, _ := strings.Cut(rest, ": ")
		if !strings.HasSuffix(reason, "EOF") && !s.isStopping() { // a health check connects and closes
			s.env.Count("tls_failed", 1)
			at, _ := netip.ParseAddrPort(from)
			s.warn(at.Addr().Unmap(), "tls_failed", func(e *zerolog.Event) { e.Str("reason", reason).Msg("no TLS session") })
		}
	} else if strings.HasPrefix(text, "http: Accept error") {
		s.log.Warn().Str("reason", text).Msg("cannot take a connection; trying again (is the limit of open files reached?)")
	} else {
		s.env.Count("broken_connections", 1)
	}
	return len(line), nil
}
