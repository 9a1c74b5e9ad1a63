package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// project is what an experiment needs of a project folder. Everything it does not
// name is left to the engine's defaults, because those are what users run.
type project struct {
	dir    string
	listen string // MLLP
	top    string // further lines of spine.yaml, from column 0
	extra  string // further lines of the listener, indented by 4
	feed   string // the feed file without its head
}

const spineYAML = `spine: v1
environment: test
admin: { socket: %s }
listeners:
  in:
    mllp: { listen: %s, max_message: 64MiB }
    charset: { use_msh18: true, otherwise: windows-1252 }
    ack: { when: stored, unparsable: AR }
    unmatched: hold
%s%s`

const feedHead = `spine: v1
feed: lab
sources:
  in: { listener: in }
`

const socketName = "engine.sock"

// write makes the project folder.
func (p project) write() error {
	if err := os.MkdirAll(filepath.Join(p.dir, "feeds"), 0o755); err != nil {
		return fmt.Errorf("project folder: %w", err)
	}
	text := fmt.Sprintf(spineYAML, socketName, p.listen, p.extra, p.top)
	if err := os.WriteFile(filepath.Join(p.dir, "spine.yaml"), []byte(text), 0o644); err != nil {
		return fmt.Errorf("project folder: %w", err)
	}
	return os.WriteFile(p.feedFile(), []byte(feedHead+p.feed), 0o644)
}

func (p project) feedFile() string { return filepath.Join(p.dir, "feeds", "lab.yaml") }

func (p project) box(name string) string { return filepath.Join(p.dir, "mailboxes", name) }

// duplicates makes the listener know messages that come again.
const duplicates = "    duplicates: { window: 7d }\n"

// peerYAML is a shared peer with short retries, so that an experiment need not wait.
func peerYAML(name, address string) string {
	return fmt.Sprintf(`  %s:
    mllp: { connect: "%s", connections: 1 }
    order: strict
    reply: { AA: done, CA: done, AE: { retry: 5, then: hold }, AR: dead_letter, none: { after: 30s, do: retry }, wrong_id: retry }
    retry: { first: 100ms, factor: 2, cap: 1s, jitter: 20%%, give_up_after: never }
`, name, address)
}

func peersYAML(peers ...string) string { return "peers:\n" + strings.Join(peers, "") }

// toMailbox is one entry of deliver.
func toMailbox(name, more string) string {
	return fmt.Sprintf(`  - to: %[1]s
    mailbox: { dir: mailboxes/%[1]s }
    retry: { first: 100ms, factor: 2, cap: 5s, give_up_after: 7d, then: dead_letter }
%[2]s`, name, more)
}

// toPeer is one entry of deliver, with MSH-5 set to receiver.
func toPeer(name, receiver string) string {
	return fmt.Sprintf("  - { to: %[1]s, peer: %[1]s, transform: [ { set: { MSH-5: %[2]s } } ] }\n", name, receiver)
}
