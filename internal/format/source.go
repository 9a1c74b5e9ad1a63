package format

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spine-engine/spine-engine/internal/conf"
)

// position is a line and a column in characters, both from 1.
type position struct{ line, col int }

func (p position) before(q position) bool {
	return p.line < q.line || p.line == q.line && p.col < q.col
}

// source is a file's text by lines.
type source struct {
	file  string
	text  []byte
	lines [][]rune
	solid map[int]bool // blank lines that are content of a block scalar
}

// read takes byte order mark, CRs and a leading document marker off, and refuses
// what one canonical file cannot hold.
func read(file string, data []byte) (*source, *conf.Problem) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	s := &source{file: file, solid: map[int]bool{}}
	if i := bytes.IndexByte(data, '\r'); i >= 0 {
		return nil, s.problem(1+bytes.Count(data[:i], []byte("\n")), "a carriage return within a line")
	}
	lines := strings.Split(string(data), "\n")
	content := false
	for i, l := range lines {
		bare := strings.TrimRight(l, " \t")
		switch {
		case marker(l, "---") && !content && bare == "---":
			lines[i] = ""
		case marker(l, "---"), marker(l, "..."):
			return nil, s.problem(i+1, "the file has a document marker after its content, or content behind one")
		case strings.HasPrefix(l, "%"):
			return nil, s.problem(i+1, "YAML directives are not part of the feed language")
		}
		content = content || bare != "" && !strings.HasPrefix(strings.TrimLeft(l, " "), "#")
	}
	for _, l := range lines {
		s.lines = append(s.lines, []rune(l))
	}
	s.text = []byte(strings.Join(lines, "\n"))
	return s, nil
}

// marker reports whether a line is the document marker m, alone or with something
// behind it.
func marker(line, m string) bool {
	rest, ok := strings.CutPrefix(line, m)
	return ok && (rest == "" || rest[0] == ' ' || rest[0] == '\t')
}

func (s *source) problem(line int, format string, args ...any) *conf.Problem {
	return &conf.Problem{File: s.file, Line: line, Column: 1, Text: "not formatted: " + fmt.Sprintf(format, args...),
		Hint: "the file stays as it is"}
}

// at is the character at a position, 0 beyond the end of its line.
func (s *source) at(p position) rune {
	if p.line < 1 || p.line > len(s.lines) || p.col < 1 || p.col > len(s.lines[p.line-1]) {
		return 0
	}
	return s.lines[p.line-1][p.col-1]
}

// rest is a line from a column on.
func (s *source) rest(p position) string {
	if p.line < 1 || p.line > len(s.lines) || p.col > len(s.lines[p.line-1]) {
		return ""
	}
	return string(s.lines[p.line-1][p.col-1:])
}

// line is line number n, "" beyond the file.
func (s *source) line(n int) string { return s.rest(position{n, 1}) }

func blank(line string) bool { return strings.TrimLeft(line, " \t") == "" }

// blankAbove reports whether a blank line that separates stands above line n.
func (s *source) blankAbove(n int) bool {
	return n > 1 && n-1 <= len(s.lines) && blank(s.line(n-1)) && !s.solid[n-1]
}

func indentOf(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
