package main

import (
	"fmt"
	"io"
	"strings"
)

// report collects the lines of a run: printed at once, and kept for the markdown.
type report struct {
	w      io.Writer
	md     strings.Builder
	checks int
	failed int
	skips  int
}

func newReport(w io.Writer) *report { return &report{w: w} }

func (r *report) section(name, about string) {
	fmt.Fprintf(r.w, "\n== %s: %s\n", name, about)
	fmt.Fprintf(&r.md, "\n## %s\n\n%s\n\n", name, about)
}

// note is a figure or a fact without a judgement.
func (r *report) note(format string, args ...any) { r.line("", fmt.Sprintf(format, args...)) }

// check is a judgement.
func (r *report) check(ok bool, format string, args ...any) bool {
	word := "PASS"
	r.checks++
	if !ok {
		word = "FAIL"
		r.failed++
	}
	r.line(word, fmt.Sprintf(format, args...))
	return ok
}

// skip says what was not tried and why.
func (r *report) skip(format string, args ...any) {
	r.skips++
	r.line("SKIP", fmt.Sprintf(format, args...))
}

func (r *report) line(word, text string) {
	fmt.Fprintf(r.w, "%-5s %s\n", word, text)
	if word != "" {
		word = "**" + word + "** "
	}
	fmt.Fprintf(&r.md, "- %s%s\n", word, strings.ReplaceAll(text, "\n", "\n  "))
}

func (r *report) end() {
	r.section("sum", "what all lines come to")
	r.note("%d checks, %d failed, %d skipped", r.checks, r.failed, r.skips)
}

func (r *report) markdown() string { return "# Laboratory report\n\n" + r.md.String() }
