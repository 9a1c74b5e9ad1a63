package main

import (
	"errors"
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
	if err := lineError(words); err != nil {
		t.Errorf("%q: %v", words, err)
	}
}

// lineError says why the program would not take a command line.
func lineError(words []string) error {
	cmd, rest, err := newRoot().Find(words[1:])
	switch {
	case err != nil:
		return err
	case words[0] != "spine-engine" || cmd.Name() == "spine-engine":
		return errors.New("no command of ours")
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
		return err
	}
	if script := cmd.Flags().Lookup("script"); script != nil && strings.HasPrefix(script.Value.String(), "[") {
		_, err = readScript(script.Value.String())
	}
	return err
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
