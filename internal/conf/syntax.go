package conf

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"
)

// plainText takes the byte order mark off a file and says where it holds what is
// no text: YAML would name its first line, or read another encoding whose
// positions nobody can follow.
func plainText(file string, data []byte) ([]byte, *Problem) {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		return nil, &Problem{File: file, Text: "the file is in UTF-16", Hint: "save it as UTF-8"}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	line, column := 1, 1
	for i := 0; i < len(data); {
		r, w := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && w == 1:
			return nil, &Problem{File: file, Line: line, Column: column, Text: fmt.Sprintf("the byte 0x%02x is no text in UTF-8", data[i]), Hint: "save the file as UTF-8"}
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0x7f:
			return nil, &Problem{File: file, Line: line, Column: column, Text: fmt.Sprintf("the control character 0x%02x", r), Hint: `remove it; within double quotes it can be written \x and two digits`}
		case r == '\n':
			line, column = line+1, 0
		}
		i, column = i+w, column+1
	}
	return data, nil
}

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
