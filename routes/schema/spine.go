package schema

// Spine is spine.yaml.
type Spine struct {
	_           struct{}          `what:"spine.yaml" title:"spine.yaml" doc:"The engine: its store, and the listeners and peers that feeds share."`
	Spine       Word              `key:"spine" one:"v1" doc:"the version of the language" missing:"the version of the language is missing"`
	Description Text              `key:"description" doc:"for people"`
	Environment Word              `key:"environment" one:"test live" def:"test" doc:"which of the files in values/ is read, and what only_in compares with; --env says otherwise"`
	Store       Store             `key:"store" doc:"where messages and queues are kept"`
	Admin       Admin             `key:"admin" doc:"metrics, health, and the socket of the commands"`
	Limits      Limits            `key:"limits" doc:"how much memory messages may take"`
	Reload      Word              `key:"reload" one:"changed asked" def:"changed" doc:"whether a change of the folder is put in force by itself, or when spine-engine reload asks for it"`
	Secrets     map[Name]Secret   `key:"secrets" doc:"what hmac() and shift_days() are keyed with: at least 16 bytes, and never written in the project"`
	Listeners   map[Name]Listener `key:"listeners" doc:"ports and folders that feeds share; a feed names one in its sources"`
	Peers       map[Name]Peer     `key:"peers" doc:"queues that feeds share; a feed names one in its deliver"`
	Steps       map[Name][]Step   `key:"steps" doc:"lists of steps that every feed may use"`
	Users       never             `key:"users" refused:"yet"`
	Mesh        never             `key:"mesh" refused:"yet"`
	Defaults    never             `key:"defaults" refused:"yet"`
	Retention   never             `key:"retention" refused:"yet"`
	Alert       never             `key:"alert" refused:"yet"`
}

// Values is a file of values/.
type Values struct {
	_    struct{}      `title:"values/test.yaml, values/live.yaml" doc:"What differs by environment: a text for each name, read as ${value:NAME}."`
	Rest map[Name]Text `rest:"true"`
}

// Store is where messages are kept.
type Store struct {
	_       struct{} `what:"store" title:"store" doc:"The folder of messages and queues, on one local disk."`
	Dir     File     `key:"dir" def:"store" doc:"a folder; one that does not begin with / is within the project"`
	MinFree Size     `key:"min_free" def:"256MiB" doc:"below this much free space nothing more is accepted; deliveries go on"`
}

// Admin is how the engine is watched.
type Admin struct {
	_      struct{} `what:"admin" title:"admin" doc:"There are no users yet, so it is reached from this machine only."`
	Listen Address  `key:"listen" doc:"/metrics and /health over HTTP; without it there is no such port"`
	Socket File     `key:"socket" def:"admin.sock in the store" doc:"the Unix socket that the commands use"`
}

// Limits bounds memory.
type Limits struct {
	_             struct{} `what:"limits" title:"limits" doc:"Bounds of memory; in_flight_bytes must not be below in_memory."`
	InMemory      Size     `key:"in_memory" def:"1MiB" doc:"a larger message is a file of the store and mapped when it is read"`
	Parse         Size     `key:"parse" def:"64MiB" doc:"a larger message is held, since no rule can look into it"`
	InFlightBytes Size     `key:"in_flight_bytes" def:"64MiB" doc:"all messages that are being accepted, together"`
}

// Charset is in what characters a source's messages come.
type Charset struct {
	_         struct{} `what:"charset" title:"charset of a source" doc:"In what character set messages of HL7 v2 come. otherwise or override must be there."`
	UseMSH18  Bool     `key:"use_msh18" def:"true" doc:"MSH-18 is believed"`
	Otherwise Text     `key:"otherwise" doc:"where MSH-18 says nothing: windows-1252, UTF-8, 8859/1, ..." missing:"which character set holds where MSH-18 says nothing is not declared" sometimes:"true"`
	Override  Text     `key:"override" doc:"whatever MSH-18 says"`
	Unknown   Word     `key:"unknown" one:"refuse otherwise" def:"refuse" doc:"an MSH-18 that no table has: refuse the message, or take it as otherwise says"`
}

func (Charset) rules() []Condition {
	return []Condition{{If: lacks("override"), Require: []string{"otherwise"}}}
}

// Ack is how a source answers.
type Ack struct {
	_          struct{} `what:"ack" title:"ack of a source" doc:"How the sender is answered. Original or enhanced mode is read from MSH-15 and MSH-16."`
	When       Word     `key:"when" one:"stored" def:"stored" doc:"the answer goes out when the message is stored durably"`
	Unparsable Word     `key:"unparsable" one:"AR AE none" def:"AR" doc:"what is answered to something that is no message; none closes without a word"`
	Reply      Reply    `key:"reply" doc:"an answer made by a template, instead of the plain acknowledgement"`
	To         never    `key:"to" refused:"yet"`
	By         never    `key:"by" refused:"yet"`
	Within     never    `key:"within" refused:"yet"`
	Late       never    `key:"late" refused:"yet"`
	Otherwise  never    `key:"otherwise" refused:"yet"`
	Then       never    `key:"then" refused:"yet"`
}

// Reply is an answer made by a template.
type Reply struct {
	_        struct{} `what:"reply" title:"reply of a source" doc:"What an accepted message is answered with."`
	Template File     `key:"template" doc:"the template" missing:"the template's file is not named"`
	Format   Word     `key:"format" one:"hl7 xml json text" def:"as the file's name ends" doc:"what it makes"`
}

// Duplicates is how repeats are known.
type Duplicates struct {
	_      struct{}   `what:"duplicates" title:"duplicates" doc:"A repeat is answered as the first was, and stored once. Not of mailboxes, which know theirs."`
	Window Duration   `key:"window" doc:"how long a repeat is recognised" missing:"duplicates needs a window"`
	Key    Expression `key:"key" def:"sender's address, MSH-3, MSH-4, MSH-10 and the bytes" doc:"what makes two messages one"`
}

// Unmatched is what becomes of messages that no feed wants.
type Unmatched struct{}

func (Unmatched) forms() []any { return []any{HoldOrReject(""), Outcome{}} }

// HoldOrReject is a word.
type HoldOrReject string

func (HoldOrReject) scalar() Scalar { return Scalar{Words: []string{"hold", "reject"}} }
