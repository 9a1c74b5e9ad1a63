package mllp

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/adapters/internal/nets"
	"github.com/spine-engine/spine-engine/internal/conf"
)

// Defaults and bounds of a listener. Every one has a key.
const (
	defaultMaxMessage   = 16 << 20
	defaultFrameTimeout = 30 * time.Second
	defaultKeepalive    = 60 * time.Second
	defaultConnections  = 512
	defaultPerPeer      = 64
)

// listenConfig is the checked node
//
//	mllp: { listen: host:port, tls: {cert, key, client_ca, min}, allow_from: [CIDR],
//	        max_message: 16MiB, frame_timeout: 30s, idle_timeout: 0s, keepalive: 60s,
//	        max_connections: 512, max_connections_per_peer: 64, answer_always: false }
type listenConfig struct {
	at           nets.Address
	tls          *nets.TLS // nil = plain
	allow        []netip.Prefix
	maxMessage   int64         // bytes between VT and FS
	frameTimeout time.Duration // from the first byte of a frame to its last, and for writing an answer
	idleTimeout  time.Duration // between frames; 0 = off
	keepalive    time.Duration // idle time before TCP probes; 0 = off
	maxConns     int
	maxPerPeer   int // connections from one IP address
	answerAlways bool
}

func readListen(n *conf.Node) *listenConfig {
	m := n.Map("mllp listener", "listen", "tls", "allow_from", "max_message", "frame_timeout", "idle_timeout",
		"keepalive", "max_connections", "max_connections_per_peer", "answer_always")
	c := &listenConfig{
		at:           nets.ReadAddress(m["listen"], n, "mllp", "listen", "0.0.0.0:2575", 0),
		allow:        nets.ReadPrefixes(m["allow_from"]),
		maxMessage:   nets.ReadMaxMessage(m["max_message"], defaultMaxMessage),
		frameTimeout: nets.ReadTimeout(m["frame_timeout"], defaultFrameTimeout),
		idleTimeout:  m["idle_timeout"].Duration(0),
		keepalive:    m["keepalive"].Duration(defaultKeepalive),
		maxConns:     m["max_connections"].Int(defaultConnections, 1, 100_000),
		maxPerPeer:   m["max_connections_per_peer"].Int(defaultPerPeer, 1, 100_000),
		answerAlways: m["answer_always"].Bool(false),
	}
	if m["tls"].Present() {
		c.tls = nets.ReadServerTLS(m["tls"])
	}
	if n := m["max_connections_per_peer"]; n.Present() && c.maxPerPeer > c.maxConns {
		n.Warnf("", "max_connections_per_peer is above max_connections (%d) and never reached", c.maxConns)
	}
	return c
}

// Key names everything that would need the port to be opened anew.
func (c *listenConfig) Key() string {
	return fmt.Sprintf("mllp listen=%s tls=%s allow=%v max=%d frame=%s idle=%s keepalive=%s conns=%d/%d always=%t",
		c.at, c.tls.Key(), c.allow, c.maxMessage, c.frameTimeout, c.idleTimeout, c.keepalive, c.maxConns, c.maxPerPeer, c.answerAlways)
}

// Claims is the port; any free port (0) is nobody's.
func (c *listenConfig) Claims() []string {
	if c.at.Port == 0 {
		return nil
	}
	return []string{c.at.Claim()}
}

// Open binds the port without taking connections yet.
func (c *listenConfig) Open(env adapters.SourceEnv) (adapters.Source, error) {
	return openListener(c, env)
}
