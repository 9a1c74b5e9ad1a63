package format

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// width is how long a line may be that holds { } or [ ].
const width = 120

// writer writes a tree.
type writer struct {
	s *source
	b strings.Builder
}

func (s *source) write(root *node) string {
	w := &writer{s: s}
	w.comments(root.top, "", true)
	if root.apart {
		w.put("")
	}
	w.entries(root, "", w.b.Len() == 0 || root.apart)
	w.comments(root.foot, "", false)
	return w.b.String()
}

func (w *writer) put(line string) { w.b.WriteString(line + "\n") }

// comments writes comments on lines of their own, with one blank line where there
// were some; none at the start of a file or block.
func (w *writer) comments(cs []comment, indent string, first bool) {
	for i, c := range cs {
		if w.s.blankAbove(c.at.line) && c.own && !(first && i == 0) {
			w.put("")
		}
		w.put(indent + c.text)
	}
}

// entries writes a mapping or sequence, one entry below the other.
func (w *writer) entries(n *node, indent string, first bool) {
	for i, e := range n.entries {
		w.above(e, indent, first && i == 0)
		line := indent
		if n.kind == sequence {
			line += "- "
		}
		w.entry(e, line, indent)
	}
	if n.of != nil { // the root's stand at the very end
		w.comments(n.foot, indent, false)
	}
}

// above writes what stands above an entry: comments and a blank line. Whatever
// belongs to the first line of an item goes above its dash.
func (w *writer) above(e *entry, indent string, first bool) {
	heads := e.heads()
	w.comments(heads, indent, first)
	separated := w.s.blankAbove(e.at.line) && !e.in.flow
	if separated && !(first && len(heads) == 0) {
		w.put("")
	}
}

// heads are the comments above an entry, with those of an item whose first line
// begins a block: - to: x has no place of its own for them.
func (e *entry) heads() []comment {
	out := e.head
	if len(e.tail) > 1 {
		out = append(out[:len(out):len(out)], e.tail[:len(e.tail)-1]...)
	}
	if !e.compact() {
		return out
	}
	if len(e.tail) > 0 {
		out = append(out[:len(out):len(out)], e.tail[len(e.tail)-1])
	}
	return append(out[:len(out):len(out)], e.value.entries[0].heads()...)
}

// compact reports whether the first entry of a block stands on the line of a dash.
func (e *entry) compact() bool {
	return e.in.kind == sequence && e.value.kind != scalar && len(e.value.entries) > 0 && e.value.tall
}

// entry writes one entry, whose line begins with start.
func (w *writer) entry(e *entry, start, indent string) {
	if e.key != nil {
		start += w.s.oneLine(e.key, false) + ":"
	}
	switch {
	case e.value.kind != scalar && e.value.tall && e.key == nil:
		w.inline(e.value, start, indent+"  ")
	case e.value.kind != scalar && e.value.tall:
		w.tailed(e, start)
		w.entries(e.value, indent+"  ", true)
	case e.value.kind == scalar && e.value.style == block:
		w.blockScalar(e, start, indent)
	case e.value.kind == scalar && !e.in.flow:
		if lines, ok := w.s.severalLines(e.value); ok {
			w.broken(e, start, indent, lines)
			return
		}
		fallthrough
	default:
		w.tailed(e, spaced(start)+w.s.short(e.value, len(e.tail) > 0))
	}
}

// spaced puts a blank behind a key's colon; a dash has its own.
func spaced(start string) string {
	if strings.HasSuffix(start, " ") {
		return start
	}
	return start + " "
}

// inline writes a block that begins on the line of a dash.
func (w *writer) inline(n *node, start, indent string) {
	for i, e := range n.entries {
		line := indent
		if i > 0 {
			w.above(e, indent, false)
		} else {
			line = start
		}
		if n.kind == sequence {
			line += "- "
		}
		w.entry(e, line, indent)
	}
	w.comments(n.foot, indent, false)
}

// tailed ends a line, with the entry's comment in the column it had if there is room.
func (w *writer) tailed(e *entry, line string) {
	if len(e.tail) == 0 {
		w.put(line)
		return
	}
	c := e.tail[len(e.tail)-1]
	gap := max(1, c.at.col-1-utf8.RuneCountInString(line))
	w.put(line + strings.Repeat(" ", gap) + c.text)
}

// blockScalar writes | or > with its lines, two further in.
func (w *writer) blockScalar(e *entry, start, indent string) {
	n := e.value
	if strings.Trim(n.text, " \n") == "" {
		w.tailed(e, spaced(start)+double(n.text))
		return
	}
	w.tailed(e, spaced(start)+w.header(n))
	for _, l := range n.lines {
		if len(l) <= n.cover {
			w.put("")
		} else {
			w.put(indent + "  " + l[n.cover:])
		}
	}
}

// header is | or >, the indentation where the first line would be misread without,
// and what is done with line ends.
func (w *writer) header(n *node) string {
	h := string(w.s.at(n.at))
	for _, l := range n.lines {
		if len(l) > n.cover {
			if l[n.cover] == ' ' {
				h += "2"
			}
			break
		}
	}
	chomp := w.s.rest(n.at)
	if i := strings.IndexAny(chomp, " \t"); i >= 0 {
		chomp = chomp[:i]
	}
	switch {
	case strings.Contains(chomp, "+"):
		return h + "+"
	case strings.Contains(chomp, "-"), !strings.HasSuffix(n.text, "\n"):
		return h + "-"
	}
	return h
}

// broken writes a text in the lines its author gave it.
func (w *writer) broken(e *entry, start, indent string, lines []string) {
	line := spaced(start) + lines[0]
	for _, l := range lines[1:] {
		w.put(line)
		if line = indent + "  " + l; l == "" {
			line = ""
		}
	}
	w.tailed(e, line)
}

// short is a value on one line.
func (s *source) short(n *node, tailed bool) string {
	if n.kind == scalar {
		return s.oneLine(n, tailed)
	}
	var parts []string
	for _, e := range n.entries {
		part := ""
		if e.key != nil {
			part = s.oneLine(e.key, false) + ": "
		}
		parts = append(parts, part+s.short(e.value, false))
	}
	text := strings.Join(parts, ", ")
	nested := slices.ContainsFunc(n.entries, func(e *entry) bool { return e.value.kind != scalar })
	switch {
	case n.kind == sequence && nested:
		return "[ " + text + " ]"
	case n.kind == sequence:
		return "[" + text + "]"
	case text == "":
		return "{}"
	}
	return "{ " + text + " }"
}
