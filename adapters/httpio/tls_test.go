package httpio

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Our own sender against our own listener.
func TestTLS(t *testing.T) {
	files := keys(t)
	const mutual = serverTLS + `, client_ca: "${file:ca}"`
	for _, tc := range []struct {
		name, server, client string
		ok                   bool
	}{
		{"server only", serverTLS, `ca: "${file:ca}"`, true},
		{"server name", serverTLS, `ca: "${file:ca}", server_name: poct.example`, true},
		{"wrong server name", serverTLS, `ca: "${file:ca}", server_name: other.example`, false},
		{"unknown authority", serverTLS, `ca: "${file:other-ca}"`, false},
		{"the system's authorities do not know it", serverTLS, `min: "1.2"`, false},
		{"1.3", serverTLS + `, min: "1.3"`, `ca: "${file:ca}", min: "1.3"`, true},
		{"mutual", mutual, `ca: "${file:ca}", cert: "${file:client.crt}", key: "${file:client.key}"`, true},
		{"mutual, no certificate", mutual, `ca: "${file:ca}"`, false},
		{"mutual, certificate of another authority", mutual, `ca: "${file:ca}", cert: "${file:foreign.crt}", key: "${file:foreign.key}"`, false},
		{"mutual, certificate out of date", mutual, `ca: "${file:ca}", cert: "${file:old.crt}", key: "${file:old.key}"`, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEngine(t)
			r := serve(t, e, `{ listen: "127.0.0.1:0", tls: { `+tc.server+` } }`, files)
			s := openWith(t, `{ post: "`+r.url()+`", allow_private: loopback, tls: { `+tc.client+` } }`, files)
			for _, id := range []string{"1", "2"} {
				reply, err := s.Send(t.Context(), delivery(id))
				if (err == nil) != tc.ok || tc.ok && reply.Code != "200" {
					t.Fatalf("%q, %v", reply.Code, err)
				}
			}
			if tc.ok && s.counts.get("connections") != 1 {
				t.Errorf("%d connections: an idle one was not used again", s.counts.get("connections"))
			}
			if !tc.ok && len(e.envelopes()) != 0 {
				t.Error("a message came through")
			}
			if err := s.Probe(t.Context()); err != nil && tc.ok {
				t.Errorf("probe: %v", err)
			}
		})
	}
}

func TestTLSVersions(t *testing.T) {
	files := keys(t)
	for _, tc := range []struct {
		name   string
		client *tls.Config
		ok     bool
	}{
		{"1.1 is too old", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false},
		{"1.2 with authenticated encryption", &tls.Config{MaxVersion: tls.VersionTLS12}, true},
		{"1.2 with CBC only", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}}, false},
		{"1.3", &tls.Config{}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := serve(t, newEngine(t), `{ listen: "127.0.0.1:0", tls: { `+serverTLS+` } }`, files)
			tc.client.RootCAs = trust(t, files["ca"]).RootCAs
			c, err := tls.Dial("tcp", r.s.Addr().String(), tc.client)
			if (err == nil) != tc.ok {
				t.Errorf("session: %v", err)
			}
			if err == nil {
				c.Close()
				return
			}
			r.counts.wait("tls_failed", 1)
		})
	}
}

func TestHTTP2(t *testing.T) {
	files := keys(t)
	e := newEngine(t)
	e.inMemory = 8 << 10
	r := serve(t, e, `{ listen: "127.0.0.1:0", bearer: "${file:token}", gzip: true, tls: { `+serverTLS+` } }`, files)
	c := caller(t, trust(t, files["ca"]))
	bearer := "Bearer " + goodToken
	if a := post(t, c, r.url(), er7, strings.NewReader(adt("1")), "Authorization", bearer); a.status != 200 || a.proto != "HTTP/2.0" || msa(a.body) != "AA 1" {
		t.Errorf("%s %d %q", a.proto, a.status, a.body)
	}
	if a := post(t, c, r.url(), er7, chunked(long(2<<20)), "Authorization", bearer); a.status != 200 || e.spooled != 1 {
		t.Errorf("%d, %d spooled", a.status, e.spooled)
	}
	if a := post(t, c, r.url(), er7, strings.NewReader(zip(t, adt("3"))), "Authorization", bearer, "Content-Encoding", "gzip"); a.status != 200 {
		t.Errorf("%d", a.status)
	}
	if a := post(t, c, r.url(), er7, strings.NewReader(adt("4"))); a.status != 401 {
		t.Errorf("without a token: %d", a.status)
	}
	r.stop()
	if b := e.bodies(); len(b) != 3 || b[0] != adt("1") || b[1] != long(2<<20) || b[2] != adt("3") {
		t.Errorf("%d bodies", len(b))
	}
}

// One connection can carry many requests; the bound is on requests too.
func TestHTTP2Busy(t *testing.T) {
	files := keys(t)
	e := newEngine(t)
	entered, leave := make(chan struct{}, 10), make(chan struct{})
	e.decide = func(*message.Envelope) (message.Receipt, error) {
		entered <- struct{}{}
		<-leave
		return aa(), nil
	}
	r := serve(t, e, `{ listen: "127.0.0.1:0", max_requests: 2, tls: { `+serverTLS+` } }`, files)
	var others []*http.Client
	for range 2 {
		others = append(others, caller(t, trust(t, files["ca"])))
	}
	a := later(t, others[0], r.url())
	<-entered
	b := later(t, others[0], r.url())
	<-entered
	if c := post(t, others[1], r.url(), er7, strings.NewReader(adt("1"))); c.status != 503 {
		t.Errorf("the third: %d", c.status)
	}
	close(leave)
	if x, y := <-a, <-b; x.status != 200 || y.status != 200 {
		t.Errorf("%d, %d", x.status, y.status)
	}
}

func TestTLSPeers(t *testing.T) {
	files := keys(t)
	open := func(t *testing.T) *running {
		return serve(t, newEngine(t), `{ listen: "127.0.0.1:0", tls: { `+serverTLS+` } }`, files)
	}
	t.Run("a health check is no failure", func(t *testing.T) {
		r := open(t)
		dialTCP(t, r.s.Addr()).Close()
		r.counts.wait("connections_closed", 1)
		if r.counts.get("tls_failed") != 0 || strings.Contains(r.log.String(), `"warn"`) {
			t.Errorf("told as a failure: %s", r.log)
		}
	})
	t.Run("plain HTTP on a TLS port", func(t *testing.T) {
		r := open(t)
		c := dialTCP(t, r.s.Addr())
		io.WriteString(c, "POST / HTTP/1.1\r\nX: "+canary+"\r\n\r\n")
		io.ReadAll(c)
		r.counts.wait("tls_failed", 1)
		r.stop()
		if !strings.Contains(r.log.String(), "no TLS session") {
			t.Errorf("log: %s", r.log)
		}
	})
	t.Run("stopping while a handshake hangs", func(t *testing.T) {
		r := open(t)
		c := dialTCP(t, r.s.Addr())
		r.counts.wait("connections", 1)
		r.stop()
		if b, _ := io.ReadAll(c); len(b) != 0 {
			t.Errorf("told %q", b)
		}
	})
	t.Run("rubbish after an HTTP/2 preface", func(t *testing.T) {
		r := open(t)
		tc := trust(t, files["ca"])
		tc.NextProtos = []string{"h2"}
		c, err := tls.Dial("tcp", r.s.Addr().String(), tc)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, "PRI * HTTP/2.0 "+canary+strings.Repeat(canary, 10))
		io.ReadAll(c)
		c.Close()
		r.counts.wait("connections_closed", 1)
	})
}

// Many at once, over one listener and one sender.
func TestManyAtOnce(t *testing.T) {
	files := keys(t)
	e := newEngine(t)
	r := serve(t, e, `{ listen: "127.0.0.1:0", tls: { `+serverTLS+` } }`, files)
	s := openWith(t, `{ post: "`+r.url()+`", allow_private: loopback, connections: 8, tls: { ca: "${file:ca}" } }`, files)
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			id := string(rune('a'+i%26)) + string(rune('a'+i/26))
			if reply, err := s.Send(t.Context(), delivery(id)); err != nil || reply.Code != "200" {
				t.Errorf("%s: %q %v", id, reply.Code, err)
			}
		})
	}
	wg.Wait()
	if n := len(e.envelopes()); n != 200 {
		t.Errorf("%d messages", n)
	}
}
