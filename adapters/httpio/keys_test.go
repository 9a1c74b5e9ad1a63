package httpio

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"
)

// authority signs certificates for tests.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t testing.TB, name string) *authority {
	a := &authority{t: t, key: newKey(t)}
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
	f := map[string]string{"ca": ours.pem, "other-ca": theirs.pem, "token": goodToken + "\n", "tokens": goodToken + "\n\n" + nextToken + "\n"}
	f["server.crt"], f["server.key"] = ours.issue("poct.example", time.Hour)
	f["client.crt"], f["client.key"] = ours.issue("device.example", time.Hour)
	f["old.crt"], f["old.key"] = ours.issue("device.example", -time.Hour)
	f["foreign.crt"], f["foreign.key"] = theirs.issue("device.example", time.Hour)
	return f
}

const serverTLS = `cert: "${file:server.crt}", key: "${file:server.key}"`
