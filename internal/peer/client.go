package peer

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
)

// Client is one MLLP connection with one message in flight.
type Client struct {
	conn    net.Conn
	frames  *hl7.FrameReader
	timeout time.Duration
}

// Dial connects to host:port; with a TLS configuration when it is not nil.
// timeout bounds the connect and each answer.
func Dial(ctx context.Context, address string, tc *tls.Config, timeout time.Duration) (*Client, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var conn net.Conn
	var err error
	if tc != nil {
		conn, err = (&tls.Dialer{Config: tc}).DialContext(ctx, "tcp", address)
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", address)
	}
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", address, err)
	}
	return &Client{conn: conn, frames: hl7.NewFrameReader(conn, hl7.FrameLimits{}), timeout: timeout}, nil
}

// Write sends one message without waiting for its answer. Who sends several
// ahead reads their answers, with Read or Answer, in the same order.
func (c *Client) Write(body []byte) error {
	if err := c.conn.SetDeadline(time.Now().Add(c.timeout)); err != nil {
		return err
	}
	if err := hl7.WriteFrame(c.conn, body); err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	return nil
}

// WriteRaw sends bytes as they are, frame characters or none: for those who want to
// know what a listener makes of them.
func (c *Client) WriteRaw(b []byte) error {
	if err := c.conn.SetDeadline(time.Now().Add(c.timeout)); err != nil {
		return err
	}
	if _, err := c.conn.Write(b); err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	return nil
}

// Read waits for the next answer and returns its bytes.
func (c *Client) Read() ([]byte, error) {
	if err := c.conn.SetDeadline(time.Now().Add(c.timeout)); err != nil {
		return nil, err
	}
	f, err := c.frames.Next()
	if err != nil {
		return nil, fmt.Errorf("waiting for the answer: %w", err)
	}
	return f.Body, nil
}

// Answer waits for the next answer and reads its acknowledgement.
func (c *Client) Answer() (hl7.AckReply, error) {
	raw, err := c.Read()
	if err != nil {
		return hl7.AckReply{}, err
	}
	return hl7.ParseAck(raw)
}

// Send sends one message and returns the raw answer.
func (c *Client) Send(body []byte) ([]byte, error) {
	if err := c.Write(body); err != nil {
		return nil, err
	}
	return c.Read()
}

// Ask sends one message and reads the answer's acknowledgement.
func (c *Client) Ask(body []byte) (hl7.AckReply, error) {
	if err := c.Write(body); err != nil {
		return hl7.AckReply{}, err
	}
	return c.Answer()
}

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }
