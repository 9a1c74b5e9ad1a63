package mllp

import (
	"bufio"
	"io"
	"net"
)

// pipeEnd is one end of a net.Pipe, named so that it can be embedded.
type pipeEnd struct{ net.Conn }

func pipe() (net.Conn, pipeEnd) {
	a, b := net.Pipe()
	return a, pipeEnd{b}
}

// oneByte makes single-byte reads cheap.
type oneByte struct {
	r io.Reader
	b *bufio.Reader
}

func (o *oneByte) Read(p []byte) (int, error) {
	if o.b == nil {
		o.b = bufio.NewReaderSize(o.r, 64<<10)
	}
	return o.b.Read(p)
}
