package httpio

import (
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/adapters/internal/nets"
	"github.com/spine-engine/spine-engine/internal/conf"
)

const (
	defaultSenders        = 4
	greatestSenders       = 64
	defaultConnectTimeout = 10 * time.Second
	defaultReplyTimeout   = 30 * time.Second
	defaultMaxReply       = 1 << 20
)

// requestConfig is the checked node
//
//	http: { post: URL, headers: {NAME: TEXT}, bearer: "${file:...}", tls: {ca, cert, key, server_name, min},
//	        content_type: TYPE, connections: 4, connect_timeout: 10s, reply_timeout: 30s, keepalive: 60s,
//	        redirects: refuse, allow_private: [loopback, CIDR], idempotency: Idempotency-Key, max_reply: 1MiB }
//
// with put instead of post for PUT.
type requestConfig struct {
	method         string
	url            *url.URL
	headers        http.Header // with the bearer token
	contentType    string      // "" = as the body looks
	tls            *nets.TLS   // nil = plain
	connections    int
	connectTimeout time.Duration // TCP, and TLS
	replyTimeout   time.Duration // from the last byte sent to the last of the answer
	keepalive      time.Duration // 0 = off
	follow         bool          // redirects that stay on the host
	allow          allowance
	idempotency    string // header; "" = none
	maxReply       int64
}

func readRequest(n *conf.Node) *requestConfig {
	m := n.Map("http destination", "post", "put", "headers", "bearer", "tls", "content_type", "connections", "connect_timeout",
		"reply_timeout", "keepalive", "redirects", "allow_private", "idempotency", "max_reply")
	c := &requestConfig{
		contentType:    readContentType(m["content_type"]),
		connections:    m["connections"].Int(defaultSenders, 1, greatestSenders),
		connectTimeout: nets.ReadTimeout(m["connect_timeout"], defaultConnectTimeout),
		replyTimeout:   nets.ReadTimeout(m["reply_timeout"], defaultReplyTimeout),
		keepalive:      m["keepalive"].Duration(defaultKeepalive),
		follow:         m["redirects"].OneOf("refuse", "refuse", "same_host") == "same_host",
		allow:          readAllowance(m["allow_private"]),
		idempotency:    readIdempotency(m["idempotency"]),
		maxReply:       readMaxReply(m["max_reply"]),
	}
	c.readURL(n, m["post"], m["put"])
	c.readHeaders(m["headers"], m["bearer"])
	c.readTLS(m["tls"])
	return c
}

func (c *requestConfig) readTLS(n *conf.Node) {
	switch {
	case n.Present() && c.url.Scheme == "http":
		n.Errorf("write https:// or leave tls out", "tls is declared, but the address begins with http://")
	case n.Present():
		c.tls = nets.ReadClientTLS(n, c.url.Hostname())
	case c.url.Scheme == "https":
		c.tls = nets.SystemTLS(c.url.Hostname())
	}
}

func readContentType(n *conf.Node) string {
	if n == nil {
		return ""
	}
	s := n.Text()
	if _, _, err := mime.ParseMediaType(s); err != nil || !strings.Contains(s, "/") || !isFieldValue(s) {
		n.Errorf("write a type as application/hl7-v2", "%q is not a media type", s)
		return ""
	}
	return s
}

func readIdempotency(n *conf.Node) string {
	switch s := n.Text(); {
	case n == nil:
		return "Idempotency-Key"
	case s == "none":
		return ""
	case !isToken(s) || isOurs(s):
		n.Errorf("write the header's name, or none", "%q is not a header that can carry the key", s)
		return ""
	default:
		return http.CanonicalHeaderKey(s)
	}
}

func readMaxReply(n *conf.Node) int64 {
	size := n.Size(defaultMaxReply)
	if size < 1<<10 || size > 64<<20 {
		n.Errorf("write a size from 1KiB to 64MiB", "%q is out of place", n.Text())
		return defaultMaxReply
	}
	return size
}

// SetReplyTimeout puts the destination's "reply: { none: { after: 30s } }" in
// the place of reply_timeout. It is called before Key and Open; a length of 0 or
// less changes nothing.
func (c *requestConfig) SetReplyTimeout(d time.Duration) {
	if d > 0 {
		c.replyTimeout = d
	}
}

// ReplyCodes are the rows that a reply table must have: what the classes of
// statuses mean, and silence.
func (c *requestConfig) ReplyCodes() []string { return []string{"2xx", "4xx", "5xx", adapters.NoReply} }

// Key names everything that would need the connections to be made anew; secrets,
// which may stand in headers and query, by their digest.
func (c *requestConfig) Key() string {
	var parts []string
	for _, name := range sortedNames(c.headers) {
		parts = append(parts, name, c.headers.Get(name))
	}
	return fmt.Sprintf("http %s %s %s headers=%s type=%q tls=%s connections=%d connect=%s reply=%s keepalive=%s follow=%t allow=%s idempotency=%s max_reply=%d",
		c.method, shown(c.url), nets.Digest(c.url.String()), nets.Digest(parts...), c.contentType, c.tls.Key(), c.connections,
		c.connectTimeout, c.replyTimeout, c.keepalive, c.follow, c.allow, c.idempotency, c.maxReply)
}

// Claims is empty: many may call one peer.
func (c *requestConfig) Claims() []string { return nil }

// Traits: one copy at a time on each connection, and every answer has to be judged.
func (c *requestConfig) Traits() adapters.Traits {
	return adapters.Traits{Batch: 1, Concurrency: c.connections, NeedsReply: true}
}

// Open makes no connection yet: a peer that is down must not keep the engine
// from starting.
func (c *requestConfig) Open(env adapters.DestinationEnv) (adapters.Destination, error) {
	return openSender(c, env), nil
}
