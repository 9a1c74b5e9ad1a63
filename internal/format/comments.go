package format

import (
	"strings"
)

// scanner finds comments: a # at the start of a line or behind a blank, outside
// quoted and block scalars. Where those begin is known from the tree, so it need not
// understand anything else. On its way it notes where they end.
type scanner struct {
	s       *source
	starts  map[position]*node // quoted and block scalars, and opening brackets
	open    []*node
	out     []comment
	skipped int // lines before this one belong to a block scalar
}

func (s *source) scan(root *node) []comment {
	sc := &scanner{s: s, starts: map[position]*node{}}
	root.walk(func(n *node) {
		if n.kind == scalar && n.style != plain || n.braced {
			sc.starts[n.at] = n
		}
	})
	for p := (position{1, 1}); p.line <= len(s.lines); {
		p = sc.step(p)
	}
	return sc.out
}

// step looks at one character, or passes over a whole scalar or comment.
func (sc *scanner) step(p position) position {
	c := sc.s.at(p)
	if c == 0 && p.col > len(sc.s.lines[p.line-1]) {
		next := position{max(p.line+1, sc.skipped), 1}
		sc.skipped = 0
		return next
	}
	n := sc.starts[p]
	switch {
	case n != nil && n.style == quoted:
		n.end = sc.s.quoteEnd(p, c)
		return n.end
	case n != nil && n.style == block:
		sc.skipped = sc.s.blockLines(n)
	case n != nil:
		sc.open = append(sc.open, n)
	case (c == '}' || c == ']') && len(sc.open) > 0:
		sc.open = sc.open[:len(sc.open)-1]
	case c == '#' && (p.col == 1 || isBlank(sc.s.at(position{p.line, p.col - 1}))):
		sc.comment(p)
		return position{p.line, len(sc.s.lines[p.line-1]) + 1}
	}
	return position{p.line, p.col + 1}
}

func isBlank(c rune) bool { return c == ' ' || c == '\t' }

func (sc *scanner) comment(p position) {
	c := comment{at: p, text: strings.TrimRight(sc.s.rest(p), " \t")}
	c.own = blank(string(sc.s.lines[p.line-1][:p.col-1]))
	if len(sc.open) > 0 {
		c.flow = sc.open[len(sc.open)-1]
	}
	sc.out = append(sc.out, c)
}

// quoteEnd is the position behind the quote that closes the one at p.
func (s *source) quoteEnd(p position, quote rune) position {
	for p.col++; p.line <= len(s.lines); {
		c := s.at(p)
		switch {
		case c == 0 && p.col > len(s.lines[p.line-1]):
			p = position{p.line + 1, 1}
			continue
		case c == '\\' && quote == '"':
			p.col++
		case c == quote && quote == '\'' && s.at(position{p.line, p.col + 1}) == quote:
			p.col++
		case c == quote:
			return position{p.line, p.col + 1}
		}
		p.col++
	}
	return p
}

// blockLines notes the lines of a block scalar and says which line follows them.
//
//	text: |2-       the header: style, indentation, and what is done with line ends
//	    two more    indentation is that of the first line with text, or as the header says
func (s *source) blockLines(n *node) (next int) {
	parent := 0
	if n.of != nil {
		parent = n.of.in.at.col - 1
	}
	header := s.rest(n.at)
	if i := strings.IndexAny(header, " \t"); i >= 0 {
		header = header[:i]
	}
	first := n.at.line + 1
	if i := strings.IndexAny(header, "123456789"); i >= 0 {
		n.cover = parent + int(header[i]-'0')
	} else {
		for l := first; l <= len(s.lines) && n.cover == 0; l++ {
			if !blank(s.line(l)) {
				n.cover = indentOf(s.line(l))
			}
		}
	}
	next = first
	for ; next <= len(s.lines); next++ {
		if l := s.line(next); !blank(l) && (indentOf(l) < n.cover || n.cover <= parent) {
			break
		}
	}
	s.keep(n, header, first, next)
	return next
}

// keep stores the lines. Blank ones at the end are content only with +.
func (s *source) keep(n *node, header string, first, next int) {
	for l := first; l < next; l++ {
		n.lines = append(n.lines, s.line(l))
	}
	if next > len(s.lines) && len(n.lines) > 0 && n.lines[len(n.lines)-1] == "" {
		n.lines = n.lines[:len(n.lines)-1] // behind the file's last line end
	}
	if strings.Contains(header, "+") {
		for l := first; l < next; l++ {
			s.solid[l] = true
		}
		return
	}
	for len(n.lines) > 0 && blank(n.lines[len(n.lines)-1]) && n.cover >= indentOf(n.lines[len(n.lines)-1]) {
		n.lines = n.lines[:len(n.lines)-1]
	}
}
