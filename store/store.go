package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Errors that callers decide by.
var (
	// ErrFailed: a write or sync of the store failed, so its state on disk is
	// unknown. Nothing more is accepted; the process must end (exit status 70)
	// and the next start verifies the log.
	ErrFailed = errors.New("the store has failed and must be verified by a restart")
	// ErrFull: the free-space floor is reached. Accepting resumes by itself.
	ErrFull = errors.New("the disk of the store is nearly full")
	// ErrTooLarge: more copies, or bytes, than one record takes. It would be so
	// every time.
	ErrTooLarge = errors.New("too large for one record")
	// ErrLocked: another process has the store open.
	ErrLocked = errors.New("the store is in use")
	// ErrNotFound: no message or copy of that id.
	ErrNotFound = errors.New("not found")
	// ErrState: the action does not fit the state the message or copy is in.
	ErrState = errors.New("not possible in its present state")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("the store is closed")
)

// NotWholeError: the copy was held when it was made, so that its bytes are not
// what its destination may see. It is an ErrState.
type NotWholeError struct {
	Key     message.Key
	Message message.ID
	Queue   string
}

func (e *NotWholeError) Error() string {
	return fmt.Sprintf("copy %s was held before it was made whole, so its bytes are not for %s; mend what held it, then: queue reprocess %s --state held", e.Key, e.Queue, e.Queue)
}

// Is makes it an ErrState.
func (e *NotWholeError) Is(target error) bool { return target == ErrState }

// Journal is the engine's side of a store. All methods may be called from many
// goroutines.
type Journal interface {
	// Append stores d, all of it in one record, and returns when it is durable.
	// It gives every delivery its Key and Pos. When d.Envelope.Origin is not
	// empty and already known, nothing is added and the first one's receipt
	// comes back with Duplicate set.
	Append(ctx context.Context, d *message.Decision) (message.Receipt, error)
	// Finish records new states of copies durably, in one record.
	Finish(ctx context.Context, fs []message.Finished) error
	// Note records attempts (State Queued) some time soon; it does not wait.
	Note(fs []message.Finished)
	// Pending gives up to limit queued copies of one lane in order of (Pos,
	// Key), those after (pos, key), with their bodies ready to view. It sees
	// everything committed before the call.
	Pending(queue, lane string, pos uint64, key message.Key, limit int) ([]*message.Delivery, error)
	// Lanes calls yield for every lane of the queue that has queued copies.
	Lanes(queue string, yield func(Lane) bool) error
	// Queues gives every queue that has queued copies.
	Queues() ([]Queue, error)
	// Spool writes r durably into a file of the store. More than max bytes is an
	// error and leaves nothing behind.
	Spool(r io.Reader, max int64) (message.Body, error)
	// Unspool removes the file of a spooled body that no record refers to: its
	// message was refused, or known already. Any other body is left alone.
	Unspool(b message.Body) error
	Close() error
}

// Lane is one lane of a queue, as far as it is queued.
type Lane struct {
	Name  string
	Count int
	Last  uint64 // highest Pos
}

// Queue sums up a queue.
type Queue struct {
	Name   string    `json:"name"`
	Queued int       `json:"queued"`
	Oldest time.Time `json:"oldest,omitzero"` // when its oldest queued copy was queued
}

// Commit is what one durable record means to the scheduler. The store calls the
// Observer it was opened with once per group of records, in journal order, from
// one goroutine, after the sync and before Append or Finish return. By then
// Pending sees them. The observer must not block and must not call the store.
type Commit struct {
	Queued  []*message.Delivery // new work, in order
	Removed []message.Finished  // queued copies that a person took out
}

// Observer learns of commits.
type Observer func([]Commit)

// History is what people and the console ask and do.
type History interface {
	// List gives messages, newest first.
	List(Query) ([]Entry, error)
	// Get gives one message with all its copies. ErrNotFound if there is none.
	Get(id message.ID) (*Record, error)
	// Redecide replaces the outcome of a held, unrouted or quarantined message
	// by d, made of the same envelope; its deliveries join their lanes' ends.
	Redecide(ctx context.Context, id message.ID, d *message.Decision, by Person) error
	// Requeue queues a held, dead-lettered or expired copy again at its lane's
	// end, same bytes and control id. A stopped one starts again in its place. One
	// that was held when it was made (State CopyHeld in Append) is never sent as it
	// is (*NotWholeError): its destination's steps were not done to the end.
	// Replace makes it anew.
	Requeue(ctx context.Context, k message.Key, by Person) error
	// Resend makes a new queued copy with the bytes of a finished one; not of one
	// that was held when it was made.
	Resend(ctx context.Context, k message.Key, by Person) (message.Key, error)
	// Discard gives up a held message (its outcome becomes dropped) ...
	Discard(ctx context.Context, id message.ID, by Person) error
	// ... or a copy that is queued, held or dead-lettered.
	DiscardCopy(ctx context.Context, k message.Key, by Person) error
	// Replace puts other copies into the places of undelivered ones (queued, held
	// or dead-lettered), each message's in a record of its own, all with one sync:
	// after a crash a message has its old copies or its new ones, never both. A
	// replacement that does not fit the state its copies are in is refused by
	// itself; see Replaced. The observer is not told: whoever replaces queued
	// copies has stopped their queue's scheduler, and lets it read the queue
	// (Lanes, Pending) again. Copies of one place stand in order of their keys, so
	// those of one message give it up together or their order changes.
	Replace(ctx context.Context, rs []Replacement, by Person) ([]Replaced, error)
	// Totals counts messages by outcome and copies by state.
	Totals() (Totals, error)
}

// Replacement is what takes the places of copies of one message.
type Replacement struct {
	Message message.ID
	Old     []Outgoing // at least one
	// New holds the copies that come (see Incoming); nil = none. It is made of the
	// message's own envelope. The outcome of the message stays what it is.
	New *message.Decision
	In  []Incoming // one for each delivery of New
}

// Outgoing is a copy that gives up its place.
type Outgoing struct {
	Key    message.Key
	State  message.CopyState // what becomes of it: Discarded, or CopyHeld
	Reason string            // never content
}

// Incoming says whose place a new copy takes, and which copy it is.
type Incoming struct {
	// Of is the number in Old of the copy whose place in its lane (Pos) it takes.
	// If that one was queued, its time (Queued) goes with it.
	Of int
	Slot
}

// Replaced is what became of a Replacement.
type Replaced struct {
	Seq uint64 // of its record; 0 when it was refused
	Err error  // wraps ErrState or ErrNotFound: nothing was changed
}

// Slot says which of the copies that its feed made for its queue a copy is, so
// that it is known again when the message is decided again.
type Slot struct {
	Part   int // message.Part.Number
	Number int // within the part, from 0
}

// Switches keeps what people have paused, over restarts.
type Switches interface {
	// Switch records a pause, or its end, durably. A second one of the same
	// subject replaces the first.
	Switch(ctx context.Context, s Switch) error
	// Switches gives the pauses that have not ended.
	Switches() ([]Switch, error)
}

// Subject is what can be paused.
type Subject struct {
	Kind string // source, feed, destination, lane
	Name string // of the source, feed or queue
	Lane string // key of order, with kind lane. It can be a patient's number: never log it
}

// Switch is a pause of a subject, or (Paused false) its end.
type Switch struct {
	Subject
	Paused bool
	Until  time.Time // when it ends by itself; zero = never
	At     time.Time // set by the store
	By     Person
}

// Person is who did it and why, for the record.
type Person struct {
	Name   string
	Reason string
}

// Query narrows a list. Zero fields do not narrow.
type Query struct {
	Outcome message.Outcome
	Copy    message.CopyState // messages with at least one copy in that state
	Feed    string
	Source  string
	Queue   string
	Since   time.Time
	Before  message.ID // older than this one, for paging
	Limit   int        // 0 = 100
}

// Entry is one line of a list. It holds no content.
type Entry struct {
	ID       message.ID
	Seq      uint64
	Received time.Time
	Source   string
	Type     string
	Event    string
	Control  string // MSH-10
	Size     int64
	Outcome  message.Outcome
	Feed     string
	Rule     message.Place
	Reason   string
	Plan     message.Hash
	Copies   int
	States   map[message.CopyState]int
}

// Record is one message whole.
type Record struct {
	Entry
	Envelope *message.Envelope
	Parts    []message.Part
	Reply    message.Reply
	Copies   []Copy
	Actions  []Action
}

// Copy is one delivery with what became of it.
type Copy struct {
	message.Delivery
	At   time.Time // of its present state or last attempt
	Code string
	Slot
	Of message.Key // the copy that it repeats (resend) or whose place it took (reprocess); zero if none
}

// Action is what a person did to a message or copy.
type Action struct {
	At   time.Time
	What string // release, requeue, resend, discard, reprocess
	Copy string // key of the copy, "" for the message
	Person
}

// Totals counts everything the store holds. Messages add up to what was
// received, copies to what was queued.
type Totals struct {
	Messages map[message.Outcome]int
	Copies   map[message.CopyState]int
}

// Archive keeps the projects that were activated, so that a start with a broken
// folder can run the last good one.
type Archive interface {
	// Activate stores the project's files (a zip) under its hash and marks it as
	// the one in force, durably.
	Activate(h message.Hash, zip []byte) error
	// Active gives the one in force; ErrNotFound before the first.
	Active() (message.Hash, []byte, error)
}
