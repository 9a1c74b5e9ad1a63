package mllp

import (
	"net"
	"net/netip"
	"sync"
)

// verdict is what the door says to a new connection.
type verdict uint8

const (
	welcome verdict = iota
	foreign         // not in allow_from
	crowded         // max_connections reached
	greedy          // max_connections_per_peer reached
)

// String is the reason as logs give it.
func (v verdict) String() string {
	switch v {
	case foreign:
		return "allow_from does not name this address"
	case crowded:
		return "max_connections is reached"
	case greedy:
		return "max_connections_per_peer is reached"
	default:
		return "welcome"
	}
}

// door counts who is inside, per address and in all.
type door struct {
	allow              []netip.Prefix // empty = everybody
	maxAll, maxPerPeer int

	mu    sync.Mutex
	all   int
	peers map[netip.Addr]int
}

func newDoor(c *listenConfig) *door {
	return &door{allow: c.allow, maxAll: c.maxConns, maxPerPeer: c.maxPerPeer, peers: map[netip.Addr]int{}}
}

// enter asks for one more connection of ip; every welcome needs a leave.
func (d *door) enter(ip netip.Addr) verdict {
	if !d.allowed(ip) {
		return foreign
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.all >= d.maxAll:
		return crowded
	case d.peers[ip] >= d.maxPerPeer:
		return greedy
	}
	d.all++
	d.peers[ip]++
	return welcome
}

func (d *door) leave(ip netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all--
	if d.peers[ip]--; d.peers[ip] == 0 {
		delete(d.peers, ip)
	}
}

func (d *door) allowed(ip netip.Addr) bool {
	for _, p := range d.allow {
		if p.Contains(ip) {
			return true
		}
	}
	return len(d.allow) == 0
}

// addrOf is the IP address of the other side, without zone, IPv4 as IPv4; the
// zero Addr for a connection that has none.
func addrOf(conn net.Conn) netip.Addr {
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}
