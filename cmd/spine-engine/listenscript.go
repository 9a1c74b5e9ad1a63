package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/peer"
)

// readScript reads acts: from a file, or, when it begins with [, from the text itself.
func readScript(script string) ([]peer.Act, error) {
	name, data := "--script", []byte(script)
	if !strings.HasPrefix(strings.TrimSpace(script), "[") {
		b, err := os.ReadFile(script)
		if err != nil {
			return nil, fmt.Errorf("--script: %w; the acts themselves begin with [", err)
		}
		name, data = script, b
	}
	ctx := &conf.Context{Problems: &conf.Problems{}}
	var acts []peer.Act
	for _, n := range conf.Parse(ctx, name, data).Items() {
		a, times := readAct(n)
		acts = append(acts, slices.Repeat([]peer.Act{a}, times)...)
	}
	if len(acts) == 0 && !ctx.Problems.Failed() {
		return nil, usageError{fmt.Errorf("%s holds no act; write [AA]", name)}
	}
	return acts, problemsError(ctx.Problems)
}

// readAct reads AA, or { wait: 40s, reply: AA, times: 2 }, as a feed's tests write it.
func readAct(n *conf.Node) (a peer.Act, times int) {
	times = 1
	if n.IsText() {
		a.Reply = n.Text()
	} else {
		m := n.Map("act", "wait", "reply", "wrong_id", "text", "status", "nothing", "close", "refuse", "times")
		a = peer.Act{Wait: m["wait"].Duration(0), Reply: m["reply"].Text(), Text: m["text"].Text(), Nothing: m["nothing"].Bool(false),
			Close: m["close"].Bool(false), Refuse: m["refuse"].Bool(false)}
		a.Status = m["status"].Int(0, 200, 599)
		times = m["times"].Int(1, 1, 10_000)
		if m["wrong_id"].Present() {
			a.WrongID, a.Reply = true, m["wrong_id"].Text()
		}
	}
	if err := a.Check(); err != nil {
		n.Errorf("", "%v", err)
	}
	return a, times
}

// problemsError is all problems, a line each.
func problemsError(ps *conf.Problems) error {
	if !ps.Failed() {
		return nil
	}
	var lines []string
	for _, p := range ps.Sorted() {
		lines = append(lines, p.String())
	}
	return errors.New(strings.Join(lines, "\n"))
}

// readToken reads a bearer token from a file of one line.
func readToken(file string) (string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(b))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("%s does not hold one token on one line", file)
	}
	return token, nil
}

// serverTLS is nil without a certificate.
func serverTLS(cert, key, clientCA string) (*tls.Config, error) {
	if cert == "" && key == "" && clientCA == "" {
		return nil, nil
	}
	if cert == "" || key == "" {
		return nil, usageError{errors.New("TLS needs both --tls-cert and --tls-key")}
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert %s with --tls-key %s: %w", cert, key, err)
	}
	tc := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if clientCA != "" {
		if tc.ClientCAs, err = readPool(clientCA); err != nil {
			return nil, err
		}
		tc.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return tc, nil
}

// clientTLS is nil when no flag asks for TLS.
func clientTLS(ca, cert, key string) (*tls.Config, error) {
	if ca == "" && cert == "" && key == "" {
		return nil, nil
	}
	tc := &tls.Config{MinVersion: tls.VersionTLS12}
	var err error
	if ca != "" {
		if tc.RootCAs, err = readPool(ca); err != nil {
			return nil, err
		}
	}
	if (cert == "") != (key == "") {
		return nil, usageError{errors.New("a certificate of our own needs both --tls-cert and --tls-key")}
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("--tls-cert %s with --tls-key %s: %w", cert, key, err)
		}
		tc.Certificates = []tls.Certificate{pair}
	}
	return tc, nil
}

func readPool(file string) (*x509.CertPool, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("%s holds no certificate (PEM)", file)
	}
	return pool, nil
}
