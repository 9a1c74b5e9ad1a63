package routes

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/spine-engine/spine-engine/internal/conf"
)

var update = flag.Bool("update", false, "write the problems found into testdata/check")

// TestCheck loads the projects of testdata/check, one fault each, and compares
// the problems with the section "problems" of the same file. spine.yaml and a
// feed come from base.txtar where a case has none of its own.
func TestCheck(t *testing.T) {
	base := readArchive(t, "testdata/check/base.txtar")
	cases, err := filepath.Glob("testdata/check/*.txtar")
	if err != nil || len(cases) < 25 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			ar := readArchive(t, path)
			fsys := fstest.MapFS{}
			for _, f := range append(base.Files, ar.Files...) {
				fsys[f.Name] = &fstest.MapFile{Data: f.Data}
			}
			want := string(fsys["problems"].Data)
			delete(fsys, "problems")
			for name, f := range fsys {
				if string(f.Data) == "absent\n" {
					delete(fsys, name)
				}
			}
			got := problemLines(t, fsys)
			if *update {
				writeProblems(t, path, ar, got)
			} else if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func problemLines(t *testing.T, fsys fstest.MapFS) string {
	plan, problems := Load(fsys, testOptions())
	var b strings.Builder
	failed := false
	for _, p := range problems {
		b.WriteString(p.String() + "\n")
		failed = failed || p.Severity == conf.Error
	}
	if (plan == nil) != failed {
		t.Errorf("plan %v with problems %v", plan, problems)
	}
	return b.String()
}

func readArchive(t *testing.T, path string) *txtar.Archive {
	t.Helper()
	ar, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return ar
}

func writeProblems(t *testing.T, path string, ar *txtar.Archive, got string) {
	files := ar.Files[:0]
	for _, f := range ar.Files {
		if f.Name != "problems" {
			files = append(files, f)
		}
	}
	ar.Files = append(files, txtar.File{Name: "problems", Data: []byte(got)})
	if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
		t.Fatal(err)
	}
}
