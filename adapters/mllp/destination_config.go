package mllp

import (
	"fmt"
	"time"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/adapters/internal/nets"
	"github.com/spine-engine/spine-engine/internal/conf"
)

const (
	defaultConnectTimeout = 10 * time.Second
	defaultReplyTimeout   = 30 * time.Second
	greatestConnections   = 64
)

// connectConfig is the checked node
//
//	mllp: { connect: host:port, tls: {ca, cert, key, server_name, min}, connections: 1,
//	        connect_timeout: 10s, reply_timeout: 30s, keepalive: 60s }
type connectConfig struct {
	to             nets.Address
	tls            *nets.TLS // nil = plain
	connections    int
	connectTimeout time.Duration // TCP and TLS together
	replyTimeout   time.Duration // from the last byte sent to the answer
	keepalive      time.Duration // 0 = off
}

func readConnect(n *conf.Node) *connectConfig {
	m := n.Map("mllp destination", "connect", "tls", "connections", "connect_timeout", "reply_timeout", "keepalive")
	c := &connectConfig{
		to:             nets.ReadAddress(m["connect"], n, "mllp", "connect", "epr.example:6661", 1),
		connections:    m["connections"].Int(1, 1, greatestConnections),
		connectTimeout: nets.ReadTimeout(m["connect_timeout"], defaultConnectTimeout),
		replyTimeout:   nets.ReadTimeout(m["reply_timeout"], defaultReplyTimeout),
		keepalive:      m["keepalive"].Duration(defaultKeepalive),
	}
	if m["tls"].Present() {
		c.tls = nets.ReadClientTLS(m["tls"], c.to.Host)
	}
	return c
}

// SetReplyTimeout puts the destination's "reply: { none: { after: 30s } }" in
// the place of reply_timeout. The engine calls it before Key and Open; a length
// of 0 or less changes nothing.
func (c *connectConfig) SetReplyTimeout(d time.Duration) {
	if d > 0 {
		c.replyTimeout = d
	}
}

// Key names everything that would need the connections to be made anew.
func (c *connectConfig) Key() string {
	return fmt.Sprintf("mllp connect=%s tls=%s connections=%d connect_timeout=%s reply_timeout=%s keepalive=%s",
		c.to, c.tls.Key(), c.connections, c.connectTimeout, c.replyTimeout, c.keepalive)
}

// Claims is empty: many may call one peer.
func (c *connectConfig) Claims() []string { return nil }

// Traits: one copy at a time on each connection, and every answer has to be judged.
func (c *connectConfig) Traits() adapters.Traits {
	return adapters.Traits{Batch: 1, Concurrency: c.connections, NeedsReply: true}
}

// Open makes no connection yet: a peer that is down must not keep the engine
// from starting.
func (c *connectConfig) Open(env adapters.DestinationEnv) (adapters.Destination, error) {
	return openSender(c, env), nil
}
