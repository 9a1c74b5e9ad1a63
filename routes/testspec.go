package routes

import (
	"regexp"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Test is one entry of a feed's tests: what is sent, what the peers answer, and
// what is expected of it. It is read and checked with the project; the runner of
// feed tests carries it out.
type Test struct {
	Feed  string
	Name  string
	Place message.Place
	// Environment is the only one the test is about; "" = any.
	Environment string
	Now         time.Time     // the clock at its begin; zero = the runner's own fixed instant
	For         time.Duration // how long the simulated time runs after the last send; 0 = until nothing changes
	Sends       []SpecSend
	Peers       map[string][]SpecAnswer // by queue; the last entry repeats
	Expect      SpecExpect
}

// SpecSend is one entry of send.
type SpecSend struct {
	Place  message.Place
	Source string // as Decide knows it: the listener's name, or feed/source
	// Mailbox: the source takes files. Whole: it does not cut them into messages.
	Mailbox, Whole bool
	Remote         string        // address of the sending socket; "" = the runner's own
	At             time.Time     // zero = when the send before has ended
	Every          time.Duration // between one file and the next
	Inputs         []SpecInput
}

// SpecInput is a file, or a text written in the test.
type SpecInput struct {
	File string // its path in the project; "" for a text
	Name string // what a mailbox source sees as its name
	Body []byte
}

// AnswerKind is how a scripted peer behaves.
type AnswerKind uint8

// The ways of a scripted peer.
const (
	AnswerReply   AnswerKind = iota // a reply with Code; "" = the one that means done
	AnswerWrongID                   // a reply to another message
	AnswerClose                     // takes the message and closes the connection
	AnswerRefuse                    // takes no connection, or no file
	AnswerNothing                   // takes the message and stays silent
)

// SpecAnswer is what a scripted peer does with one copy.
type SpecAnswer struct {
	Kind  AnswerKind
	Code  string
	Wait  time.Duration // before it does so
	Times int           // how many copies get this answer; at least 1
}

// SpecExpect is what a test expects. What is nil is not looked at.
type SpecExpect struct {
	Place     message.Place
	Acks      []SpecAck // one for each message, in the order they were sent
	Outcomes  []SpecText
	Parts     []SpecParts
	Delivered *SpecDelivered
	Copies    []SpecCopies
	Attempts  []SpecTries
	Arrived   []SpecArrived
	Warnings  *SpecTexts
}

// Destinations gives every destination that the expectations name.
func (e *SpecExpect) Destinations() (out []SpecDestination) {
	if e.Delivered != nil {
		for _, d := range e.Delivered.To {
			out = append(out, d.SpecDestination)
		}
	}
	for _, c := range e.Copies {
		for _, d := range c.To {
			out = append(out, d.SpecDestination)
		}
	}
	for _, d := range e.Attempts {
		out = append(out, d.SpecDestination)
	}
	for _, d := range e.Arrived {
		out = append(out, d.SpecDestination)
	}
	return out
}

// SpecText is a text and where it is written.
type SpecText struct {
	Place message.Place
	Text  string
}

// SpecTexts is a list of texts and where it is written.
type SpecTexts struct {
	Place message.Place
	Texts []string
}

// SpecAck is an expected acknowledgement.
type SpecAck struct {
	Place message.Place
	Code  string     // AA, AE, ...; "" = not looked at, "none" = no answer
	Text  *SpecValue // MSA-3
	Error *SpecValue // code of the first ERR entry
	At    *SpecValue // its location
	Body  *SpecValue // what the feed itself answers
	HTTP  int        // 0 = not looked at
}

// SpecParts are the reasons expected of one outcome: held: "reason".
type SpecParts struct {
	Place   message.Place
	Outcome message.Outcome
	None    bool // no message may have the outcome
	Each    bool // Reasons are those of all such messages, in order; otherwise the one reason of all
	Reasons []SpecValue
}

// SpecDestination is a destination as a test names it.
type SpecDestination struct {
	Place message.Place
	Name  string // as written
	Feed  string // whose copies; "" = those of any feed
	Queue string
}

// SpecDelivered says what is delivered, and that nothing else is.
type SpecDelivered struct {
	Place message.Place
	To    []SpecDeliveries
}

// SpecDeliveries are the copies expected at one destination, in order.
type SpecDeliveries struct {
	SpecDestination
	Copies []SpecCopy
}

// SpecCopy is what is expected of one delivered copy.
type SpecCopy struct {
	Place  message.Place
	Fields []SpecField
	SameAs *SpecFile
	Name   *SpecValue // of the file, in a mailbox
	Lines  int        // segments, or lines of what has none; -1 = not looked at
}

// SpecFile is a file that a copy is compared with.
type SpecFile struct {
	Place   message.Place
	Path    string
	Body    []byte
	Missing bool
}

// SpecField is the expected value of one node.
type SpecField struct {
	Place message.Place
	Text  string           // the selector as written
	At    message.Selector // compiled; nil for one that is no selector of HL7 v2, see Plan.Selector
	Want  SpecValue
}

// ValueKind is how a value is compared.
type ValueKind uint8

// The ways of comparing.
const (
	ValueText    ValueKind = iota // this text; "" = empty or absent
	ValueList                     // these texts, of a selector that is a list
	ValueNull                     // HL7 null
	ValueAbsent                   // no such node
	ValuePresent                  // any real value
	ValueMatches                  // a text that the pattern matches
)

// SpecValue is an expected value.
type SpecValue struct {
	Kind    ValueKind
	Text    string
	List    []string
	Pattern *regexp.Regexp
}

// CopyFate is a group of copies that a test can count.
type CopyFate string

// The fates of copies that were not delivered, as tests name them.
const (
	FateDeadLettered CopyFate = "dead_lettered"
	FateHeld         CopyFate = "held_copies"
	FateExpired      CopyFate = "expired"
	FateStopped      CopyFate = "stopped" // at the head of its lane, waits for a person
	FateQueued       CopyFate = "queued"  // still waits, stopped or not
)

// SpecCopies says which copies have met a fate, and that no others have.
type SpecCopies struct {
	Place message.Place
	Fate  CopyFate
	To    []SpecCount
}

// SpecCount are the copies of one destination: their number, their control ids
// in order, or the reason of all.
type SpecCount struct {
	SpecDestination
	Count      int // -1 = not looked at
	ControlIDs []string
	Reason     *SpecValue
}

// SpecTries is how often each copy was tried, in the order they were queued.
type SpecTries struct {
	SpecDestination
	Tries []int
}

// SpecArrived are the control ids of what reached a peer, retries included.
type SpecArrived struct {
	SpecDestination
	ControlIDs []string
}

// Tests gives the tests of all feeds, in the order of the files.
func (p *Plan) Tests() []*Test {
	var out []*Test
	for _, f := range p.feeds {
		out = append(out, f.tests...)
	}
	return out
}
