package httpio

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spine-engine/spine-engine/adapters"
)

// What routes asks a destination of HTTP.
var _ interface {
	ReplyCodes() []string
	SetReplyTimeout(time.Duration)
} = (*requestConfig)(nil)

func problemsOf(t *testing.T, yaml string, files map[string]string, source bool) []string {
	n, ps := parse(t, yaml, files)
	if source {
		Kind().Source(n)
	} else {
		Kind().Destination(n)
	}
	var out []string
	for _, p := range ps.Sorted() {
		out = append(out, strings.TrimPrefix(p.String(), "spine.yaml:"))
	}
	return out
}

func TestSourceProblems(t *testing.T) {
	files := keys(t)
	files["none"], files["short"], files["spaced"] = "\n \n", "abc\n", "not one word at all\n"
	for _, tc := range []struct {
		name, yaml string
		want       []string
	}{
		{"nothing wrong", `{ listen: "0.0.0.0:8443", path: /results, tls: { ` + serverTLS + `, client_ca: "${file:ca}" }, bearer: "${file:tokens}", allow_from: [10.20.0.0/16], anonymous: false, max_message: 16MiB, gzip: true, max_header: 16KiB, header_timeout: 10s, body_timeout: 30s, idle_timeout: 2m, keepalive: 0s, max_connections: 2, max_connections_per_peer: 1, max_requests: 1 }`, nil},
		{"loopback", `{ listen: "localhost:8080" }`, nil},
		{"loopback, IPv6", `{ listen: "[::1]:8080" }`, nil},
		{"by certificate", `{ listen: "h:1", tls: { ` + serverTLS + `, client_ca: "${file:ca}" } }`, nil},
		{"by address", `{ listen: "h:1", allow_from: 10.0.0.1 }`, nil},
		{"everybody, and that is meant", `{ listen: "h:1", anonymous: true }`, nil},
		{"everybody", `{ listen: "0.0.0.0:8443" }`, []string{`1:1: whoever reaches 0.0.0.0:8443 could send messages; add bearer: "${file:secrets/NAME}", allow_from or tls: { client_ca }; write anonymous: true if everybody may`}},
		{"everybody by TLS", `{ listen: ":8443", tls: { ` + serverTLS + ` } }`, []string{`1:1: whoever reaches :8443 could send messages; add bearer: "${file:secrets/NAME}", allow_from or tls: { client_ca }; write anonymous: true if everybody may`}},
		{"anonymous with a token", `{ listen: "h:1", tls: { ` + serverTLS + ` }, bearer: "${file:token}", anonymous: true }`, []string{`1:118: anonymous and bearer exclude each other; keep one of the two`}},
		{"a token in clear", `{ listen: "h:1", bearer: "${file:token}" }`, []string{`1:26: warning: without tls the token and the messages cross the network in clear; add tls: { cert, key }`}},
		{"a literal token", `{ listen: "127.0.0.1:1", bearer: "0123456789abcdef0123" }`, []string{`1:34: a token must not stand in a project file; write bearer: "${file:secrets/NAME}"`}},
		{"an empty token", `{ listen: "127.0.0.1:1", bearer: "${file:none}" }`, []string{`1:34: bearer holds no token; put one token a line into the file`}},
		{"a short token", `{ listen: "127.0.0.1:1", bearer: "${file:short}" }`, []string{`1:34: warning: bearer holds a token of 3 characters, which can be guessed; make one with: openssl rand -hex 32`}},
		{"no token", `{ listen: "127.0.0.1:1", bearer: "${file:spaced}" }`, []string{
			`1:34: bearer holds a line that cannot be sent as a token; a token has letters, digits and -._~+/ only, and = at its end (RFC 6750)`, `1:34: bearer holds no token; put one token a line into the file`}},
		{"a missing file", `{ listen: "127.0.0.1:1", bearer: "${file:nowhere}" }`, []string{`1:34: ${file:nowhere}: no file nowhere`}},
		{"no listen", `{ path: / }`, []string{`1:1: http has no "listen"; add listen: 0.0.0.0:8443`}},
		{"unknown key", `{ listen: "127.0.0.1:1", pth: / }`, []string{`1:26: unknown key "pth" in http listener; did you mean "path"?`}},
		{"paths", `{ listen: "127.0.0.1:1", path: results }`, []string{`1:32: "results" is not a path; write a path of letters, digits and -._~, as /results`}},
		{"a path that climbs", `{ listen: "127.0.0.1:1", path: /a/../b }`, []string{`1:32: "/a/../b" is not a path; write a path of letters, digits and -._~, as /results`}},
		{"a path with a query", `{ listen: "127.0.0.1:1", path: "/a?b=%20" }`, []string{`1:32: "/a?b=%20" is not a path; write a path of letters, digits and -._~, as /results`}},
		{"sizes and times", `{ listen: "127.0.0.1:1", max_header: 1MB, max_message: 1, body_timeout: 0s, max_header: 2GiB }`, []string{
			`1:56: "1" is out of place; write a size from 1KiB to 2GiB`, `1:73: "0s" would never let anything through; write a length of time above 0; the default is 30s`,
			`1:77: key "max_header" stands here twice, first in line 1; keep one of the two`}},
		{"headers", `{ listen: "127.0.0.1:1", max_header: 2GiB }`, []string{`1:38: "2GiB" is out of place; write a size from 1KiB to 1MiB`}},
		{"per peer above all", `{ listen: "127.0.0.1:1", max_connections: 5, max_connections_per_peer: 6 }`, []string{`1:72: warning: max_connections_per_peer is above max_connections (5) and never reached`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, problemsOf(t, tc.yaml, files, true)); d != "" {
				t.Errorf("problems (-want +got):\n%s", d)
			}
		})
	}
}

func TestDestinationProblems(t *testing.T) {
	files := keys(t)
	const plain = `warning: messages cross the network in clear; write https:// if the other side can`
	for _, tc := range []struct {
		name, yaml string
		want       []string
	}{
		{"nothing wrong", `{ post: "https://sms.example/adt?x=1", headers: { X-Trust: RXX, Authorization: "${file:token}" }, tls: { ca: "${file:ca}", cert: "${file:client.crt}", key: "${file:client.key}", server_name: sms.example }, content_type: application/hl7-v2, connections: 4, connect_timeout: 10s, reply_timeout: 30s, keepalive: 60s, redirects: same_host, allow_private: [loopback, 169.254.10.0/24, "fe80::1"], idempotency: none, max_reply: 1MiB }`, nil},
		{"put", `{ put: "https://10.1.2.3:8443", bearer: "${file:token}" }`, nil},
		{"plain to this machine", `{ post: "http://127.0.0.1:8080/", allow_private: loopback }`, nil},
		{"plain", `{ post: "http://sms.example/adt" }`, []string{`1:9: ` + plain}},
		{"no address", `{ connections: 4 }`, []string{`1:1: http has no address; add post: https://host/path`}},
		{"two addresses", `{ post: "https://a", put: "https://b" }`, []string{`1:27: post and put exclude each other; keep one of the two`}},
		{"a password", `{ post: "https://u:secret@h/x" }`, []string{`1:9: a user name or password must not stand in an address; use bearer: "${file:secrets/NAME}", or headers: { Authorization: "${file:secrets/NAME}" }`}},
		{"a password in an address that is none", `{ post: "https://u:secret@h:x y/%zz" }`, []string{`1:9: this is not an address; write an address as https://host/path`}},
		{"another scheme", `{ post: "ftp://h/x" }`, []string{`1:9: "ftp" is not http or https; write an address as https://host/path`}},
		{"no scheme", `{ post: "sms.example/adt" }`, []string{`1:9: "" is not http or https; write an address as https://host/path`}},
		{"no host", `{ post: "https:///x" }`, []string{`1:9: "" is not a host; write an address as https://host/path`}},
		{"a fragment", `{ post: "https://h/x#y" }`, []string{`1:9: a fragment (#...) is never sent; leave it out`}},
		{"a port", `{ post: "https://h:0/x" }`, []string{`1:9: "0" is not a port; a port is a number from 1 to 65535`}},
		{"an expression", `{ post: '= "https://h/" + msg["PID-3"]' }`, []string{`1:9: the address of a destination cannot be computed; write an address as https://host/path`}},
		{"metadata", `{ post: "https://169.254.169.254/x" }`, []string{`1:9: 169.254.169.254 is a link-local address (metadata of clouds), which a destination may not call; if that is meant, write allow_private: [169.254.169.254]`}},
		{"this machine", `{ post: "https://localhost./x" }`, []string{`1:9: 127.0.0.1 is a loopback address, which a destination may not call; if that is meant, write allow_private: [loopback]`}},
		{"allowances", `{ post: "https://h", allow_private: [private, 0.0.0.0/0] }`, []string{
			`1:38: "private" is neither; write loopback, a network as 169.254.10.0/24, or an address`, `1:47: 0.0.0.0/0 would allow every address; name the networks that are meant`}},
		{"tls without https", `{ post: "http://127.0.0.1", allow_private: loopback, tls: { min: "1.3" } }`, []string{`1:59: tls is declared, but the address begins with http://; write https:// or leave tls out`}},
		{"insecure", `{ post: "https://h", tls: { insecure: true } }`, []string{`1:29: unknown key "insecure" in tls of a destination; known here: ca, cert, key, server_name, min`}},
		{"headers", `{ post: "https://h", headers: { Content-Length: 1, Content-Type: a/b, "a b": c, X: "a\nb", X-API-Key: abc, Idempotency-Key: 1 } }`, []string{
			`1:33: Content-Length is written by the engine; leave it out`,
			`1:52: the content type is no header of its own here; write content_type`,
			`1:71: "a b" is not the name of a header`,
			`1:84: the value of X cannot be sent in a header`,
			`1:103: a secret must not stand in a project file; write "${file:secrets/NAME}"`,
			`1:108: Idempotency-Key is written by the engine; leave it out`}},
		{"two authorizations", `{ post: "https://h", bearer: "${file:token}", headers: { Authorization: "${file:token}" } }`, []string{`1:30: bearer and the header Authorization exclude each other; keep one of the two`}},
		{"two tokens", `{ post: "https://h", bearer: "${file:tokens}" }`, []string{`1:30: bearer holds 2 tokens; a destination sends one; keep the one that the other side takes`}},
		{"words", `{ post: "https://h", content_type: hl7, redirects: follow, idempotency: "a b", max_reply: 1 }`, []string{
			`1:36: "hl7" is not a media type; write a type as application/hl7-v2`, `1:52: "follow" is not allowed here; known here: refuse, same_host`,
			`1:73: "a b" is not a header that can carry the key; write the header's name, or none`, `1:91: "1" is out of place; write a size from 1KiB to 64MiB`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := problemsOf(t, tc.yaml, files, false)
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("problems (-want +got):\n%s", d)
			}
			if s := strings.Join(got, ""); strings.Contains(s, "u:secret") || strings.Contains(s, goodToken) {
				t.Errorf("a secret is shown: %s", s)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	l := listenConf(t, `{ listen: "127.0.0.1:8443" }`, nil)
	if l.path != "/" || l.maxMessage != 16<<20 || l.maxHeader != 16<<10 || l.headerTimeout != 10*time.Second || l.bodyTimeout != 30*time.Second ||
		l.idleTimeout != 2*time.Minute || l.keepalive != time.Minute || l.maxConns != 512 || l.maxPerPeer != 64 || l.maxRequests != 128 || l.gzip || l.tls != nil {
		t.Errorf("listener %+v", l)
	}
	d := requestConf(t, `{ post: "https://sms.example" }`, nil)
	if d.method != "POST" || d.connections != 4 || d.connectTimeout != 10*time.Second || d.replyTimeout != 30*time.Second || d.keepalive != time.Minute ||
		d.follow || d.allow.loopback || d.idempotency != "Idempotency-Key" || d.maxReply != 1<<20 || d.tls == nil || d.url.String() != "https://sms.example/" {
		t.Errorf("destination %+v", d)
	}
	if got := (adapters.Traits{Batch: 1, Concurrency: 4, NeedsReply: true}); d.Traits() != got {
		t.Errorf("traits %+v", d.Traits())
	}
	if got := d.ReplyCodes(); !cmp.Equal(got, []string{"2xx", "4xx", "5xx", "none"}) {
		t.Errorf("reply codes %q", got)
	}
	d.SetReplyTimeout(0)
	d.SetReplyTimeout(20 * time.Second)
	if d.replyTimeout != 20*time.Second {
		t.Errorf("reply timeout %s", d.replyTimeout)
	}
}

// Every change that matters changes the key, and no secret stands in it.
func TestKeys(t *testing.T) {
	files := keys(t)
	seen := map[string]string{}
	add := func(yaml, key string) {
		if other, dup := seen[key]; dup {
			t.Errorf("%s and %s have one key", yaml, other)
		}
		if seen[key] = yaml; strings.Contains(key, goodToken) || strings.Contains(key, "s3cret") {
			t.Errorf("a secret in %q", key)
		}
	}
	for _, yaml := range []string{"", `path: /a`, `bearer: "${file:token}"`, `bearer: "${file:tokens}"`, `allow_from: 127.0.0.1`, `gzip: true`, `max_message: 1MiB`,
		`max_header: 1KiB`, `header_timeout: 1s`, `body_timeout: 1s`, `idle_timeout: 1s`, `keepalive: 1s`, `max_connections: 100`, `max_connections_per_peer: 1`,
		`max_requests: 1`, `tls: { ` + serverTLS + ` }`, `tls: { cert: "${file:client.crt}", key: "${file:client.key}" }`} {
		add(yaml, listenConf(t, `{ listen: "127.0.0.1:8443", `+yaml+` }`, files).Key())
	}
	files["key"] = "s3cret"
	for _, yaml := range []string{`post: "https://h"`, `put: "https://h"`, `post: "https://h/?code=s3cret"`, `post: "https://h", headers: { A: B }`, `post: "https://h", headers: { A: "${file:key}" }`,
		`post: "https://h", bearer: "${file:token}"`, `post: "https://h", tls: { ca: "${file:ca}" }`, `post: "https://h", content_type: a/b`, `post: "https://h", connections: 1`,
		`post: "https://h", connect_timeout: 1s`, `post: "https://h", reply_timeout: 1s`, `post: "https://h", keepalive: 1s`, `post: "https://h", redirects: same_host`,
		`post: "https://h", allow_private: loopback`, `post: "https://h", allow_private: 127.0.0.1`, `post: "https://h", idempotency: none`, `post: "https://h", max_reply: 2MiB`} {
		add(yaml, requestConf(t, `{ `+yaml+` }`, files).Key())
	}
}

func TestClaims(t *testing.T) {
	for yaml, want := range map[string][]string{
		`{ listen: "127.0.0.1:0" }`:                                  nil,
		`{ listen: ":8443", anonymous: true }`:                       {"port 0.0.0.0:8443"},
		`{ listen: "[::]:8443", path: /other, anonymous: true }`:     {"port 0.0.0.0:8443"},
		`{ listen: "10.1.1.1:8443", path: /other, anonymous: true }`: {"port 10.1.1.1:8443"},
	} {
		if d := cmp.Diff(want, listenConf(t, yaml, nil).Claims()); d != "" {
			t.Errorf("%s: %s", yaml, d)
		}
	}
	if c := requestConf(t, `{ post: "https://h" }`, nil).Claims(); c != nil {
		t.Errorf("a destination claims %q", c)
	}
}
