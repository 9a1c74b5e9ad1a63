package httpio

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/adapters/internal/nets"
	"github.com/spine-engine/spine-engine/internal/conf"
)

// Defaults of a listener. Every one has a key.
const (
	defaultMaxMessage    = 16 << 20
	defaultMaxHeader     = 16 << 10
	defaultHeaderTimeout = 10 * time.Second
	defaultBodyTimeout   = 30 * time.Second
	defaultIdleTimeout   = 2 * time.Minute
	defaultKeepalive     = 60 * time.Second
	defaultConnections   = 512
	defaultPerPeer       = 64
	defaultRequests      = 128
)

// listenConfig is the checked node
//
//	http: { listen: host:port, path: /, tls: {cert, key, client_ca, min}, bearer: "${file:...}",
//	        allow_from: [CIDR], anonymous: false, max_message: 16MiB, gzip: false,
//	        max_header: 16KiB, header_timeout: 10s, body_timeout: 30s, idle_timeout: 2m, keepalive: 60s,
//	        max_connections: 512, max_connections_per_peer: 64, max_requests: 128 }
type listenConfig struct {
	at            nets.Address
	path          string
	tls           *nets.TLS // nil = plain
	tokens        tokens
	allow         []netip.Prefix
	gzip          bool
	maxMessage    int64         // bytes of a body, inflated
	maxHeader     int           // bytes of request line and headers
	headerTimeout time.Duration // TLS handshake; then the headers of a request
	bodyTimeout   time.Duration // the whole body; then writing the answer
	idleTimeout   time.Duration // between requests
	keepalive     time.Duration // idle time before TCP probes; 0 = off
	maxConns      int
	maxPerPeer    int // connections from one IP address
	maxRequests   int // in hand at the same time, over all connections
}

func readListen(n *conf.Node) *listenConfig {
	m := n.Map("http listener", "listen", "path", "tls", "bearer", "allow_from", "anonymous", "max_message", "gzip", "max_header",
		"header_timeout", "body_timeout", "idle_timeout", "keepalive", "max_connections", "max_connections_per_peer", "max_requests")
	c := &listenConfig{
		at:            nets.ReadAddress(m["listen"], n, "http", "listen", "0.0.0.0:8443", 0),
		path:          readPath(m["path"]),
		tokens:        readTokens(m["bearer"]),
		allow:         nets.ReadPrefixes(m["allow_from"]),
		gzip:          m["gzip"].Bool(false),
		maxMessage:    nets.ReadMaxMessage(m["max_message"], defaultMaxMessage),
		maxHeader:     readMaxHeader(m["max_header"]),
		headerTimeout: nets.ReadTimeout(m["header_timeout"], defaultHeaderTimeout),
		bodyTimeout:   nets.ReadTimeout(m["body_timeout"], defaultBodyTimeout),
		idleTimeout:   nets.ReadTimeout(m["idle_timeout"], defaultIdleTimeout),
		keepalive:     m["keepalive"].Duration(defaultKeepalive),
		maxConns:      m["max_connections"].Int(defaultConnections, 1, 100_000),
		maxPerPeer:    m["max_connections_per_peer"].Int(defaultPerPeer, 1, 100_000),
		maxRequests:   m["max_requests"].Int(defaultRequests, 1, 10_000),
	}
	if m["tls"].Present() {
		c.tls = nets.ReadServerTLS(m["tls"])
	}
	if p := m["max_connections_per_peer"]; p.Present() && c.maxPerPeer > c.maxConns {
		p.Warnf("", "max_connections_per_peer is above max_connections (%d) and never reached", c.maxConns)
	}
	c.checkDoor(n, m)
	return c
}

// checkDoor wants somebody to have decided who may send.
func (c *listenConfig) checkDoor(n *conf.Node, m map[string]*conf.Node) {
	anonymous := m["anonymous"].Bool(false)
	known := m["bearer"].Present() || m["allow_from"].Present() || c.tls != nil && c.tls.Config.ClientCAs != nil
	local := isLoopbackHost(c.at.Host)
	switch {
	case anonymous && m["bearer"].Present():
		m["anonymous"].Errorf("keep one of the two", "anonymous and bearer exclude each other")
	case !known && !anonymous && !local && c.at != (nets.Address{}):
		n.Errorf(`add bearer: "${file:secrets/NAME}", allow_from or tls: { client_ca }; write anonymous: true if everybody may`,
			"whoever reaches %s could send messages", c.at)
	}
	if m["bearer"].Present() && c.tls == nil && !local {
		m["bearer"].Warnf("add tls: { cert, key }", "without tls the token and the messages cross the network in clear")
	}
}

// isLoopbackHost: only this machine reaches it.
func isLoopbackHost(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback() || strings.EqualFold(strings.TrimSuffix(host, "."), "localhost")
}

// readPath reads the one path that is served, letter by letter.
func readPath(n *conf.Node) string {
	if n == nil {
		return "/"
	}
	s := n.Text()
	odd := strings.ContainsFunc(s, func(r rune) bool { return !isAlnum(r) && !strings.ContainsRune("/-._~", r) })
	if !strings.HasPrefix(s, "/") || odd || strings.Contains(s, "//") || strings.Contains(s+"/", "/./") || strings.Contains(s+"/", "/../") {
		n.Errorf("write a path of letters, digits and -._~, as /results", "%q is not a path", s)
		return "/"
	}
	return s
}

func readMaxHeader(n *conf.Node) int {
	size := n.Size(defaultMaxHeader)
	if size < 1<<10 || size > 1<<20 {
		n.Errorf("write a size from 1KiB to 1MiB", "%q is out of place", n.Text())
		return defaultMaxHeader
	}
	return int(size)
}

// Key names everything that would need the port to be opened anew; secrets by
// their digest.
func (c *listenConfig) Key() string {
	return fmt.Sprintf("http listen=%s path=%s tls=%s bearer=%s allow=%v max=%d gzip=%t header=%d/%s body=%s idle=%s keepalive=%s conns=%d/%d requests=%d",
		c.at, c.path, c.tls.Key(), c.tokens.key(), c.allow, c.maxMessage, c.gzip, c.maxHeader, c.headerTimeout, c.bodyTimeout,
		c.idleTimeout, c.keepalive, c.maxConns, c.maxPerPeer, c.maxRequests)
}

// Claims is the port, which has one path; any free port (0) is nobody's.
func (c *listenConfig) Claims() []string {
	if c.at.Port == 0 {
		return nil
	}
	return []string{c.at.Claim()}
}

// Open binds the port without taking connections yet.
func (c *listenConfig) Open(env adapters.SourceEnv) (adapters.Source, error) {
	ln, err := nets.Bind("http", c.at, c.keepalive)
	if err != nil {
		return nil, err
	}
	return newSource(c, env, ln), nil
}
