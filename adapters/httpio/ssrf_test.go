package httpio

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spine-engine/spine-engine/adapters"
)

func TestAddressClasses(t *testing.T) {
	for _, tc := range []struct {
		addr, class string
	}{
		{"10.1.2.3", ""}, {"172.16.0.1", ""}, {"192.168.1.1", ""}, {"fd12::1", ""}, {"203.0.113.9", ""}, {"2001:db8::1", ""}, {"100.64.0.1", ""},
		{"127.0.0.1", "loopback"}, {"127.8.8.8", "loopback"}, {"::1", "loopback"}, {"::ffff:127.0.0.1", "loopback"},
		{"169.254.169.254", "link-local"}, {"169.254.170.2", "link-local"}, {"fe80::1%eth0", "link-local"}, {"::ffff:169.254.169.254", "link-local"},
		{"0.0.0.0", "unspecified"}, {"0.1.2.3", "unspecified"}, {"::", "unspecified"},
		{"224.0.0.1", "multicast"}, {"ff02::1", "multicast"}, {"255.255.255.255", "multicast"}, {"240.0.0.1", "reserved"},
		{"100.100.100.200", "metadata"}, {"168.63.129.16", "metadata"}, {"192.0.0.192", "metadata"}, {"fd00:ec2::254", "metadata"}, {"fd20:ce::254", "metadata"},
		{"64:ff9b::a9fe:a9fe", "a way to 169.254.169.254"}, {"64:ff9b::7f00:1", "a way to 127.0.0.1"}, {"64:ff9b::a01:203", ""},
		{"2002:a9fe:a9fe::1", "a way to 169.254.169.254"}, {"2002:cb00:7109::1", ""}, {"::7f00:1", "a way to 127.0.0.1"},
	} {
		got := classOf(netip.MustParseAddr(tc.addr).WithZone("").Unmap())
		if (got == "") != (tc.class == "") || !strings.Contains(got, tc.class) {
			t.Errorf("%s: %q, want %q", tc.addr, got, tc.class)
		}
		err := allowance{}.control("tcp", net.JoinHostPort(tc.addr, "80"), nil)
		if (err == nil) != (tc.class == "") {
			t.Errorf("%s: %v", tc.addr, err)
		}
	}
	a := allowance{loopback: true, nets: []netip.Prefix{netip.MustParsePrefix("169.254.10.0/24"), netip.MustParsePrefix("224.0.0.0/4")}}
	for addr, ok := range map[string]bool{"127.0.0.1": true, "::1": true, "169.254.10.9": true, "::ffff:169.254.10.9": true, "169.254.169.254": false, "224.1.1.1": true, "0.0.0.0": false} {
		if err := a.check(netip.MustParseAddr(addr)); (err == nil) != ok {
			t.Errorf("%s: %v", addr, err)
		}
	}
	if err := a.control("tcp", "nonsense", nil); err == nil {
		t.Error("an address that cannot be read was let through")
	}
}

// readQuestion gives the question of a query, and whether it asks for IPv4.
func readQuestion(query []byte) (question []byte, isA bool) {
	for at := 12; at+5 <= len(query); at += int(query[at]) + 1 {
		if query[at] == 0 {
			return query[12 : at+5], query[at+2] == 1
		}
	}
	return nil, false
}

// names is a DNS server that gives each question the next answer of its list, and
// the last one for ever: a name that moves.
func names(t *testing.T, answers ...[4]byte) *net.Resolver {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	var n atomic.Int32
	go func() {
		buf := make([]byte, 1500)
		for {
			size, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			question, isA := readQuestion(buf[:size])
			if question == nil {
				continue
			}
			// Header: id, response and recursion flags, one question, answers; then the
			// question again, and a record that points at its name (RFC 1035 section 4.1).
			out := append([]byte{buf[0], buf[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question...)
			if isA {
				a := answers[min(int(n.Add(1))-1, len(answers)-1)]
				out[7] = 1
				out = append(out, 0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, a[0], a[1], a[2], a[3])
			}
			pc.WriteTo(out, from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

// A name that leads home is refused whatever it led to before: the address is
// looked at when the socket connects.
func TestDNSRebinding(t *testing.T) {
	var served atomic.Int32
	url := peer(t, func(http.ResponseWriter, *http.Request) { served.Add(1) })
	_, port, _ := strings.Cut(strings.TrimPrefix(url, "http://"), ":")
	resolver := names(t, [4]byte{127, 0, 0, 1})
	address := "http://rebound.example:" + port

	s := openWith(t, `{ post: "`+address+`" }`, nil)
	s.dialer.Resolver = resolver
	r, err := s.Send(t.Context(), delivery("7"))
	var refused *refusedAddress
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "allow_private: [loopback]") || adapters.IsPermanent(err) || served.Load() != 0 {
		t.Errorf("%q %v", r.Code, err)
	}
	if err := s.Probe(t.Context()); !errors.As(err, &refused) {
		t.Errorf("probe: %v", err)
	}

	// The same name, allowed: it is the guard that refused it.
	s = openWith(t, `{ post: "`+address+`", allow_private: loopback }`, nil)
	s.dialer.Resolver = resolver
	if r, err := s.Send(t.Context(), delivery("7")); err != nil || r.Code != "200" || served.Load() != 1 {
		t.Errorf("allowed: %q %v", r.Code, err)
	}

	// A name that has moved after it was good.
	s = openWith(t, `{ post: "`+address+`", allow_private: 127.0.0.1 }`, nil)
	s.dialer.Resolver = names(t, [4]byte{127, 0, 0, 1}, [4]byte{169, 254, 169, 254})
	if r, err := s.Send(t.Context(), delivery("7")); err != nil || r.Code != "200" {
		t.Errorf("while it is good: %q %v", r.Code, err)
	}
	s.transport.CloseIdleConnections()
	if _, err := s.Send(t.Context(), delivery("7")); !errors.As(err, &refused) || refused.addr.String() != "169.254.169.254" {
		t.Errorf("after it has moved: %v", err)
	}
}

func TestRedirects(t *testing.T) {
	for _, tc := range []struct {
		name, redirects, location string
		status                    int
		code                      string
		requests                  int32
	}{
		{"to metadata, by default", "refuse", "http://169.254.169.254/latest/meta-data", 307, "307", 1},
		{"to metadata, same_host", "same_host", "http://169.254.169.254/latest/meta-data", 307, "307", 1},
		{"within the host, by default", "refuse", "/b", 308, "308", 1},
		{"within the host", "same_host", "/b", 308, "200", 2},
		{"within the host, whole address", "same_host", "SELF/b", 307, "200", 2},
		{"to another port", "same_host", "http://127.0.0.1:1/b", 307, "307", 1},
		{"to another scheme", "same_host", "https://127.0.0.1/b", 307, "307", 1},
		{"to a password", "same_host", "http://u:p@HOST/b", 307, "307", 1},
		{"one that would become a GET", "same_host", "/b", 302, "302", 1},
		{"see other", "same_host", "/b", 303, "303", 1},
		{"to nowhere", "same_host", "://", 307, "307", 1},
		{"round and round", "same_host", "/a", 307, "307", 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var n atomic.Int32
			var self string
			self = peer(t, func(w http.ResponseWriter, r *http.Request) {
				n.Add(1)
				b, _ := io.ReadAll(r.Body)
				if string(b) != adt("7") || r.Method != "POST" || r.Header.Get("Idempotency-Key") == "" {
					t.Errorf("%s with %d bytes", r.Method, len(b))
				}
				if r.URL.Path == "/a" {
					to := strings.NewReplacer("SELF", self, "HOST", strings.TrimPrefix(self, "http://")).Replace(tc.location)
					w.Header().Set("Location", to)
					w.WriteHeader(tc.status)
				}
			})
			s := openWith(t, `{ post: "`+self+`/a", allow_private: loopback, redirects: `+tc.redirects+` }`, nil)
			r, err := s.Send(t.Context(), delivery("7"))
			if err != nil || r.Code != tc.code || n.Load() != tc.requests {
				t.Errorf("%q %v, %d requests", r.Code, err, n.Load())
			}
		})
	}
}

// The environment's proxy would see the messages, and dial for us.
func TestNoProxy(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	if s := openWith(t, `{ post: "http://192.0.2.1" }`, nil); s.transport.Proxy != nil {
		t.Error("a proxy of the environment is used")
	}
}
