package schema

// Taking is what sources have in common.
type Taking struct {
	Charset    Charset         `key:"charset" doc:"in what character set messages of HL7 v2 come" missing:"the character set is not declared" sometimes:"true"`
	Format     Word            `key:"format" one:"hl7 xml" def:"hl7" doc:"what the messages are"`
	Namespaces map[Prefix]Text `key:"namespaces" doc:"of XML: the prefixes that selectors use, with their URIs"`
	Ack        Ack             `key:"ack" doc:"how the sender is answered"`
	Unmatched  Unmatched       `key:"unmatched" def:"hold" doc:"what becomes of a message that no feed takes"`
	Expect     never           `key:"expect" refused:"yet"`
	OnlyIn     never           `key:"only_in" refused:"yet"`
}

func (Taking) rules() []Condition {
	return []Condition{
		{If: is("format", "xml"), Forbid: []string{"charset"}},
		{If: isOrLacks("format", "hl7"), Require: []string{"charset"}},
	}
}

// Listener is one of spine.yaml's listeners.
type Listener struct {
	_ struct{} `title:"listener" doc:"A port or folder that feeds share. What of it a feed takes, each feed says for itself."`
}

func (Listener) picks() []any { return []any{ListenerMLLP{}, ListenerHTTP{}, ListenerMailbox{}} }

// ListenerMLLP takes HL7 v2 over MLLP.
type ListenerMLLP struct {
	_    struct{} `what:"source" by:"mllp" refuses:"http mailbox when"`
	MLLP MLLPIn   `key:"mllp" doc:"HL7 v2 over MLLP"`
	Taking
	Duplicates Duplicates `key:"duplicates" doc:"how repeats are recognised; without it none are"`
}

// ListenerHTTP takes posts.
type ListenerHTTP struct {
	_    struct{} `what:"source" by:"http" refuses:"mllp mailbox when"`
	HTTP HTTPIn   `key:"http" doc:"HL7 v2 or XML over HTTP"`
	Taking
	Duplicates Duplicates `key:"duplicates" doc:"how repeats are recognised; without it none are"`
}

// ListenerMailbox takes files.
type ListenerMailbox struct {
	_       struct{}  `what:"source" by:"mailbox" refuses:"mllp http when duplicates"`
	Mailbox MailboxIn `key:"mailbox" doc:"files of a folder"`
	Taking
}

// Source is one of a feed's sources.
type Source struct {
	_ struct{} `title:"source" doc:"Where a feed takes messages from: a listener of spine.yaml, a port or folder of its own, or other feeds. All sources of a feed bring one format."`
}

func (Source) picks() []any {
	return []any{SourceFeed{}, SourceListener{}, SourceMLLP{}, SourceHTTP{}, SourceMailbox{}}
}

// SourceFeed takes what other feeds hand on.
type SourceFeed struct {
	_          struct{}        `what:"source" by:"feed"`
	Feed       Word            `key:"feed" one:"true" doc:"what other feeds hand on by { to: ..., feed: NAME }"`
	When       Expression      `key:"when" doc:"which of them"`
	Format     Word            `key:"format" one:"hl7 xml" def:"hl7" doc:"what the messages are"`
	Namespaces map[Prefix]Text `key:"namespaces" doc:"of XML: the prefixes that selectors use, with their URIs"`
}

// SourceListener shares a listener.
type SourceListener struct {
	_        struct{}   `what:"source" by:"listener"`
	Listener Name       `key:"listener" doc:"one of spine.yaml's listeners"`
	When     Expression `key:"when" doc:"which of its messages this feed takes; without it all"`
}

// SourceMLLP is a port of the feed's own.
type SourceMLLP struct {
	_    struct{} `what:"source" by:"mllp" refuses:"http mailbox"`
	MLLP MLLPIn   `key:"mllp" doc:"HL7 v2 over MLLP"`
	Taking
	When       Expression `key:"when" doc:"which messages the feed takes; without it all"`
	Duplicates Duplicates `key:"duplicates" doc:"how repeats are recognised; without it none are"`
}

// SourceHTTP is a port of the feed's own.
type SourceHTTP struct {
	_    struct{} `what:"source" by:"http" refuses:"mllp mailbox"`
	HTTP HTTPIn   `key:"http" doc:"HL7 v2 or XML over HTTP"`
	Taking
	When       Expression `key:"when" doc:"which messages the feed takes; without it all"`
	Duplicates Duplicates `key:"duplicates" doc:"how repeats are recognised; without it none are"`
}

// SourceMailbox is a folder of the feed's own.
type SourceMailbox struct {
	_       struct{}  `what:"source" by:"mailbox" refuses:"mllp http duplicates"`
	Mailbox MailboxIn `key:"mailbox" doc:"files of a folder"`
	Taking
	When Expression `key:"when" doc:"which messages the feed takes; without it all"`
}
