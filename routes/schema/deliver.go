package schema

// Destination is one entry of a feed's deliver.
type Destination struct {
	_ struct{} `title:"destination" doc:"Every entry whose when is true gets its own copy: into a queue of its own, a peer's queue, or another feed."`
}

func (Destination) picks() []any {
	return []any{ToFeed{}, ToPeer{}, ToMLLP{}, ToHTTP{}, ToMailbox{}}
}

// Copying is what all destinations have.
type Copying struct {
	To        Name       `key:"to" doc:"its name within the feed" missing:"the destination has no name"`
	When      Expression `key:"when" doc:"who gets a copy, asked after the feed's transform; without it everybody"`
	OnlyIn    Word       `key:"only_in" one:"test live" doc:"it exists in that environment alone"`
	Transform []Step     `key:"transform" doc:"steps on this copy alone"`
}

// ToFeed hands the message on.
type ToFeed struct {
	_    struct{} `what:"destination" by:"feed" refuses:"emit"`
	Feed Name     `key:"feed" doc:"another feed, which takes it by { feed: true }"`
	Copying
}

// ToPeer shares a queue.
type ToPeer struct {
	_    struct{} `what:"destination" by:"peer" refuses:"feed order reply retry rate pause retired was charset alert"`
	Peer Name     `key:"peer" doc:"one of spine.yaml's peers"`
	Copying
	Emit []Step `key:"emit" doc:"several messages in order, one for each step of the list"`
}

// Queueing is what queues have.
type Queueing struct {
	Retry   Retry     `key:"retry" doc:"how often and how long" missing:"how deliveries are tried again is not declared"`
	Order   Order     `key:"order" def:"strict" doc:"what has to stay in order"`
	Rate    Rate      `key:"rate" doc:"copies at most; without it no limit"`
	Pause   []Pause   `key:"pause" doc:"times of the week when nothing is sent"`
	Charset OutCoding `key:"charset" def:"as the message came" doc:"in what character set copies leave"`
	Retired Bool      `key:"retired" def:"false" doc:"gets no more copies; what is queued is still delivered"`
	Was     never     `key:"was" refused:"yet"`
	Alert   never     `key:"alert" refused:"yet"`
}

// ToMLLP sends over MLLP.
type ToMLLP struct {
	_    struct{} `what:"destination" by:"mllp" refuses:"http mailbox peer feed"`
	MLLP MLLPOut  `key:"mllp" doc:"HL7 v2 over MLLP"`
	Copying
	Emit  []Step     `key:"emit" doc:"several messages in order, one for each step of the list"`
	Reply RepliesHL7 `key:"reply" doc:"what answers mean" missing:"what replies mean is not declared"`
	Queueing
}

// ToHTTP calls a URL.
type ToHTTP struct {
	_    struct{} `what:"destination" by:"http" refuses:"mllp mailbox peer feed"`
	HTTP HTTPOut  `key:"http" doc:"a call over HTTP"`
	Copying
	Emit  []Step      `key:"emit" doc:"several messages in order, one for each step of the list"`
	Reply RepliesHTTP `key:"reply" doc:"what answers mean" missing:"what replies mean is not declared"`
	Queueing
}

// ToMailbox writes a file.
type ToMailbox struct {
	_       struct{}   `what:"destination" by:"mailbox" refuses:"mllp http peer feed reply"`
	Mailbox MailboxOwn `key:"mailbox" doc:"a file in a folder"`
	Copying
	Emit []Step `key:"emit" doc:"several messages in order, one for each step of the list"`
	Queueing
}

// Peer is one of spine.yaml's peers.
type Peer struct {
	_ struct{} `title:"peer" doc:"One queue and one order, shared by every feed that names it."`
}

func (Peer) picks() []any { return []any{PeerMLLP{}, PeerHTTP{}, PeerMailbox{}} }

// PeerMLLP sends over MLLP.
type PeerMLLP struct {
	_     struct{}   `what:"peer" by:"mllp" refuses:"http mailbox only_in"`
	MLLP  MLLPOut    `key:"mllp" doc:"HL7 v2 over MLLP"`
	Reply RepliesHL7 `key:"reply" doc:"what answers mean" missing:"what replies mean is not declared"`
	Queueing
}

// PeerHTTP calls a URL.
type PeerHTTP struct {
	_     struct{}    `what:"peer" by:"http" refuses:"mllp mailbox only_in"`
	HTTP  HTTPOut     `key:"http" doc:"a call over HTTP"`
	Reply RepliesHTTP `key:"reply" doc:"what answers mean" missing:"what replies mean is not declared"`
	Queueing
}

// PeerMailbox writes files.
type PeerMailbox struct {
	_       struct{}   `what:"peer" by:"mailbox" refuses:"mllp http only_in reply"`
	Mailbox MailboxOut `key:"mailbox" doc:"files in a folder"`
	Queueing
}

// OutCoding is in what characters copies leave.
type OutCoding struct {
	_     struct{} `what:"charset of a destination" title:"charset of a destination" doc:"MSH-18 says it too."`
	As    Text     `key:"as" doc:"UTF-8, 8859/1, ASCII, windows-1252, ..." missing:"the character set is not named"`
	Unfit Unfit    `key:"unfit" def:"hold" doc:"what becomes of a character that it lacks"`
}

// Unfit is what becomes of characters that do not fit.
type Unfit struct{}

func (Unfit) forms() []any { return []any{HoldOrEscape(""), UnfitReplace{}} }

// HoldOrEscape is a word.
type HoldOrEscape string

func (HoldOrEscape) scalar() Scalar { return Scalar{Words: []string{"hold", "escape"}} }

// UnfitReplace writes another character.
type UnfitReplace struct {
	_       struct{} `what:"unfit" title:"unfit" doc:"Another character in the place of those that do not fit."`
	Replace Text     `key:"replace" doc:"one character that every character set has" missing:"one character that every character set has is wanted"`
}
