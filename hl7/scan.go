package hl7

import (
	"bytes"
	"math/bits"
)

// Delimiters stand close together: most fields hold fewer than 12 bytes, many
// none. So they are counted in words of eight bytes. Behind some way there may
// stand something long, and bytes.IndexByte is quicker.
//
//	21|||C30 001^Vale ^Robin||     nth(b, '|', 4)
//	..xxx...               xx      three in the first word, the next in the third
const (
	word   = 8
	way    = 512 // bytes
	ones   = 0x0101010101010101
	sevens = 0x7F7F7F7F7F7F7F7F
)

// load reads the word at b[i]. Written out it needs no slice of b.
func load(b []byte, i int) uint64 {
	return uint64(b[i]) | uint64(b[i+1])<<8 | uint64(b[i+2])<<16 | uint64(b[i+3])<<24 |
		uint64(b[i+4])<<32 | uint64(b[i+5])<<40 | uint64(b[i+6])<<48 | uint64(b[i+7])<<56
}

// hits marks with 0x80 the bytes of a word that are zero, and no others.
func hits(w uint64) uint64 { return ^((w&sevens + sevens) | w | sevens) }

// count counts what hits marked: the sum of all bytes arrives in the highest.
func count(h uint64) int { return int(h >> 7 * ones >> 56) }

// placeOf gives the byte of the n-th mark.
func placeOf(h uint64, n int) int {
	for ; n > 1; n-- {
		h &= h - 1
	}
	return bits.TrailingZeros64(h) / 8
}

// nth gives where the n-th (from 1) c in b stands, -1 if there are fewer.
func nth(b []byte, c byte, n int) int {
	for at := 0; ; {
		i, left := nearNth(b[at:], c, n)
		if at += i; left == 0 {
			return at
		}
		if i = bytes.IndexByte(b[at:], c); i < 0 {
			return -1
		}
		if at += i; left == 1 {
			return at
		}
		at++
		n = left - 1
	}
}

// nearNth is nth for some way: left are not before b[i].
func nearNth(b []byte, c byte, n int) (i, left int) {
	b = b[:min(len(b), way)]
	want := ones * uint64(c)
	for ; i < len(b)-(word-1); i += word {
		h := hits(load(b, i) ^ want)
		k := count(h)
		if k >= n {
			return i + placeOf(h, n), 0
		}
		n -= k
	}
	for ; i < len(b); i++ {
		if b[i] == c {
			if n--; n == 0 {
				return i, 0
			}
		}
	}
	return i, n
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
	if h := hits(load(b, 0) ^ ones*uint64(c)); h != 0 {
		return placeOf(h, 1)
	}
	if i := bytes.IndexByte(b[word:], c); i >= 0 {
		return i + word
	}
	return -1
}
