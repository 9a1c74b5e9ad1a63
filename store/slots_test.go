package store_test

import (
	"slices"
	"testing"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

func TestSlots(t *testing.T) {
	part := func(feed string, number, copies int) message.Part {
		return message.Part{Feed: feed, Number: number, Copies: copies}
	}
	to := func(pairs ...string) (ds []message.Delivery) {
		for i := 0; i < len(pairs); i += 2 {
			ds = append(ds, message.Delivery{Feed: pairs[i], Queue: pairs[i+1]})
		}
		return ds
	}
	for _, c := range []struct {
		name  string
		parts []message.Part
		ds    []message.Delivery
		want  []store.Slot
	}{
		{"nothing", nil, nil, nil},
		{"one feed, two queues", []message.Part{part("a", 0, 2)}, to("a", "x", "a", "y"), []store.Slot{{0, 0}, {0, 0}}},
		{"several for one queue", []message.Part{part("a", 0, 3)}, to("a", "x", "a", "y", "a", "x"), []store.Slot{{0, 0}, {0, 0}, {0, 1}}},
		{"parts of a split, one of them held", []message.Part{part("a", 1, 1), part("a", 2, 0), part("a", 3, 2)},
			to("a", "x", "a", "x", "a", "x"), []store.Slot{{1, 0}, {3, 0}, {3, 1}}},
		{"two feeds on one queue", []message.Part{part("a", 0, 1), part("b", 1, 1), part("b", 2, 1)},
			to("a", "x", "b", "x", "b", "x"), []store.Slot{{0, 0}, {1, 0}, {2, 0}}},
		{"settled parts before", []message.Part{part("a", 1, 1), part("a", 3, 1), part("a", 2, 1)}, to("a", "x"), []store.Slot{{2, 0}}},
		{"more copies than parts own up to", []message.Part{part("a", 2, 1)}, to("a", "x", "a", "x"), []store.Slot{{0, 0}, {2, 0}}},
	} {
		if got := store.Slots(&message.Decision{Parts: c.parts, Deliveries: c.ds}); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
