package lanes

import (
	"math"
	"time"
)

// instant is a moment on the queue's own clock, in microseconds since its first
// event. That clock follows the times it is given but never goes back.
type instant int64

const never = instant(math.MaxInt64)

type clock struct {
	started bool
	wall    time.Time // as last given
	last    time.Time // the wall time that v stands for, less than 1 us behind wall
	v       instant
}

func (c *clock) tick(now time.Time) {
	c.wall = now
	if !c.started {
		c.started, c.last = true, now
		return
	}
	d := now.Sub(c.last)
	if d < 0 {
		c.last = now
		return
	}
	n := d / time.Microsecond
	if c.v < never/2 {
		c.v += instant(n)
	}
	c.last = c.last.Add(n * time.Microsecond)
}

// in is the instant d from now, rounded up.
func (c *clock) in(d time.Duration) instant {
	if d <= 0 {
		return c.v
	}
	n := instant(d / time.Microsecond)
	if d%time.Microsecond != 0 {
		n++
	}
	return c.v + n
}

// time is the wall time of an instant; zero for never. For an instant after v
// the result is after the time last given.
func (c *clock) time(at instant) time.Time {
	if at == never {
		return time.Time{}
	}
	n := min(at-c.v, instant(math.MaxInt64/int64(time.Microsecond)))
	return c.last.Add(time.Duration(n) * time.Microsecond)
}
