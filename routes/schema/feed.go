package schema

// Feed is a file of feeds/.
type Feed struct {
	_           struct{}                  `what:"feed" title:"feeds/NAME.yaml" doc:"A feed, in the order a message travels. accept and validate see the message as received; transform edits it; when, order, names and addresses of a destination see it after that and before the destination's own transform."`
	Spine       Word                      `key:"spine" one:"v1" doc:"the version of the language" missing:"the version of the language is missing"`
	Feed        Name                      `key:"feed" doc:"its name, which no other feed has" missing:"the feed has no name"`
	Description Text                      `key:"description" doc:"for people"`
	Owner       Text                      `key:"owner" doc:"who answers for it"`
	OnlyIn      Word                      `key:"only_in" one:"test live" doc:"it exists in that environment alone"`
	Sources     map[Name]Source           `key:"sources" doc:"where messages come from" missing:"the feed has no source"`
	Tables      map[Name]Table            `key:"tables" doc:"code tables"`
	Steps       map[Name][]Step           `key:"steps" doc:"lists of steps that use names; those of spine.yaml are there too"`
	Let         map[Identifier]Expression `key:"let" doc:"named values of the message as received, read as vars.NAME; each may use those before it"`
	Accept      []Rule                    `key:"accept" doc:"which messages are wanted; the first rule that decides ends it"`
	Validate    []Check                   `key:"validate" doc:"what must be right of them; all findings are collected, reject beats hold beats drop beats warn"`
	Split       Split                     `key:"split" doc:"one message of each part"`
	Transform   []Step                    `key:"transform" doc:"steps, in order; what they do not touch leaves byte for byte as it came"`
	Deliver     []Destination             `key:"deliver" doc:"who gets a copy" missing:"the feed delivers nothing"`
	Unrouted    Unrouted                  `key:"unrouted" doc:"what becomes of a message that no destination takes" missing:"what becomes of messages that no destination takes is not declared"`
	Tests       []Test                    `key:"tests" doc:"what is sent, and what must come of it; see tests.md"`
	Newest      never                     `key:"newest" refused:"yet"`
	Alert       never                     `key:"alert" refused:"yet"`
}

func (Feed) rules() []Condition { return []Condition{{NotEmpty: "sources"}, {NotEmpty: "deliver"}} }

// Table is one of a feed's tables.
type Table struct {
	_ struct{} `title:"table" doc:"Codes and what they stand for: written out, or a CSV file with a header line."`
}

func (Table) picks() []any { return []any{TableRows{}, TableCSV{}} }

// TableRows is written out.
type TableRows struct {
	_    struct{} `what:"table" by:"rows" refuses:"csv key from refresh"`
	Rows Rows     `key:"rows" doc:"what each code stands for; or a list of codes that stand for themselves"`
}

// TableCSV is a file.
type TableCSV struct {
	_   struct{} `what:"table" by:"csv" refuses:"rows from refresh"`
	CSV File     `key:"csv" doc:"the file"`
	Key Text     `key:"key" doc:"the column that holds the codes" missing:"which column holds the codes is not declared"`
}

// Rows are codes.
type Rows struct{}

func (Rows) forms() []any { return []any{map[Text]Row{}, []Text{}} }

// Row is what a code stands for.
type Row struct{}

func (Row) forms() []any { return []any{Text(""), map[Text]Text{}} }

// Rule is one entry of accept.
type Rule struct {
	_ struct{} `title:"rule of accept" doc:"require lets messages pass for which it is true; if stops those for which it is true."`
}

func (Rule) picks() []any { return []any{Require{}, If{}} }

// Require is a rule that lets pass.
type Require struct {
	_         struct{}   `what:"accept rule" by:"require" refuses:"if then"`
	Name      Text       `key:"name" doc:"for people"`
	Require   Expression `key:"require" doc:"true for messages that pass"`
	Otherwise Outcome    `key:"otherwise" doc:"what becomes of the others" missing:"the rule names no outcome"`
}

// If is a rule that stops.
type If struct {
	_    struct{}   `what:"accept rule" by:"if" refuses:"require otherwise"`
	Name Text       `key:"name" doc:"for people"`
	If   Expression `key:"if" doc:"true for messages that are stopped"`
	Then Outcome    `key:"then" doc:"what becomes of them" missing:"the rule names no outcome"`
}

// Outcome is where a message ends.
type Outcome struct {
	_      struct{} `what:"otherwise,then,unmatched" title:"outcome" doc:"One of the three." exactly:"hold drop reject"`
	Hold   Reason   `key:"hold" doc:"a person decides"`
	Drop   Reason   `key:"drop" doc:"the work ends; the message is kept with the reason"`
	Reject Reject   `key:"reject" doc:"the sender is told"`
}

// Finding is an outcome, or a warning.
type Finding struct {
	_      struct{} `what:"if_bad,if_absent,if_null" title:"outcome of a check" doc:"One of the four." exactly:"warn hold drop reject"`
	Warn   Reason   `key:"warn" doc:"the message passes, and the finding stays with it"`
	Hold   Reason   `key:"hold" doc:"a person decides"`
	Drop   Reason   `key:"drop" doc:"the work ends; the message is kept with the reason"`
	Reject Reject   `key:"reject" doc:"the sender is told"`
}

// Unrouted is what becomes of messages that nobody takes.
type Unrouted struct{}

func (Unrouted) forms() []any { return []any{Hold(""), UnroutedOutcome{}} }

// Hold is a word.
type Hold string

func (Hold) scalar() Scalar { return Scalar{Words: []string{"hold"}} }

// UnroutedOutcome is hold or drop with a reason.
type UnroutedOutcome struct {
	_    struct{} `what:"unrouted" title:"unrouted" doc:"One of the two." exactly:"drop hold"`
	Drop Reason   `key:"drop" doc:"it is kept with the reason"`
	Hold Reason   `key:"hold" doc:"a person decides"`
}

// Reject is how a message is refused.
type Reject struct {
	_    struct{} `what:"reject" title:"reject" doc:"The sender is told what is wrong, and where. ack or http must be there."`
	Ack  Word     `key:"ack" one:"AE AR" def:"AE" doc:"AE: look at it; AR: refused" missing:"reject does not say which acknowledgement" sometimes:"true"`
	Code Word     `key:"code" one:"100 101 102 103 104 200 201 202 203 204 205 206 207" def:"207" doc:"HL7 table 0357"`
	At   Selector `key:"at" doc:"the place at fault"`
	Text Reason   `key:"text" doc:"why" missing:"reject does not say why"`
	HTTP Int      `key:"http" range:"400 599" doc:"the status over HTTP"`
}

func (Reject) rules() []Condition {
	return []Condition{{If: lacks("http"), Require: []string{"ack"}}}
}

// Split makes one message of each part.
type Split struct {
	_     struct{}   `what:"split" title:"split" doc:"Stands between validate and transform. A reject in any part rejects the whole; drop and hold are each part's own." exactly:"group at"`
	Group []Segment  `key:"group" doc:"a part begins at any of these segments that begins a group"`
	At    Selector   `key:"at" doc:"a part is each of these, with what belongs to it"`
	Keep  []Selector `key:"keep" doc:"what every part has of the whole" missing:"what every part keeps of the message is not declared"`
	ID    Expression `key:"id" doc:"each part's own control id, with part.index" missing:"the parts have no control ids of their own"`
}
