package hl7

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// slowNth is nth, one byte at a time.
func slowNth(b []byte, c byte, n int) int {
	for i := range b {
		if b[i] == c {
			if n--; n == 0 {
				return i
			}
		}
	}
	return -1
}

func TestNth(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	near := []byte{'|', '|' - 1, '|' + 1, '|' | 0x80, 'a', 0, 0x80, 0xFF} // what a careless borrow would take for |
	for range 20000 {
		b := make([]byte, r.IntN(70))
		for i := range b {
			b[i] = near[r.IntN(len(near))]
		}
		if r.IntN(3) == 0 { // long fields
			b = bytes.ReplaceAll(b, []byte("|"), []byte("long enough for two words|"))
		}
		for n := 1; n <= bytes.Count(b, []byte{'|'})+1; n++ {
			if got, want := nth(b, '|', n), slowNth(b, '|', n); got != want {
				t.Fatalf("%d of %q: got %d, want %d", n, b, got, want)
			}
		}
		if got, want := index(b, '|'), bytes.IndexByte(b, '|'); got != want {
			t.Fatalf("%q: got %d, want %d", b, got, want)
		}
	}
}
