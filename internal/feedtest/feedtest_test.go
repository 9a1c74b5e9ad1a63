package feedtest

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/adapters/mailbox"
	"github.com/spine-engine/spine-engine/adapters/mllp"
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/routes"
)

var update = flag.Bool("update", false, "write the reports into testdata")

// TestReports runs the projects of testdata and compares what is printed with the
// section "report" of the same file. What a case does not have comes from
// base.txtar.
func TestReports(t *testing.T) {
	base := readArchive(t, "testdata/base.txtar")
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(cases) < 6 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			ar := readArchive(t, path)
			fsys := fstest.MapFS{}
			for _, f := range append(base.Files, ar.Files...) {
				fsys[f.Name] = &fstest.MapFile{Data: f.Data}
			}
			want := string(fsys["report"].Data)
			got := printed(t, Run(load(t, fsys), Options{Cover: path == "testdata/coverage.txtar"}))
			if *update {
				writeReport(t, path, ar, got)
			} else if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func printed(t testing.TB, r *Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	if r.Coverage != nil {
		if err := r.Coverage.Print(&b); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func load(t testing.TB, fsys fstest.MapFS) *routes.Plan {
	t.Helper()
	plan, problems := routes.Load(fsys, routes.LoadOptions{Kinds: []adapters.Kind{mllp.Kind(), mailbox.Kind()}})
	for _, p := range problems {
		if p.Severity == conf.Error {
			t.Error(p)
		}
	}
	if plan == nil {
		t.FailNow()
	}
	return plan
}

func readArchive(t testing.TB, path string) *txtar.Archive {
	t.Helper()
	ar, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return ar
}

func writeReport(t *testing.T, path string, ar *txtar.Archive, got string) {
	files := ar.Files[:0]
	for _, f := range ar.Files {
		if f.Name != "report" {
			files = append(files, f)
		}
	}
	ar.Files = append(files, txtar.File{Name: "report", Data: []byte(got)})
	if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
		t.Fatal(err)
	}
}
