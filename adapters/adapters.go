package adapters

import (
	"context"
	"errors"
	"io"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
)

// Accept hands one message to the engine and blocks until its fate is known. A
// nil error means durable: the receipt's reply may be sent. Any error means that
// nothing is known to be stored: the source must not acknowledge; it answers
// with a retriable refusal (AE, 503) or closes.
type Accept func(ctx context.Context, env *message.Envelope) (message.Receipt, error)

// ErrBusy says that the engine takes nothing now (disk nearly full, stopping).
// The sender should try again later: AE, 503.
var ErrBusy = errors.New("not accepting messages at the moment")

// Source brings messages in. Run blocks; it returns when ctx has ended and the
// work in hand is finished, or with an error that it cannot mend itself.
type Source interface {
	Run(ctx context.Context, accept Accept) error
}

// Destination takes one copy and reports the other side's answer. An error means
// that there was no answer to judge: connection refused, cut, or a fault of our
// own; it is tried again unless it IsPermanent.
type Destination interface {
	Send(ctx context.Context, d *message.Delivery) (Reply, error)
}

// Reply is what the other side answered.
type Reply struct {
	Code string // AA, AE, CR ..., an HTTP status, Written, or one of the codes below
	Text string // the other side's own words, cut to 200 bytes; may be content, so it is never logged
}

// Codes of replies that no peer spells.
const (
	Written    = "written"    // a mailbox holds the file, durably
	NoReply    = "none"       // sent, but no answer came in time; the connection is dead
	WrongID    = "wrong_id"   // an answer came, but to another message
	Unreadable = "unreadable" // an answer came that is none
)

// BatchSender is a Destination that is faster with several copies at once. The
// replies stand in the order of the copies; fewer replies than copies mean that
// the rest was not tried (strict order: nothing after a failure is sent). After
// the engine has recorded the results durably it calls settle once.
type BatchSender interface {
	SendBatch(ctx context.Context, ds []*message.Delivery) (results []Result, settle func() error)
}

// Result is the outcome of one copy in a batch: Send's two values.
type Result struct {
	Reply Reply
	Err   error
}

// Recoverer is a Destination with unfinished work of a former run. The engine
// calls Recover once, before anything is sent; the copies it reports were
// delivered then, whatever the journal says. settle as in SendBatch.
type Recoverer interface {
	Recover(ctx context.Context) (delivered []message.Key, settle func() error, err error)
}

// Prober is a Destination that can be asked whether its other side is there.
type Prober interface {
	Probe(ctx context.Context) error
}

// A Source or Destination that holds anything open also implements io.Closer.
var _ io.Closer

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks an error that trying again cannot mend: the copy becomes a
// dead letter. Every unmarked error is tried again.
func Permanent(err error) error { return permanent{err} }

// IsPermanent reports whether err was marked by Permanent.
func IsPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p)
}

// Kind is one kind of adapter, as cmd lists them. Source and Destination decode
// the node under the kind's key ("mllp: {...}"), record every problem at its
// node, and never return nil; nil functions mean that the kind has no such side.
type Kind struct {
	Name        string
	Source      func(n *conf.Node) SourceConfig
	Destination func(n *conf.Node) DestinationConfig
}

// SourceConfig is a checked configuration of a source.
type SourceConfig interface {
	// Open binds what the source needs (port, folder) without serving yet, so
	// that everything that can fail fails before anything live is touched.
	Open(env SourceEnv) (Source, error)
	// Key is equal for configurations that need not be reopened.
	Key() string
	// Claims lists what only one owner may have: "port 0.0.0.0:2575", "folder /x".
	Claims() []string
}

// DestinationConfig is a checked configuration of a destination.
type DestinationConfig interface {
	Open(env DestinationEnv) (Destination, error)
	Key() string
	Claims() []string
	// Traits tells the scheduler how to use the destination.
	Traits() Traits
}

// Traits of a destination.
type Traits struct {
	Batch       int  // copies that one SendBatch may take; 1 = Send only
	Concurrency int  // sends at the same time over different lanes
	NeedsReply  bool // a reply table must be written (mllp, http)
}

// SourceEnv is what the engine lends to a source.
type SourceEnv struct {
	Name     string // the listener's name, or feed/source
	Project  string // absolute path of the project folder; relative folders start here
	Log      zerolog.Logger
	InMemory int64 // bodies above this size are spooled
	// Spool writes r durably into a file of the store, at most max bytes, and
	// gives its handle. The file goes if no message with it is accepted.
	Spool func(r io.Reader, max int64) (message.Body, error)
	// Count adds to a counter of the source: "connections", "junk_bytes", ...
	Count func(what string, n int)
}

// DestinationEnv is what the engine lends to a destination.
type DestinationEnv struct {
	Name    string // the queue's name
	Project string
	Log     zerolog.Logger
	Count   func(what string, n int)
}
