package main

import (
	"fmt"
	"slices"
)

// sample is repeated measurements of one thing, in the order they were made.
type sample []float64

func (s sample) median() float64 {
	if len(s) == 0 {
		return 0
	}
	t := slices.Sorted(slices.Values(s))
	if n := len(t); n%2 == 0 {
		return (t[n/2-1] + t[n/2]) / 2
	}
	return t[len(t)/2]
}

func (s sample) min() float64 {
	if len(s) == 0 {
		return 0
	}
	return slices.Min(s)
}

func (s sample) max() float64 {
	if len(s) == 0 {
		return 0
	}
	return slices.Max(s)
}

// String is median with the smallest and the largest.
func (s sample) String() string {
	return fmt.Sprintf("median %.0f (min %.0f, max %.0f, n=%d)", s.median(), s.min(), s.max(), len(s))
}

// over is each measurement over the one of b that was made in the same turn.
func (s sample) over(b sample) (out sample) {
	for i := range min(len(s), len(b)) {
		out = append(out, ratio(s[i], b[i]))
	}
	return out
}

// ratio divides, and is 0 where nothing can be divided by.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
