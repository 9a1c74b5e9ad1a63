package schema

// MLLPIn listens.
type MLLPIn struct {
	_             struct{}  `what:"mllp listener" title:"mllp of a listener" doc:"HL7 v2 over TCP in the Minimal Lower Layer Protocol."`
	Listen        Address   `key:"listen" doc:"the port; 0.0.0.0 is every address of this machine" missing:"mllp has no \"listen\""`
	TLS           TLSIn     `key:"tls" doc:"without it the connection is in clear"`
	AllowFrom     []Network `key:"allow_from" def:"everybody" doc:"who may connect"`
	MaxMessage    Size      `key:"max_message" def:"16MiB" doc:"a larger frame is refused"`
	FrameTimeout  Duration  `key:"frame_timeout" def:"30s" doc:"for a whole frame once it has begun"`
	IdleTimeout   Duration  `key:"idle_timeout" def:"0" doc:"between frames; 0: for ever"`
	Keepalive     Duration  `key:"keepalive" def:"60s" doc:"idle time before TCP asks whether the other side lives; 0: never"`
	MaxConns      Int       `key:"max_connections" range:"1 100000" def:"512" doc:"at the same time"`
	MaxConnsPeer  Int       `key:"max_connections_per_peer" range:"1 100000" def:"64" doc:"from one address"`
	AnswersAlways Bool      `key:"answer_always" def:"false" doc:"answers also a sender that asks for no answer (MSH-15 and MSH-16 NE) and waits all the same"`
}

// MLLPOut sends.
type MLLPOut struct {
	_              struct{} `what:"mllp destination" title:"mllp of a destination" doc:"One message in flight a connection; an answer counts only if its MSA-2 is the copy's MSH-10."`
	Connect        Address  `key:"connect" doc:"the peer" missing:"mllp has no \"connect\""`
	TLS            TLSOut   `key:"tls" doc:"without it the connection is in clear"`
	Connections    Int      `key:"connections" range:"1 64" def:"1" doc:"at the same time, over different lanes; a strict queue has one lane"`
	ConnectTimeout Duration `key:"connect_timeout" def:"10s" doc:"TCP and TLS together"`
	ReplyTimeout   Duration `key:"reply_timeout" def:"30s" doc:"where the reply table's none does not say"`
	Keepalive      Duration `key:"keepalive" def:"60s" doc:"idle time before TCP asks whether the other side lives; 0: never"`
}

// HTTPIn listens.
type HTTPIn struct {
	_             struct{}  `what:"http listener" title:"http of a listener" doc:"One port, one path, POST. Unless only this machine reaches it, bearer, allow_from, client_ca or anonymous must say who may send."`
	Listen        Address   `key:"listen" doc:"the port" missing:"http has no \"listen\""`
	Path          Text      `key:"path" def:"/" doc:"the one path that is served"`
	TLS           TLSIn     `key:"tls" doc:"without it the connection is in clear"`
	Bearer        Secret    `key:"bearer" doc:"tokens that are taken, one a line of the file"`
	AllowFrom     []Network `key:"allow_from" def:"everybody" doc:"who may connect"`
	Anonymous     Bool      `key:"anonymous" def:"false" doc:"everybody may send"`
	MaxMessage    Size      `key:"max_message" def:"16MiB" doc:"a larger body is refused (413)"`
	Gzip          Bool      `key:"gzip" def:"false" doc:"compressed bodies are taken, up to 100:1"`
	MaxHeader     Size      `key:"max_header" def:"16KiB" doc:"request line and headers; 1KiB to 1MiB"`
	HeaderTimeout Duration  `key:"header_timeout" def:"10s" doc:"for TLS, then for the headers"`
	BodyTimeout   Duration  `key:"body_timeout" def:"30s" doc:"for the whole body, then for the answer"`
	IdleTimeout   Duration  `key:"idle_timeout" def:"2m" doc:"between requests"`
	Keepalive     Duration  `key:"keepalive" def:"60s" doc:"idle time before TCP asks whether the other side lives; 0: never"`
	MaxConns      Int       `key:"max_connections" range:"1 100000" def:"512" doc:"at the same time"`
	MaxConnsPeer  Int       `key:"max_connections_per_peer" range:"1 100000" def:"64" doc:"from one address"`
	MaxRequests   Int       `key:"max_requests" range:"1 10000" def:"128" doc:"in hand at the same time; more get 503 and Retry-After"`
}

// HTTPOut calls.
type HTTPOut struct {
	_              struct{}      `what:"http destination" title:"http of a destination" doc:"One call a copy. Every call carries an idempotency key that is the same for every try of a copy." exactly:"post put"`
	Post           URL           `key:"post" doc:"the address, called by POST"`
	Put            URL           `key:"put" doc:"the address, called by PUT"`
	Headers        map[Text]Text `key:"headers" doc:"sent with every call"`
	Bearer         Secret        `key:"bearer" doc:"the token that is sent"`
	TLS            TLSOut        `key:"tls" def:"the system's authorities" doc:"of https addresses"`
	ContentType    Text          `key:"content_type" def:"as the body looks" doc:"its media type"`
	Connections    Int           `key:"connections" range:"1 64" def:"4" doc:"at the same time, over different lanes; a strict queue has one lane"`
	ConnectTimeout Duration      `key:"connect_timeout" def:"10s" doc:"TCP, and TLS"`
	ReplyTimeout   Duration      `key:"reply_timeout" def:"30s" doc:"where the reply table's none does not say"`
	Keepalive      Duration      `key:"keepalive" def:"60s" doc:"idle time before TCP asks whether the other side lives; 0: never"`
	Redirects      Word          `key:"redirects" one:"refuse same_host" def:"refuse" doc:"same_host follows 307 and 308 to the same scheme, host and port, three times at most"`
	AllowPrivate   []Text        `key:"allow_private" def:"none" doc:"loopback, networks or addresses that may be called though they are refused by default: loopback, link-local, metadata of clouds"`
	Idempotency    Text          `key:"idempotency" def:"Idempotency-Key" doc:"the header that carries the key; none: no such header"`
	MaxReply       Size          `key:"max_reply" def:"1MiB" doc:"an answer beyond it is cut"`
}

// TLSIn is TLS of a listener.
type TLSIn struct {
	_        struct{} `what:"tls of a listener" title:"tls of a listener" doc:"TLS 1.2 with forward secrecy, and 1.3."`
	Cert     Text     `key:"cert" doc:"the certificate, PEM: ${file:tls/server.crt}" missing:"tls of a listener needs cert and key"`
	Key      Secret   `key:"key" doc:"its key, PEM" missing:"tls of a listener needs cert and key"`
	ClientCA Text     `key:"client_ca" doc:"who connects must show a certificate of this authority"`
	Min      Word     `key:"min" one:"1.2 1.3" def:"1.2" doc:"the lowest version"`
}

// TLSOut is TLS of a destination.
type TLSOut struct {
	_          struct{} `what:"tls of a destination" title:"tls of a destination" doc:"cert and key belong together."`
	CA         Text     `key:"ca" def:"the system's authorities" doc:"the authority of the peer's certificate, PEM: ${file:tls/ca.crt}"`
	Cert       Text     `key:"cert" doc:"the certificate we show"`
	Key        Secret   `key:"key" doc:"its key"`
	ServerName Text     `key:"server_name" def:"the host of the address" doc:"the name in the peer's certificate"`
	Min        Word     `key:"min" one:"1.2 1.3" def:"1.2" doc:"the lowest version"`
}

func (TLSOut) rules() []Condition {
	return []Condition{{If: has("cert"), Require: []string{"key"}}, {If: has("key"), Require: []string{"cert"}}}
}

// MailboxIn reads files.
type MailboxIn struct {
	_          struct{} `what:"mailbox source" title:"mailbox of a source" doc:"Files that others write into a folder. One engine reads it, and nobody else."`
	Dir        File     `key:"dir" doc:"the folder" missing:"the mailbox has no dir"`
	Files      []Text   `key:"files" def:"every file" doc:"names with * and ?"`
	Ready      Ready    `key:"ready" doc:"when a file is complete" missing:"the mailbox does not say when a file is complete"`
	Batch      Batch    `key:"batch" doc:"files of several messages"`
	After      After    `key:"after" doc:"what becomes of a file that was read"`
	Poll       Duration `key:"poll" def:"2s" doc:"how often the folder is read through; new files are mostly noticed at once"`
	MaxMessage Size     `key:"max_message" def:"16MiB" doc:"a larger message is quarantined"`
	MaxFile    Size     `key:"max_file" def:"1GiB" doc:"a larger file is quarantined"`
	Owner      Word     `key:"owner" one:"any same" def:"any" doc:"same: only files of the engine's own user"`
}

// Ready says when a file is complete.
type Ready struct {
	_              struct{} `what:"ready" title:"ready" doc:"One of the rules, or marker and a time: whichever comes first."`
	Marker         Text     `key:"marker" doc:"the extension of a file that appears beside it: .ok"`
	UnchangedFor   Duration `key:"unchanged_for" doc:"size, time and inode stayed as they are for so long"`
	OrUnchangedFor Duration `key:"or_unchanged_for" doc:"the same, beside marker"`
	Renamed        Bool     `key:"renamed" def:"false" doc:"a file is complete when it appears, because its sender renames it into place"`
}

func (Ready) rules() []Condition {
	return []Condition{{If: has("unchanged_for"), Forbid: []string{"or_unchanged_for"}}, {AtLeast: 1}}
}

// Batch is how files of several messages are read.
type Batch struct {
	_          struct{} `what:"batch" title:"batch" doc:"FHS, BHS, BTS and FTS are taken off, and their counts compared."`
	Split      Bool     `key:"split" def:"true" doc:"each message on its own; false: the file is one message"`
	BadMessage Word     `key:"bad_message" one:"quarantine reject_file" def:"quarantine" doc:"a message that cannot be read: set it aside and go on, or set the file aside before anything of it is taken"`
}

// After is what becomes of a file.
type After struct {
	_      struct{} `what:"after" title:"after" doc:"Files stay in the mailbox's .spine folder unless they are deleted."`
	OK     Word     `key:"ok" one:"archive delete" def:"archive" doc:"a file whose messages are all stored"`
	Failed Word     `key:"failed" one:"quarantine" def:"quarantine" doc:"a file that cannot be read"`
}

// MailboxOut writes files for a peer.
type MailboxOut struct {
	_       struct{} `what:"mailbox destination" title:"mailbox of a peer" doc:"A file for each copy, which appears complete, and once."`
	Dir     File     `key:"dir" doc:"the folder" missing:"the mailbox has no dir"`
	Mode    Mode     `key:"mode" def:"0640" doc:"permission bits of the files"`
	Workers Int      `key:"workers" range:"1 256" def:"16" doc:"files written at the same time"`
	Batch   Int      `key:"batch" range:"1 4096" def:"512" doc:"copies that are made durable and shown together"`
	Name    never    `key:"name" refused:"a peer's files are named by the message id"`
}

// MailboxOwn writes files of one feed.
type MailboxOwn struct {
	_       struct{} `what:"mailbox destination" title:"mailbox of a destination" doc:"A file for each copy, which appears complete, and once."`
	Dir     File     `key:"dir" doc:"the folder" missing:"the mailbox has no dir"`
	Name    Value    `key:"name" def:"the message id" doc:"the file's name; a second file of one name gets a suffix"`
	Body    Body     `key:"body" extra:"true" doc:"what a field holds, instead of the message"`
	Mode    Mode     `key:"mode" def:"0640" doc:"permission bits of the files"`
	Workers Int      `key:"workers" range:"1 256" def:"16" doc:"files written at the same time"`
	Batch   Int      `key:"batch" range:"1 4096" def:"512" doc:"copies that are made durable and shown together"`
}

// Body is a field's content instead of the message.
type Body struct {
	_      struct{} `what:"body" title:"body" doc:"A document that a message carries is delivered by itself."`
	Decode Selector `key:"decode" doc:"the field" missing:"body does not say what to deliver instead of the message"`
	As     Word     `key:"as" one:"base64" doc:"how it is written there" missing:"body does not say what to deliver instead of the message"`
}
