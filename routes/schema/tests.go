package schema

// Test is one of a feed's tests.
type Test struct {
	_           struct{}             `what:"test" title:"test" doc:"What is sent, how the other sides behave, and what must come of it. [The page of tests](tests.md) explains them."`
	Name        Text                 `key:"name" doc:"what it shows" missing:"the test has no name"`
	Environment Word                 `key:"environment" one:"test live" def:"both" doc:"the one it is about"`
	Now         Instant              `key:"now" def:"the first at, or 1 June 2026 09:00 UTC" doc:"the clock at its begin"`
	For         Duration             `key:"for" def:"until nothing changes" doc:"how long time runs on after the last message"`
	Send        []Send               `key:"send" doc:"what comes in" missing:"the test sends nothing"`
	Peers       map[QueueName][]Acts `key:"peers" def:"every peer takes everything" doc:"what the other sides do, copy by copy; the last entry repeats"`
	Expect      Expect               `key:"expect" doc:"what must come of it" missing:"the test expects nothing"`
}

// Send is what comes in.
type Send struct {
	_      struct{} `what:"send" title:"send" doc:"One thing that comes in." exactly:"file files text"`
	To     Name     `key:"to" doc:"the source, as the feed's sources call it" missing:"send does not say to which source"`
	File   []File   `key:"file" doc:"a file of the project"`
	Files  []File   `key:"files" doc:"several"`
	Text   Text     `key:"text" doc:"or the text itself"`
	Name   Text     `key:"name" def:"the file's own" doc:"the file's name as a mailbox sees it"`
	At     Instant  `key:"at" doc:"when it comes"`
	Every  Duration `key:"every" def:"all at once" doc:"time between one file and the next"`
	Remote Text     `key:"remote" def:"192.0.2.10:40000" doc:"the sending address"`
}

// Acts is what a peer does with a copy.
type Acts struct{}

func (Acts) forms() []any { return []any{Answered(""), Act{}} }

// Act is what a peer does, at length.
type Act struct {
	_       struct{} `what:"peer's answer" title:"peer's answer" doc:"One of reply, wrong_id, close, refuse and nothing; wait alone is followed by the good answer."`
	Wait    Duration `key:"wait" doc:"before it answers"`
	Reply   Answered `key:"reply" doc:"what it answers"`
	Text    Text     `key:"text" doc:"for people; nothing is decided by it"`
	WrongID Answered `key:"wrong_id" doc:"it answers so, but to another message"`
	Close   Yes      `key:"close" doc:"it takes the message and closes the connection"`
	Refuse  Yes      `key:"refuse" doc:"it is not there"`
	Nothing Yes      `key:"nothing" doc:"it takes the message and stays silent"`
	Times   Int      `key:"times" range:"1 1000000" def:"1" doc:"for so many copies"`
}

func (Act) rules() []Condition {
	acts := []string{"reply", "wrong_id", "close", "refuse", "nothing"}
	return []Condition{{If: lacks("wait"), Exactly: acts}, {If: has("wait"), AtMostOne: acts}, {If: has("nothing"), Forbid: []string{"wait"}}}
}

// Yes is true.
type Yes string

func (Yes) scalar() Scalar { return Scalar{Words: []string{"true"}} }

// Expect is what must come of what was sent.
type Expect struct {
	_            struct{}                  `what:"expect" title:"expect" doc:"What is not named is not looked at; at least one thing is named."`
	Ack          []AckForm                 `key:"ack" doc:"what the sender is answered; one for all, or one for each message"`
	Outcome      []OutcomeName             `key:"outcome" doc:"of the message; one for all, or one for each"`
	Delivered    map[QueueName][]Delivered `key:"delivered" doc:"the copies that were delivered, in order; exhaustive"`
	Held         Parts                     `key:"held" doc:"reasons of messages or parts that are held"`
	Rejected     Parts                     `key:"rejected" doc:"... rejected"`
	Dropped      Parts                     `key:"dropped" doc:"... dropped"`
	Unrouted     Parts                     `key:"unrouted" doc:"... unrouted"`
	Quarantined  Parts                     `key:"quarantined" doc:"... that are no messages"`
	Duplicate    Parts                     `key:"duplicate" doc:"... that are repeats"`
	DeadLettered map[QueueName]Fates       `key:"dead_lettered" doc:"copies that were set aside for good; exhaustive"`
	HeldCopies   map[QueueName]Fates       `key:"held_copies" doc:"copies that a reply or a step has set aside"`
	Expired      map[QueueName]Fates       `key:"expired" doc:"copies that came too late to be sent"`
	Stopped      map[QueueName]Fates       `key:"stopped" doc:"copies at the head of a lane that waits for a person"`
	Queued       map[QueueName]Fates       `key:"queued" doc:"copies that still wait"`
	Attempts     map[QueueName][]Int       `key:"attempts" doc:"how often each copy was tried"`
	Arrived      map[QueueName][]Text      `key:"arrived" doc:"control ids of all that reached the peer, retries included, in order"`
	Warnings     []Text                    `key:"warnings" doc:"texts of the findings that did not decide, in order"`
}

func (Expect) rules() []Condition { return []Condition{{AtLeast: 1}} }

// OutcomeName is a word.
type OutcomeName string

func (OutcomeName) scalar() Scalar {
	return Scalar{Words: []string{"routed", "held", "rejected", "dropped", "unrouted", "quarantined", "duplicate"}}
}

// AckForm is a code or more of the answer.
type AckForm struct{}

func (AckForm) forms() []any { return []any{AckCode(""), TestAck{}} }

// AckCode is a word.
type AckCode string

func (AckCode) scalar() Scalar {
	return Scalar{Words: []string{"AA", "AE", "AR", "CA", "CE", "CR", "none"}}
}

// TestAck is what is expected of an answer.
type TestAck struct {
	_     struct{} `what:"ack" title:"ack in expect" doc:"What is named must be so."`
	Code  AckCode  `key:"code" doc:"MSA-1"`
	Text  Expected `key:"text" doc:"why"`
	Error Expected `key:"error" doc:"the code of the first ERR entry"`
	At    Expected `key:"at" doc:"its place"`
	HTTP  Int      `key:"http" range:"100 599" doc:"the status over HTTP"`
	Body  Expected `key:"body" doc:"the whole answer"`
}

func (TestAck) rules() []Condition { return []Condition{{AtLeast: 1}} }

// Parts are reasons.
type Parts struct{}

func (Parts) forms() []any { return []any{Text(""), []Expected{}, ExpectedMapping{}} }

// Fates is a number, control ids or a reason.
type Fates struct{}

func (Fates) forms() []any { return []any{Text(""), []Text{}, ExpectedMapping{}} }

// Delivered is what is expected of a copy.
type Delivered struct {
	_        struct{}              `title:"delivered" doc:"{} is any copy. Other keys are selectors of what was delivered."`
	SameAs   File                  `key:"same_as" doc:"it is this file; spine-engine test --update writes it"`
	FileName Expected              `key:"file_name" doc:"its name in a mailbox"`
	Lines    Int                   `key:"lines" range:"0 10000000" doc:"how many segments it has"`
	Rest     map[Selector]Expected `rest:"true" doc:"what stands there"`
}

// Expected is what a value must be.
type Expected struct{}

func (Expected) forms() []any { return []any{Text(""), []Text{}, ExpectedMapping{}} }

// ExpectedMapping is what a value must be, other than a text.
type ExpectedMapping struct {
	_       struct{} `what:"expected value" title:"expected value" doc:"One of the four." exactly:"is_null absent present matches"`
	IsNull  Yes      `key:"is_null" doc:"HL7 null"`
	Absent  Yes      `key:"absent" doc:"no such field"`
	Present Yes      `key:"present" doc:"some value"`
	Matches Pattern  `key:"matches" doc:"a value that the pattern matches"`
}
