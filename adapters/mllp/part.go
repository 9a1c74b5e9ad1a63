package mllp

import (
	"crypto/tls"
	"io"
	"net"
	"time"
)

// lingerFor is how long the other side may take to read our last answer.
const lingerFor = time.Second

// part closes the connection. A socket closed with unread bytes in it is reset,
// and a reset can destroy the answer that is still on its way; so after an
// answer our half is closed first and what the peer still sends is read and
// dropped until it closes too, for a moment at most.
func (c *conn) part() {
	defer c.raw.Close()
	tcp, ok := c.raw.(*net.TCPConn)
	if !c.linger || !ok {
		return
	}
	c.raw.SetDeadline(time.Now().Add(lingerFor))
	if tc, ok := c.wire.conn.(*tls.Conn); ok {
		tc.CloseWrite() // what follows does not depend on it
	}
	if tcp.CloseWrite() == nil {
		io.Copy(io.Discard, struct{ io.Reader }{c.raw})
	}
}
