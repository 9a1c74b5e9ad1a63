package mailbox

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spine-engine/spine-engine/internal/message"
)

// TestReadyRules plays what a sender does, and asks after each step which files
// are ready. Times are the source's clock in seconds; "at" are modification times.
func TestReadyRules(t *testing.T) {
	type step struct {
		now  int
		do   func(t *testing.T, dir string)
		want string
	}
	put := func(name, content string, at int) func(*testing.T, string) {
		return func(t *testing.T, dir string) { drop(t, dir, name, content, at) }
	}
	both := func(a, b func(*testing.T, string)) func(*testing.T, string) {
		return func(t *testing.T, dir string) { a(t, dir); b(t, dir) }
	}
	replace := func(name, content string, at int) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			drop(t, dir, ".new", content, at)
			if err := os.Rename(filepath.Join(dir, ".new"), filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, row := range []struct {
		name, ready string
		steps       []step
	}{
		{"renamed", "renamed: true", []step{{0, put("x", "1", 0), "x"}}},
		{"still long enough", "unchanged_for: 15s", []step{{0, put("x", "1", 0), ""}, {14, nil, ""}, {15, nil, "x"}}},
		{"old when found is not still for us", "unchanged_for: 15s", []step{{100, put("x", "1", -9000), ""}, {115, nil, "x"}}},
		{"grows", "unchanged_for: 15s", []step{{0, put("x", "1", 0), ""}, {14, put("x", "12", 0), ""}, {15, nil, ""}, {28, nil, ""}, {29, nil, "x"}}},
		{"rewritten in place", "unchanged_for: 15s", []step{{0, put("x", "1", 0), ""}, {14, put("x", "2", 14), ""}, {15, nil, ""}, {29, nil, "x"}}},
		{"exchanged for a twin", "unchanged_for: 15s", []step{{0, put("x", "1", 0), ""}, {14, replace("x", "2", 0), ""}, {15, nil, ""}, {29, nil, "x"}}},
		{"just created", "unchanged_for: 15s", []step{{0, put("x", "", 0), ""}, {99, nil, ""}}},
		{"marker after data", "marker: .ok", []step{{0, put("x.hl7", "1", 0), ""}, {1, put("x.hl7.ok", "", 1), "x.hl7"}}},
		{"marker in place of the extension", "marker: .ok", []step{{0, put("x.hl7", "1", 0), ""}, {1, put("x.ok", "", 0), "x.hl7"}}},
		{"marker alone", "marker: .ok", []step{{0, put("x.hl7.ok", "", 0), ""}}},
		{"no marker ever", "marker: .ok", []step{{0, put("x.hl7", "1", 0), ""}, {9999, nil, ""}}},
		{"marker of another file", "marker: .ok", []step{{0, both(put("x.hl7", "1", 0), put("xx.hl7.ok", "", 1)), ""}}},
		{"marker is a folder", "marker: .ok", []step{{0, both(put("x", "1", 0), func(t *testing.T, dir string) { os.Mkdir(filepath.Join(dir, "x.ok"), 0o700) }), ""}}},
		{"marker before data", "marker: .ok", []step{
			{0, put("x.ok", "", 0), ""}, {1, put("x", "1", 1), ""}, {15, put("x", "12", 15), ""}, {29, nil, ""}, {30, nil, "x"}}},
		{"marker before data, time declared", "{ marker: .ok, or_unchanged_for: 60s }", []step{
			{0, put("x.ok", "", 0), ""}, {1, put("x", "1", 1), ""}, {60, nil, ""}, {61, nil, "x"}}},
		{"marker or still", "{ marker: .ok, or_unchanged_for: 60s }", []step{
			{0, both(put("x", "1", 0), put("y", "1", 0)), ""}, {1, put("y.ok", "", 1), "y"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			rule := row.ready
			if !strings.HasPrefix(rule, "{") {
				rule = "{ " + rule + " }"
			}
			dir := t.TempDir()
			s := openSource(t, dir, "ready: "+rule)
			start := time.Now()
			for i, step := range row.steps {
				if step.do != nil {
					step.do(t, dir)
				}
				ready, err := s.scan(start.Add(time.Duration(step.now) * time.Second))
				if err != nil {
					t.Fatal(err)
				}
				var names []string
				for _, f := range ready {
					names = append(names, f.name)
				}
				if got := strings.Join(names, " "); got != step.want {
					t.Errorf("step %d: ready %q, want %q", i, got, step.want)
				}
			}
		})
	}
}

func TestMarkersGoWithTheirFile(t *testing.T) {
	dir := t.TempDir()
	s, d := openSource(t, dir, "ready: { marker: .ok }"), &desk{}
	drop(t, dir, "x.hl7", hl7Message("1"), 0)
	drop(t, dir, "x.hl7.ok", "", 1)
	drop(t, dir, "y.ok", "", 1) // its file is still to come
	mustPass(t, s, d)
	if got := fmt.Sprint(d.controls(), tree(t, dir)); got != "1[.spine/archive/day/*~x.hl7 y.ok]" {
		t.Error(got)
	}
}

func TestMarkerLeftByACrashDoesNotReleaseTheNextFile(t *testing.T) {
	dir := t.TempDir()
	s := openSource(t, dir, "ready: { marker: .ok }")
	drop(t, dir, "x.hl7", hl7Message("1"), 0)
	drop(t, dir, "x.hl7.ok", "", 1)
	ready, err := s.scan(time.Now())
	if err != nil || len(ready) != 1 {
		t.Fatal(ready, err)
	}
	if _, err := s.claimOne(ready[0]); err != nil { // and killed before the marker was removed
		t.Fatal(err)
	}
	s.Close()
	drop(t, dir, "x.hl7", "MSH|half of the next", 2)
	d := &desk{}
	mustPass(t, openSource(t, dir, "ready: { marker: .ok }"), d)
	if got := fmt.Sprint(d.controls(), tree(t, dir)); got != "1[.spine/archive/day/*~x.hl7 x.hl7]" {
		t.Error(got)
	}
}

// TestHalfWrittenFilesAreNeverRead lets a slow sender write in every odd way,
// on a clock of the test's own, and checks that each message arrives whole.
func TestHalfWrittenFilesAreNeverRead(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			dir := t.TempDir()
			s, d := openSource(t, dir, "ready: { unchanged_for: 15s }"), &desk{}
			random := rand.New(rand.NewPCG(seed, 1))
			whole, now := hl7Message("1")+hl7Message("2"), time.Now()
			step := func(d *desk) {
				now = now.Add(time.Duration(random.IntN(15)) * time.Second)
				ready, err := s.scan(now)
				if err == nil && len(ready) > 0 {
					err = s.claim(ready)
				}
				if err == nil {
					err = s.work(context.Background(), d.accept)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			path := filepath.Join(dir, "x")
			for n := 1; n <= len(whole); n += 1 + random.IntN(8) {
				var err error
				switch random.IntN(4) {
				case 0: // rewritten from the start
					err = os.WriteFile(path, []byte(whole[:n]), 0o600)
				case 1: // put in place by a rename, still not all of it
					err = os.WriteFile(path+".part", []byte(whole[:n]), 0o600)
					if err == nil {
						err = os.Rename(path+".part", path)
					}
				default:
					err = appendTo(path, whole[:n])
				}
				if err != nil {
					t.Fatal(err)
				}
				step(d)
			}
			if got := d.controls(); got != "" {
				t.Fatalf("read while it was written: %s", got)
			}
			if err := os.WriteFile(path, []byte(whole), 0o600); err != nil {
				t.Fatal(err)
			}
			for range 40 {
				step(d)
			}
			if got := strings.Join(d.bodies, ""); got != whole {
				t.Error("what arrived is not what was sent")
			}
		})
	}
}

// appendTo brings the file to content by appending, whatever it held before.
func appendTo(path, content string) error {
	old, err := os.ReadFile(path)
	if err != nil || !bytes.HasPrefix([]byte(content), old) {
		return os.WriteFile(path, []byte(content), 0o600)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(content[len(old):])
	return err
}

func TestRunPollsBacksOffAndStops(t *testing.T) {
	dir := t.TempDir()
	s, d := openSource(t, dir, "ready: { unchanged_for: 15s }\npoll: 2s"), &desk{}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var tries []time.Duration
		start := time.Now()
		var busy atomic.Bool
		busy.Store(true)
		ended := make(chan error, 1)
		go func() {
			ended <- s.Run(ctx, func(ctx context.Context, env *message.Envelope) (message.Receipt, error) {
				tries = append(tries, time.Since(start))
				if busy.Load() {
					return message.Receipt{}, unix.EAGAIN
				}
				return d.accept(ctx, env)
			})
		}()
		drop(t, dir, "x", hl7Message("1"), 0)
		wait := func(d time.Duration) { <-time.After(d); synctest.Wait() }
		wait(200 * time.Second)
		busy.Store(false)
		wait(31 * time.Second)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		// Seen at the second poll at the latest; ready 15 s later, at the next
		// poll; then the pauses grow: 1, 2, 4, 8, 16, 30, 30, ...
		for i, pause := range []time.Duration{1, 2, 4, 8, 16, 30, 30, 30, 30} {
			if got := tries[i+1] - tries[i]; got != pause*time.Second {
				t.Errorf("pause %d was %s", i, got)
			}
		}
		if first := tries[0]; first < 15*time.Second || first > 19*time.Second {
			t.Errorf("first tried after %s", first)
		}
		if d.controls() != "1" {
			t.Errorf("accepted %q", d.controls())
		}
	})
}

func TestRunFollowsHints(t *testing.T) {
	dir := t.TempDir()
	s, d := openSource(t, dir, "ready: { marker: .ok }\npoll: 24h"), &desk{}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		hints, stopped := make(chan struct{}, 1), false
		s.watch = func(string) (<-chan struct{}, func(), error) { return hints, func() { stopped = true }, nil }
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx, d.accept) }()
		synctest.Wait()
		drop(t, dir, "x", hl7Message("1"), 0)
		drop(t, dir, "x.ok", "", 1)
		hints <- struct{}{}
		<-time.After(time.Minute)
		if d.controls() != "1" {
			t.Error("the hint was not followed")
		}
		cancel()
		if err := <-ended; err != nil || !stopped {
			t.Error(err, stopped)
		}
	})
}

func TestWatchHintsAtWhatAppears(t *testing.T) {
	for _, row := range []struct {
		name string
		do   func(t *testing.T, dir, elsewhere string)
	}{
		{"made", func(t *testing.T, dir, _ string) { drop(t, dir, "x", "1", 0) }},
		{"renamed into place", func(t *testing.T, dir, elsewhere string) {
			drop(t, elsewhere, "x", "1", 0)
			if err := os.Rename(filepath.Join(elsewhere, "x"), filepath.Join(dir, "x")); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			hints, stop, err := watchFolder(dir)
			if err != nil {
				t.Skip("skipped: no file notices here:", err)
			}
			row.do(t, dir, t.TempDir())
			<-hints
			stop()
		})
	}
}
