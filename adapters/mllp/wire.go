package mllp

import (
	"errors"
	"net"
	"sync"
	"time"
)

const (
	// smallRead is what an idle connection owns to wait with. Most messages fit
	// and cost one read; the large buffers come from a pool and go back there
	// between frames, so that thousands of idle connections are cheap.
	smallRead = 2 << 10
	// stopGrace is how long a frame that has begun to arrive may go on arriving
	// when the listener stops.
	stopGrace = 5 * time.Second
	// unframedAfter is how long bytes outside of a frame may stand alone before
	// the log says so.
	unframedAfter = 5 * time.Second
)

var (
	errIdle     = errors.New("nothing of a frame is here")
	errStopping = errors.New("the listener is stopping")
)

// longAgo as a deadline ends a read at once.
var longAgo = time.Unix(1, 0)

// wire is a connection as the frame reader sees it. It knows whether a frame is
// open and so which deadline holds:
//
//	... FS CR | idle_timeout ... | VT M S H ... frame_timeout over the whole frame ... FS | CR ...
//
// Only the connection's own goroutine reads; stop may come from any other.
type wire struct {
	conn         net.Conn
	frameTimeout time.Duration
	idleTimeout  time.Duration // 0 = off
	onJunk       func()        // bytes outside of any frame stand alone
	small        []byte
	pending      []byte // of small, not yet given to the frame reader

	open     bool      // a start block was read and no end block yet
	unframed bool      // HL7 without a start block
	given    bool      // bytes went to the frame reader since begin
	deadline time.Time // of the open frame; zero until it has to be waited for

	mu       sync.Mutex
	idle     bool
	armed    bool // conn has a read deadline
	stopping bool
	grace    time.Time
}

func newWire(conn net.Conn, c *listenConfig) *wire {
	return &wire{conn: conn, frameTimeout: c.frameTimeout, idleTimeout: c.idleTimeout, small: make([]byte, smallRead)}
}

// await blocks between frames until a byte comes that is not line noise.
func (w *wire) await() error {
	for {
		if err := w.rest(); err != nil {
			return err
		}
		n, err := w.conn.Read(w.small)
		w.wake()
		if w.pending = trimNoise(w.small[:n]); len(w.pending) > 0 {
			return nil // an error that came with the bytes comes again
		}
		if err != nil {
			return err
		}
	}
}

// trimNoise drops what may stand between frames unremarked.
func trimNoise(b []byte) []byte {
	for i, c := range b {
		if c != 0 && c != '\r' && c != '\n' && c != '\t' && c != ' ' {
			return b[i:]
		}
	}
	return nil
}

// begin is called before each frame is read.
func (w *wire) begin() { w.open, w.unframed, w.given, w.deadline = false, false, false, time.Time{} }

// Read feeds the frame reader. Between frames it gives errIdle instead of
// blocking, so that the frame reader can be lent to another connection.
func (w *wire) Read(p []byte) (int, error) {
	if len(w.pending) > 0 {
		n := copy(p, w.pending)
		w.pending = w.pending[n:]
		w.given = true
		return n, nil
	}
	if !w.open && !w.given {
		return 0, errIdle
	}
	return w.readOn(p)
}

// readOn waits within a frame, or within bytes that belong to none.
func (w *wire) readOn(p []byte) (int, error) {
	framed := w.open || w.unframed
	if framed && w.deadline.IsZero() {
		w.deadline = time.Now().Add(w.frameTimeout)
	}
	if framed {
		w.arm(w.deadline)
		return w.conn.Read(p)
	}
	w.arm(time.Now().Add(unframedAfter))
	n, err := w.conn.Read(p)
	if n > 0 || !isTimeout(err) || w.isStopping() {
		return n, err
	}
	w.onJunk()
	w.arm(w.idleDeadline())
	return w.conn.Read(p)
}

func (w *wire) idleDeadline() time.Time {
	if w.idleTimeout <= 0 {
		return time.Time{}
	}
	return time.Now().Add(w.idleTimeout)
}

func (w *wire) arm(t time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopping && (t.IsZero() || t.After(w.grace)) {
		t = w.grace
	}
	w.setDeadline(t)
}

// setDeadline needs mu. A failure shows at the next read.
func (w *wire) setDeadline(t time.Time) {
	if w.armed || !t.IsZero() {
		w.conn.SetReadDeadline(t)
		w.armed = !t.IsZero()
	}
}

func (w *wire) rest() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopping {
		return errStopping
	}
	w.idle = true
	w.setDeadline(w.idleDeadline())
	return nil
}

func (w *wire) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idle = false
	if w.stopping {
		w.setDeadline(w.grace)
	}
}

// stop ends an idle connection at once; a frame that has begun may become whole.
func (w *wire) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopping = true
	w.grace = time.Now().Add(min(stopGrace, w.frameTimeout))
	if w.idle {
		w.setDeadline(longAgo)
	} else {
		w.setDeadline(w.grace)
	}
}

func (w *wire) isStopping() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stopping
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}
