package disk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

var ctx = context.Background()

func open(t testing.TB, dir string, o Options) *Store {
	t.Helper()
	if o.MinFree == 0 {
		o.MinFree = -1
	}
	s, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// testDecision is a message whose copy goes to lane "1" of adt/lab and whose body
// tells it from all others.
func testDecision(n int) *message.Decision {
	d := benchDecision(1, false)
	d.Envelope.Body = message.InMemory(fmt.Appendf(nil, "MSH|^~\\&|PAS||||20260301||ADT^A01|%08d|P|2.4\r%s", n, strings.Repeat("OBX\r", n%50)))
	d.Deliveries[0].Body = d.Envelope.Body
	return d
}

func fill(t testing.TB, s *Store, n int) []*message.Decision {
	t.Helper()
	var out []*message.Decision
	for i := range n {
		d := testDecision(i)
		if _, err := s.Append(ctx, d); err != nil {
			t.Fatal(err)
		}
		out = append(out, d)
	}
	return out
}

// survivors holds what is pending against what was stored: nothing may have
// other bytes than it was stored with. It returns how many are missing.
func survivors(t testing.TB, s *Store, ds []*message.Decision) (missing int) {
	t.Helper()
	got, err := s.Pending("adt/lab", "1", 0, message.Key{}, len(ds)+1)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range ds {
		i := slices.IndexFunc(got, func(g *message.Delivery) bool { return g.Key == d.Deliveries[0].Key })
		if i < 0 {
			missing++
			continue
		}
		a, errA := got[i].Body.ReadAll()
		b, errB := d.Envelope.Body.ReadAll()
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Fatalf("copy %s has other bytes than were stored", got[i].Key)
		}
	}
	if len(got) != len(ds)-missing {
		t.Fatalf("%d pending of which %d are known", len(got), len(ds)-missing)
	}
	return missing
}

func segments(t testing.TB, dir string) []segment {
	t.Helper()
	segs, err := listSegments(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range segs { // without the room at the end
		b, err := os.ReadFile(segs[i].path)
		if err != nil {
			t.Fatal(err)
		}
		segs[i].end = segs[i].base + uint64(len(bytes.TrimRight(b, "\x00")))
	}
	return segs
}

func change(t testing.TB, path string, off int64, fn func(b []byte)) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fn(b[off:])
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func asideFiles(t testing.TB, dir string) []string {
	t.Helper()
	es, err := os.ReadDir(filepath.Join(dir, "set-aside"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range es {
		out = append(out, e.Name())
	}
	return out
}

// TestDamage damages a store that was not closed, opens it twice, and says how
// many of its 200 messages may be missing.
func TestDamage(t *testing.T) {
	flip := func(b []byte) { b[0] ^= 0x10 }
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, dir string, ds []*message.Decision)
		lost   int
		aside  int
	}{
		{"none", func(*testing.T, string, []*message.Decision) {}, 0, 0},
		{"a flipped bit in the last record", func(t *testing.T, dir string, ds []*message.Decision) {
			s := last(segments(t, dir))
			change(t, s.path, int64(s.end-s.base)-1, flip)
		}, 1, 1},
		{"a flipped bit in the middle", func(t *testing.T, dir string, ds []*message.Decision) {
			at := ds[100].Deliveries[0].Key.Seq
			s := holding(t, dir, at)
			change(t, s.path, int64(at-s.base)+60, flip)
		}, 1, 1},
		{"a flipped bit in a length", func(t *testing.T, dir string, ds []*message.Decision) {
			at := ds[50].Deliveries[0].Key.Seq
			s := holding(t, dir, at)
			change(t, s.path, int64(at-s.base)+17, flip)
		}, 1, 1},
		{"zeros over three records", func(t *testing.T, dir string, ds []*message.Decision) {
			at := ds[60].Deliveries[0].Key.Seq
			s := holding(t, dir, at)
			change(t, s.path, int64(at-s.base), func(b []byte) { clear(b[:ds[63].Deliveries[0].Key.Seq-at]) })
		}, 3, 1},
		{"the last segment cut short", func(t *testing.T, dir string, ds []*message.Decision) {
			s := last(segments(t, dir))
			if err := os.Truncate(s.path, int64(s.end-s.base)-7); err != nil {
				t.Fatal(err)
			}
		}, 1, 1},
		{"garbage behind the last record", func(t *testing.T, dir string, ds []*message.Decision) {
			writeBehind(t, dir, []byte("\xF5SEJ torn"))
		}, 0, 1},
		{"a segment header", func(t *testing.T, dir string, ds []*message.Decision) {
			change(t, segments(t, dir)[1].path, 3, flip)
		}, 0, 0},
		{"an empty next segment", func(t *testing.T, dir string, ds []*message.Decision) {
			if err := os.WriteFile(segmentPath(filepath.Join(dir, "log"), last(segments(t, dir)).end), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, 0, 0},
		{"no view", func(t *testing.T, dir string, ds []*message.Decision) {
			if err := os.RemoveAll(filepath.Join(dir, "view")); err != nil {
				t.Fatal(err)
			}
		}, 0, 0},
		{"a view of garbage", func(t *testing.T, dir string, ds []*message.Decision) {
			noise := make([]byte, 200_000)
			for i := range noise {
				noise[i] = byte(rand.Uint32())
			}
			if err := os.WriteFile(filepath.Join(dir, "view", "view.db"), noise, 0o600); err != nil {
				t.Fatal(err)
			}
		}, 0, 0},
		{"a view cut short", func(t *testing.T, dir string, ds []*message.Decision) {
			if err := os.Truncate(filepath.Join(dir, "view", "view.db"), 9000); err != nil {
				t.Fatal(err)
			}
		}, 0, 0},
		{"a rebuild was asked for", func(t *testing.T, dir string, ds []*message.Decision) {
			if err := os.WriteFile(filepath.Join(dir, "view", rebuildMark), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, 0, 0},
	} {
		for _, flushed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, view written %v", c.name, flushed), func(t *testing.T) {
				dir := t.TempDir()
				o := Options{SegmentSize: 20 << 10, ViewInterval: time.Hour}
				s := open(t, dir, o)
				ds := fill(t, s, 200)
				if flushed {
					if err := s.flush(true); err != nil {
						t.Fatal(err)
					}
				}
				s.Crash()
				c.damage(t, dir, ds)
				for range 2 {
					s = open(t, dir, o)
					if missing := survivors(t, s, ds); missing != c.lost {
						t.Fatalf("%d of 200 messages are missing, want %d", missing, c.lost)
					}
					s.Crash()
				}
				if n := len(asideFiles(t, dir)); !flushed && n != c.aside {
					t.Fatalf("set aside %v", asideFiles(t, dir))
				}
				s = open(t, dir, o)
				defer s.Close()
				d := testDecision(7)
				rec, err := s.Append(ctx, d)
				if err != nil || rec.Seq <= ds[199].Deliveries[0].Key.Seq {
					t.Fatalf("the next message got sequence %d, %v", rec.Seq, err)
				}
				if missing := survivors(t, s, append(ds, d)); missing != c.lost {
					t.Fatalf("%d messages are missing after one more", missing)
				}
			})
		}
	}
}

// writeBehind writes bytes behind the last record.
func writeBehind(t *testing.T, dir string, b []byte) {
	t.Helper()
	s := last(segments(t, dir))
	f, err := os.OpenFile(s.path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(b, int64(s.end-s.base)); err != nil {
		t.Fatal(err)
	}
}

func last(s []segment) segment { return s[len(s)-1] }

func holding(t testing.TB, dir string, seq uint64) segment {
	t.Helper()
	for _, s := range segments(t, dir) {
		if s.base <= seq && seq < s.end {
			return s
		}
	}
	t.Fatalf("no segment holds %d", seq)
	return segment{}
}

// TestBitRot flips single bits anywhere in a closed store. Whatever is handed out
// for delivery has the bytes that were stored, and the rest flows.
func TestBitRot(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	ds := fill(t, s, 60)
	b, err := s.Spool(strings.NewReader(strings.Repeat("large ", 1000)), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	big := testDecision(60)
	big.Envelope.Body, big.Deliveries[0].Body = b, b
	if _, err := s.Append(ctx, big); err != nil {
		t.Fatal(err)
	}
	want, err := b.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	big.Envelope.Body = message.InMemory(want)
	ds = append(ds, big)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 2))
	for i := range 60 {
		damaged := filepath.Join(t.TempDir(), "copy")
		if err := os.CopyFS(damaged, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		path := anyFile(t, damaged, rnd, []string{"log", "view", "bodies"}[i%3])
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		change(t, path, rnd.Int64N(st.Size()), func(b []byte) { b[0] ^= 1 << rnd.IntN(8) })
		s, err := Open(damaged, Options{MinFree: -1})
		if err != nil {
			t.Fatalf("a bit flipped in %s keeps the store from opening: %v", filepath.Base(path), err)
		}
		if missing := survivors(t, s, ds); missing > 1 {
			t.Fatalf("a bit flipped in %s cost %d messages", filepath.Base(path), missing)
		}
		s.Crash()
	}
}

func anyFile(t *testing.T, dir string, rnd *rand.Rand, sub string) string {
	t.Helper()
	var files []string
	err := filepath.Walk(filepath.Join(dir, sub), func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() && info.Size() > 0 {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files[rnd.IntN(len(files))]
}

// TestDamagedCopyIsHeld: a copy whose record goes bad while the store is open is
// held with a reason, and its lane goes on.
func TestDamagedCopyIsHeld(t *testing.T) {
	dir := t.TempDir()
	var told []store.Commit
	s := open(t, dir, Options{Observer: func(cs []store.Commit) { told = append(told, cs...) }})
	defer s.Close()
	ds := fill(t, s, 3)
	at := ds[1].Deliveries[0].Key
	seg := holding(t, dir, at.Seq)
	f, err := os.OpenFile(seg.path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("XXXX"), int64(at.Seq-seg.base)+100); err != nil {
		t.Fatal(err)
	}
	if missing := survivors(t, s, ds); missing != 1 {
		t.Fatalf("%d missing", missing)
	}
	if c := told[len(told)-1]; len(c.Removed) != 1 || c.Removed[0].Key != at || c.Removed[0].State != message.CopyHeld {
		t.Fatalf("told %+v", c)
	}
	tot, err := s.Totals()
	if err != nil || tot.Copies[message.CopyHeld] != 1 || tot.Copies[message.Queued] != 2 {
		t.Fatalf("%+v %v", tot, err)
	}
	if _, err := s.Get(ds[1].Envelope.ID); !errors.Is(err, errDamaged) {
		t.Fatalf("get: %v", err)
	}
	if es, err := s.List(store.Query{Copy: message.CopyHeld}); err != nil || len(es) != 1 || es[0].Seq != at.Seq {
		t.Fatalf("%v %v", es, err)
	}
}

func TestNewerRecordIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	fill(t, s, 1)
	e := newEncoder("")
	e.finished(nil)
	at := s.log.end
	seal(e.b, recAction+1, at, checksum(e.b[frameHeader:]))
	s.Crash()
	writeBehind(t, dir, e.b)
	if _, err := Open(dir, Options{MinFree: -1}); !errors.Is(err, errNewer) {
		t.Fatalf("a record of a newer program: %v", err)
	}
	if len(asideFiles(t, dir)) != 0 {
		t.Fatal("the newer record was set aside")
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{Holder: "spine-engine run"})
	_, err := Open(dir, Options{})
	if !errors.Is(err, store.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) || !strings.Contains(err.Error(), "spine-engine run") {
		t.Fatalf("second open: %v", err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "lock"))
	if err != nil || json.Unmarshal(b, new(holder)) != nil {
		t.Fatalf("%q %v", b, err)
	}
	got := make(chan error)
	go func() {
		s, err := Open(dir, Options{LockTimeout: time.Minute})
		if err == nil {
			err = s.Close()
		}
		got <- err
	}()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Fatalf("waiting for the lock: %v", err)
	}
}

func TestFreeSpaceFloor(t *testing.T) {
	now := time.Now()
	dir := t.TempDir()
	s := open(t, dir, Options{MinFree: 1, Now: func() time.Time { return now }})
	defer s.Close()
	d := fill(t, s, 1)[0]
	s.space.floor = 1 << 62
	now = now.Add(spaceEvery)
	if _, err := s.Append(ctx, testDecision(1)); !errors.Is(err, store.ErrFull) {
		t.Fatalf("append: %v", err)
	}
	if _, err := s.Spool(strings.NewReader("x"), 10); !errors.Is(err, store.ErrFull) {
		t.Fatalf("spool: %v", err)
	}
	v := &d.Deliveries[0]
	if err := s.Finish(ctx, []message.Finished{{Key: v.Key, Pos: v.Pos, Queue: v.Queue, Lane: v.Lane, State: message.Delivered, At: now}}); err != nil {
		t.Fatalf("finish: %v", err)
	}
	s.space.floor = 1
	if _, err := s.Append(ctx, testDecision(1)); err != nil {
		t.Fatalf("append with room again: %v", err)
	}
}

// TestWriteError: the first error ends the store for everyone, and what was
// acknowledged before is there after a restart.
func TestWriteError(t *testing.T) {
	dir := t.TempDir()
	fatal := make(chan error, 2)
	s := open(t, dir, Options{Fatal: func(err error) { fatal <- err }})
	ds := fill(t, s, 5)
	s.log.w.Close() // every write fails from now on
	_, err := s.Append(ctx, testDecision(5))
	if !errors.Is(err, store.ErrFailed) || !errors.Is(err, os.ErrClosed) {
		t.Fatalf("append: %v", err)
	}
	if err := <-fatal; !errors.Is(err, store.ErrFailed) {
		t.Fatalf("fatal: %v", err)
	}
	_, err1 := s.Append(ctx, testDecision(6))
	err2 := s.Finish(ctx, []message.Finished{{Key: ds[0].Deliveries[0].Key, State: message.Delivered}})
	_, err3 := s.Pending("adt/lab", "1", 0, message.Key{}, 1)
	_, err4 := s.List(store.Query{})
	for i, err := range []error{err1, err2, err3, err4, s.Close()} {
		if !errors.Is(err, store.ErrFailed) {
			t.Fatalf("call %d: %v", i+1, err)
		}
	}
	if len(fatal) != 0 {
		t.Fatal("fatal was called twice")
	}
	s = open(t, dir, Options{})
	defer s.Close()
	if missing := survivors(t, s, ds); missing != 0 {
		t.Fatalf("%d missing", missing)
	}
}

// TestDiskFull fills a small file system: everything acknowledged is kept, and
// the store opens again with room.
func TestDiskFull(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("skipped: filling a small file system needs root to mount one")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=6m"); err != nil {
		t.Skipf("skipped: filling a small file system, which cannot be mounted: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	o := Options{ViewInterval: time.Hour}
	s := open(t, dir, o)
	var ds []*message.Decision
	var err error
	for i := 0; err == nil; i++ {
		d := testDecision(i)
		if _, err = s.Append(ctx, d); err == nil {
			ds = append(ds, d)
		}
	}
	if !errors.Is(err, store.ErrFailed) || !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("after %d messages: %v", len(ds), err)
	}
	s.Close()
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, o)
	defer s.Close()
	if missing := survivors(t, s, ds); missing != 0 {
		t.Fatalf("%d of %d missing", missing, len(ds))
	}
}
