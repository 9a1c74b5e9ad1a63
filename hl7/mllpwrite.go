package hl7

import (
	"errors"
	"fmt"
	"io"
)

// ErrFrameByte: the body holds 0B or 1C, which would break the frame.
var ErrFrameByte = errors.New("mllp: the body holds a start or end block character")

// oneWrite is the largest body that is copied to leave in one write.
const oneWrite = 1 << 20

// WriteFrame writes 0B body 1C 0D. Up to 1 MiB it is one Write: peers that read
// once break on an answer that arrives in pieces. A body with 0B or 1C in it is
// refused with ErrFrameByte and nothing is written.
func WriteFrame(w io.Writer, body []byte) error {
	if i := frameByte(body); i >= 0 {
		return fmt.Errorf("%w at byte %d", ErrFrameByte, i)
	}
	n := min(len(body), oneWrite)
	out := append(append(make([]byte, 0, n+3), startBlock), body[:n]...)
	if n == len(body) {
		return write(w, append(out, endBlock, '\r'))
	}
	if err := write(w, out); err != nil {
		return err
	}
	if err := write(w, body[n:]); err != nil {
		return err
	}
	return write(w, []byte{endBlock, '\r'})
}

// WriteFrameFrom writes a frame whose body is read from r, in pieces. After an
// error the frame stands open: close the connection.
func WriteFrameFrom(w io.Writer, r io.Reader) error {
	buf := make([]byte, 64<<10)
	buf[0] = startBlock
	have, sent := 1, int64(0) // bytes in buf that wait to be written
	for {
		n, err := r.Read(buf[have : len(buf)-2])
		if i := frameByte(buf[have : have+n]); i >= 0 {
			return fmt.Errorf("%w at byte %d", ErrFrameByte, sent+int64(i))
		}
		have, sent = have+n, sent+int64(n)
		if err == io.EOF {
			return write(w, append(buf[:have], endBlock, '\r'))
		}
		if err != nil {
			return fmt.Errorf("mllp: reading the body after %d bytes: %w", sent, err)
		}
		if have == len(buf)-2 {
			if err := write(w, buf[:have]); err != nil {
				return err
			}
			have = 0
		}
	}
}

func frameByte(b []byte) int {
	for i, c := range b {
		if c == startBlock || c == endBlock {
			return i
		}
	}
	return -1
}

func write(w io.Writer, b []byte) error {
	n, err := w.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("mllp: writing a frame: %w", err)
	}
	return nil
}
