package conf

import (
	"errors"
	"fmt"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// syntaxProblem says where YAML could not go on, and what most often is the cause.
func syntaxProblem(file string, err error) Problem {
	p := Problem{File: file, Line: 1, Column: 1, Text: strings.TrimPrefix(err.Error(), "yaml: ")}
	var le *yaml.LoadError
	if errors.As(err, &le) {
		p.Line, p.Column, p.Text = max(le.Mark.Line, 1), max(le.Mark.Column, 1), le.Message
		if c := le.ContextMark; c.Line > 0 && c.Line != p.Line && le.ContextMsg != "" {
			p.Text += fmt.Sprintf(", %s that begins in line %d", strings.TrimPrefix(le.ContextMsg, "while "), c.Line)
		}
	}
	p.Hint = syntaxHint(p.Text)
	p.Text = "YAML syntax: " + p.Text
	return p
}

func syntaxHint(text string) string {
	for _, h := range []struct{ in, hint string }{
		{"tag", "a text that begins with ! must be quoted"},
		{"',' or '}'", "close it with }; within { } quote texts that hold [ ] { } or commas"},
		{"',' or ']'", "close it with ]; within [ ] quote texts that hold [ ] { } or commas"},
		{"start any token", "indent with spaces, not tabs; quote texts that begin with @ % or a backtick"},
		{"mapping values", `quote texts that hold ": "`},
		{"expected key", "check the indentation; each level is indented alike"},
		{"expected '-'", "check the indentation; each level is indented alike"},
		{"quoted scalar", "close the quote"},
		{"block mapping", "check the indentation; each level is indented alike"},
	} {
		if strings.Contains(text, h.in) {
			return h.hint
		}
	}
	return `quote texts that begin with @ % or a backtick, or hold ": "`
}
