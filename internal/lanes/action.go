package lanes

import (
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Action is something the caller does for the queue: Send, Load, Finish or Note.
// Actions of one Next are independent of each other unless said here.
type Action interface{ action() }

// Send asks for the copies to be sent in this order, then for Done with what
// became of them. The lane sends nothing else until then.
type Send struct {
	Lane       string
	Deliveries []*message.Delivery // belongs to the caller
}

// Load asks for up to Limit copies of the lane after the cursor, in order (see
// store.Journal.Pending), then for Loaded. The lane loads nothing else until then.
type Load struct {
	Lane  string
	After Cursor
	Limit int
}

// Finish asks for these final states to be made durable, in order. The queue does
// not wait for it: later copies of the same lane may be sent meanwhile, so a
// crash can repeat what was in hand, in order, and nothing else.
type Finish struct{ Finished []message.Finished }

// Note asks for news of attempts to be recorded some time soon: tries that
// failed, copies that have stopped.
type Note struct{ Finished []message.Finished }

func (Send) action()   {}
func (Load) action()   {}
func (Finish) action() {}
func (Note) action()   {}

// Result is what became of one copy of a Send.
type Result struct {
	Key       message.Key
	Code      string // the answer's code; "" when Err is set
	Err       error  // no answer to judge. Must not hold content: its text becomes the reason
	Permanent bool   // Err can not be mended by trying again
}

// Lane is a lane with work on disk, as the store lists it at start.
type Lane struct {
	Name  string
	Count int
	Last  uint64 // highest Pos
}

// Scope is what a pause applies to: the whole queue, or one lane.
type Scope struct {
	lane string
	one  bool
}

// Whole is the scope of the whole queue.
func Whole() Scope { return Scope{} }

// One is the scope of one lane.
func One(lane string) Scope { return Scope{lane: lane, one: true} }

// State is what a lane is doing.
type State uint8

// The states of a lane.
const (
	Ready   State = iota // its head can be sent when its turn comes
	Sending              // copies are being sent
	Waiting              // its head failed and waits for its next try
	Stopped              // its head waits for a person
	Paused               // a person or a timetable has paused it
	Loading              // its head is still on disk
)

var stateNames = [...]string{"ready", "sending", "waiting", "stopped", "paused", "loading"}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// LaneState shows one lane to people. Its name is content.
type LaneState struct {
	Lane     string
	State    State
	Queued   int // copies, those on disk estimated
	Known    bool
	Head     Cursor     // if Known, as all that follows
	Message  message.ID // of the head
	Oldest   time.Time  // when the head was queued
	Attempts int        // of the head so far
	Next     time.Time  // of its next try; zero unless it waits
	Code     string     // of its last answer, "" if none came
	Reason   string     // why it waits or has stopped; never content
}

// Stats sums up the queue.
type Stats struct {
	Queued   int       // copies, those on disk estimated
	Loaded   int       // of these in memory
	Bytes    int64     // bytes of bodies in memory
	Lanes    int       // with work
	InFlight int       // copies being sent
	Retrying int       // lanes whose head failed and waits or is tried again
	Stopped  int       // lanes that wait for a person
	Oldest   time.Time // when the oldest known head was queued; zero if none
	Paused   bool      // the whole queue
	Until    time.Time // end of that pause; zero = until resumed
	Down     bool      // nothing answers: one lane at a time is tried
}
