package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spine-engine/spine-engine/internal/peer"
)

// certificate writes a certificate that vouches for itself, and its key.
func certificate(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	write(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	return cert, key
}

// Who has the right certificate is answered, who has none or another is not.
func TestListenAndSendOverTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := certificate(t, dir, "lab")
	mine, myKey := certificate(t, dir, "pas")
	tc, err := serverTLS(cert, key, mine)
	if err != nil {
		t.Fatal(err)
	}
	s := peer.NewScripted("127.0.0.1:0")
	s.TLS = tc
	web := peer.NewHTTPServer("127.0.0.1:0")
	web.TLS = tc
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	if err := web.Start(); err != nil {
		t.Fatal(err)
	}
	defer web.Stop()
	msg := []byte("MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.4\r")
	for _, row := range []struct {
		name          string
		ca, cert, key string
		ok            bool
	}{
		{"both known to each other", cert, mine, myKey, true},
		{"no certificate shown", cert, "", "", false},
		{"another's certificate shown", cert, cert, key, false},
		{"the listener is not trusted", mine, mine, myKey, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			tc, err := clientTLS(row.ca, row.cert, row.key)
			if err != nil {
				t.Fatal(err)
			}
			p := peer.NewPoster("https://"+web.Address(), tc, "", 10*time.Second)
			defer p.Close()
			if a, err := p.Post(t.Context(), msg, peer.TypeER7); (err == nil && a.Code == "AA") != row.ok {
				t.Errorf("HTTP: %s, %v", a.Code, err)
			}
			c, err := peer.Dial(t.Context(), s.Address(), tc, 10*time.Second)
			if err == nil {
				defer c.Close()
				_, err = c.Ask(msg)
			}
			if (err == nil) != row.ok {
				t.Errorf("MLLP: %v", err)
			}
		})
	}
}

func TestTLSFilesThatAreWrongAreNamed(t *testing.T) {
	dir := t.TempDir()
	cert, key := certificate(t, dir, "lab")
	_, other := certificate(t, dir, "pas")
	empty := filepath.Join(dir, "empty.crt")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		do   func() error
		want string
	}{
		{"a certificate without its key", func() error { _, err := serverTLS(cert, "", ""); return err }, "needs both"},
		{"another's key", func() error { _, err := serverTLS(cert, other, ""); return err }, other},
		{"authorities that are none", func() error { _, err := serverTLS(cert, key, empty); return err }, "empty.crt holds no certificate"},
		{"a client's key alone", func() error { _, err := clientTLS("", "", key); return err }, "needs both"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := row.do(); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}
