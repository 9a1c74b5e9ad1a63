package format

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// word is what stands without quotes: no blanks, nothing that YAML gives a meaning.
var word = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_./-]*$`)

// meant are words that YAML readers take for something else than a text.
func meant() []string {
	return []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"}
}

// oneLine writes a scalar on one line. What was written without quotes stays so; of
// what was quoted, words lose their quotes, the rest keeps them.
func (s *source) oneLine(n *node, tailed bool) string {
	switch {
	case n.style == plain && strings.Contains(n.text, "\n"):
		return double(n.text)
	case n.style == plain && strings.HasPrefix(n.text, "= ") && !tailed:
		return single(n.text)
	case n.style == plain:
		return n.text
	case n.style == block:
		return double(n.text)
	case word.MatchString(n.text) && !slices.Contains(meant(), strings.ToLower(n.text)):
		return n.text
	}
	if raw, ok := s.escaped(n); ok {
		return raw
	}
	if !printable(n.text) {
		return double(n.text)
	}
	apostrophes := strings.Count(n.text, "'")
	others := strings.Count(n.text, `"`) + strings.Count(n.text, `\`)
	if strings.HasPrefix(n.text, "= ") && apostrophes <= others || others > 0 && apostrophes <= others || strings.HasPrefix(n.text, "= ") && apostrophes == 0 {
		return single(n.text)
	}
	return double(n.text)
}

// escaped is a one-line text in double quotes that uses escapes beyond \" and \\:
// they say how its author wants it to be read.
func (s *source) escaped(n *node) (string, bool) {
	if s.at(n.at) != '"' || n.end.line != n.at.line {
		return "", false
	}
	raw := string(s.lines[n.at.line-1][n.at.col-1 : n.end.col-1])
	rest := strings.NewReplacer(`\\`, "", `\"`, "").Replace(raw)
	return raw, strings.Contains(rest, `\`)
}

func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar })
}

func single(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func double(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x80 && !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\x%02X`, r)
		case !unicode.IsPrint(r) && r <= 0xffff:
			fmt.Fprintf(&b, `\u%04X`, r)
		case !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\U%08X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// severalLines gives the lines of a plain or quoted scalar that its author broke,
// without their indentation; false when it stands on one.
func (s *source) severalLines(n *node) ([]string, bool) {
	switch n.style {
	case plain:
		return s.plainLines(n)
	case quoted:
		if n.end.line == n.at.line {
			return nil, false
		}
		out := []string{s.rest(n.at)}
		for l := n.at.line + 1; l < n.end.line; l++ {
			out = append(out, strings.TrimLeft(s.line(l), " \t"))
		}
		last := string(s.lines[n.end.line-1][:n.end.col-1])
		return append(out, strings.TrimLeft(last, " \t")), true
	}
	return nil, false
}

// plainLines follows the text through the lines it is written on.
func (s *source) plainLines(n *node) (out []string, ok bool) {
	left := n.text
	for p := n.at; left != "" && p.line <= len(s.lines); p = (position{p.line + 1, 1}) {
		l := strings.Trim(s.rest(p), " \t")
		if i := strings.Index(l, " #"); i >= 0 {
			l = strings.TrimRight(l[:i], " \t")
		}
		rest, is := strings.CutPrefix(left, l)
		if !is {
			return nil, false
		}
		out, left = append(out, l), strings.TrimLeft(rest, " \n")
	}
	return out, left == "" && len(out) > 1
}
