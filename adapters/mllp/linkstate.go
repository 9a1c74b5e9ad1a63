package mllp

import (
	"crypto/tls"
	"time"
)

// linkState is what an idle link looks like before it is used again.
type linkState uint8

const (
	linkQuiet linkState = iota
	linkGone            // the peer has closed it
	linkLate            // something lies in it that nobody asked for
)

// state looks without waiting. Line ends that came after the last answer are
// left for the frame reader to skip.
func (l *link) state() linkState {
	if tc, ok := l.conn.(*tls.Conn); ok && holdsPlain(tc) {
		return linkLate
	}
	var buf [64]byte
	n, open, err := peek(l.raw, buf[:])
	switch {
	case err != nil || !open:
		return linkGone
	case n == len(buf) || n > 0 && l.raw != l.conn || len(trimNoise(buf[:n])) > 0:
		return linkLate // over TLS what lies there cannot be read and is taken for the worst
	}
	return linkQuiet
}

// holdsPlain reports whether TLS has decrypted more than was read: with a
// deadline gone by it can give that and nothing else.
func holdsPlain(tc *tls.Conn) bool {
	tc.SetReadDeadline(longAgo)
	defer tc.SetReadDeadline(time.Time{})
	var one [1]byte
	n, err := tc.Read(one[:])
	return n > 0 || !isTimeout(err)
}
