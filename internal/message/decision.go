package message

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Outcome is what became of a received message. It has exactly one.
type Outcome uint8

// The outcomes of a message.
const (
	Routed      Outcome = iota + 1 // n copies were queued
	Dropped                        // a rule says that nobody wants it
	Held                           // waits for a person
	Rejected                       // refused, and the sender was told so
	Unrouted                       // no destination took it and the feed says to hold such messages
	Quarantined                    // could not be parsed; its bytes are kept
	Duplicate                      // seen before; nothing was added
)

var outcomeNames = [...]string{"", "routed", "dropped", "held", "rejected", "unrouted", "quarantined", "duplicate"}

func (o Outcome) String() string { return nameOf(outcomeNames[:], int(o)) }

// ParseOutcome is the inverse of String; false for a name that is none.
func ParseOutcome(s string) (Outcome, bool) {
	n, ok := indexOf(outcomeNames[:], s)
	return Outcome(n), ok
}

// CopyState is what has become of one copy. It has exactly one.
type CopyState uint8

// The states of a copy.
const (
	Queued       CopyState = iota + 1
	Delivered              // the destination took it
	CopyHeld               // set aside by a rule or reply, waits for a person; its lane goes on
	DeadLettered           // given up, waits for a person; its lane goes on
	Expired                // too old to be of use when its turn came
	Discarded              // a person decided against it
)

var stateNames = [...]string{"", "queued", "delivered", "held", "dead-lettered", "expired", "discarded"}

func (s CopyState) String() string { return nameOf(stateNames[:], int(s)) }

// ParseCopyState is the inverse of String; false for a name that is none.
func ParseCopyState(s string) (CopyState, bool) {
	n, ok := indexOf(stateNames[:], s)
	return CopyState(n), ok
}

func nameOf(names []string, i int) string {
	if i <= 0 || i >= len(names) {
		return fmt.Sprintf("unknown(%d)", i)
	}
	return names[i]
}

func indexOf(names []string, s string) (int, bool) {
	for i := 1; i < len(names); i++ {
		if names[i] == s {
			return i, true
		}
	}
	return 0, false
}

// Place is where in the project something is written: feeds/adt.yaml:31.
type Place struct {
	File string
	Line int
}

func (p Place) String() string {
	if p.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Hash identifies a compiled project: SHA-256 over its files.
type Hash [32]byte

// String is the first 12 hex digits, enough for people.
func (h Hash) String() string { return hex.EncodeToString(h[:6]) }

// Decision is all that follows from one message: pure data, made without I/O,
// stored as one record before the source may acknowledge.
type Decision struct {
	Envelope   *Envelope
	Outcome    Outcome // of the message: the weightiest of its parts
	Parts      []Part  // one per feed that looked at it; empty when none did
	Plan       Hash
	Reply      Reply
	Deliveries []Delivery

	// What lists show: the message type, trigger event and control id
	// (MSH-9.1, MSH-9.2, MSH-10). Empty when they could not be read.
	Type, Event, ControlID string
}

// Part is one feed's word on a message.
type Part struct {
	Feed    string
	Outcome Outcome
	Rule    Place  // the rule that decided
	Reason  string // the rule's own text; never content
	Copies  int    // how many deliveries the feed made
	Number  int    // which part of a split message, from 1; 0 = the feed does not split
	// Findings are the warnings of validate, and what a rule found beside the one
	// that decided.
	Findings []Finding
}

// Finding is what one rule of validate has to say.
type Finding struct {
	Rule Place
	Text string // the rule's own text; never content
}

// Why returns place and reason of the part that gave the decision its outcome.
func (d *Decision) Why() (Place, string) {
	for _, p := range d.Parts {
		if p.Outcome == d.Outcome {
			return p.Rule, p.Reason
		}
	}
	return Place{}, d.Envelope.Problem
}

// Reply is the answer to the sender as data; the adapter spells it on its wire.
type Reply struct {
	Code   string // AA, AE, AR, CA, CE, CR (HL7 table 0008); "" = no answer is due
	Text   string // for a person at the sender's side; never content
	Errors []ReplyError
	HTTP   int    // status for a sender by HTTP; 0 = as the code says
	Body   string // what the feed itself answers, content; "" = the adapter spells the code
	Type   string // content type of Body
}

// Format gives code, status and size for every verb and flag: Body is what a feed
// makes of a message.
func (r Reply) Format(s fmt.State, _ rune) {
	fmt.Fprintf(s, "reply %s, %q, HTTP %d, %d errors, body of %d bytes", r.Code, r.Text, r.HTTP, len(r.Errors), len(r.Body))
}

// ReplyError is one ERR entry (HL7 v2.5.1 chapter 2.15.5).
type ReplyError struct {
	Location string // a selector or seg^seq^field; may be empty
	Code     string // table 0357
	Text     string
	Severity string // E, W, I; "" = E
}

// Receipt says that a message is durable. Its Reply is the sender's answer.
type Receipt struct {
	ID        ID
	Seq       uint64
	Outcome   Outcome
	Reply     Reply
	Duplicate bool // the Origin was known: this is the first one's receipt, nothing was added
}

// Key identifies a copy: the journal sequence of the record that made it and its
// number within that record, from 0.
type Key struct {
	Seq uint64
	N   uint16
}

func (k Key) String() string { return fmt.Sprintf("%d.%d", k.Seq, k.N) }

// Delivery is one copy of a message on its way to a destination.
type Delivery struct {
	Key       Key
	Pos       uint64 // its place in the lane: Key.Seq, or the sequence of the action that queued it again
	Message   ID
	Queue     string // the peer's name, or feed/destination
	Feed      string
	Lane      string // key of order; "" is the one lane of a strict queue and the lane of absent keys
	Body      Body
	Name      string // declared file name for a mailbox; "" = the message id
	ControlID string // MSH-10 of the copy as sent; a reply counts only if its MSA-2 is this
	Queued    time.Time
	State     CopyState // Queued, or CopyHeld when a destination's own rule held it
	Rule      Place     // why held
	Reason    string
	Attempts  int  // tries so far
	Stopped   bool // stays at the head of its lane until a person acts
}

func (d *Delivery) String() string {
	return fmt.Sprintf("copy %s of %s for %s (%d bytes)", d.Key, d.Message, d.Queue, d.Body.Size())
}

// Finished is a change of a copy's state, or (State Queued) news of an attempt.
type Finished struct {
	Key      Key
	Pos      uint64
	Queue    string
	Lane     string
	State    CopyState
	At       time.Time
	Attempts int
	Stopped  bool
	Code     string // the reply's code, "" when there was none
	Reason   string // never content
}

// ParseKey reads a key as String writes it.
func ParseKey(s string) (Key, error) {
	seq, n, ok := strings.Cut(s, ".")
	a, err1 := strconv.ParseUint(seq, 10, 64)
	b, err2 := strconv.ParseUint(n, 10, 16)
	if !ok || err1 != nil || err2 != nil {
		return Key{}, fmt.Errorf("%q is not a copy's key; write it as lists show it, like 4711.0", s)
	}
	return Key{Seq: a, N: uint16(b)}, nil
}
