package schema

// Order is what has to stay in order.
type Order struct{}

func (Order) forms() []any { return []any{Strict(""), OrderPer{}} }

// Strict is a word.
type Strict string

func (Strict) scalar() Scalar { return Scalar{Words: []string{"strict"}} }

// OrderPer has a lane for each key.
type OrderPer struct {
	_       struct{} `what:"order" title:"order" doc:"strict is one lane: everything in the order it came. per has a lane for each key, and a lane that waits holds no other up."`
	Per     OrderKey `key:"per" doc:"read after the feed's transform; one value" missing:"order does not say per what"`
	OnMerge never    `key:"on_merge" refused:"yet"`
}

// RepliesHL7 is the reply table of an MLLP destination.
type RepliesHL7 struct {
	_  struct{} `title:"reply of mllp" doc:"What an answer means for the copy; no two systems mean the same. What has no row is tried again."`
	AA DoWhat   `key:"AA" doc:"application accept" missing:"what the reply \"AA\" means is not declared"`
	AE DoWhat   `key:"AE" doc:"application error" missing:"what the reply \"AE\" means is not declared"`
	AR DoWhat   `key:"AR" doc:"application reject" missing:"what the reply \"AR\" means is not declared"`
	Or Silence  `key:"none" doc:"no answer in time: the connection is closed" missing:"what the reply \"none\" means is not declared"`
	CA DoWhat   `key:"CA" doc:"accept of the enhanced mode; required where a step sets MSH-15 or MSH-16"`
	CE DoWhat   `key:"CE" doc:"error of the enhanced mode"`
	CR DoWhat   `key:"CR" doc:"reject of the enhanced mode"`
	AnyReplies
}

// RepliesHTTP is the reply table of an HTTP destination.
type RepliesHTTP struct {
	_   struct{} `title:"reply of http" doc:"An exact status counts before its class, a class before other. An answer that is an HL7 acknowledgement counts by its MSA-1 unless that is AA or CA."`
	OK  DoWhat   `key:"2xx" doc:"a status of success" missing:"what the reply \"2xx\" means is not declared"`
	Bad DoWhat   `key:"4xx" doc:"we are at fault" missing:"what the reply \"4xx\" means is not declared"`
	Ill DoWhat   `key:"5xx" doc:"the peer is at fault" missing:"what the reply \"5xx\" means is not declared"`
	Or  Silence  `key:"none" doc:"no answer in time: the connection is closed" missing:"what the reply \"none\" means is not declared"`
	AA  DoWhat   `key:"AA" doc:"application accept"`
	AE  DoWhat   `key:"AE" doc:"application error"`
	AR  DoWhat   `key:"AR" doc:"application reject"`
	CA  DoWhat   `key:"CA" doc:"accept of the enhanced mode"`
	CE  DoWhat   `key:"CE" doc:"error of the enhanced mode"`
	CR  DoWhat   `key:"CR" doc:"reject of the enhanced mode"`
	AnyReplies
}

// AnyReplies are rows of all reply tables.
type AnyReplies struct {
	WrongID    DoWhat               `key:"wrong_id" def:"retry" doc:"an answer to another message"`
	Unreadable DoWhat               `key:"unreadable" def:"retry" doc:"an answer that is none"`
	Other      DoWhat               `key:"other" def:"retry" doc:"whatever has no row"`
	Rest       map[ReplyCode]DoWhat `rest:"true" doc:"that status, or that class"`
}

// DoWhat is what an answer means.
type DoWhat struct{}

func (DoWhat) forms() []any { return []any{Done(""), DoRule{}} }

// Done is a word.
type Done string

func (Done) scalar() Scalar {
	return Scalar{Words: []string{"done", "retry", "dead_letter", "hold", "stop"}}
}

// DoRule is what an answer means, at length.
type DoRule struct {
	_ struct{} `title:"a row of reply" doc:"done: delivered. retry: tried again, same bytes, same control id. dead_letter, hold: set aside, the lane goes on. stop: stays at the head, the lane waits for a person."`
}

func (DoRule) picks() []any { return []any{DoTimes{}, DoThis{}} }

// DoTimes retries a number of times.
type DoTimes struct {
	_     struct{} `what:"reply rule" by:"retry" refuses:"do after feed"`
	Retry Int      `key:"retry" range:"0 1000000" doc:"so many more tries"`
	Then  Then     `key:"then" doc:"what comes after them" missing:"what comes after 5 retries is not declared"`
}

// DoThis is a word in a mapping.
type DoThis struct {
	_  struct{} `what:"reply rule" by:"do" refuses:"retry then after feed"`
	Do Done     `key:"do" doc:"the word"`
}

// Then is where a copy ends that is not tried any more.
type Then string

func (Then) scalar() Scalar { return Scalar{Words: []string{"dead_letter", "hold", "stop"}} }

// Silence is the row of no answer.
type Silence struct {
	_ struct{} `title:"none of reply" doc:"How long an answer is waited for, and what its absence means. No answer is no proof of delivery."`
}

func (Silence) picks() []any { return []any{SilenceTimes{}, SilenceDo{}} }

// SilenceTimes retries a number of times.
type SilenceTimes struct {
	_     struct{} `what:"reply rule" by:"retry" refuses:"do feed"`
	After Duration `key:"after" doc:"how long" missing:"how long a reply is waited for is not declared"`
	Retry Int      `key:"retry" range:"0 1000000" doc:"so many more tries"`
	Then  Then     `key:"then" doc:"what comes after them" missing:"what comes after 5 retries is not declared"`
}

// SilenceDo is a word.
type SilenceDo struct {
	_     struct{} `what:"reply rule" by:"do" refuses:"retry then feed"`
	After Duration `key:"after" doc:"how long" missing:"how long a reply is waited for is not declared"`
	Do    NotDone  `key:"do" doc:"the word"`
}

// NotDone is a word.
type NotDone string

func (NotDone) scalar() Scalar {
	return Scalar{Words: []string{"retry", "dead_letter", "hold", "stop"}}
}

// Retry is how copies are tried again.
type Retry struct {
	_      struct{} `what:"retry" title:"retry" doc:"Waits grow from first by factor up to cap, each a little longer or shorter by chance (jitter). cap must not be below first."`
	First  Duration `key:"first" def:"2s" doc:"the wait before the second try"`
	Factor Number   `key:"factor" range:"1 100" def:"2" doc:"each wait is so many times the one before"`
	Cap    Duration `key:"cap" def:"5m" doc:"the longest wait"`
	Jitter Share    `key:"jitter" def:"20%" doc:"more or less by chance"`
	GiveUp GiveUp   `key:"give_up_after" doc:"counted from when the copy was queued" missing:"when to give up is not declared"`
	Then   Then     `key:"then" doc:"what becomes of a copy that was given up; required unless give_up_after is never" missing:"what becomes of a copy that was given up is not declared" sometimes:"true"`
}

func (Retry) rules() []Condition {
	return []Condition{
		{If: is("give_up_after", "never"), Forbid: []string{"then"}},
		{If: isNot("give_up_after", "never"), Require: []string{"then"}},
	}
}

// GiveUp is a time or never.
type GiveUp string

func (GiveUp) scalar() Scalar {
	return Scalar{Says: "a length of time, or never", Pattern: "never|" + duration}
}

// Pause is a time of the week.
type Pause struct {
	_      struct{} `what:"pause" title:"pause" doc:"A span that ends before it begins ends on the next day."`
	Weekly Weekly   `key:"weekly" doc:"when, by the clocks of the zone" missing:"the pause does not say when"`
	Reason Text     `key:"reason" doc:"for people"`
}
