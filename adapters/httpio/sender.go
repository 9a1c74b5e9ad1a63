package httpio

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/adapters/internal/nets"
	"github.com/spine-engine/spine-engine/internal/message"
)

var errClosed = errors.New("the sender is closed")

const (
	maxReplyHeader = 64 << 10
	idleFor        = 90 * time.Second
)

// sender posts copies to one address over its own pool of connections. It knows
// no proxy, no cookies and no cache.
type sender struct {
	cfg       *requestConfig
	env       adapters.DestinationEnv
	log       zerolog.Logger
	dialer    *net.Dialer
	transport *http.Transport
	slots     chan struct{} // one per Send under way

	mu     sync.Mutex
	closed bool
}

func openSender(c *requestConfig, env adapters.DestinationEnv) *sender {
	if env.Count == nil {
		env.Count = func(string, int) {}
	}
	s := &sender{
		cfg: c, env: env, log: env.Log.With().Str("destination", env.Name).Str("peer", shown(c.url)).Logger(),
		slots:  make(chan struct{}, c.connections),
		dialer: &net.Dialer{Timeout: c.connectTimeout, KeepAlive: -1, KeepAliveConfig: nets.KeepAlive(c.keepalive), Control: c.allow.control},
	}
	s.transport = &http.Transport{
		DialContext:            s.dial,
		TLSHandshakeTimeout:    c.connectTimeout,
		MaxConnsPerHost:        c.connections,
		MaxIdleConnsPerHost:    c.connections,
		IdleConnTimeout:        idleFor,
		MaxResponseHeaderBytes: maxReplyHeader,
		DisableCompression:     true, // an answer is not inflated
		ForceAttemptHTTP2:      c.tls != nil,
	}
	if c.tls != nil {
		s.transport.TLSClientConfig = c.tls.Config.Clone()
	}
	return s
}

func (s *sender) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := s.dialer.DialContext(ctx, network, address)
	if err != nil {
		s.env.Count("connect_failed", 1)
		return nil, err
	}
	s.env.Count("connections", 1)
	return conn, nil
}

// Send posts the copy's body and waits for the answer. The reply's code is the
// status as three digits, or what an HL7 acknowledgement in a 2xx answer says;
// see judge. An answer that is late is NoReply, and its connection is closed.
//
// A connection that the peer has closed while it was idle is made again by the
// transport, and the same bytes are sent with the same key.
func (s *sender) Send(ctx context.Context, d *message.Delivery) (adapters.Reply, error) {
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return adapters.Reply{}, ctx.Err()
	}
	defer func() { <-s.slots }()
	if s.isClosed() {
		return adapters.Reply{}, errClosed
	}
	view, err := d.Body.View()
	if err != nil {
		return adapters.Reply{}, fmt.Errorf("%s: %w", d, err)
	}
	defer view.Close() // unmapping what was only read
	reply, err := s.exchange(ctx, view, d)
	if s.isClosed() {
		s.transport.CloseIdleConnections()
	}
	if err != nil {
		return adapters.Reply{}, fmt.Errorf("http destination %s, %s: %w", s.env.Name, shown(s.cfg.url), err)
	}
	return reply, nil
}

// header makes the headers of a copy's request.
func (s *sender) header(view message.View, d *message.Delivery) http.Header {
	h := s.cfg.headers.Clone()
	if h.Get("User-Agent") == "" {
		h.Set("User-Agent", "spine-engine")
	}
	h.Set("Content-Type", s.cfg.contentType)
	if s.cfg.contentType == "" {
		h.Set("Content-Type", sniff(view.Runs))
	}
	if s.cfg.idempotency != "" {
		h[s.cfg.idempotency] = []string{keyOf(d)}
	}
	return h
}

// keyOf is the same for every try of a copy, after a restart too, and for no
// other copy: MESSAGE.SEQ.N, the message's id and the copy's key in the journal.
func keyOf(d *message.Delivery) string { return d.Message.String() + "." + d.Key.String() }

// sniff tells the type of a body by its first bytes.
func sniff(runs [][]byte) string {
	var head []byte
	for _, r := range runs {
		if head = append(head, r[:min(len(r), 64-len(head))]...); len(head) == 64 {
			break
		}
	}
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF")), " \t\r\n")
	switch {
	case bytes.HasPrefix(head, []byte("MSH")), bytes.HasPrefix(head, []byte("FHS")), bytes.HasPrefix(head, []byte("BHS")):
		return "application/hl7-v2"
	case bytes.HasPrefix(head, []byte("<")):
		return "application/xml"
	}
	return "application/octet-stream"
}

// Probe makes a connection, TLS included, and closes it.
func (s *sender) Probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.connectTimeout)
	defer cancel()
	conn, err := s.dial(ctx, "tcp", hostPort(s.cfg.url))
	if err != nil {
		return fmt.Errorf("http destination %s cannot connect: %w", s.env.Name, err)
	}
	defer conn.Close() // nothing was sent
	if s.cfg.tls == nil {
		return nil
	}
	if err := tls.Client(conn, s.cfg.tls.Config).HandshakeContext(ctx); err != nil {
		return fmt.Errorf("http destination %s, %s: no TLS session: %w", s.env.Name, shown(s.cfg.url), err)
	}
	return nil
}

func (s *sender) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Close ends idle connections at once, and those in use after their exchange.
func (s *sender) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.transport.CloseIdleConnections()
	return nil
}
