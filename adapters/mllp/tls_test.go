package mllp

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
)

// authority signs certificates for tests.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t testing.TB, name string) *authority {
	a := &authority{t: t}
	a.key = newKey(t)
	tmpl := template(name, time.Hour)
	tmpl.IsCA, tmpl.BasicConstraintsValid, tmpl.KeyUsage = true, true, x509.KeyUsageCertSign
	a.cert, a.pem = a.sign(tmpl, tmpl, &a.key.PublicKey)
	return a
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func template(name string, valid time.Duration) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(valid),
		DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
}

func (a *authority) sign(tmpl, parent *x509.Certificate, pub *ecdsa.PublicKey) (*x509.Certificate, string) {
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, pub, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// issue gives certificate and key as PEM.
func (a *authority) issue(name string, valid time.Duration) (cert, key string) {
	k := newKey(a.t)
	_, cert = a.sign(template(name, valid), a.cert, &k.PublicKey)
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// keys are the files that the configurations of these tests name.
func keys(t testing.TB) map[string]string {
	ours, theirs := newAuthority(t, "our authority"), newAuthority(t, "another authority")
	f := map[string]string{"ca": ours.pem, "other-ca": theirs.pem}
	f["server.crt"], f["server.key"] = ours.issue("pas.example", time.Hour)
	f["client.crt"], f["client.key"] = ours.issue("epr.example", time.Hour)
	f["old.crt"], f["old.key"] = ours.issue("epr.example", -time.Hour)
	f["foreign.crt"], f["foreign.key"] = theirs.issue("epr.example", time.Hour)
	return f
}

func TestTLS(t *testing.T) {
	files := keys(t)
	const server = `cert: "${file:server.crt}", key: "${file:server.key}"`
	const mutual = server + `, client_ca: "${file:ca}"`
	for _, tc := range []struct {
		name, server, client string
		ok                   bool
	}{
		{"server only", server, `ca: "${file:ca}"`, true},
		{"server name", server, `ca: "${file:ca}", server_name: pas.example`, true},
		{"wrong server name", server, `ca: "${file:ca}", server_name: other.example`, false},
		{"unknown authority", server, `ca: "${file:other-ca}"`, false},
		{"the system's authorities do not know it", server, ``, false},
		{"1.3", server + `, min: "1.3"`, `ca: "${file:ca}", min: "1.3"`, true},
		{"mutual", mutual, `ca: "${file:ca}", cert: "${file:client.crt}", key: "${file:client.key}"`, true},
		{"mutual, no certificate", mutual, `ca: "${file:ca}"`, false},
		{"mutual, certificate of another authority", mutual, `ca: "${file:ca}", cert: "${file:foreign.crt}", key: "${file:foreign.key}"`, false},
		{"mutual, certificate out of date", mutual, `ca: "${file:ca}", cert: "${file:old.crt}", key: "${file:old.key}"`, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEngine(t)
			r := serve(t, e, `{ listen: "127.0.0.1:0", tls: { `+tc.server+` } }`, files)
			s := openWith(t, connectConf(t, `{ connect: "`+r.l.Addr().String()+`", tls: { `+tc.client+` } }`, files))
			for _, id := range []string{"1", "2"} {
				reply, err := s.Send(t.Context(), delivery(id))
				if (err == nil) != tc.ok || tc.ok && reply.Code != "AA" {
					t.Fatalf("%q, %v", reply.Code, err)
				}
			}
			if tc.ok && s.counts.get("connections") != 1 {
				t.Errorf("%d connections: an idle one was not used again", s.counts.get("connections"))
			}
			if !tc.ok && len(e.envelopes()) != 0 {
				t.Error("a message came through")
			}
		})
	}
}

// What the peer's offer must be for a session to come about.
func TestTLSVersions(t *testing.T) {
	files := keys(t)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(files["ca"]))
	for _, tc := range []struct {
		name, min string
		client    *tls.Config
		ok        bool
	}{
		{"1.1 is too old", "1.2", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false},
		{"1.2 with authenticated encryption", "1.2", &tls.Config{MaxVersion: tls.VersionTLS12}, true},
		{"1.2 with CBC only", "1.2", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}}, false},
		{"1.2 where 1.3 is asked for", "1.3", &tls.Config{MaxVersion: tls.VersionTLS12}, false},
		{"1.3", "1.3", &tls.Config{}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := serve(t, newEngine(t), `{ listen: "127.0.0.1:0", tls: { cert: "${file:server.crt}", key: "${file:server.key}", min: "`+tc.min+`" } }`, files)
			tc.client.RootCAs, tc.client.ServerName = pool, "pas.example"
			c, err := tls.Dial("tcp", r.l.Addr().String(), tc.client)
			if err == nil {
				send(t, c, frame(adt("1")))
				answer(t, c)
				c.Close()
			}
			if (err == nil) != tc.ok {
				t.Errorf("session: %v", err)
			}
			if !tc.ok {
				r.counts.wait("tls_failed", 1)
			}
		})
	}
}

func TestTLSPeers(t *testing.T) {
	files := keys(t)
	open := func(t *testing.T) *running {
		return serve(t, newEngine(t), `{ listen: "127.0.0.1:0", tls: { cert: "${file:server.crt}", key: "${file:server.key}" } }`, files)
	}
	t.Run("a health check is no failure", func(t *testing.T) {
		r := open(t)
		dialTCP(t, r.l.Addr()).Close()
		r.counts.wait("connections_closed", 1)
		if r.counts.get("tls_failed") != 0 || strings.Contains(r.log.String(), `"warn"`) {
			t.Errorf("told as a failure: %s", r.log)
		}
	})
	t.Run("plain HL7 on a TLS port", func(t *testing.T) {
		r := open(t)
		c := dialTCP(t, r.l.Addr())
		send(t, c, frame(adt("1")))
		r.counts.wait("tls_failed", 1)
		io.Copy(io.Discard, c)
		r.stop()
		if !strings.Contains(r.log.String(), "no TLS session") {
			t.Errorf("log: %s", r.log)
		}
	})
	t.Run("stopping while a handshake hangs", func(t *testing.T) {
		bubbleTLS(t, files, func(p *pipes, r *running) {
			c := p.dial()
			r.counts.wait("connections", 1)
			begin := time.Now()
			r.stop()
			if d := time.Since(begin); d > stopGrace {
				t.Errorf("stopped after %s", d)
			}
			c.Close()
		})
	})
}

func bubbleTLS(t *testing.T, files map[string]string, f func(p *pipes, r *running)) {
	yaml := `{ listen: "127.0.0.1:0", tls: { cert: "${file:server.crt}", key: "${file:server.key}" } }`
	bubbleWith(t, func() *listenConfig { return listenConf(t, yaml, files) }, f)
}

// Over TLS too, what lies unasked in an idle connection is not the next answer.
func TestTLSIdleConnection(t *testing.T) {
	files := keys(t)
	pair, err := tls.X509KeyPair([]byte(files["server.crt"]), []byte(files["server.key"]))
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}}
	for _, tc := range []struct {
		name  string
		extra string
	}{
		{"a late answer in a record of its own", frame(ack("AA", "2"))},
		{"closed", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			secure := func(f func(net.Conn)) func(net.Conn) {
				return func(c net.Conn) { f(tls.Server(c, config)) }
			}
			peer := play(t, secure(func(c net.Conn) {
				readFrame(c)
				io.WriteString(c, frame(ack("AA", "1")))
				io.WriteString(c, tc.extra)
				if tc.extra == "" {
					c.Close()
					return
				}
				hangUp(c)
			}), secure(func(c net.Conn) {
				readFrame(c)
				io.WriteString(c, frame(ack("AE", "2")))
				hangUp(c)
			}))
			s := openWith(t, connectConf(t, `{ connect: "`+peer.ln.Addr().String()+`", tls: { ca: "${file:ca}" } }`, files))
			s.Send(context.Background(), delivery("1"))
			for len(s.idle) == 1 && s.idle[0].state() == linkQuiet {
			}
			if r, err := s.Send(t.Context(), delivery("2")); r.Code != "AE" || err != nil {
				t.Errorf("%q, %v", r.Code, err)
			}
			s.Close()
		})
	}
}

func TestTLSLargeMessage(t *testing.T) {
	files := keys(t)
	e := newEngine(t)
	r := serve(t, e, `{ listen: "127.0.0.1:0", tls: { cert: "${file:server.crt}", key: "${file:server.key}" } }`, files)
	s := openWith(t, connectConf(t, `{ connect: "`+r.l.Addr().String()+`", tls: { ca: "${file:ca}" } }`, files))
	body := bigBody("7", 5<<20)
	reply, err := s.Send(t.Context(), &message.Delivery{Body: message.InMemory([]byte(body)), ControlID: "7"})
	if reply.Code != "AA" || err != nil || r.bodies()[0] != body {
		t.Errorf("%q, %v", reply.Code, err)
	}
}
