package mailbox

import (
	"fmt"
	"strconv"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/conf"
)

// destConfig is the node of a destination:
//
//	mailbox: { dir: mailboxes/community/in, mode: "0640", workers: 16, batch: 512 }
//
// name belongs there too, but is the feed's: it comes with each delivery.
type destConfig struct {
	dir     string
	mode    uint32 // permission bits of the files
	workers int    // files written at the same time
	batch   int    // copies shown together
	owners  *owners
}

const defaultMode = 0o640

func decodeDestination(n *conf.Node, own *owners) *destConfig {
	m := n.Map("mailbox destination", "dir", "name", "mode", "workers", "batch")
	return &destConfig{
		dir:     decodeDir(n, m["dir"]),
		mode:    decodeMode(m["mode"]),
		workers: m["workers"].Int(16, 1, 256),
		batch:   m["batch"].Int(512, 1, 4096),
		owners:  own,
	}
}

func decodeMode(n *conf.Node) uint32 {
	if !n.Present() {
		return defaultMode
	}
	v, err := strconv.ParseUint(n.Text(), 8, 32)
	switch {
	case err != nil || v > 0o777:
		n.Errorf(`write three octal digits, as in "0640"`, "%q is not a file mode", n.Text())
	case v&0o600 != 0o600 || v&0o111 != 0:
		n.Errorf(`write "0640" or "0600"`, "mode %q must let the engine read and write, and nobody execute", n.Text())
	case v&0o002 != 0:
		n.Errorf(`write "0640" or "0660"`, "mode %q lets every user of the machine change messages", n.Text())
	default:
		return uint32(v)
	}
	return defaultMode
}

// Key is equal for destinations that write the same way into the same folder.
func (c *destConfig) Key() string {
	return fmt.Sprintf("mailbox %q mode %o workers %d batch %d", c.dir, c.mode, c.workers, c.batch)
}

// Claims names the folder: two destinations must not write into one.
func (c *destConfig) Claims() []string { return []string{"mailbox-out " + c.dir} }

// Traits: one batch at a time, since the order of files is the order of their names' appearing.
func (c *destConfig) Traits() adapters.Traits {
	return adapters.Traits{Batch: c.batch, Concurrency: 1}
}

// Open binds the folder. It fails when another process owns it.
func (c *destConfig) Open(env adapters.DestinationEnv) (adapters.Destination, error) {
	d := &destination{conf: *c, env: env, path: within(env.Project, c.dir)}
	if d.env.Count == nil {
		d.env.Count = func(string, int) {}
	}
	if err := d.open(); err != nil {
		return nil, err
	}
	return d, nil
}
