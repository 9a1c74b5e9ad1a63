package mailbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/spine-engine/spine-engine/internal/message"
)

// plants are things put where a file should be.
var plants = []struct {
	name  string
	plant func(path, secret string) error
}{
	{"link", func(path, secret string) error { return os.Symlink(secret, path) }},
	{"link to nothing", func(path, _ string) error { return os.Symlink("nothing", path) }},
	{"hard link", func(path, secret string) error { return os.Link(secret, path) }},
	{"fifo", func(path, _ string) error { return unix.Mkfifo(path, 0o600) }},
	{"folder", func(path, _ string) error { return os.Mkdir(path, 0o700) }},
	{"socket", func(path, _ string) error { return unix.Mknod(path, unix.S_IFSOCK|0o600, 0) }},
}

// secretFile is a file next to the mailbox that must never be read.
func secretFile(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	drop(t, root, "secret", hl7Message("SECRET"), 0)
	return filepath.Join(root, "secret")
}

func TestOnlyRegularFilesAreTaken(t *testing.T) {
	for _, row := range plants {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := row.plant(filepath.Join(dir, "x"), secretFile(t)); err != nil {
				t.Fatal(err)
			}
			drop(t, dir, "y", hl7Message("1"), 0)
			s, d := openSource(t, dir, renamedRule), &desk{}
			refused := counter(s, "files_refused")
			mustPass(t, s, d)
			mustPass(t, s, d)
			if got := d.controls(); got != "1" {
				t.Errorf("accepted %q", got)
			}
			if *refused != 1 {
				t.Errorf("reported %d times", *refused)
			}
			if _, err := os.Lstat(filepath.Join(dir, "x")); err != nil {
				t.Error("it was not left where it is:", err)
			}
		})
	}
}

// counter watches one counter of the source.
func counter(s *source, what string) *int {
	n := new(int)
	s.env.Count = func(w string, by int) {
		if w == what {
			*n += by
		}
	}
	return n
}

func TestWhatIsSwappedAfterTheScanIsGivenBack(t *testing.T) {
	for _, row := range append(plants, struct {
		name  string
		plant func(path, secret string) error
	}{"another file", func(path, _ string) error { return os.WriteFile(path, []byte(hl7Message("SECRET")), 0o600) }}) {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			drop(t, dir, "x", hl7Message("1"), 0)
			s := openSource(t, dir, renamedRule)
			ready, err := s.scan(time.Now())
			if err != nil || len(ready) != 1 {
				t.Fatal(ready, err)
			}
			path := filepath.Join(dir, "x")
			if err := errors.Join(os.Remove(path), row.plant(path, secretFile(t))); err != nil {
				t.Fatal(err)
			}
			before, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.claim(ready); err != nil || len(s.claims) != 0 {
				t.Fatal(len(s.claims), err)
			}
			after, err := os.Lstat(path)
			if err != nil || !os.SameFile(before, after) {
				t.Error("it was not given back:", err)
			}
		})
	}
}

// What cannot be given back, since the sender has used the name again, is kept.
func TestWhatCannotBeGivenBackIsQuarantined(t *testing.T) {
	dir := t.TempDir()
	s, d := openSource(t, dir, renamedRule), &desk{}
	mustPass(t, s, d)
	drop(t, dir, "x", hl7Message("1"), 0)
	ready, err := s.scan(time.Now())
	if err != nil || len(ready) != 1 {
		t.Fatal(ready, err)
	}
	if err := s.claim(ready); err != nil {
		t.Fatal(err)
	}
	drop(t, dir, "x", hl7Message("2"), 1)
	c := s.claims[0]
	s.claims = nil
	if err := s.giveBack(c); err != nil {
		t.Fatal(err)
	}
	mustPass(t, s, d)
	want := []string{".spine/archive/day/*~x", ".spine/quarantine/*~x", ".spine/quarantine/*~x.reason"}
	if diff := cmp.Diff(want, tree(t, dir)); diff != "" || d.controls() != "2" {
		t.Error(diff, d.controls())
	}
}

func TestSwappingWithoutEndNeverReachesTheSecret(t *testing.T) {
	dir, secret := t.TempDir(), secretFile(t)
	s, d := openSource(t, dir, renamedRule), &desk{}
	ctx, cancel := context.WithCancel(context.Background())
	var attacker sync.WaitGroup
	attacker.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			tmp, path := filepath.Join(dir, ".tmp"), filepath.Join(dir, "x")
			os.Remove(tmp)
			if i%2 == 0 {
				os.WriteFile(tmp, []byte(hl7Message("1")), 0o600)
			} else {
				plants[i/2%4].plant(tmp, secret)
			}
			os.Rename(tmp, path)
		}
	})
	for range 300 {
		if err := pass(t, s, d); err != nil {
			t.Error(err)
			break
		}
	}
	cancel()
	attacker.Wait()
	if strings.Contains(strings.Join(d.bodies, ""), "SECRET") {
		t.Error("a file outside the mailbox was read")
	}
	if _, err := os.Stat(secret); err != nil {
		t.Error("a file outside the mailbox was moved:", err)
	}
}

func TestOddNames(t *testing.T) {
	for _, row := range []struct {
		name, file string
		taken      bool
	}{
		{"spaces", "ward 7 list.hl7", true},
		{"tilde", "a~b~c", true},
		{"unicode", "müller.hl7", true},
		{"shell", "$(reboot);-rf *", true},
		{"longest", strings.Repeat("x", maxName), true},
		{"too long", strings.Repeat("x", maxName+1), false},
		{"newline", "a\nb", false},
		{"escape", "a\x1b[2J", false},
		{"backslash", `a\b`, false},
		{"not UTF-8", "m\xfcller", false},
		{"dot file", ".hidden", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			drop(t, dir, row.file, hl7Message("1")+hl7Message("BAD"), 0)
			s, d := openSource(t, dir, renamedRule), &desk{answer: refuse("BAD")}
			mustPass(t, s, d)
			if taken := len(d.got) > 0; taken != row.taken {
				t.Fatalf("taken %t", taken)
			}
			if row.taken && (d.got[0].File != row.file || len(tree(t, dir)) != 3) {
				t.Errorf("file %q, left %q", d.got[0].File, tree(t, dir))
			}
		})
	}
}

func TestFileChangedWhileItIsReadGoesNoFurther(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(path string) error
		got    string
	}{
		{"truncated", func(p string) error { return os.Truncate(p, 10) }, "1"},
		{"grown", func(p string) error { return appendTo(p, hl7Message("1")+hl7Message("2")+hl7Message("3")) }, "1"},
		{"unchanged", func(string) error { return nil }, "1 2"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			drop(t, dir, "x", hl7Message("1")+hl7Message("2"), 0)
			s, d := openSource(t, dir, renamedRule), &desk{}
			d.answer = func(_ *message.Envelope, body string) (message.Receipt, error) {
				if strings.Contains(body, "|1|") { // the sender still has it open
					path := filepath.Join(dir, ".spine/claimed", s.claims[0].file())
					if err := row.change(path); err != nil {
						t.Error(err)
					}
				}
				return message.Receipt{Outcome: message.Routed}, nil
			}
			mustPass(t, s, d)
			if got := d.controls(); got != row.got {
				t.Errorf("accepted %q, want %q", got, row.got)
			}
			if row.name == "unchanged" {
				return
			}
			if reason := contentOf(t, dir, ".reason"); !strings.Contains(reason, "changed while it was read; 1 messages had been accepted") {
				t.Errorf("reason %q", reason)
			}
		})
	}
}

func TestFileChangedBetweenTwoRunsIsQuarantined(t *testing.T) {
	dir := t.TempDir()
	drop(t, dir, "x", hl7Message("1"), 0)
	s := openSource(t, dir, renamedRule)
	ready, err := s.scan(time.Now())
	if err == nil {
		err = s.claim(ready)
	}
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, ".spine/claimed", s.claims[0].file())
	s.Close()
	if err := os.WriteFile(path, []byte(hl7Message("2")), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &desk{}
	mustPass(t, openSource(t, dir, renamedRule), d)
	if got := fmt.Sprint(d.controls(), tree(t, dir)); got != "[.spine/quarantine/*~x .spine/quarantine/*~x.reason]" {
		t.Error(got)
	}
}

func TestOwnerRule(t *testing.T) {
	dir := t.TempDir()
	drop(t, dir, "mine", hl7Message("1"), 0)
	drop(t, dir, "theirs", hl7Message("2"), 0)
	if err := os.Chown(filepath.Join(dir, "theirs"), 12345, 12345); err != nil {
		t.Skip("skipped: giving a file to another user needs root:", err)
	}
	s, d := openSource(t, dir, renamedRule+"owner: same"), &desk{}
	mustPass(t, s, d)
	if got := d.controls(); got != "1" {
		t.Errorf("accepted %q", got)
	}
	s.Close()
	mustPass(t, openSource(t, dir, renamedRule+"owner: any"), d)
	if got := d.controls(); got != "1 2" {
		t.Errorf("accepted %q", got)
	}
}
