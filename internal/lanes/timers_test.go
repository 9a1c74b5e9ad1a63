package lanes

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spine-engine/spine-engine/internal/message"
)

func TestTimersGiveTheEarliest(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	var h timers
	all := make([]*lane, 60)
	for i := range all {
		all[i] = &lane{timer: -1, due: never}
	}
	for range 20_000 {
		l, at := all[rnd.IntN(len(all))], instant(rnd.IntN(1000))
		if rnd.IntN(3) == 0 {
			at = never
		}
		h.set(l, at)
		if at == never {
			l.due = never
		}
		want := slices.MinFunc(all, func(a, b *lane) int { return int(min(a.due, 1<<30) - min(b.due, 1<<30)) })
		if h.next() != want.due {
			t.Fatalf("next is %d, want %d", h.next(), want.due)
		}
		for i, l := range h {
			if l.timer != i || h[(max(i, 1)-1)/2].due > l.due {
				t.Fatalf("lane %d of %d is out of place", i, len(h))
			}
		}
	}
}

func TestJustBefore(t *testing.T) {
	for _, c := range []Cursor{{1, key(0, 0)}, {1, key(0, 1)}, {1, key(1, 0)}, {9, key(9, 7)}} {
		if b := justBefore(c); !b.Before(c) || c.Before(b) {
			t.Errorf("%v is not just before %v", b, c)
		}
	}
	if z := (Cursor{}); justBefore(z) != z {
		t.Error("nothing is before the first place")
	}
}

func key(seq uint64, n uint16) message.Key { return message.Key{Seq: seq, N: n} }
