package mailbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/message"
)

func delivery(n uint64, name, body string) *message.Delivery {
	return &message.Delivery{Key: message.Key{Seq: n}, Message: testID(n), Name: name, Body: message.InMemory([]byte(body))}
}

// written counts the copies that the results call written, and gives the error after them.
func written(t testing.TB, results []adapters.Result) (int, error) {
	t.Helper()
	for i, r := range results {
		if r.Err != nil {
			if i != len(results)-1 {
				t.Fatalf("copies were tried after a failure: %d results, the %d. failed", len(results), i)
			}
			return i, r.Err
		}
		if r.Reply.Code != adapters.Written {
			t.Fatalf("reply %q", r.Reply.Code)
		}
	}
	return len(results), nil
}

func mustSend(t testing.TB, d *destination, ds ...*message.Delivery) {
	t.Helper()
	results, settle := d.SendBatch(context.Background(), ds)
	if n, err := written(t, results); n != len(ds) || err != nil {
		t.Fatal(n, err)
	}
	if err := settle(); err != nil {
		t.Fatal(err)
	}
}

func recoverKeys(t testing.TB, d *destination) []message.Key {
	t.Helper()
	keys, settle, err := d.Recover(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := settle(); err != nil {
		t.Fatal(err)
	}
	return keys
}

func read(t testing.TB, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSendWritesWholeFiles(t *testing.T) {
	dir := t.TempDir()
	d := openDest(t, dir, nil)
	base := message.InMemory([]byte("MSH|old|PID"))
	edited := delivery(3, "", "")
	edited.Body = message.Compose(base, []message.Piece{{Length: 4}, {Literal: []byte("new")}, {Offset: 7, Length: 4}})
	mustSend(t, d, delivery(1, "", "MSH|1"), delivery(2, "", " <a/>"), edited, delivery(4, "ward list.txt", "MSH|4"), delivery(5, "", ""))
	want := map[string]string{testID(1).String() + ".hl7": "MSH|1", testID(2).String() + ".xml": " <a/>",
		testID(3).String() + ".hl7": "MSH|new|PID", "ward list.txt": "MSH|4", testID(5).String() + ".hl7": ""}
	got := map[string]string{}
	for _, name := range tree(t, dir) {
		got[name] = read(t, dir, name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if reply, err := d.Send(context.Background(), delivery(6, "six", "MSH|6")); reply.Code != adapters.Written || err != nil || read(t, dir, "six") != "MSH|6" {
		t.Error(reply, err)
	}
}

func TestModeHoldsWhateverTheUmask(t *testing.T) {
	old := unix.Umask(0o077)
	defer unix.Umask(old)
	dir := t.TempDir()
	mustSend(t, openDest(t, dir, nil), delivery(1, "x", "MSH|"))
	st, err := os.Stat(filepath.Join(dir, "x"))
	if err != nil || st.Mode() != 0o640 {
		t.Error(st.Mode(), err)
	}
}

func TestNames(t *testing.T) {
	id := testID(1).String()
	copyOf := func(seq uint64, n uint16, name string) *message.Delivery {
		return &message.Delivery{Key: message.Key{Seq: seq, N: n}, Message: testID(1), Name: name, Body: message.InMemory([]byte("new"))}
	}
	for _, row := range []struct {
		name   string
		there  []string
		taken  bool // the consumer takes every batch's files before the next one
		copies []*message.Delivery
		want   string
	}{
		{"default", nil, false, []*message.Delivery{copyOf(1, 0, "")}, id + ".hl7"},
		{"second copy of a message", nil, false, []*message.Delivery{copyOf(1, 0, ""), copyOf(1, 4, "")}, id + "-4.hl7 " + id + ".hl7"},
		{"second copy after the first was taken", nil, true, []*message.Delivery{copyOf(1, 0, ""), copyOf(1, 4, "")}, id + "-4.hl7"},
		{"default exists", []string{id + ".hl7", id + "-0.hl7"}, false, []*message.Delivery{copyOf(1, 0, "")}, id + "-0.hl7 " + id + "-1.0.hl7 " + id + ".hl7"},
		{"declared", nil, false, []*message.Delivery{copyOf(1, 0, "a.b.txt")}, "a.b.txt"},
		{"declared exists", []string{"a.txt"}, false, []*message.Delivery{copyOf(1, 0, "a.txt")}, "a-" + id + ".txt a.txt"},
		{"declared twice", nil, false, []*message.Delivery{copyOf(1, 0, "a"), copyOf(1, 1, "a")}, "a a-" + id},
		{"declared three times", []string{"a"}, false, []*message.Delivery{copyOf(1, 0, "a"), copyOf(1, 1, "a")}, "a a-" + id + " a-" + id + "-1"},
		{"declared free again", nil, true, []*message.Delivery{copyOf(1, 0, "a"), copyOf(2, 0, "a")}, "a"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			d := openDest(t, dir, nil)
			for _, name := range row.there {
				drop(t, dir, name, "old", 0)
			}
			if !row.taken {
				mustSend(t, d, row.copies...)
			} else {
				for _, c := range row.copies {
					for _, name := range tree(t, dir) {
						os.Remove(filepath.Join(dir, name))
					}
					mustSend(t, d, c)
				}
			}
			if got := strings.Join(tree(t, dir), " "); got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
			for _, name := range row.there {
				if read(t, dir, name) != "old" {
					t.Error("a file was overwritten")
				}
			}
		})
	}
}

func TestBadNamesArePermanentErrorsThatDoNotTellTheName(t *testing.T) {
	for _, row := range []struct{ name, file, rule string }{
		{"separator", "../SMITH", "dot"},
		{"separator inside", "a/SMITH", "separator"},
		{"backslash", `a\SMITH`, "separator"},
		{"control", "SMITH\n", "control"},
		{"c1 control", "SMITH\u0085", "control"},
		{"dot file", ".SMITH", "dot"},
		{"long", strings.Repeat("SMITH", 41), "205 bytes"},
		{"bytes", "SMITH\xff", "UTF-8"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			results, settle := openDest(t, dir, nil).SendBatch(context.Background(), []*message.Delivery{delivery(1, "", "MSH|"), delivery(2, row.file, "MSH|"), delivery(3, "", "MSH|")})
			n, err := written(t, results)
			if n != 1 || !adapters.IsPermanent(err) || !strings.Contains(err.Error(), row.rule) || strings.Contains(err.Error(), "SMITH") {
				t.Error(n, err)
			}
			if err := settle(); err != nil {
				t.Error(err)
			}
			if got := tree(t, dir); len(got) != 1 {
				t.Error(got)
			}
		})
	}
}

// crash leaves a batch as a process killed after the step would.
func crash(t *testing.T, dir string, step string, ds ...*message.Delivery) {
	t.Helper()
	d := openDest(t, dir, nil)
	defer d.Close()
	if err := d.begin(context.Background()); err != nil {
		t.Fatal(err)
	}
	defer d.end()
	s := d.take(ds)
	steps := []struct {
		name string
		do   func()
	}{
		{"write", func() { d.write(context.Background(), s) }},
		{"torn manifest", func() {
			if err := d.nameAll(s.batch, s.fresh()); err != nil {
				t.Fatal(err)
			}
			whole := s.batch.encode()
			if err := writeFile(d.folder.priv, s.batch.manifest(), whole[:len(whole)-4]); err != nil {
				t.Fatal(err)
			}
		}},
		{"announce", func() { d.announce(s) }},
		{"one shown", func() {
			if _, err := d.moveAll(s.batch, s.fresh()[:1]); err != nil {
				t.Fatal(err)
			}
		}},
		{"all shown", func() {
			if _, err := d.moveAll(s.batch, s.fresh()[1:]); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, st := range steps {
		if st.name != "torn manifest" || step == st.name {
			st.do()
		}
		if st.name == step {
			break
		}
	}
	if s.fail != nil {
		t.Fatal(s.fail)
	}
}

func TestRecoverAfterACrashAtEveryStep(t *testing.T) {
	for _, row := range []struct {
		step      string
		delivered int
	}{{"write", 0}, {"torn manifest", 0}, {"announce", 3}, {"one shown", 3}, {"all shown", 3}} {
		for _, taken := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s taken %t", row.step, taken), func(t *testing.T) {
				dir := t.TempDir()
				crash(t, dir, row.step, delivery(1, "a", "MSH|1"), delivery(2, "b", "MSH|2"), delivery(3, "c", "MSH|3"))
				seen := map[string]int{}
				consume := func() {
					for _, name := range tree(t, dir) {
						if !strings.HasPrefix(name, ".") {
							seen[name]++
							if err := os.Remove(filepath.Join(dir, name)); err != nil {
								t.Fatal(err)
							}
						}
					}
				}
				if taken {
					consume()
				}
				d := openDest(t, dir, nil)
				keys := recoverKeys(t, d)
				if len(keys) != row.delivered {
					t.Fatalf("reported %v", keys)
				}
				for i := len(keys); i < 3; i++ { // the journal sends the rest
					mustSend(t, d, delivery(uint64(i+1), string(rune('a'+i)), "MSH|"))
				}
				consume()
				if diff := cmp.Diff(map[string]int{"a": 1, "b": 1, "c": 1}, seen); diff != "" {
					t.Error(diff)
				}
				if got := tree(t, dir); len(got) != 0 {
					t.Errorf("left over: %v", got)
				}
				if again := recoverKeys(t, d); len(again) != 0 {
					t.Errorf("reported again: %v", again)
				}
			})
		}
	}
}

func TestRecoverNeverOverwrites(t *testing.T) {
	dir := t.TempDir()
	crash(t, dir, "announce", delivery(7, "a.txt", "MSH|1"))
	drop(t, dir, "a.txt", "foreign", 0)
	recoverKeys(t, openDest(t, dir, nil))
	if got := strings.Join(tree(t, dir), " "); got != "a-7.0.txt a.txt" || read(t, dir, "a.txt") != "foreign" {
		t.Error(got)
	}
}

func TestRecoverSendsAgainWhatTheDiskLost(t *testing.T) {
	dir := t.TempDir()
	crash(t, dir, "announce", delivery(1, "a", "MSH|1"), delivery(2, "b", "MSH|2"))
	lost, err := filepath.Glob(filepath.Join(dir, privateOut, "*.0.tmp"))
	if err != nil || len(lost) != 1 {
		t.Fatal(lost, err)
	}
	if err := os.Truncate(lost[0], 0); err != nil {
		t.Fatal(err)
	}
	d := openDest(t, dir, nil)
	if diff := cmp.Diff([]message.Key{{Seq: 2}}, recoverKeys(t, d)); diff != "" {
		t.Error(diff)
	}
	if got := strings.Join(tree(t, dir), " "); got != "b" {
		t.Error(got)
	}
}

func TestRecoverOfAnotherVersionsManifestIsAnError(t *testing.T) {
	dir := t.TempDir()
	d := openDest(t, dir, nil)
	text := []byte("spine mailbox manifest 9\n")
	text = fmt.Appendf(text, "end 0 %08x\n", castagnoli(text))
	if err := writeFile(d.folder.priv, newBatch().manifest(), text); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Recover(context.Background()); err == nil || !strings.Contains(err.Error(), "another version") {
		t.Error(err)
	}
}

func TestUnsettledBatchIsNotRecoveredInItsOwnProcess(t *testing.T) {
	dir, own := t.TempDir(), newOwners()
	old := openDest(t, dir, own)
	_, settle := old.SendBatch(context.Background(), []*message.Delivery{delivery(1, "a", "MSH|")})
	reloaded := openDest(t, dir, own)
	if keys := recoverKeys(t, reloaded); len(keys) != 0 {
		t.Error(keys)
	}
	if err := settle(); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, dir); len(got) != 1 {
		t.Error(got)
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	d := openDest(t, dir, nil)
	n, _ := parseNode(t, fmt.Sprintf("dir: %q\n", dir))
	_, err := decodeDestination(n, newOwners()).Open(adapters.DestinationEnv{})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("in use by process %d", os.Getpid())) {
		t.Error(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	openDest(t, dir, nil)
}

func TestPrivateFolderMayNotBePlanted(t *testing.T) {
	for _, row := range []struct {
		name  string
		plant func(path, elsewhere string) error
	}{
		{"link", func(path, elsewhere string) error { return os.Symlink(elsewhere, path) }},
		{"file", func(path, _ string) error { return os.WriteFile(path, nil, 0o600) }},
		{"foreign", func(path, _ string) error { return errors.Join(os.Mkdir(path, 0o777), os.Chown(path, 12345, 12345)) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir, elsewhere := t.TempDir(), t.TempDir()
			if err := row.plant(filepath.Join(dir, privateOut), elsewhere); err != nil {
				t.Skip("needs root to plant a foreign folder:", err)
			}
			n, _ := parseNode(t, fmt.Sprintf("dir: %q\n", dir))
			if _, err := decodeDestination(n, newOwners()).Open(adapters.DestinationEnv{}); err == nil {
				t.Error("opened")
			}
			if got := tree(t, elsewhere); len(got) != 0 {
				t.Error("written elsewhere:", got)
			}
		})
	}
}

func TestReplacedFolderIsFollowed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "in")
	d := openDest(t, dir, nil)
	mustSend(t, d, delivery(1, "a", "MSH|"))
	crashed := filepath.Join(t.TempDir(), "crashed")
	crash(t, crashed, "announce", delivery(2, "b", "MSH|"))
	if err := errors.Join(os.Rename(dir, dir+".old"), os.Rename(crashed, dir)); err != nil {
		t.Fatal(err)
	}
	mustSend(t, d, delivery(2, "b", "MSH|"), delivery(3, "c", "MSH|"))
	if got := strings.Join(tree(t, dir), " "); got != "b c" {
		t.Error(got)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := d.Probe(context.Background()); err == nil {
		t.Error("probe of a folder that is gone")
	}
	results, _ := d.SendBatch(context.Background(), []*message.Delivery{delivery(4, "d", "MSH|")})
	if n, err := written(t, results); n != 0 || err == nil || adapters.IsPermanent(err) {
		t.Error(n, err)
	}
}
