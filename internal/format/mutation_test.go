package format

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Files as people leave them: comments anywhere, blank lines, values on the next
// line, braces over several. Those that are still YAML must all be formatted; that
// nothing is lost, Format itself compares.
func TestNoMannerOfWritingIsRefused(t *testing.T) {
	var files []string
	for _, root := range []string{"../../examples", "../../cmd/spine-engine/starter"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && filepath.Ext(path) == ".yaml" {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	r, formatted := rand.New(rand.NewPCG(1, 2)), 0
	for range 600 {
		data, err := os.ReadFile(files[r.IntN(len(files))])
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(data), "\n")
		for range 1 + r.IntN(4) {
			lines = mutate(r, lines)
		}
		src := strings.Join(lines, "\n")
		_, problems := Format("f.yaml", []byte(src))
		if problems == nil {
			formatted++
		} else if strings.Contains(problems[0].Text, "not formatted") {
			t.Fatalf("%s\n%s", problems[0], src)
		}
	}
	if formatted < 300 {
		t.Errorf("only %d of 600 were YAML: the changes are too wild", formatted)
	}
}

// mutate changes one line in a way that people do.
func mutate(r *rand.Rand, lines []string) []string {
	i := r.IntN(len(lines))
	l := lines[i]
	cut := func(at, n int, between string) {
		if at > 0 {
			lines[i] = l[:at] + between + l[at+n:]
		}
	}
	switch in := strings.Repeat(" ", 12); r.IntN(8) {
	case 0:
		lines[i] = l + fmt.Sprintf("  # behind %d", r.IntN(100))
	case 1:
		return slices.Insert(lines, i, strings.Repeat(" ", r.IntN(10))+fmt.Sprintf("# above %d", r.IntN(100)))
	case 2:
		return slices.Insert(lines, i, "")
	case 3:
		cut(strings.Index(l, ", "), 2, ", # within\n"+in)
	case 4:
		cut(strings.Index(l, ": "), 2, ":\n"+in)
	case 5:
		cut(strings.Index(l, "{ "), 2, "{ # open\n"+in)
	case 6:
		cut(strings.LastIndex(l, " "), 1, "\n"+in)
	case 7:
		cut(strings.Index(l, ": "), 2, ": |"+[]string{"", "-", "+"}[r.IntN(3)]+"\n"+in+in)
	}
	return lines
}
