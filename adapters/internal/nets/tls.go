package nets

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/spine-engine/spine-engine/internal/conf"
)

// suites are the six of TLS 1.2 with forward secrecy and authenticated
// encryption; TLS 1.3 has no others.
func suites() []uint16 {
	return []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}
}

// TLS is a ready configuration and a digest of what it was made of, so that a
// renewed certificate is seen as a change without the key material standing in
// any text.
type TLS struct {
	Config *tls.Config
	digest string
}

// Key is the digest, "off" for nil.
func (t *TLS) Key() string {
	if t == nil {
		return "off"
	}
	return t.digest
}

// Digest names secrets and long texts by 16 hex digits.
func Digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return fmt.Sprintf("%x", sum[:8])
}

// ReadServerTLS reads { cert, key, client_ca, min }. With client_ca every peer
// must show a certificate of that authority (IHE ATNA, ITI-19).
func ReadServerTLS(n *conf.Node) *TLS {
	m := n.Map("tls of a listener", "cert", "key", "client_ca", "min")
	cfg := baseTLS(m["min"])
	if m["cert"] == nil || m["key"] == nil {
		n.Errorf(`add cert: "${file:tls/server.crt}" and key: "${file:tls/server.key}"`, "tls of a listener needs cert and key")
	}
	cert, key := readKeyPair(n, m["cert"], m["key"], cfg)
	ca := readAuthorities(m["client_ca"], "client_ca")
	if m["client_ca"].Present() {
		cfg.ClientCAs, cfg.ClientAuth = ca.pool, tls.RequireAndVerifyClientCert
	}
	return &TLS{Config: cfg, digest: Digest(cert, key, ca.text, m["min"].Text())}
}

// ReadClientTLS reads { ca, cert, key, server_name, min }. host is the name the
// peer must prove where server_name is not written. Without ca the
// system's authorities count.
func ReadClientTLS(n *conf.Node, host string) *TLS {
	m := n.Map("tls of a destination", "ca", "cert", "key", "server_name", "min")
	cfg := baseTLS(m["min"])
	if (m["cert"] == nil) != (m["key"] == nil) {
		n.Errorf("write both or neither", "cert and key belong together")
	}
	cert, key := readKeyPair(n, m["cert"], m["key"], cfg)
	ca := readAuthorities(m["ca"], "ca")
	if m["ca"].Present() {
		cfg.RootCAs = ca.pool
	}
	cfg.ServerName = host
	if name := m["server_name"]; name.Present() {
		cfg.ServerName = name.Text()
		if cfg.ServerName == "" || !GoodHost(cfg.ServerName) {
			name.Errorf("write the name that stands in the peer's certificate", "%q is not a host", cfg.ServerName)
		}
	}
	return &TLS{Config: cfg, digest: Digest(cert, key, ca.text, cfg.ServerName, m["min"].Text())}
}

// SystemTLS is the client configuration of who wrote none: the system's
// authorities, and the name of the host.
func SystemTLS(host string) *TLS {
	cfg := baseTLS(nil)
	cfg.ServerName = host
	return &TLS{Config: cfg, digest: Digest("system", host)}
}

func baseTLS(min *conf.Node) *tls.Config {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, CipherSuites: suites()}
	if min.OneOf("1.2", "1.2", "1.3") == "1.3" {
		cfg.MinVersion = tls.VersionTLS13
	}
	return cfg
}

// readKeyPair puts certificate and key into cfg; it returns their texts for the digest.
func readKeyPair(owner, certNode, keyNode *conf.Node, cfg *tls.Config) (cert, key string) {
	cert, certOK := readPEM(certNode, "cert", "${file:tls/server.crt}")
	if keyNode.Present() && !strings.Contains(keyNode.Source(), "${") {
		keyNode.Errorf(`write "${file:tls/server.key}"`, "a private key must not stand in a project file")
		return cert, ""
	}
	key, keyOK := readPEM(keyNode, "key", "${file:tls/server.key}")
	if !certOK || !keyOK {
		return cert, key
	}
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		owner.Errorf("check that both files are PEM, unencrypted, and belong together", "cert and key do not fit: %v", err)
		return cert, key
	}
	cfg.Certificates = []tls.Certificate{pair}
	return cert, key
}

// readPEM reads a text that must be PEM. It is never shown: it may be a secret,
// or a path that somebody took for the way to write it.
func readPEM(n *conf.Node, what, example string) (string, bool) {
	if n == nil {
		return "", false
	}
	s := n.Text()
	if block, _ := pem.Decode([]byte(s)); block != nil {
		return s, true
	}
	hint := fmt.Sprintf("write %q; the file must be PEM (-----BEGIN ...)", example)
	if s == "" {
		n.Errorf(hint, "%s is empty or could not be read", what)
	} else {
		n.Errorf(hint, "%s is not PEM text", what)
	}
	return "", false
}

type authorities struct {
	pool *x509.CertPool
	text string
}

func readAuthorities(n *conf.Node, what string) authorities {
	a := authorities{pool: x509.NewCertPool()}
	s, ok := readPEM(n, what, "${file:tls/ca.crt}")
	if !ok {
		return a
	}
	if !a.pool.AppendCertsFromPEM([]byte(s)) {
		n.Errorf("give the authority's certificate as PEM", "%s holds no certificate that can be read", what)
	}
	a.text = s
	return a
}
