package feedtest

import (
	"fmt"
	"io"
	"strings"
)

// Print writes the report for people: a line for each feed, failures in full,
// and a total.
func (r *Report) Print(w io.Writer) error {
	var b strings.Builder
	for i := range r.Feeds {
		r.Feeds[i].print(&b)
	}
	run, failed, skipped := r.Counts()
	fmt.Fprintf(&b, "%s", total(run, failed))
	if skipped > 0 {
		fmt.Fprintf(&b, ", %d skipped", skipped)
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (f *FeedReport) print(b *strings.Builder) {
	run, failed, skipped := f.Counts()
	word := "ok  "
	if failed > 0 {
		word = "FAIL"
	}
	fmt.Fprintf(b, "%s  %s: %s", word, f.Feed, total(run, failed))
	if skipped > 0 {
		fmt.Fprintf(b, ", %d skipped", skipped)
	}
	b.WriteString("\n")
	for i := range f.Tests {
		f.Tests[i].print(b)
	}
}

func (t *TestReport) print(b *strings.Builder) {
	switch {
	case t.Skipped != "":
		fmt.Fprintf(b, "      skipped: %s (%s): %s\n", t.Name, t.Place, t.Skipped)
	case len(t.Failures) > 0:
		fmt.Fprintf(b, "      %s (%s)\n", t.Name, t.Place)
		for _, f := range t.Failures {
			fmt.Fprintf(b, "        %s: %s\n", f.Place, f.Text)
		}
	}
}

func total(run, failed int) string {
	s := fmt.Sprintf("%d tests", run)
	if run == 1 {
		s = "1 test"
	}
	if failed > 0 {
		s += fmt.Sprintf(", %d failed", failed)
	}
	return s
}
