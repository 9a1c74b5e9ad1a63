package httpio

import "sync/atomic"

// budget is a number of bytes shared by all requests of a listener.
type budget struct{ left atomic.Int64 }

// take is false, and takes nothing, when less than n is left.
func (b *budget) take(n int64) bool {
	if b.left.Add(-n) >= 0 {
		return true
	}
	b.left.Add(n)
	return false
}

func (b *budget) give(n int64) { b.left.Add(n) }
