package disk

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestOriginWindow: an origin counts for the window, its day's file goes after
// it, and nothing depends on when the files were written.
func TestOriginWindow(t *testing.T) {
	for _, c := range []struct {
		name string
		next func(t *testing.T, s *Store, dir string, o Options) *Store
	}{
		{"in memory", func(_ *testing.T, s *Store, _ string, _ Options) *Store { return s }},
		{"written", func(t *testing.T, s *Store, _ string, _ Options) *Store {
			if err := s.flush(true); err != nil {
				t.Fatal(err)
			}
			return s
		}},
		{"reopened", func(t *testing.T, s *Store, dir string, o Options) *Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, dir, o)
		}},
		{"crashed", func(t *testing.T, s *Store, dir string, o Options) *Store {
			s.Crash()
			return open(t, dir, o)
		}},
		{"a file lost", func(t *testing.T, s *Store, dir string, o Options) *Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			names, err := dayNames(filepath.Join(dir, "view"))
			if err != nil || len(names) == 0 {
				t.Fatalf("%v %v", names, err)
			}
			if err := os.Remove(dayPath(filepath.Join(dir, "view"), names[0])); err != nil {
				t.Fatal(err)
			}
			return open(t, dir, o)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := time.Date(2026, 3, 1, 23, 0, 0, 0, time.UTC)
			dir := t.TempDir()
			o := Options{Now: func() time.Time { return now }, ViewInterval: time.Hour}
			s := open(t, dir, o)
			for step, want := range []bool{false, true, true, false, true} {
				d := testDecision(step)
				d.Envelope.Origin = "claim-7:1"
				rec, err := s.Append(ctx, d)
				if err != nil || rec.Duplicate != want {
					t.Fatalf("on day %d: duplicate %v, want %v, %v", 3*step, rec.Duplicate, want, err)
				}
				other := testDecision(step)
				other.Envelope.Origin = fmt.Sprint("other ", step)
				if rec, err := s.Append(ctx, other); err != nil || rec.Duplicate {
					t.Fatalf("another origin: %+v %v", rec, err)
				}
				s = c.next(t, s, dir, o)
				now = now.Add(3 * day)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			names, err := dayNames(filepath.Join(dir, "view"))
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range names {
				if n < "20260306" { // the window before the last message
					t.Errorf("the origins of %s are kept on %s", n, now.Format(dayLayout))
				}
			}
		})
	}
}
