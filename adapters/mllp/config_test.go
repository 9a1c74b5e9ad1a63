package mllp

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spine-engine/spine-engine/adapters"
)

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
	for _, tc := range []struct {
		name, yaml string
		want       []string
	}{
		{"nothing wrong", `{ listen: "0.0.0.0:2575", allow_from: [10.20.0.0/16, "2001:db8::/32"], max_message: 16MiB, frame_timeout: 30s, idle_timeout: 0s, keepalive: 60s, max_connections: 1, max_connections_per_peer: 1 }`, nil},
		{"any address", `{ listen: ":2575" }`, nil},
		{"no listen", `{ keepalive: 60s }`, []string{`1:1: mllp has no "listen"; add listen: 0.0.0.0:2575`}},
		{"not a mapping", `"0.0.0.0:2575"`, []string{`1:1: expected a mapping (key: value), found a text`, `1:1: mllp has no "listen"; add listen: 0.0.0.0:2575`}},
		{"unknown key", `{ listen: "h:1", max_mesage: 1MiB }`, []string{`1:18: unknown key "max_mesage" in mllp listener; did you mean "max_message"?`}},
		{"no port", `{ listen: "0.0.0.0" }`, []string{`1:11: "0.0.0.0" is not host:port; write host:port, as 0.0.0.0:2575`}},
		{"a port that is none", `{ listen: "h:65536" }`, []string{`1:11: "65536" is not a port; a port is a number from 1 to 65535`}},
		{"a service name", `{ listen: "h:http" }`, []string{`1:11: "http" is not a port; a port is a number from 1 to 65535`}},
		{"a URL", `{ listen: "mllp://h:2575" }`, []string{`1:11: "mllp://h:2575" is not host:port; write host:port, as 0.0.0.0:2575`}},
		{"a host that is none", `{ listen: "a b:2575" }`, []string{`1:11: "a b" is not a host; write host:port, as 0.0.0.0:2575`}},
		{"networks", `{ listen: "h:1", allow_from: [10.20.0.0/33, host] }`, []string{
			`1:31: "10.20.0.0/33" is neither a network nor an address; write a network as 10.20.0.0/16, or an address as 10.20.1.5`,
			`1:45: "host" is neither a network nor an address; write a network as 10.20.0.0/16, or an address as 10.20.1.5`}},
		{"bits beyond the mask", `{ listen: "h:1", allow_from: 10.20.1.5/16 }`, []string{
			`1:30: warning: 10.20.1.5/16 has bits beyond its mask: the whole network 10.20.0.0/16 is let in; write 10.20.0.0/16, or 10.20.1.5/32 for that address alone`}},
		{"nobody", `{ listen: "h:1", allow_from: [] }`, []string{`1:30: allow_from is empty: nobody could connect; name the peers, or leave allow_from out to let everybody in`}},
		{"sizes and times", `{ listen: "h:1", max_message: 10, frame_timeout: 0s, idle_timeout: soon }`, []string{
			`1:31: "10" is out of place; write a size from 1KiB to 2GiB`,
			`1:50: "0s" would never let anything through; write a length of time above 0; the default is 30s`,
			`1:68: "soon" is not a length of time; write a number and a unit: 300ms, 30s, 5m, 24h, 7d`}},
		{"counts", `{ listen: "h:1", max_connections: 0 }`, []string{`1:35: "0" is out of place; write a whole number from 1 to 100000`}},
		{"per peer above all", `{ listen: "h:1", max_connections: 5, max_connections_per_peer: 6 }`, []string{`1:64: warning: max_connections_per_peer is above max_connections (5) and never reached`}},
		{"tls", `{ listen: "h:1", tls: { cert: "${file:server.crt}", key: "${file:server.key}", client_ca: "${file:ca}", min: "1.3" } }`, nil},
		{"tls without key", `{ listen: "h:1", tls: { cert: "${file:server.crt}" } }`, []string{
			`1:23: tls of a listener needs cert and key; add cert: "${file:tls/server.crt}" and key: "${file:tls/server.key}"`}},
		{"paths instead of PEM", `{ listen: "h:1", tls: { cert: "tls/server.crt", key: "tls/server.key", client_ca: "tls/ca.crt" } }`, []string{
			`1:31: cert is not PEM text; write "${file:tls/server.crt}"; the file must be PEM (-----BEGIN ...)`,
			`1:54: a private key must not stand in a project file; write "${file:tls/server.key}"`,
			`1:83: client_ca is not PEM text; write "${file:tls/ca.crt}"; the file must be PEM (-----BEGIN ...)`}},
		{"the key of another", `{ listen: "h:1", tls: { cert: "${file:server.crt}", key: "${file:client.key}" } }`, []string{
			`1:23: cert and key do not fit: tls: private key does not match public key; check that both files are PEM, unencrypted, and belong together`}},
		{"a key for an authority", `{ listen: "h:1", tls: { cert: "${file:server.crt}", key: "${file:server.key}", client_ca: "${file:server.key}" } }`, []string{
			`1:91: client_ca holds no certificate that can be read; give the authority's certificate as PEM`}},
		{"a missing file", `{ listen: "h:1", tls: { cert: "${file:nowhere}", key: "${file:server.key}" } }`, []string{
			`1:31: ${file:nowhere}: no file nowhere`}},
		{"an old version", `{ listen: "h:1", tls: { cert: "${file:server.crt}", key: "${file:server.key}", min: "1.1" } }`, []string{`1:85: "1.1" is not allowed here; did you mean "1.2"?`}},
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
	for _, tc := range []struct {
		name, yaml string
		want       []string
	}{
		{"nothing wrong", `{ connect: "epr.rxx.example:6661", connections: 64, connect_timeout: 5s, reply_timeout: 1m, keepalive: 0s }`, nil},
		{"no connect", `{ connections: 1 }`, []string{`1:1: mllp has no "connect"; add connect: epr.example:6661`}},
		{"listen", `{ listen: "h:1" }`, []string{`1:1: mllp has no "connect"; add connect: epr.example:6661`,
			`1:3: unknown key "listen" in mllp destination; known here: connect, tls, connections, connect_timeout, reply_timeout, keepalive`}},
		{"port 0", `{ connect: "h:0" }`, []string{`1:12: "0" is not a port; a port is a number from 1 to 65535`}},
		{"no host", `{ connect: ":6661" }`, []string{`1:12: "" is not a host; write host:port, as epr.example:6661`}},
		{"connections", `{ connect: "h:1", connections: 65 }`, []string{`1:32: "65" is out of place; write a whole number from 1 to 64`}},
		{"no time to answer", `{ connect: "h:1", reply_timeout: 0s }`, []string{`1:34: "0s" would never let anything through; write a length of time above 0; the default is 30s`}},
		{"tls", `{ connect: "h:1", tls: { ca: "${file:ca}", cert: "${file:client.crt}", key: "${file:client.key}", server_name: epr.example } }`, nil},
		{"tls of the system", `{ connect: "h:1", tls: { min: "1.2" } }`, nil},
		{"half a pair", `{ connect: "h:1", tls: { cert: "${file:client.crt}" } }`, []string{`1:24: cert and key belong together; write both or neither`}},
		{"server name", `{ connect: "h:1", tls: { server_name: "a b" } }`, []string{`1:39: "a b" is not a host; write the name that stands in the peer's certificate`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, problemsOf(t, tc.yaml, files, false)); d != "" {
				t.Errorf("problems (-want +got):\n%s", d)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	l := listenConf(t, `{ listen: "0.0.0.0:2575" }`, nil)
	if l.maxMessage != 16<<20 || l.frameTimeout != 30*time.Second || l.idleTimeout != 0 || l.keepalive != time.Minute ||
		l.maxConns != 512 || l.maxPerPeer != 64 || l.answerAlways || l.tls != nil || l.allow != nil {
		t.Errorf("listener %+v", l)
	}
	c := connectConf(t, `{ connect: "h:1" }`, nil)
	if c.connections != 1 || c.connectTimeout != 10*time.Second || c.replyTimeout != 30*time.Second || c.keepalive != time.Minute || c.tls != nil {
		t.Errorf("sender %+v", c)
	}
	if got := c.Traits(); got != (adapters.Traits{Batch: 1, Concurrency: 1, NeedsReply: true}) {
		t.Errorf("traits %+v", got)
	}
}

func TestClaims(t *testing.T) {
	for listen, want := range map[string][]string{
		"10.0.0.1:2575": {"port 10.0.0.1:2575"}, ":2575": {"port 0.0.0.0:2575"}, "[::]:2575": {"port 0.0.0.0:2575"},
		"0.0.0.0:2575": {"port 0.0.0.0:2575"}, "[::1]:2575": {"port [::1]:2575"}, "Host:2575": {"port host:2575"}, "127.0.0.1:0": nil,
	} {
		if d := cmp.Diff(want, listenConf(t, `{ listen: "`+listen+`" }`, nil).Claims()); d != "" {
			t.Errorf("%s: %s", listen, d)
		}
	}
	if c := connectConf(t, `{ connect: "h:1" }`, nil).Claims(); c != nil {
		t.Errorf("a destination claims %v", c)
	}
}

// Every key of the configuration counts in Key, and the same text gives the same.
func TestKey(t *testing.T) {
	files := keys(t)
	type keyed interface{ Key() string }
	seen := map[string]string{}
	check := func(yaml string, read func() keyed) {
		k := read().Key()
		if k != read().Key() {
			t.Errorf("%s: two keys for one text", yaml)
		}
		if other, ok := seen[k]; ok {
			t.Errorf("%s and %s have one key", yaml, other)
		}
		if strings.Contains(k, "PRIVATE") {
			t.Errorf("%s: the key holds a secret", yaml)
		}
		seen[k] = yaml
	}
	const pair = `cert: "${file:server.crt}", key: "${file:server.key}"`
	for _, more := range []string{"", ", allow_from: 10.0.0.0/8", ", max_message: 1MiB", ", frame_timeout: 1s", ", idle_timeout: 1s", ", keepalive: 1s",
		", max_connections: 100", ", max_connections_per_peer: 3", ", answer_always: true", ", tls: { " + pair + " }",
		", tls: { " + pair + `, min: "1.3" }`, ", tls: { " + pair + `, client_ca: "${file:ca}" }`, `, tls: { cert: "${file:client.crt}", key: "${file:client.key}" }`} {
		check(more, func() keyed { return listenConf(t, `{ listen: "h:1"`+more+` }`, files) })
	}
	for _, more := range []string{"", ", connections: 2", ", connect_timeout: 1s", ", reply_timeout: 1s", ", keepalive: 1s", ", tls: { }",
		`, tls: { server_name: a }`, `, tls: { ca: "${file:ca}" }`, `, tls: { ` + pair + ` }`, `, tls: { min: "1.3" }`} {
		check("to"+more, func() keyed { return connectConf(t, `{ connect: "h:1"`+more+` }`, files) })
	}
	check("reply", func() keyed {
		c := connectConf(t, `{ connect: "h:1" }`, nil)
		c.SetReplyTimeout(5 * time.Second)
		return c
	})
}

func TestSetReplyTimeout(t *testing.T) {
	var d adapters.DestinationConfig = connectConf(t, `{ connect: "h:1" }`, nil)
	s, ok := d.(interface{ SetReplyTimeout(time.Duration) })
	if !ok {
		t.Fatal("the engine cannot set the reply timeout")
	}
	s.SetReplyTimeout(0)
	if got := d.(*connectConfig).replyTimeout; got != 30*time.Second {
		t.Errorf("0 sets %s", got)
	}
	s.SetReplyTimeout(20 * time.Second)
	if got := d.(*connectConfig).replyTimeout; got != 20*time.Second {
		t.Errorf("20s sets %s", got)
	}
}
