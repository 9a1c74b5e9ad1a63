package hl7

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// Delimiters stand close together: most fields hold fewer than 12 bytes, many
// none. So they are looked for in words of eight bytes, many at once; where a
// word holds none, what follows may be long, and bytes.IndexByte is quicker.
//
//	21|||C30 001^Vale ^Robin||     nth(b, '|', 5)
//	..xxx...              xx       3 in the first word, the second of the next hit
const (
	word   = 8
	ones   = 0x0101010101010101
	sevens = 0x7F7F7F7F7F7F7F7F
)

// hits marks with 0x80 the bytes of a word that are zero, and no others.
func hits(w uint64) uint64 { return ^((w&sevens + sevens) | w | sevens) }

// nth gives where the n-th (from 1) c in b stands, -1 if there are fewer.
func nth(b []byte, c byte, n int) int {
	at := 0
	for len(b)-at >= word {
		h := hits(binary.LittleEndian.Uint64(b[at:]) ^ ones*uint64(c))
		if h == 0 {
			i := bytes.IndexByte(b[at+word:], c)
			if i < 0 {
				return -1
			}
			at += word + i
			continue
		}
		if k := bits.OnesCount64(h); k < n {
			n -= k
			at += word
			continue
		}
		for ; n > 1; n-- {
			h &= h - 1
		}
		return at + bits.TrailingZeros64(h)/8
	}
	for ; at < len(b); at++ {
		if b[at] == c {
			if n--; n == 0 {
				return at
			}
		}
	}
	return -1
}

// index is bytes.IndexByte, quicker where the next c is near.
func index(b []byte, c byte) int {
	if len(b) < word {
		for i := range b {
			if b[i] == c {
				return i
			}
		}
		return -1
	}
	if h := hits(binary.LittleEndian.Uint64(b) ^ ones*uint64(c)); h != 0 {
		return bits.TrailingZeros64(h) / 8
	}
	if i := bytes.IndexByte(b[word:], c); i >= 0 {
		return i + word
	}
	return -1
}
