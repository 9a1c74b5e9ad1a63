package mailbox

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spine-engine/spine-engine/adapters"
)

func TestSourceConfiguration(t *testing.T) {
	n, problems := parseNode(t, `
dir: mailboxes/../mailboxes/in/
files: ["*.hl7", "*.bat"]
ready: { marker: .ok, or_unchanged_for: 15s }
batch: { split: false, bad_message: reject_file }
after: { ok: delete, failed: quarantine }
poll: 5s
max_message: 1MiB
max_file: 2MiB
owner: same
`)
	c := decodeSource(n, nil)
	if len(problems.Sorted()) > 0 {
		t.Fatal(problems.Sorted())
	}
	want := sourceConfig{dir: "mailboxes/in", files: []string{"*.hl7", "*.bat"}, ready: readyRule{marker: ".ok", unchanged: 15 * time.Second},
		rejectFile: true, delete: true, poll: 5 * time.Second, maxMessage: 1 << 20, maxFile: 2 << 20, sameOwner: true}
	if diff := cmp.Diff(want, *c, cmp.AllowUnexported(sourceConfig{}, readyRule{}), cmp.Comparer(func(a, b *owners) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"mailbox-in mailboxes/in"}, c.Claims()); diff != "" {
		t.Error(diff)
	}
}

func TestProblems(t *testing.T) {
	const ok = "ready: { renamed: true }\n"
	for _, row := range []struct{ name, side, yaml, want string }{
		{"source without dir", "in", ok, "the mailbox has no dir"},
		{"destination without dir", "out", "mode: 0640", "the mailbox has no dir"},
		{"empty dir", "out", `dir: ""`, "dir names no folder"},
		{"dir by expression", "out", `dir: '= msg["MSH-5"]'`, "dir of a mailbox is not an expression"},
		{"source: unknown key", "in", ok + "dir: x\nfile: a", `unknown key "file" in mailbox source; did you mean "files"?`},
		{"destination: unknown key", "out", "dir: x\nmod: 1", `unknown key "mod" in mailbox destination; did you mean "mode"?`},
		{"no ready", "in", "dir: x", "the mailbox does not say when a file is complete"},
		{"ready without rule", "in", "dir: x\nready: {}", "ready names no rule"},
		{"ready as text", "in", "dir: x\nready: soon", "expected a mapping"},
		{"no time", "in", "dir: x\nready: { unchanged_for: 0s }", "not complete after no time at all"},
		{"two times", "in", "dir: x\nready: { unchanged_for: 1s, or_unchanged_for: 2s }", "mean the same"},
		{"renamed and marker", "in", "dir: x\nready: { renamed: true, marker: .ok }", "the other rules never count"},
		{"marker without dot", "in", "dir: x\nready: { marker: ok }", `"ok" is not the extension of a marker file`},
		{"marker with path", "in", "dir: x\nready: { marker: ./ok }", "is not the extension of a marker file"},
		{"pattern with path", "in", "dir: x\n" + ok + "files: [../*]", `"../*" matches no file of a mailbox`},
		{"pattern of dot files", "in", "dir: x\n" + ok + "files: .x", "matches no file of a mailbox"},
		{"bad pattern", "in", "dir: x\n" + ok + `files: "[a"`, "matches no file of a mailbox"},
		{"no patterns", "in", "dir: x\n" + ok + `files: []`, "files lists nothing"},
		{"no limit", "in", "dir: x\n" + ok + "max_message: 0", "a limit of 0 lets nothing through"},
		{"poll", "in", "dir: x\n" + ok + "poll: 1ms", "poll is too short"},
		{"after", "in", "dir: x\n" + ok + "after: { failed: delete }", `"delete" is not allowed here`},
		{"mode is no mode", "out", "dir: x\nmode: 0888", `"0888" is not a file mode`},
		{"mode keeps the engine out", "out", "dir: x\nmode: 0440", "must let the engine read and write"},
		{"mode for everybody", "out", "dir: x\nmode: 0666", "every user of the machine"},
		{"workers", "out", "dir: x\nworkers: 0", `"0" is out of place`},
		{"not a mapping", "out", "folder", "expected a mapping"},
	} {
		t.Run(row.name, func(t *testing.T) {
			n, problems := parseNode(t, row.yaml)
			kind := Kind()
			if row.side == "in" {
				_ = kind.Source(n).Key()
			} else {
				_ = kind.Destination(n).Key()
			}
			all := problems.Sorted()
			if len(all) != 1 || !strings.Contains(all[0].String(), row.want) || !problems.Failed() {
				t.Errorf("problems %v, want one with %q", all, row.want)
			}
		})
	}
}

func TestDestinationTraits(t *testing.T) {
	n, _ := parseNode(t, "dir: a//b\nname: '= meta.id'\n")
	c := Kind().Destination(n)
	if c.Traits() != (adapters.Traits{Batch: 512, Concurrency: 1}) || c.Claims()[0] != "mailbox-out a/b" {
		t.Error(c.Traits(), c.Claims())
	}
	same, _ := parseNode(t, "dir: a/b\n")
	other, _ := parseNode(t, "dir: a/b\nmode: 0600\n")
	if k := Kind().Destination; c.Key() != k(same).Key() || c.Key() == k(other).Key() {
		t.Error("keys do not tell changed configurations from unchanged ones")
	}
}
