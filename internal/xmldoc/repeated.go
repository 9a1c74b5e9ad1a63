package xmldoc

import (
	"bytes"
	"hash/maphash"
)

// table finds repeated names among the attributes of one tag. Up to 8 are
// compared with each other; beyond that they are hashed with a seed of the
// process, so that no sender can choose names that collide.
type table struct {
	seed  maphash.Seed
	slots []slot
	round uint32
	few   bool
	names []tabled
}

type slot struct {
	round uint32
	entry int32
}

type tabled struct {
	space    uint16
	from, to int
}

func (t *table) clear(attrs int) {
	t.names = t.names[:0]
	if t.few = attrs <= 8; t.few {
		return
	}
	size := 32
	for size < 2*attrs {
		size *= 2
	}
	if len(t.slots) < size {
		t.slots, t.round, t.seed = make([]slot, size), 0, maphash.MakeSeed()
	}
	t.round++
}

// add notes the name of attribute i, from at to its end; false if it is there already.
func (t *table) add(s *scanner, i, at int) bool {
	a := &s.attrs[i]
	n := tabled{a.space, at, a.nameEnd}
	same := func(o tabled) bool { return o.space == n.space && bytes.Equal(s.b[o.from:o.to], s.b[n.from:n.to]) }
	t.names = append(t.names, n)
	if t.few {
		for _, o := range t.names[:len(t.names)-1] {
			if same(o) {
				return false
			}
		}
		return true
	}
	mask := len(t.slots) - 1
	h := int(maphash.Bytes(t.seed, s.b[n.from:n.to])+uint64(n.space)*0x9E3779B97F4A7C15) & mask
	for ; t.slots[h].round == t.round; h = (h + 1) & mask {
		if same(t.names[t.slots[h].entry]) {
			return false
		}
	}
	t.slots[h] = slot{t.round, int32(len(t.names) - 1)}
	return true
}
