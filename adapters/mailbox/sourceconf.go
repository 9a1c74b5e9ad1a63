package mailbox

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/conf"
)

// sourceConfig is the node of a source:
//
//	mailbox:
//	  dir: mailboxes/rxx-pas/in
//	  files: ["*.hl7", "*.bat"]                        # default: every file
//	  ready: { marker: .ok, or_unchanged_for: 15s }    # or { unchanged_for: 15s }, or { renamed: true }
//	  batch: { split: true, bad_message: quarantine }  # or reject_file
//	  after: { ok: archive, failed: quarantine }       # ok: delete
//	  poll: 2s
//	  max_message: 16MiB
//	  max_file: 1GiB
//	  owner: any                                       # same: only files of the engine's own user
type sourceConfig struct {
	dir        string
	files      []string // glob patterns
	ready      readyRule
	split      bool
	rejectFile bool
	delete     bool
	poll       time.Duration
	maxMessage int64
	maxFile    int64
	sameOwner  bool
	owners     *owners
}

// readyRule says when a file is complete.
type readyRule struct {
	marker    string        // extension of the marker file; "" = none
	unchanged time.Duration // size, mtime and inode still for so long; 0 = does not count
	renamed   bool          // complete when it appears
}

func decodeSource(n *conf.Node, own *owners) *sourceConfig {
	m := n.Map("mailbox source", "dir", "files", "ready", "batch", "after", "poll", "max_message", "max_file", "owner")
	c := &sourceConfig{
		dir:        decodeDir(n, m["dir"]),
		files:      decodeFiles(m["files"]),
		ready:      decodeReady(n, m["ready"]),
		poll:       m["poll"].Duration(2 * time.Second),
		maxMessage: m["max_message"].Size(16 << 20),
		maxFile:    m["max_file"].Size(1 << 30),
		sameOwner:  m["owner"].OneOf("any", "any", "same") == "same",
		owners:     own,
	}
	batch := m["batch"].Map("batch", "split", "bad_message")
	c.split = batch["split"].Bool(true)
	c.rejectFile = batch["bad_message"].OneOf("quarantine", "quarantine", "reject_file") == "reject_file"
	after := m["after"].Map("after", "ok", "failed")
	c.delete = after["ok"].OneOf("archive", "archive", "delete") == "delete"
	after["failed"].OneOf("quarantine", "quarantine")
	c.maxMessage = positive(m["max_message"], c.maxMessage, 16<<20)
	c.maxFile = positive(m["max_file"], c.maxFile, 1<<30)
	if c.poll < 10*time.Millisecond {
		m["poll"].Errorf("write 10ms or more; new files are mostly noticed at once anyway", "poll is too short")
		c.poll = 2 * time.Second
	}
	return c
}

func decodeFiles(n *conf.Node) []string {
	if !n.Present() {
		return []string{"*"}
	}
	var out []string
	for _, item := range n.Items() {
		pattern := item.Text()
		_, err := path.Match(pattern, "")
		if err != nil || pattern == "" || strings.ContainsAny(pattern, "/\\") || pattern[0] == '.' {
			item.Errorf(`write a name with * and ?, as in "*.hl7"`, "%q matches no file of a mailbox", pattern)
			continue
		}
		out = append(out, pattern)
	}
	if len(out) == 0 && len(n.Items()) == 0 {
		n.Errorf(`leave it out to take every file`, "files lists nothing")
	}
	return out
}

const readyHint = "write ready: { marker: .ok }, { unchanged_for: 15s }, { marker: .ok, or_unchanged_for: 15s }, or { renamed: true } where the sender renames complete files into place"

func decodeReady(mailbox, n *conf.Node) readyRule {
	if !n.Present() {
		if mailbox.IsMap() {
			mailbox.Errorf(readyHint, "the mailbox does not say when a file is complete")
		}
		return readyRule{}
	}
	m := n.Map("ready", "marker", "unchanged_for", "or_unchanged_for", "renamed")
	r := readyRule{marker: decodeMarker(m["marker"]), renamed: m["renamed"].Bool(false)}
	still := m["unchanged_for"]
	if other := m["or_unchanged_for"]; other.Present() {
		if still.Present() {
			other.Errorf("keep one of the two", "unchanged_for and or_unchanged_for mean the same")
		}
		still = other
	}
	r.unchanged = still.Duration(0)
	if still.Present() && r.unchanged == 0 {
		still.Errorf("write renamed: true if files are complete when they appear", "a file is not complete after no time at all")
		return r
	}
	if n.IsMap() && r == (readyRule{}) && !m["marker"].Present() {
		n.Errorf(readyHint, "ready names no rule")
	}
	if r.renamed && (r.marker != "" || r.unchanged > 0) {
		m["renamed"].Errorf("keep one of the rules", "renamed makes every file complete at once, so the other rules never count")
	}
	return r
}

func decodeMarker(n *conf.Node) string {
	if !n.Present() {
		return ""
	}
	s := n.Text()
	if len(s) < 2 || len(s) > 20 || s[0] != '.' || checkName(s[1:]) != nil || strings.ContainsAny(s, "*?[") {
		n.Errorf("write an extension, as in .ok", "%q is not the extension of a marker file", s)
		return ""
	}
	return s
}

// Key is equal for sources that read the same folder in the same way.
func (c *sourceConfig) Key() string {
	return fmt.Sprintf("mailbox %q files %q ready %+v split %t reject_file %t delete %t poll %s max_message %d max_file %d same_owner %t",
		c.dir, c.files, c.ready, c.split, c.rejectFile, c.delete, c.poll, c.maxMessage, c.maxFile, c.sameOwner)
}

// Claims names the folder: two sources must not empty one.
func (c *sourceConfig) Claims() []string { return []string{"mailbox-in " + c.dir} }

// Open binds the folder. It fails when another process owns it.
func (c *sourceConfig) Open(env adapters.SourceEnv) (adapters.Source, error) {
	s := &source{conf: *c, env: env, path: within(env.Project, c.dir), watch: watchFolder}
	if s.env.Count == nil {
		s.env.Count = func(string, int) {}
	}
	in, err := openInbox(s.path, c.owners)
	if err != nil {
		return nil, err
	}
	s.inbox = in
	return s, nil
}
