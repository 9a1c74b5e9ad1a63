package nets

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/spine-engine/spine-engine/internal/conf"
)

// Address is host:port as configured, checked without asking the network.
type Address struct {
	Host string
	Port int
}

// String is host:port.
func (a Address) String() string { return net.JoinHostPort(a.Host, strconv.Itoa(a.Port)) }

// Claim is one text for all spellings of "every address of this machine".
func (a Address) Claim() string {
	host := strings.ToLower(a.Host)
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "0.0.0.0"
	}
	return "port " + net.JoinHostPort(host, strconv.Itoa(a.Port))
}

// ReadAddress reads the host:port under key of kind's node (owner). lowest is the
// smallest port allowed: a listener may ask for port 0, any free one, which only
// tests want.
func ReadAddress(n, owner *conf.Node, kind, key, example string, lowest int) Address {
	if n == nil {
		owner.Errorf(fmt.Sprintf("add %s: %s", key, example), "%s has no %q", kind, key)
		return Address{}
	}
	s := n.Text()
	hint := "write host:port, as " + example
	host, p, err := net.SplitHostPort(s)
	if err != nil {
		n.Errorf(hint, "%q is not host:port", s)
		return Address{}
	}
	port, err := strconv.Atoi(p)
	if err != nil || port < lowest || port > 65535 {
		n.Errorf(fmt.Sprintf("a port is a number from %d to 65535", max(lowest, 1)), "%q is not a port", p)
		return Address{}
	}
	if !GoodHost(host) || host == "" && key == "connect" {
		n.Errorf(hint, "%q is not a host", host)
		return Address{}
	}
	return Address{Host: host, Port: port}
}

// GoodHost takes IP addresses (with zone), host names (RFC 1123, underscores as
// in the wild) and the empty host of a listener.
func GoodHost(h string) bool {
	if _, err := netip.ParseAddr(h); err == nil || h == "" {
		return true
	}
	if len(h) > 253 || strings.Trim(h, "-.") != strings.TrimSuffix(h, ".") || strings.Contains(h, "..") {
		return false
	}
	return strings.Trim(strings.ToLower(h), "abcdefghijklmnopqrstuvwxyz0123456789-._") == ""
}

// ReadPrefixes reads the allow-list: networks or single addresses.
func ReadPrefixes(n *conf.Node) []netip.Prefix {
	if n == nil {
		return nil
	}
	items := n.Items()
	if len(items) == 0 {
		n.Errorf("name the peers, or leave allow_from out to let everybody in", "allow_from is empty: nobody could connect")
	}
	var out []netip.Prefix
	for _, item := range items {
		p, err := ParsePrefix(item.Text())
		if err != nil {
			item.Errorf("write a network as 10.20.0.0/16, or an address as 10.20.1.5", "%q is neither a network nor an address", item.Text())
			continue
		}
		if p != p.Masked() {
			item.Warnf(fmt.Sprintf("write %s, or %s/%d for that address alone", p.Masked(), p.Addr(), p.Addr().BitLen()),
				"%s has bits beyond its mask: the whole network %s is let in", p, p.Masked())
		}
		out = append(out, p.Masked())
	}
	return out
}

// ParsePrefix reads a network or a single address.
func ParsePrefix(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return netip.Prefix{}, err
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(s)
}
