package httpio

import (
	"errors"
	"io"
	"sync"
)

var errOver = errors.New("the request is over")

// upload lends the runs of a body to the transport. A transport may go on reading
// after it has given up or been answered, and a mapped file that is closed cannot
// be read without ending the process: so every copy is made under a lock, and
// close waits for the one under way and lets no other begin.
type upload struct {
	mu       sync.Mutex
	runs     [][]byte
	closed   bool
	progress func() // at every read: the bytes before have gone out
}

func (u *upload) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed, u.runs = true, nil
}

// open gives a reader from the first byte; a transport that finds its idle
// connection closed asks for another.
func (u *upload) open() (io.ReadCloser, error) { return &uploadReader{u: u}, nil }

type uploadReader struct {
	u       *upload
	run, at int
}

func (r *uploadReader) Read(p []byte) (int, error) {
	r.u.progress()
	r.u.mu.Lock()
	defer r.u.mu.Unlock()
	if r.u.closed {
		return 0, errOver
	}
	n := 0
	for n < len(p) && r.run < len(r.u.runs) {
		m := copy(p[n:], r.u.runs[r.run][r.at:])
		n, r.at = n+m, r.at+m
		if r.at == len(r.u.runs[r.run]) {
			r.run, r.at = r.run+1, 0
		}
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (r *uploadReader) Close() error { return nil }
