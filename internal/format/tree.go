package format

import (
	"slices"

	"github.com/spine-engine/spine-engine/internal/conf"
)

type kind uint8

const (
	scalar kind = iota
	mapping
	sequence
)

type style uint8

const (
	plain  style = iota
	quoted       // "..." or '...'
	block        // | or >
)

// node is a value with the way it was written.
type node struct {
	kind kind
	at   position
	of   *entry // what it is the value of; nil for the root

	// mappings and sequences
	flow    bool // within { } or [ ]
	braced  bool // begins with { or [ itself
	entries []*entry
	foot    []comment // comments behind the last entry, as far in as it
	top     []comment // the root's: comments of the file as a whole
	apart   bool      // a blank line stands behind top
	tall    bool      // is to be written one entry below the other

	// scalars
	text  string
	style style
	end   position // quoted: behind the closing quote
	cover int      // block: how many columns of its lines are indentation
	lines []string // block: its lines as written
}

// entry is one key with its value, or one item of a sequence.
type entry struct {
	in    *node
	at    position // of the key, or of the dash
	key   *node    // nil in a sequence
	value *node
	head  []comment // on lines of their own, above it
	tail  []comment // behind it, on its line; more than one when its value is on another
}

// comment is from # to the end of the line.
type comment struct {
	at   position
	text string
	own  bool  // it has the line for itself
	flow *node // innermost { } or [ ] that it stands in
}

// build makes the tree of a file that conf has read without faults.
func (s *source) build(n *conf.Node, of *entry, inFlow bool) (*node, *conf.Problem) {
	line, col := n.Position()
	out := &node{at: position{line, col}, of: of}
	first := s.at(out.at)
	switch {
	case n.IsMap(), n.IsList():
		out.kind = sequence
		if n.IsMap() {
			out.kind = mapping
		}
		out.braced = first == '{' || first == '['
		out.flow = inFlow || out.braced
		return out, s.fill(out, n)
	case n.Quoted():
		out.style = quoted
	case (first == '|' || first == '>') && !inFlow:
		out.style = block
	}
	out.text = n.Source()
	return out, nil
}

func (s *source) fill(out *node, n *conf.Node) *conf.Problem {
	if out.kind == mapping {
		for _, f := range n.Fields() {
			if !f.Name.IsText() {
				line, _ := f.Name.Position()
				return s.problem(line, "a key that is not a text")
			}
			e := &entry{in: out}
			key, p := s.build(f.Name, nil, out.flow)
			if p != nil {
				return p
			}
			e.key, e.at = key, key.at
			if e.value, p = s.build(f.Node, e, out.flow); p != nil {
				return p
			}
			out.entries = append(out.entries, e)
		}
		return nil
	}
	for _, item := range n.Items() {
		e := &entry{in: out}
		value, p := s.build(item, e, out.flow)
		if p != nil {
			return p
		}
		e.value, e.at = value, value.at
		if !out.flow {
			e.at = s.dash(value.at, out.at.col)
		}
		out.entries = append(out.entries, e)
	}
	return nil
}

// dash finds the dash of an item: in the sequence's column, on the item's line or,
// if it stands alone, above it.
func (s *source) dash(item position, col int) position {
	for line := item.line; line > 0; line-- {
		if s.at(position{line, col}) == '-' {
			return position{line, col}
		}
	}
	return item
}

// walk visits a node and all below it, keys included, in the order of the tree.
func (n *node) walk(visit func(*node)) {
	visit(n)
	for _, e := range n.entries {
		if e.key != nil {
			visit(e.key)
		}
		e.value.walk(visit)
	}
}

// blockEntries are all entries that are not within { } or [ ], by position.
func (n *node) blockEntries() []*entry {
	var out []*entry
	n.walk(func(m *node) {
		if !m.flow {
			out = append(out, m.entries...)
		}
	})
	slices.SortStableFunc(out, func(a, b *entry) int {
		if a.at.before(b.at) {
			return -1
		}
		if b.at.before(a.at) {
			return 1
		}
		return 0
	})
	return out
}
