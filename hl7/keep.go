package hl7

import (
	"bytes"
	"maps"
	"slices"
)

// Keep removes everything but MSH and what the paths select. What they select of
// a segment keeps its place, the other parts of the segment become empty:
//
//	PID|1||77^^^RXX~88^^^NHS||A^B||19700101|F|..     keep PID-7, PID-5.2, PID-3(4=NHS)
//	PID|||88^^^NHS||^B||19700101
//
// Repetitions that are not selected go, and the others close up. A segment none
// of whose selected parts holds anything goes, and so does every segment that no
// path names. MSH stays whole, unless a path selects fields of it: then only
// these stay, and those that a message cannot be without (see needed).
func (m *Message) Keep(paths ...Path) error {
	tree := make(map[int]*chosen)
	for _, p := range paths {
		if p.p == nil {
			return refuse(p, "no selector", "", nil)
		}
		m.eachSegment(p.p, func(i int) bool {
			if tree[i] == nil {
				tree[i] = &chosen{}
			}
			for _, a := range m.anchorsIn(nil, i, p.p) {
				m.keepNode(tree[i], i, a)
			}
			return true
		})
	}
	return m.prune(tree)
}

// prune leaves MSH and what stands in the tree.
func (m *Message) prune(tree map[int]*chosen) error {
	order, next := []int{0}, make(map[int][]byte)
	if k := tree[0]; k != nil && !k.whole { // also where the fields listed are empty
		if b := m.trimmedHeader(m.content(0), k); !bytes.Equal(b, m.content(0)) {
			next[0] = b
		}
	}
	for i := 1; i < len(m.segs); i++ {
		k := tree[i]
		if k == nil || !k.whole && len(k.parts) == 0 {
			continue
		}
		order = append(order, i)
		if k.whole {
			continue
		}
		b, err := m.guardLineFeeds(Path{}, m.trimmed(m.content(i), k))
		if err != nil {
			return err
		}
		if !bytes.Equal(b, m.content(i)) {
			next[i] = b
		}
	}
	for i, b := range next {
		m.replace(i, b)
	}
	return m.Arrange(order)
}

// chosen is a node of which all is chosen, or some parts by number: of a segment
// its fields, then repetitions, components, subcomponents.
type chosen struct {
	whole bool
	parts map[int]*chosen
}

func (k *chosen) part(n int) *chosen {
	if k.parts == nil {
		k.parts = make(map[int]*chosen)
	}
	if k.parts[n] == nil {
		k.parts[n] = &chosen{}
	}
	return k.parts[n]
}

// keepNode notes one node of segment i, unless it is empty.
func (m *Message) keepNode(k *chosen, i int, a Anchor) {
	if a.field > 0 {
		b, lit := m.bytesOf(m.content(i), a)
		if m.state(Node{m: m, raw: b, lit: lit}) == Empty {
			return
		}
	}
	if a.comp > 0 && a.rep == 0 {
		a.rep = 1
	}
	for _, n := range []int{a.field, a.rep, a.comp, a.sub} {
		if n == 0 {
			break
		}
		k = k.part(n)
	}
	k.whole = true
}

// bytesOf gives the bytes of a node of a segment.
func (m *Message) bytesOf(seg []byte, a Anchor) (b []byte, lit bool) {
	b, _ = field(seg, m.delims.Field, a.field)
	if a.field <= 2 && isHeader(seg) {
		return b, true
	}
	if a.rep > 0 || a.comp > 0 {
		b, _ = part(b, m.delims.Repetition, max(a.rep, 1))
		b, _ = m.delims.leaf(b, a.comp, a.sub)
	}
	return b, false
}

// trimmed writes a segment with only what is kept of it.
func (m *Message) trimmed(seg []byte, k *chosen) []byte {
	d, at := &m.delims, 0
	out := append(make([]byte, 0, len(seg)), seg[:3]...)
	for _, n := range slices.Sorted(maps.Keys(k.parts)) {
		for ; at < n; at++ {
			out = append(out, d.Field)
		}
		f, _ := field(seg, d.Field, n)
		out = m.trimField(out, f, k.parts[n])
	}
	return out
}

// needed are the fields of MSH without which a message is none, or would be read
// as another one: type, control id, processing id, version, character set.
var needed = [...]int{9, 10, 11, 12, 18}

// trimmedHeader is trimmed for MSH, whose field 1 is the separator:
//
//	MSH|^~\&|A|B|..      part n = field n
func (m *Message) trimmedHeader(seg []byte, k *chosen) []byte {
	for _, n := range needed {
		if f, ok := field(seg, m.delims.Field, n); ok && len(f) > 0 {
			k.part(n).whole = true
		}
	}
	encoding, _ := field(seg, m.delims.Field, 2)
	out := append(make([]byte, 0, len(seg)), seg[:4]...)
	out, at := append(out, encoding...), 2
	for _, n := range slices.Sorted(maps.Keys(k.parts)) {
		if n <= 2 {
			continue
		}
		for ; at < n; at++ {
			out = append(out, m.delims.Field)
		}
		f, _ := field(seg, m.delims.Field, n)
		out = m.trimField(out, f, k.parts[n])
	}
	return out
}

func (m *Message) trimField(out, f []byte, k *chosen) []byte {
	if k.whole {
		return append(out, f...)
	}
	for i, n := range slices.Sorted(maps.Keys(k.parts)) {
		if i > 0 {
			out = append(out, m.delims.Repetition)
		}
		rep, _ := part(f, m.delims.Repetition, n)
		out = trimParts(out, rep, k.parts[n], m.delims.Component, m.delims.Subcomponent)
	}
	return out
}

// trimParts writes a repetition or component; the delimiters are those of its
// parts and of the parts of these.
func trimParts(out, b []byte, k *chosen, delim, below byte) []byte {
	if k.whole {
		return append(out, b...)
	}
	at := 1
	for _, n := range slices.Sorted(maps.Keys(k.parts)) {
		for ; at < n; at++ {
			out = append(out, delim)
		}
		p, _ := part(b, delim, n)
		out = trimParts(out, p, k.parts[n], below, 0)
	}
	return out
}

// Cut makes a message of MSH, what the paths select, and one part of this
// message, all in the order of this message. m stays as it is.
//
// Of several patients the paths see only the one that the part belongs to, and
// what stands before the first PID: the orders of one patient are never put
// under the name of another.
func (m *Message) Cut(part Anchor, paths ...Path) (*Message, error) {
	in := m.anchored(nil, &part)
	if len(in) == 0 {
		return nil, &SetError{Selector: "a part", Text: "it is no longer in the message", Err: ErrNoMatch}
	}
	c := m.Clone()
	if own := m.ownPatient(in); own != nil {
		if err := c.Arrange(own); err != nil {
			return nil, err
		}
	}
	self := &path{at: part, seg: step{id: part.id}, field: part.field, comp: part.comp, sub: part.sub, text: "a part"}
	self.rep.which = part.rep
	if err := c.Keep(append(paths[:len(paths):len(paths)], Path{self})...); err != nil {
		return nil, err
	}
	return c, nil
}

// ownPatient gives the segments without those of other patients than the one
// to which the part belongs that begins at in[0]; nil for all.
func (m *Message) ownPatient(in []int) []int {
	var pids []int
	for i := range m.segs {
		if m.is(i, "PID") {
			pids = append(pids, i)
		}
	}
	if len(pids) < 2 || in[0] < pids[0] {
		return nil
	}
	n := len(pids) - 1
	for pids[n] > in[0] {
		n--
	}
	from, to := pids[n], len(m.segs)
	if n+1 < len(pids) {
		to = pids[n+1]
	}
	var own []int
	for i := range m.segs {
		if i < pids[0] || i >= from && i < to || slices.Contains(in, i) {
			own = append(own, i)
		}
	}
	return own
}
