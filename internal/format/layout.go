package format

import (
	"strings"
	"unicode/utf8"
)

// layout decides what is written one entry below the other: what was written so,
// and what was within { } or [ ] but holds comments or is too long for a line.
// indent is where the entries of n begin.
func (s *source) layout(n *node, indent int) {
	n.tall = true
	for _, e := range n.entries {
		v := e.value
		start, inner := indent, indent+2
		if n.kind == sequence {
			start += len("- ")
		}
		if e.key != nil {
			start += utf8.RuneCountInString(s.oneLine(e.key, false)) + len(": ")
		}
		switch {
		case v.kind == scalar || len(v.entries) == 0:
		case !v.flow, v.commented(), start+utf8.RuneCountInString(s.short(v, false)) > width:
			s.layout(v, inner)
		}
	}
}

// separateTop takes what is about the whole file off the first entry: comments with
// a blank line behind them, and what tells editors the schema.
func (s *source) separateTop(root *node) {
	first := root.entries[0]
	cut, edge := 0, 0
	for i, c := range first.head {
		below := first.at.line
		if i+1 < len(first.head) {
			below = first.head[i+1].at.line
		}
		switch apart := s.blankAbove(below); {
		case apart:
			cut, edge, root.apart = i+1, below, true
		case cut == i && strings.HasPrefix(c.text, "# yaml-language-server:"):
			cut, root.apart = i+1, false
		}
	}
	if root.apart {
		s.solid[edge-1] = true // that blank line is the file's, not the entry's
	}
	root.top, first.head = first.head[:cut], first.head[cut:]
}
