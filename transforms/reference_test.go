package transforms_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spine-engine/spine-engine/transforms"
)

var update = flag.Bool("update", false, "write docs/feeds/steps.md anew")

const reference = "../docs/feeds/steps.md"

// TestReference keeps the page of steps equal to the vocabulary that the engine uses.
func TestReference(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Steps\n\nMade from the engine's own vocabulary by `go test ./transforms -update`; a test keeps it true.\n")
	var later []string
	for _, w := range transforms.Vocabulary() {
		if !w.Ready {
			later = append(later, "`"+w.Name+"`")
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n%s.\n\n    %s\n", w.Name, strings.ToUpper(w.Does[:1])+w.Does[1:], w.Shape)
		if w.Cannot != "" {
			fmt.Fprintf(&b, "\nWhen it cannot: %s.\n", w.Cannot)
		}
		if w.Example != "" {
			fmt.Fprintf(&b, "\nExample:\n\n    - %s\n", w.Example)
		}
	}
	fmt.Fprintf(&b, "\n## Not in this version yet\n%s. `check` says so where they are used.\n", strings.Join(later, ", "))
	if *update {
		if err := os.WriteFile(reference, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != b.String() {
		t.Errorf("%s is out of date: run go test ./transforms -update", reference)
	}
}
