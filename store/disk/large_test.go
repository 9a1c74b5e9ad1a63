package disk

import (
	"errors"
	"testing"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

func TestWhatFitsIntoNoRecord(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	for name, d := range map[string]*message.Decision{
		"copies": {Envelope: &message.Envelope{}, Outcome: message.Routed, Deliveries: make([]message.Delivery, 1<<16+1)},
		"bytes":  {Envelope: &message.Envelope{Body: message.InMemory(make([]byte, maxRecord))}, Outcome: message.Held},
	} {
		if _, err := s.Append(t.Context(), d); !errors.Is(err, store.ErrTooLarge) || errors.Is(err, store.ErrFailed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
