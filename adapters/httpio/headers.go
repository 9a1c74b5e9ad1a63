package httpio

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/spine-engine/spine-engine/internal/conf"
)

// isOurs lists headers that are not the configuration's to write.
func isOurs(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding", "Connection", "Keep-Alive", "Host", "Upgrade",
		"Te", "Trailer", "Expect", "Proxy-Authorization", "Proxy-Connection", "Http2-Settings", "Accept-Encoding":
		return true
	}
	return false
}

// isSecret: what these headers carry is a credential in all likelihood.
func isSecret(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"authorization", "cookie", "token", "secret", "password", "api-key", "apikey"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// readHeaders reads headers and bearer.
func (c *requestConfig) readHeaders(n, bearer *conf.Node) {
	c.headers = http.Header{}
	for _, f := range n.Fields() {
		value := strings.TrimSpace(f.Node.Text())
		switch {
		case !isToken(f.Key):
			f.Name.Errorf("", "%q is not the name of a header", f.Key)
		case http.CanonicalHeaderKey(f.Key) == "Content-Type":
			f.Name.Errorf("write content_type", "the content type is no header of its own here")
		case isOurs(f.Key), strings.EqualFold(f.Key, c.idempotency):
			f.Name.Errorf("leave it out", "%s is written by the engine", f.Key)
		case isSecret(f.Key) && !fromElsewhere(f.Node):
			f.Node.Errorf(`write "${file:secrets/NAME}"`, "a secret must not stand in a project file")
		case !isFieldValue(value):
			f.Node.Errorf("", "the value of %s cannot be sent in a header", f.Key)
		default:
			c.headers.Set(f.Key, value)
		}
	}
	if bearer == nil {
		return
	}
	if c.headers.Get("Authorization") != "" {
		bearer.Errorf("keep one of the two", "bearer and the header Authorization exclude each other")
	}
	c.headers.Set("Authorization", "Bearer "+readToken(bearer))
}

// isToken: the name of a header (RFC 9110 section 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !isAlnum(r) && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

// isFieldValue: visible ASCII, spaces and tabs between it (RFC 9110 section 5.5).
func isFieldValue(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r != '\t' && (r < ' ' || r > '~') })
}

func sortedNames(h http.Header) []string { return slices.Sorted(maps.Keys(h)) }
