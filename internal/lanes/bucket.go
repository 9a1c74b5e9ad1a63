package lanes

import "math"

// bucket limits the rate of copies. It holds what may be sent at once: a tenth of
// a second's worth, at least one copy.
type bucket struct {
	rate   float64 // per microsecond; 0 = no limit
	most   float64
	tokens float64
	at     instant // when tokens was right
}

// fill sets the limit in copies per second. A limit that is new starts full.
func (b *bucket) fill(rate float64, v instant) {
	most := max(1, rate/10)
	if b.rate == 0 {
		b.tokens = most
	} else {
		b.tokens = min(b.now(v), most)
	}
	b.rate, b.most, b.at = rate/1e6, most, v
}

const slack = 1e-9 // what sums of fractions may lack of a whole

// next is the instant from which a copy may be sent.
func (b *bucket) next(v instant) instant {
	if b.rate == 0 {
		return 0
	}
	if has := b.now(v); has < 1-slack {
		return v + max(1, instant(math.Ceil((1-has)/b.rate)))
	}
	return v
}

// take takes up to n copies, at least one.
func (b *bucket) take(v instant, n int) int {
	if b.rate == 0 {
		return n
	}
	has := b.now(v)
	n = max(1, min(n, int(has+slack)))
	b.tokens, b.at = has-float64(n), v
	return n
}

func (b *bucket) now(v instant) float64 {
	return min(b.most, b.tokens+float64(v-b.at)*b.rate)
}
