package httpio

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/spine-engine/spine-engine/adapters/internal/nets"
	"github.com/spine-engine/spine-engine/internal/conf"
)

// shortToken is the length below which a token can be guessed.
const shortToken = 16

// tokens are the secrets that a listener takes, as digests: equal in length, so
// that comparing them takes the same time whatever was sent.
type tokens [][sha256.Size]byte

func (t tokens) key() string {
	if len(t) == 0 {
		return "off"
	}
	parts := make([]string, len(t))
	for i := range t {
		parts[i] = string(t[i][:])
	}
	return nets.Digest(parts...)
}

// allow reports whether the request carries one of the tokens: one Authorization
// header, "Bearer TOKEN" (RFC 6750 section 2.1; the scheme in any case).
func (t tokens) allow(h http.Header) bool {
	values := h.Values("Authorization")
	if len(values) != 1 {
		return false
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	sum := sha256.Sum256([]byte(strings.Trim(token, " ")))
	same := 0
	for i := range t {
		same |= subtle.ConstantTimeCompare(t[i][:], sum[:])
	}
	return same == 1 && strings.EqualFold(scheme, "Bearer")
}

// readTokens reads bearer of a listener: one token a line, so that a new one can
// be given out before the old one is taken back.
func readTokens(n *conf.Node) tokens {
	var out tokens
	for _, s := range readSecretLines(n) {
		out = append(out, sha256.Sum256([]byte(s)))
	}
	return out
}

// readToken reads bearer of a destination.
func readToken(n *conf.Node) string {
	lines := readSecretLines(n)
	if len(lines) > 1 {
		n.Errorf("keep the one that the other side takes", "bearer holds %d tokens; a destination sends one", len(lines))
	}
	if len(lines) == 0 {
		return ""
	}
	return lines[0]
}

// readSecretLines gives the tokens of a text that must come from elsewhere. It is
// never shown.
func readSecretLines(n *conf.Node) []string {
	if n == nil {
		return nil
	}
	if !fromElsewhere(n) {
		n.Errorf(`write bearer: "${file:secrets/NAME}"`, "a token must not stand in a project file")
		return nil
	}
	var out []string
	for _, line := range strings.Split(n.Text(), "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case !isToken68(line):
			n.Errorf("a token has letters, digits and -._~+/ only, and = at its end (RFC 6750)", "bearer holds a line that cannot be sent as a token")
		default:
			if len(line) < shortToken {
				n.Warnf("make one with: openssl rand -hex 32", "bearer holds a token of %d characters, which can be guessed", len(line))
			}
			out = append(out, line)
		}
	}
	if len(out) == 0 {
		n.Errorf("put one token a line into the file", "bearer holds no token")
	}
	return out
}

// fromElsewhere: a secret is written as ${file:...} or ${env:...}. A node that is
// no text is reported by whoever reads it.
func fromElsewhere(n *conf.Node) bool { return strings.Contains(n.Source(), "${") }

// isToken68 is RFC 9110 section 11.2.
func isToken68(s string) bool {
	s = strings.TrimRight(s, "=")
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !isAlnum(r) && !strings.ContainsRune("-._~+/", r)
	})
}

func isAlnum(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}
