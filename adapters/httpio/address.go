package httpio

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"syscall"

	"github.com/spine-engine/spine-engine/adapters/internal/nets"
	"github.com/spine-engine/spine-engine/internal/conf"
)

// allowance is allow_private: what may be called though it is refused by default.
// Private networks (10/8, 172.16/12, 192.168/16, fc00::/7) need none: a hospital
// is made of them.
type allowance struct {
	loopback bool
	nets     []netip.Prefix
}

func (a allowance) String() string { return fmt.Sprintf("%t%v", a.loopback, a.nets) }

// refusedAddress is the error of an address that must not be called. It is judged
// when the socket is about to connect, by the address it connects to: what a name
// resolved to a moment before does not count.
type refusedAddress struct {
	addr  netip.Addr
	class string
	allow string
}

func (e *refusedAddress) Error() string {
	s := fmt.Sprintf("%s is %s, which a destination may not call", e.addr, e.class)
	if e.allow != "" {
		s += "; if that is meant, write allow_private: [" + e.allow + "]"
	}
	return s
}

// metadata are the addresses at which cloud machines are told their secrets,
// beside 169.254.0.0/16.
var metadata = []netip.Prefix{
	netip.MustParsePrefix("100.100.100.200/32"), // Alibaba
	netip.MustParsePrefix("168.63.129.16/32"),   // Azure
	netip.MustParsePrefix("192.0.0.192/32"),     // Oracle
	netip.MustParsePrefix("fd00:ec2::254/128"),  // Amazon
	netip.MustParsePrefix("fd20:ce::254/128"),   // Google
}

// control is net.Dialer.Control: the last look before connect.
func (a allowance) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("the address of a connection cannot be read: %w", err)
	}
	return a.check(at.Addr())
}

func (a allowance) check(addr netip.Addr) error {
	addr = addr.WithZone("").Unmap()
	class := classOf(addr)
	if class == "" || a.loopback && addr.IsLoopback() {
		return nil
	}
	for _, p := range a.nets {
		if p.Contains(addr) {
			return nil
		}
	}
	e := &refusedAddress{addr: addr, class: class, allow: addr.String()}
	if addr.IsLoopback() {
		e.allow = "loopback"
	}
	return e
}

// classOf names what is wrong with an address, "" for nothing.
func classOf(a netip.Addr) string {
	for _, p := range metadata {
		if p.Contains(a) {
			return "a metadata address of a cloud"
		}
	}
	switch {
	case a.IsLoopback():
		return "a loopback address"
	case a.IsLinkLocalUnicast():
		return "a link-local address (metadata of clouds)"
	case a.IsUnspecified(), a.Is4() && a.As4()[0] == 0:
		return "an unspecified address"
	case a.IsMulticast(), a.Is4() && a.As4()[0] >= 240:
		return "a multicast or reserved address"
	}
	if in, ok := embedded(a); ok && classOf(in) != "" {
		return "a way to " + in.String() + ", " + classOf(in)
	}
	return ""
}

// embedded gives the IPv4 address that an IPv6 address leads to: IPv4-compatible
// (::/96), NAT64 (64:ff9b::/96, RFC 6052) and 6to4 (2002::/16, RFC 3056).
func embedded(a netip.Addr) (netip.Addr, bool) {
	if !a.Is6() {
		return a, false
	}
	b := a.As16()
	at := 12
	switch head := binary.BigEndian.Uint64(b[:8]); {
	case b[0] == 0x20 && b[1] == 0x02:
		at = 2
	case head != 0 && head != 0x0064_ff9b_0000_0000, binary.BigEndian.Uint32(b[8:12]) != 0:
		return a, false
	}
	return netip.AddrFrom4([4]byte(b[at : at+4])), true
}

// literal checks a host that needs no resolving, so that the fault is found when
// the project is checked.
func (a allowance) literal(host string) error {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return a.check(netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return a.check(addr)
	}
	return nil
}

// readAllowance reads allow_private.
func readAllowance(n *conf.Node) allowance {
	var a allowance
	for _, item := range n.Items() {
		s := item.Text()
		if s == "loopback" {
			a.loopback = true
			continue
		}
		p, err := nets.ParsePrefix(s)
		if err != nil {
			item.Errorf("write loopback, a network as 169.254.10.0/24, or an address", "%q is neither", s)
			continue
		}
		if p.Addr().Is4In6() {
			p = netip.PrefixFrom(p.Addr().Unmap(), max(p.Bits()-96, 0))
		}
		if p.Bits() == 0 {
			item.Errorf("name the networks that are meant", "%s would allow every address", s)
			continue
		}
		a.nets = append(a.nets, p.Masked())
	}
	return a
}
