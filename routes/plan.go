package routes

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
)

// Plan is a compiled project. It is read-only and serves many goroutines.
type Plan struct {
	Environment string // "test" or "live"
	Settings    Settings

	hash         message.Hash
	resolved     [32]byte // digest of the values from outside the project: environment, secrets
	files        map[string][]byte
	secrets      []string // files that ${file:...} names, not among files
	sources      []Source
	destinations []Destination
	feeds        []*feed
	bySource     map[string]*source
	runs         sync.Pool // of *run

	identity []message.Selector  // MSH-3, MSH-4, MSH-10: with peer and body, what makes a repeat
	header   [2]message.Selector // MSH-15, MSH-16
}

// Settings are those of spine.yaml that concern the engine as a whole.
type Settings struct {
	StoreDir    string // relative to the project folder unless absolute
	MinFree     int64  // bytes; below it nothing is accepted
	AdminListen string // loopback host:port; "" = none
	AdminSocket string // path of the Unix socket, relative to the project folder unless absolute
	Limits      Limits
	Reload      Reload
}

// Limits bound what is in hand. Bytes.
type Limits struct {
	InMemory      int64 // larger bodies are spooled into files
	Parse         int64 // larger bodies are never parsed
	InFlightBytes int64 // all bodies in hand together
}

// Reload says when a changed project is taken up.
type Reload string

// The choices of reload.
const (
	ReloadChanged Reload = "changed" // when the files have changed
	ReloadAsked   Reload = "asked"   // when a person asks
)

// Source is one way messages come in.
type Source struct {
	Name   string // the listener's name, or feed/source
	Kind   string
	Config adapters.SourceConfig
	Place  message.Place
	// Duplicates is for how long repeats are recognised by the Origin that
	// Decide computes; 0 = the source does not declare it.
	Duplicates time.Duration
}

// Destination is one queue and where it leads.
type Destination struct {
	Queue   string // the peer's name, or feed/destination
	Kind    string
	Config  adapters.DestinationConfig
	Policy  Policy
	Retired bool // drains what it has and gets nothing new
	Place   message.Place

	node *conf.Node
}

// Hash identifies the project: its files and the environment it was loaded for.
func (p *Plan) Hash() message.Hash { return p.hash }

// Same reports whether other would behave alike: same files, and same values
// from outside (environment variables, secret files).
func (p *Plan) Same(other *Plan) bool {
	return other != nil && p.hash == other.hash && p.resolved == other.resolved
}

// SecretFiles gives the paths, within the project folder, that ${file:...} names.
func (p *Plan) SecretFiles() []string { return slices.Clone(p.secrets) }

// Sources gives all sources in the order of the files.
func (p *Plan) Sources() []Source { return p.sources }

// Destinations gives all queues in the order of the files.
func (p *Plan) Destinations() []Destination { return p.destinations }

// Feeds gives the names of the feeds in the order of the files.
func (p *Plan) Feeds() []string {
	names := make([]string, len(p.feeds))
	for i, f := range p.feeds {
		names[i] = f.name
	}
	return names
}

// Files gives the project files that make the plan, by path. Secrets are not among them.
func (p *Plan) Files() map[string][]byte { return maps.Clone(p.files) }
