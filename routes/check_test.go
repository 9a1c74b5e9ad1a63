package routes

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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
// feed come from base.txtar where a case has none of its own. A section "mended"
// holds the lines that the hints ask for: with them nothing may be left.
func TestCheck(t *testing.T) {
	base := readArchive(t, "testdata/check/base.txtar")
	cases, err := filepath.Glob("testdata/check/*.txtar")
	if err != nil || len(cases) < 250 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			ar := readArchive(t, path)
			fsys := fstest.MapFS{}
			for _, f := range append(base.Files, ar.Files...) {
				fsys[f.Name] = &fstest.MapFile{Data: f.Data}
			}
			want, mended := section(fsys, "problems"), section(fsys, "mended")
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
			if mended != "" {
				mend(t, fsys, mended)
				if left := problemLines(t, fsys); left != "" {
					t.Errorf("what the hint says does not mend it:\n%s", left)
				}
			}
		})
	}
}

// section takes what belongs to the test out of a project.
func section(fsys fstest.MapFS, name string) string {
	f := fsys[name]
	if f == nil {
		return ""
	}
	delete(fsys, name)
	return string(f.Data)
}

// mend replaces lines of a project by those that the hint of its problem asks
// for: "file:line:text", an empty text to take the line out, several texts for a
// line to put in more.
func mend(t *testing.T, fsys fstest.MapFS, mended string) {
	t.Helper()
	lines := map[string]map[int][]string{}
	for l := range strings.Lines(mended) {
		file, rest, _ := strings.Cut(strings.TrimSuffix(l, "\n"), ":")
		number, text, ok := strings.Cut(rest, ":")
		n, err := strconv.Atoi(number)
		if err != nil || !ok {
			t.Fatalf("%q is not file:line:text", l)
		}
		if lines[file] == nil {
			lines[file] = map[int][]string{}
		}
		lines[file][n] = append(lines[file][n], text)
	}
	for file, texts := range lines {
		f := fsys[file]
		if f == nil {
			f = &fstest.MapFile{}
		}
		fsys[file] = &fstest.MapFile{Data: replaced(string(f.Data), texts)}
	}
}

func replaced(file string, texts map[int][]string) []byte {
	var out []byte
	n := 0
	for l := range strings.Lines(file) {
		n++
		if new, ok := texts[n]; ok {
			l = strings.TrimPrefix(strings.Join(new, "\n")+"\n", "\n")
		}
		out = append(out, l...)
	}
	for n++; texts[n] != nil; n++ {
		out = append(out, strings.Join(texts[n], "\n")+"\n"...)
	}
	return out
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
	at := slices.IndexFunc(ar.Files, func(f txtar.File) bool { return f.Name == "problems" })
	if at < 0 {
		at, ar.Files = len(ar.Files), append(ar.Files, txtar.File{Name: "problems"})
	}
	ar.Files[at].Data = []byte(got)
	if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
		t.Fatal(err)
	}
}

// One file with all faults: each line that says so holds one, which is reported
// once, and nothing is reported that is only its consequence.
func TestManyFaults(t *testing.T) {
	const file = "feeds/f.yaml"
	fsys := fstest.MapFS{}
	for _, name := range []string{"base", "many-faults"} {
		for _, f := range readArchive(t, "testdata/check/"+name+".txtar").Files {
			fsys[f.Name] = &fstest.MapFile{Data: f.Data}
		}
	}
	var want, got []int
	n := 0
	for l := range strings.Lines(string(fsys[file].Data)) {
		if n++; strings.HasSuffix(l, "# fault\n") {
			want = append(want, n)
		}
	}
	_, problems := Load(fsys, testOptions())
	for _, p := range problems {
		if p.File != file || p.Severity != conf.Error {
			t.Errorf("not a fault of the file: %s", p)
		}
		got = append(got, p.Line)
	}
	if d := cmp.Diff(want, got); d != "" || len(want) < 40 {
		t.Errorf("%d faults: %s", len(want), d)
	}
}
