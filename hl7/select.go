package hl7

import (
	"bytes"
	"iter"
)

// A State tells apart what HL7 tells apart (chapter 2, "Field status").
type State int

// The states of a node.
const (
	Absent State = iota // no such segment, field, repetition or component
	Empty               // there, without a value: ||, or delimiters only
	Null                // "": the receiver is asked to delete its value
	Value               // a value
)

func (s State) String() string { return [...]string{"absent", "empty", "null", "value"}[s&3] }

// A Node is one match of a path. Its printed form does not show its content.
type Node struct {
	m   *Message
	raw []byte
	lit bool // MSH-1, MSH-2: never split or unescaped
}

// Raw gives the ER7 bytes in the message's character set; do not change them.
func (n Node) Raw() []byte { return n.raw }

// State gives Empty, Null or Value.
func (n Node) State() State { return n.m.state(n) }

// Text is what Get returns for this node.
func (n Node) Text() string {
	e := n.m.delims.Escape
	if n.lit || e == 0 || index(n.raw, e) < 0 || n.m.delims.hasParts(n.raw) {
		return n.m.decode(n.raw)
	}
	return n.m.text(n.raw)
}

// Get returns the text p selects: a leaf unescaped and in UTF-8, a node that
// has parts below it in ER7 as it stands. HL7 null reads as two quotes. Absent
// and empty are both ""; State tells them apart. Of several matches, the first.
func (m *Message) Get(p Path) string {
	if n, ok := m.find(p); ok {
		return n.Text()
	}
	return ""
}

// State tells whether the node p selects is absent, empty, null or a value.
func (m *Message) State(p Path) State {
	if n, ok := m.find(p); ok {
		return m.state(n)
	}
	return Absent
}

// Raw returns the ER7 bytes p selects, in the message's character set and with
// their escapes; nil if absent. Do not change them.
func (m *Message) Raw(p Path) []byte {
	n, _ := m.find(p)
	return n.raw
}

// RawText is Raw in UTF-8: what SetRaw takes.
func (m *Message) RawText(p Path) string {
	n, _ := m.find(p)
	return m.decode(n.raw)
}

// List returns the texts of all matches, as Get would; empty, not nil-checked,
// when there is none. A path without (*) has at most one.
func (m *Message) List(p Path) []string {
	var out []string
	for n := range m.All(p) {
		out = append(out, n.Text())
	}
	return out
}

// Count returns the number of matches.
func (m *Message) Count(p Path) (n int) {
	for range m.All(p) {
		n++
	}
	return n
}

// All yields every match of p in the order of the message.
func (m *Message) All(p Path) iter.Seq[Node] {
	return func(yield func(Node) bool) {
		if p.p == nil {
			return
		}
		m.eachSegment(p.p, func(i int) bool { return m.eachNode(m.content(i), p.p, yield) })
	}
}

func (m *Message) find(p Path) (n Node, ok bool) {
	switch {
	case p.p == nil:
		return n, false
	case p.p.simple:
		return m.findSimple(p.p)
	}
	m.eachSegment(p.p, func(i int) bool {
		return m.eachNode(m.content(i), p.p, func(v Node) bool {
			n, ok = v, true
			return false
		})
	})
	return n, ok
}

// findSimple is find for paths that only count, without group, condition or list.
func (m *Message) findSimple(p *path) (Node, bool) {
	i := m.simpleSegment(p)
	if i < 0 {
		return Node{}, false
	}
	seg := m.content(i)
	if p.field == 0 {
		return Node{m: m, raw: seg, lit: true}, true
	}
	f, ok := field(seg, m.delims.Field, p.field)
	if p.field <= 2 && isHeader(seg) {
		return Node{m: m, raw: f, lit: true}, ok
	}
	if ok && (p.comp > 0 || p.rep.which > 0) {
		if f, ok = part(f, m.delims.Repetition, max(p.rep.which, 1)); ok {
			f, ok = m.delims.leaf(f, p.comp, p.sub)
		}
	}
	return Node{m: m, raw: f}, ok
}

// simpleSegment is the segment that a simple path means, -1 if there is none.
func (m *Message) simpleSegment(p *path) int {
	id, before := tagFor(p.seg.id), p.seg.which-1
	for i := range m.segs {
		if m.segs[i].id != id {
			continue
		}
		if before <= 0 {
			return i
		}
		before--
	}
	return -1
}

func (m *Message) state(n Node) State {
	switch {
	case n.lit:
		return Value
	case string(n.raw) == `""`:
		return Null
	}
	for _, c := range n.raw {
		if d := &m.delims; c != d.Component && c != d.Repetition && c != d.Subcomponent {
			return Value
		}
	}
	return Empty
}

// eachNode yields the nodes of one segment that p selects; false = stopped.
func (m *Message) eachNode(seg []byte, p *path, yield func(Node) bool) bool {
	if p.field == 0 {
		return yield(Node{m: m, raw: seg, lit: true})
	}
	f, ok := field(seg, m.delims.Field, p.field)
	if !ok {
		return true
	}
	if p.field <= 2 && isHeader(seg) {
		return yield(Node{m: m, raw: f, lit: true})
	}
	if p.comp == 0 && !p.rep.given() {
		return yield(Node{m: m, raw: f})
	}
	if p.rep.which == all && len(f) == 0 {
		return true
	}
	return m.eachRepetition(f, &p.rep, func(start, end int) bool {
		b, ok := m.delims.leaf(f[start:end:end], p.comp, p.sub)
		return !ok || yield(Node{m: m, raw: b})
	})
}

// eachRepetition yields where in f the chosen repetitions stand.
func (m *Message) eachRepetition(f []byte, c *choice, yield func(start, end int) bool) bool {
	n := 0
	for start := 0; start <= len(f); {
		end := len(f)
		if d := m.delims.Repetition; d != 0 {
			if i := bytes.IndexByte(f[start:], d); i >= 0 {
				end = start + i
			}
		}
		if m.meets(f[start:end], c.conds) {
			n++
			switch {
			case c.which == all:
				if !yield(start, end) {
					return false
				}
			case n == max(c.which, 1):
				return yield(start, end)
			}
		}
		start = end + 1
	}
	return true
}

// meets tells whether a repetition fulfils the conditions of a field's selector.
func (m *Message) meets(rep []byte, conds []cond) bool {
	for i := range conds {
		k := &conds[i]
		b, _ := m.delims.leaf(rep, k.comp, k.sub)
		if !m.equal(b, k.text) {
			return false
		}
	}
	return true
}

// equal compares a node with the text of a condition: the node as a whole, or
// the first leaf below it, because a component that grew parts in a later
// version keeps its old meaning in the first of them.
func (m *Message) equal(b []byte, text string) bool {
	if m.delims.hasParts(b) {
		if m.decode(b) == text {
			return true
		}
		b, _ = part(b, m.delims.Repetition, 1)
		b, _ = m.delims.leaf(b, 1, 1)
	}
	return m.holds(b, text)
}

// holds tells whether text is the text of a leaf.
func (m *Message) holds(leaf []byte, text string) bool {
	if m.plain(leaf) {
		return string(leaf) == text
	}
	return m.text(leaf) == text
}

// plain tells whether the bytes of a leaf are its text.
func (m *Message) plain(b []byte) bool {
	return (m.cs.enc == nil || m.cs.wide || isASCII(b)) && (m.delims.Escape == 0 || bytes.IndexByte(b, m.delims.Escape) < 0)
}
