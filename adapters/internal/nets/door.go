package nets

import (
	"net"
	"net/netip"
	"sync"
)

// Verdict is what the door says to a new connection.
type Verdict uint8

// The verdicts.
const (
	Welcome Verdict = iota
	Foreign         // not in allow_from
	Crowded         // max_connections reached
	Greedy          // max_connections_per_peer reached
)

// String is the reason as logs give it.
func (v Verdict) String() string {
	switch v {
	case Foreign:
		return "allow_from does not name this address"
	case Crowded:
		return "max_connections is reached"
	case Greedy:
		return "max_connections_per_peer is reached"
	default:
		return "welcome"
	}
}

// Door counts who is inside, per address and in all.
type Door struct {
	allow              []netip.Prefix // empty = everybody
	maxAll, maxPerPeer int

	mu    sync.Mutex
	all   int
	peers map[netip.Addr]int
}

// NewDoor lets in who is in allow (empty = everybody), maxAll in all and
// maxPerPeer from one address.
func NewDoor(allow []netip.Prefix, maxAll, maxPerPeer int) *Door {
	return &Door{allow: allow, maxAll: maxAll, maxPerPeer: maxPerPeer, peers: map[netip.Addr]int{}}
}

// Enter asks for one more connection of ip; every welcome needs a Leave.
func (d *Door) Enter(ip netip.Addr) Verdict {
	if !d.allowed(ip) {
		return Foreign
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.all >= d.maxAll:
		return Crowded
	case d.peers[ip] >= d.maxPerPeer:
		return Greedy
	}
	d.all++
	d.peers[ip]++
	return Welcome
}

// Leave gives the place of one connection of ip back.
func (d *Door) Leave(ip netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all--
	if d.peers[ip]--; d.peers[ip] == 0 {
		delete(d.peers, ip)
	}
}

// Inside counts connections and the addresses they come from.
func (d *Door) Inside() (connections, peers int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.all, len(d.peers)
}

func (d *Door) allowed(ip netip.Addr) bool {
	for _, p := range d.allow {
		if p.Contains(ip) {
			return true
		}
	}
	return len(d.allow) == 0
}

// AddrOf is the IP address of the other side, without zone, IPv4 as IPv4; the
// zero Addr for a connection that has none.
func AddrOf(conn net.Conn) netip.Addr {
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}
