package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
)

// generator makes messages that can be made again: the bytes of message number
// seq of connection conn follow from the seed alone, so a receiver can check a
// whole message knowing nothing but its control id.
//
//	MSH|^~\&|PAS|RXX|LAB|RXX|20261122080000||ADT^A01^ADT_A01|K03-000001234|P|2.5.1||||||UNICODE UTF-8⏎
//	                     ^MSH-5                              ^control id, always 13 bytes
type generator struct {
	prefix byte
	seed   int64
	size   int // bytes of a message, about
}

// sum is 64 hex digits that only this message has.
func (g generator) sum(conn, seq int) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%d/%c/%d/%d", g.seed, g.prefix, conn, seq))
	return hex.EncodeToString(h[:])
}

const idLength = 13

// id is the control id: prefix, connection (2 digits), hyphen, number (9 digits).
func (g generator) id(conn, seq int) string { return fmt.Sprintf("%c%02d-%09d", g.prefix, conn, seq) }

// parseID is the inverse of id.
func (g generator) parseID(id []byte) (conn, seq int, ok bool) {
	if len(id) != idLength || id[0] != g.prefix || id[3] != '-' {
		return 0, 0, false
	}
	conn, err1 := strconv.Atoi(string(id[1:3]))
	seq, err2 := strconv.Atoi(string(id[4:]))
	return conn, seq, err1 == nil && err2 == nil && conn >= 0 && seq >= 0
}

// body is the message as sent.
func (g generator) body(conn, seq int) []byte { return g.with("LAB", conn, seq) }

// with is the message with another MSH-5, as it must leave a feed that sets it.
func (g generator) with(receiver string, conn, seq int) []byte {
	sum := g.sum(conn, seq)
	b := make([]byte, 0, g.size+256)
	b = append(b, `MSH|^~\&|PAS|RXX|`+receiver+`|RXX|20261122080000||ADT^A01^ADT_A01|`...)
	b = append(b, g.id(conn, seq)...)
	b = append(b, "|P|2.5.1||||||UNICODE UTF-8\r"...)
	b = append(b, "EVN|A01|20261122080000\r"...)
	b = append(b, "PID|1||"+sum[:10]+"^^^RXX^PI~9990000018^^^NHS^NH||ÖRSTED^Zoë^Q||19700101|F|||1 High Street^^Town^^AB1 2CD^GBR||01632960001\r"...)
	b = append(b, "PV1|1|I|W1^B2^3^RXX||||C123^Smith^Ann|||300||||||||  v12345  |||||||||||||||||||||||||20261122080000\r"...)
	b = append(b, "NTE|1||"...)
	end := g.size - 65 + len(receiver) - 3 // another MSH-5 must change nothing else
	for len(b) < end {
		b = append(b, sum[:min(64, end-len(b))]...)
	}
	return append(append(b, sum...), '\r')
}

// controlID finds MSH-10 of a message that begins with MSH|: the tenth field, for
// MSH-1 is the separator itself.
func controlID(msg []byte) []byte {
	for range 9 {
		i := bytes.IndexByte(msg, '|')
		if i < 0 {
			return nil
		}
		msg = msg[i+1:]
	}
	end := bytes.IndexAny(msg, "|\r\n")
	if end < 0 {
		return msg
	}
	return msg[:end]
}
