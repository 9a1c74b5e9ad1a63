package routes

import (
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Policy is how a queue is worked: order, replies, retries, pace.
type Policy struct {
	Batch       int // copies that one send may take
	Concurrency int // sends at once over different lanes
	PerKey      bool
	Reply       map[string]Rule // by code: AA, AE, none, wrong_id, 2xx, ...; exact code, then class, then "other"
	ReplyAfter  time.Duration   // how long a reply is waited for; 0 = the adapter's own default
	Retry       Backoff
	Rate        float64 // copies per second; 0 = no limit
	Pause       []Pause
}

// Do is what a reply means for the copy.
type Do string

// What a reply can mean.
const (
	DoDone       Do = "done"
	DoRetry      Do = "retry"
	DoDeadLetter Do = "dead_letter"
	DoHold       Do = "hold"
	DoStop       Do = "stop" // stays at the head of its lane; the lane waits for a person
)

// Rule is one row of a reply table.
type Rule struct {
	Do      Do
	Retries int // for DoRetry: how often, then Then; -1 = as Backoff says
	Then    Do  // DoDeadLetter, DoHold or DoStop
	Place   message.Place
}

// Backoff is how a copy is tried again.
type Backoff struct {
	First       time.Duration
	Cap         time.Duration
	Factor      float64
	Jitter      float64       // 0.2 = plus or minus 20 %
	GiveUpAfter time.Duration // 0 = never
	Then        Do            // DoDeadLetter, DoHold or DoStop; "" when it never gives up
	Place       message.Place
}

// Pause is a weekly window in which nothing is sent.
type Pause struct {
	Day      time.Weekday
	From, To time.Duration // since midnight of that day, local time; To <= From ends on the next day
	Zone     *time.Location
	Reason   string
	Place    message.Place
}

// Active reports whether now lies within the window, and when it ends.
func (p Pause) Active(now time.Time) (until time.Time, active bool) {
	local := now.In(p.Zone)
	for _, back := range []int{0, 1} {
		d := local.AddDate(0, 0, -back)
		if d.Weekday() != p.Day {
			continue
		}
		from, to := p.clock(d, p.From), p.clock(d, p.To)
		if p.To <= p.From {
			to = p.clock(d.AddDate(0, 0, 1), p.To)
		}
		if !now.Before(from) && now.Before(to) {
			return to, true
		}
	}
	return time.Time{}, false
}

// clock is a time of day as the wall clock shows it, also on days when clocks change.
func (p Pause) clock(day time.Time, d time.Duration) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), int(d/time.Hour), int(d%time.Hour/time.Minute), 0, 0, p.Zone)
}
