package generate

import "math/rand/v2"

// dice is the only chance there is: PCG, whose numbers for a seed are the same in
// every release and on every machine. The methods of rand.Rand are not used, so that
// no change of theirs can change our bytes.
type dice struct{ src *rand.PCG }

func newDice(seed uint64) dice { return dice{rand.NewPCG(seed, 0x5350494e45)} }

// n is a number from 0 to k-1.
func (d dice) n(k int) int { return int(d.src.Uint64() % uint64(k)) }

// between is a number from lo to hi, both included.
func (d dice) between(lo, hi int) int { return lo + d.n(hi-lo+1) }

// oneIn is true once in k throws.
func (d dice) oneIn(k int) bool { return d.n(k) == 0 }

func pick[T any](d dice, list []T) T { return list[d.n(len(list))] }
