package lanes

import (
	"math"
	"sort"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Cursor is a place in a lane: copies are ordered by Pos, then by Key.
type Cursor struct {
	Pos uint64
	Key message.Key
}

// Before reports whether a comes before b.
func (a Cursor) Before(b Cursor) bool {
	switch {
	case a.Pos != b.Pos:
		return a.Pos < b.Pos
	case a.Key.Seq != b.Key.Seq:
		return a.Key.Seq < b.Key.Seq
	default:
		return a.Key.N < b.Key.N
	}
}

func cursorOf(d *message.Delivery) Cursor { return Cursor{d.Pos, d.Key} }

// endOf is the last possible place at a position.
func endOf(pos uint64) Cursor {
	return Cursor{pos, message.Key{Seq: math.MaxUint64, N: math.MaxUint16}}
}

// justBefore is the last possible place before c.
func justBefore(c Cursor) Cursor {
	switch {
	case c.Key.N > 0:
		c.Key.N--
		return c
	case c.Key.Seq > 0:
		return Cursor{c.Pos, message.Key{Seq: c.Key.Seq - 1, N: math.MaxUint16}}
	case c.Pos > 0:
		return endOf(c.Pos - 1)
	default:
		return c
	}
}

func later(a, b Cursor) Cursor {
	if a.Before(b) {
		return b
	}
	return a
}

// lane is one lane. See the drawing in doc.go.
type lane struct {
	name   string
	index  int      // in Queue.all
	copies line     // in memory, from the lane's front on
	sent   int      // of these, how many are being sent
	probe  bool     // ... as the one lane that is tried while nothing answers
	done   Cursor   // everything up to here has left
	loaded Cursor   // memory knows everything up to here
	tail   Cursor   // the last copy heard of
	disk   int      // copies beyond loaded, an estimate
	head   head     // outlives its copy's stay in memory
	page   *page    // the load under way
	tight  bool     // the last page did not fit as a whole
	struck []Cursor // discarded by a person while being sent
	loadAt instant  // after a failed load
	misses int      // failed loads in a row
	due    instant  // in timers
	timer  int      // place in timers, -1 = none
	in     flags    // rings
	spared bool     // was let off its wait by the end of an outage, and met no answer since
	pause  bool     // paused by itself
	resume instant  // end of that pause
	gone   bool     // forgotten
}

// more reports whether copies on disk are not in memory.
func (l *lane) more() bool { return l.loaded.Before(l.tail) }

// head is what is known of the copy at the front of a lane.
type head struct {
	known    bool
	at       Cursor
	queue    string
	message  message.ID
	base     time.Time // its deadline counts from here
	queued   time.Time
	attempts int // tries so far, for the record
	step     int // failures in a row, for the next wait
	tried    bool
	stopped  bool
	outage   uint64 // the last outage it is counted in
	wait     time.Duration
	until    instant // not tried before
	deadline instant
	code     string
	reason   string
	answers  map[string]int // codes whose rule has a limit
}

// page is a load under way.
type page struct {
	limit int
	asked Cursor // the tail when it was asked for
	// What was announced since, from asked on without a gap, so that a lane that
	// has caught up need not load again.
	side []*message.Delivery
	full bool // side has a gap behind it
	// What happened to copies since: nil = discarded, else queued again in place.
	// The page may have been read before.
	amend map[Cursor]*message.Delivery
}

// line is a double-ended list of copies.
type line struct {
	buf []*message.Delivery
	off int
}

func (c *line) len() int                        { return len(c.buf) - c.off }
func (c *line) at(i int) *message.Delivery      { return c.buf[c.off+i] }
func (c *line) put(i int, d *message.Delivery)  { c.buf[c.off+i] = d }
func (c *line) slice(n int) []*message.Delivery { return c.buf[c.off : c.off+n] }

func (c *line) push(d *message.Delivery) {
	if len(c.buf) == cap(c.buf) && c.off > len(c.buf)/2 {
		n := copy(c.buf, c.buf[c.off:])
		clear(c.buf[n:])
		c.buf, c.off = c.buf[:n], 0
	}
	c.buf = append(c.buf, d)
}

func (c *line) pop() *message.Delivery {
	d := c.buf[c.off]
	c.buf[c.off] = nil
	c.off++
	if c.off == len(c.buf) {
		c.buf, c.off = c.buf[:0], 0
	}
	return d
}

// cut keeps the first n and returns the rest; the memory of a long list goes.
func (c *line) cut(n int) []*message.Delivery {
	rest := c.buf[c.off+n:]
	c.buf, c.off = append([]*message.Delivery(nil), c.slice(n)...), 0
	return rest
}

func (c *line) remove(i int) *message.Delivery {
	i += c.off
	d := c.buf[i]
	copy(c.buf[i:], c.buf[i+1:])
	c.buf[len(c.buf)-1] = nil
	c.buf = c.buf[:len(c.buf)-1]
	if c.off == len(c.buf) {
		c.buf, c.off = c.buf[:0], 0
	}
	return d
}

// find gives the index of the copy at a place, -1 if it is not in the list.
func (c *line) find(at Cursor) int {
	n := c.len()
	i := sort.Search(n, func(i int) bool { return !cursorOf(c.at(i)).Before(at) })
	if i < n && cursorOf(c.at(i)) == at {
		return i
	}
	return -1
}
