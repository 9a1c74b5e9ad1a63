package feedtest

import (
	"bytes"
	"fmt"
	"strings"
)

// Differences puts into words, one line each, how got differs from want: by
// segment, field and component where both are HL7 v2, by line otherwise.
func Differences(want, got []byte) []string {
	return differences(want, got, words{"expected %s %q, got %q", "missing", "unexpected"})
}

// Changes is Differences in the words of one who has changed a file.
func Changes(before, after []byte) []string {
	return differences(before, after, words{"%s was %q, is %q", "removed", "added"})
}

// words for a value that differs, and for what only one side has.
type words struct{ values, missing, more string }

func differences(want, got []byte, say words) []string {
	if sameLines(want, got) {
		return nil
	}
	if isBinary(want) || isBinary(got) {
		return []string{fmt.Sprintf("%d bytes and %d bytes, which differ from byte %d on", len(want), len(got), common(want, got))}
	}
	w, g := cutLines(want), cutLines(got)
	d := &differ{er7: isER7(w) && isER7(g), words: say}
	if d.er7 {
		d.cut = delimiters(w[0])
	}
	seen := map[string]int{}
	for _, p := range align(w, g, d.id) {
		d.pair(p, seen)
	}
	return d.out
}

// common is how many bytes both begin with.
func common(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func isER7(lines [][]byte) bool {
	return len(lines) > 0 && bytes.HasPrefix(lines[0], []byte("MSH")) && len(lines[0]) > 8
}

// delimiters of a message: field, repetition, component, subcomponent.
func delimiters(msh []byte) [4]byte { return [4]byte{msh[3], msh[5], msh[4], msh[7]} }

type differ struct {
	words
	er7 bool
	cut [4]byte
	// Lines so far of what was expected, and of what came.
	nWant, nGot int
	out         []string
}

func (d *differ) id(line []byte) string {
	if !d.er7 {
		return ""
	}
	id, _, _ := bytes.Cut(line, d.cut[:1])
	return string(id)
}

func (d *differ) say(format string, args ...any) { d.out = append(d.out, fmt.Sprintf(format, args...)) }

func (d *differ) pair(p pair, seen map[string]int) {
	if p.want != nil {
		d.nWant++
	}
	if p.got != nil {
		d.nGot++
	}
	if !d.er7 {
		d.line(p)
		return
	}
	line := p.want
	if line == nil {
		line = p.got
	}
	id := d.id(line)
	seen[id]++
	name := id
	if seen[id] > 1 {
		name = fmt.Sprintf("%s(#%d)", id, seen[id])
	}
	switch {
	case p.want == nil:
		d.say("%s segment %s: %q", d.more, name, p.got)
	case p.got == nil:
		d.say("%s segment %s: %q", d.missing, name, p.want)
	case !bytes.Equal(p.want, p.got):
		before := len(d.out)
		if d.segment(name, p.want, p.got); len(d.out) == before { // empty parts at the end
			d.say(d.values, "segment "+name, p.want, p.got)
		}
	}
}

func (d *differ) line(p pair) {
	switch {
	case p.want == nil:
		d.say("%s line %d: %q", d.more, d.nGot, p.got)
	case p.got == nil:
		d.say("%s line %d: %q", d.missing, d.nWant, p.want)
	case !bytes.Equal(p.want, p.got):
		d.say(d.values, fmt.Sprintf("line %d", d.nWant), p.want, p.got)
	}
}

// segment compares field by field. MSH-1 is the separator itself.
func (d *differ) segment(name string, want, got []byte) {
	shift := 0
	if strings.HasPrefix(name, "MSH") {
		shift = 1
	}
	w, g := bytes.Split(want, d.cut[:1]), bytes.Split(got, d.cut[:1])
	for i := range max(len(w), len(g)) {
		a, b := at(w, i), at(g, i)
		if bytes.Equal(a, b) {
			continue
		}
		field := fmt.Sprintf("%s-%d", name, i+shift)
		if shift == 1 && i <= 1 {
			d.say(d.values, field, a, b)
			continue
		}
		d.field(field, a, b)
	}
}

func (d *differ) field(name string, want, got []byte) {
	w, g := bytes.Split(want, d.cut[1:2]), bytes.Split(got, d.cut[1:2])
	if len(w) != len(g) {
		d.say(d.values, name, want, got)
		return
	}
	for i := range w {
		rep := name
		if i > 0 {
			rep = fmt.Sprintf("%s(#%d)", name, i+1)
		}
		d.components(rep, w[i], g[i])
	}
}

func (d *differ) components(name string, want, got []byte) {
	w, g := bytes.Split(want, d.cut[2:3]), bytes.Split(got, d.cut[2:3])
	if len(w) == 1 && len(g) == 1 {
		if !bytes.Equal(want, got) {
			d.say(d.values, name, want, got)
		}
		return
	}
	for i := range max(len(w), len(g)) {
		if a, b := at(w, i), at(g, i); !bytes.Equal(a, b) {
			d.say(d.values, fmt.Sprintf("%s.%d", name, i+1), a, b)
		}
	}
}

func at(parts [][]byte, i int) []byte {
	if i < len(parts) {
		return parts[i]
	}
	return nil
}
