package disk

import (
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

// what a person did, or the store for them.
type what byte

const (
	didRelease what = iota + 1
	didRequeue
	didRestart // requeue of a stopped copy, in its place
	didResend
	didDiscard
	didDiscardCopy
	didReprocess
)

func (w what) String() string {
	switch w {
	case didRelease:
		return "release"
	case didRequeue, didRestart:
		return "requeue"
	case didResend:
		return "resend"
	case didReprocess:
		return "reprocess"
	}
	return "discard"
}

// action is one record of what a person did.
type action struct {
	what     what
	at       time.Time
	by       store.Person
	owner    uint64 // sequence of the message
	key      message.Key
	pos      uint64 // place of the copy before the action
	queue    string
	lane     string
	attempts int
	out      []outgoing        // reprocess: the copies that go
	in       []incoming        // reprocess: one for each copy of made
	made     *message.Decision // release, resend, reprocess: the new copies
}

// onCopy says whether the action was about one copy.
func (a *action) onCopy() bool {
	return a.what != didRelease && a.what != didDiscard && a.what != didReprocess
}

func (e *encoder) action(a *action) {
	e.byte(byte(a.what))
	e.time(a.at)
	e.string(a.by.Name)
	e.string(a.by.Reason)
	e.uint(a.owner)
	e.uint(a.key.Seq)
	e.uint(uint64(a.key.N))
	e.uint(a.pos)
	e.string(a.queue)
	e.string(a.lane)
	e.uint(uint64(a.attempts))
	if a.what == didReprocess {
		e.replaced(a)
	}
	e.bool(a.made != nil)
	if a.made != nil {
		e.accepted(a.made, a.at)
	}
}

func (d *decoder) action() (*action, error) {
	a := &action{what: what(d.byte()), at: d.time()}
	a.by.Name, a.by.Reason = d.string(), d.string()
	a.owner = d.uint()
	a.key = d.key()
	a.pos = d.uint()
	a.queue, a.lane = d.string(), d.string()
	a.attempts = int(d.uint())
	if a.what < didRelease || a.what > didReprocess {
		d.fail()
	}
	if a.what == didReprocess {
		d.replaced(a)
	}
	if d.bool() {
		a.made, _, _ = d.accepted()
	}
	if d.err == nil && a.what == didReprocess && len(a.in) != len(a.copies()) {
		d.fail()
	}
	return a, d.err
}
