package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The command lines of docs/tools.md are ones that the program takes.
func TestToolsPageShowsRealCommandLines(t *testing.T) {
	page, err := os.ReadFile("../../docs/tools.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		for line := range strings.Lines(block[1]) {
			for part := range strings.SplitSeq(line, " | ") {
				n++
				checkLine(t, shellWords(strings.TrimSpace(part)))
			}
		}
	}
	if n < 15 {
		t.Errorf("only %d command lines were found", n)
	}
}

func checkLine(t *testing.T, words []string) {
	t.Helper()
	cmd, rest, err := newRoot().Find(words[1:])
	if err != nil || words[0] != "spine-engine" || cmd.Name() == "spine-engine" {
		t.Errorf("%q: %v", words, err)
		return
	}
	if err := cmd.ParseFlags(rest); err != nil {
		t.Errorf("%q: %v", words, err)
		return
	}
	if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
		t.Errorf("%q: %v", words, err)
	}
	if script := cmd.Flags().Lookup("script"); script != nil && strings.HasPrefix(script.Value.String(), "[") {
		if _, err := readScript(script.Value.String()); err != nil {
			t.Errorf("%q: %v", words, err)
		}
	}
}

// shellWords splits at blanks, single quotes kept together.
func shellWords(line string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`'([^']*)'|[^ ]+`).FindAllStringSubmatch(line, -1) {
		if m[1] != "" {
			out = append(out, m[1])
		} else {
			out = append(out, m[0])
		}
	}
	return out
}
