package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/message"
)

const renamedRule = "ready: { renamed: true }\n"

// sender's messages of these tests: one ADT each, told apart by MSH-10.
func hl7Message(control string) string {
	return "MSH|^~\\&|PAS|RXX|SPINE|RXX|20260301120000||ADT^A08^ADT_A01|" + control + "|P|2.5.1\rPID|1||9990000018^^^NHS^NH||TEST^PATIENT\r"
}

// desk is an engine that accepts into memory, once per origin.
type desk struct {
	mu      sync.Mutex
	got     []*message.Envelope // in order, without repeats
	bodies  []string
	origins map[string]message.Receipt
	calls   int
	answer  func(env *message.Envelope, body string) (message.Receipt, error)
}

func (d *desk) accept(_ context.Context, env *message.Envelope) (message.Receipt, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls++
	if r, ok := d.origins[env.Origin]; ok {
		r.Duplicate = true
		return r, nil
	}
	body, err := env.Body.ReadAll()
	if err != nil {
		return message.Receipt{}, err
	}
	r := message.Receipt{Outcome: message.Routed}
	if d.answer != nil {
		if r, err = d.answer(env, string(body)); err != nil {
			return r, err
		}
	}
	if d.origins == nil {
		d.origins = map[string]message.Receipt{}
	}
	d.origins[env.Origin] = r
	d.got, d.bodies = append(d.got, env), append(d.bodies, string(body))
	return r, nil
}

// controls lists MSH-10 of what was accepted, in order.
func (d *desk) controls() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for _, b := range d.bodies {
		if f := strings.Split(b, "|"); len(f) > 9 {
			out = append(out, f[9])
		} else {
			out = append(out, "?")
		}
	}
	return strings.Join(out, " ")
}

// openSource opens a source on dir, as another process would.
func openSource(t testing.TB, dir, yaml string) *source {
	t.Helper()
	return openSourceOf(t, dir, yaml, newOwners())
}

func openSourceOf(t testing.TB, dir, yaml string, own *owners) *source {
	t.Helper()
	n, problems := parseNode(t, fmt.Sprintf("dir: %q\n%s", dir, yaml))
	conf := decodeSource(n, own)
	if problems.Failed() {
		t.Fatal(problems.Sorted())
	}
	opened, err := conf.Open(adapters.SourceEnv{Name: "test", Project: os.TempDir(), Log: zerolog.Nop(), InMemory: 1 << 20, Spool: spoolInto(t.TempDir())})
	if err != nil {
		t.Fatal(err)
	}
	s := opened.(*source)
	s.watch = nil
	t.Cleanup(func() { s.Close() })
	return s
}

// spoolInto is a store's spool, without durability.
func spoolInto(dir string) func(io.Reader, int64) (message.Body, error) {
	return func(r io.Reader, max int64) (message.Body, error) {
		f, err := os.CreateTemp(dir, "body")
		if err != nil {
			return message.Body{}, err
		}
		defer f.Close()
		n, err := io.Copy(f, io.LimitReader(r, max+1))
		if err == nil && n > max {
			err = errors.New("too large")
		}
		return message.InFile(message.File{Path: f.Name(), Size: n}), err
	}
}

// pass runs one pass of the source, as Run does.
func pass(t testing.TB, s *source, d *desk) error {
	t.Helper()
	_, err := s.pass(context.Background(), d.accept)
	return err
}

func mustPass(t testing.TB, s *source, d *desk) {
	t.Helper()
	if err := pass(t, s, d); err != nil {
		t.Fatal(err)
	}
}

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// drop puts a file into the mailbox, modified sec seconds after the epoch.
func drop(t testing.TB, dir, name, content string, sec int) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	at := epoch.Add(time.Duration(sec) * time.Second)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

// tree lists the files below dir by path, without owner files, with * for ids
// and for the day.
func tree(t testing.TB, dir string) []string {
	t.Helper()
	out := []string{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == ownerFile {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		parts := strings.Split(rel, "/")
		for i, p := range parts {
			if _, name, ok := strings.Cut(p, "~"); ok {
				parts[i] = "*~" + name
			} else if _, err := time.Parse(time.DateOnly, p); err == nil {
				parts[i] = "day"
			}
		}
		out = append(out, strings.Join(parts, "/"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// contentOf reads the one file below dir whose name ends in suffix.
func contentOf(t testing.TB, dir, suffix string) string {
	t.Helper()
	var found [][]byte
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasSuffix(path, suffix) {
			b, readErr := os.ReadFile(path)
			found, err = append(found, b), readErr
		}
		return err
	})
	if err != nil || len(found) != 1 {
		t.Fatalf("%d files end in %s, error %v", len(found), suffix, err)
	}
	return string(bytes.TrimSpace(found[0]))
}

// days are today and its neighbours, so that no test depends on midnight.
func days() []string {
	now := time.Now().UTC()
	var out []string
	for i := -1; i <= 1; i++ {
		out = append(out, now.AddDate(0, 0, i).Format(time.DateOnly))
	}
	return out
}
