package httpio

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"

	"github.com/spine-engine/spine-engine/internal/message"
)

const maxIdempotencyKey = 255

// readOrigin reads the sender's own key of the request. One that cannot be told
// from another is refused rather than ignored: the sender counts on it.
func (x *exchange) readOrigin() *refusal {
	values := x.r.Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return nil
	}
	key := strings.TrimSpace(values[0])
	if len(values) > 1 || key == "" || len(key) > maxIdempotencyKey {
		return &refusal{status: http.StatusBadRequest, counter: "refused_request",
			text: fmt.Sprintf("Idempotency-Key must be sent once, with 1 to %d bytes", maxIdempotencyKey)}
	}
	x.origin = key
	return nil
}

// originOf is the source's own key of a message: the digest of the sender's key
// and of the body. The same key with another body is another message; nothing is
// lost when a sender uses one key twice.
func originOf(source, key string, body message.Body) (string, error) {
	if key == "" {
		return "", nil
	}
	sum, err := body.Sum()
	if err != nil {
		return "", fmt.Errorf("the body cannot be read again: %w", err)
	}
	h := sha256.New()
	fmt.Fprintf(h, "%d:%s", len(key), key)
	h.Write(sum[:])
	return "http:" + source + ":" + hex.EncodeToString(h.Sum(nil)), nil
}
