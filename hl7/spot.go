package hl7

import "bytes"

// A spot is where in a segment a value goes: seg[start:end] is replaced by the
// padding and the value. Padding is what is missing on the way down:
//
//	PID|1||9       PID-3(#2).4.2 = x:  start = end = 9, pad ~1 ^3 &1
//	PID|1||9~^^^&x
type spot struct {
	start, end int
	pad        [4]padding // field, repetition, component, subcomponent
}

type padding struct {
	delim byte
	n     int
}

// descend narrows s to part n of it, or to its end with padding if that is missing.
func (s *spot) descend(seg []byte, delim byte, n, level int) {
	if n > 1 {
		i := nth(seg[s.start:s.end], delim, n-1)
		if i < 0 {
			s.pad[level] = padding{delim, n - 1 - bytes.Count(seg[s.start:s.end], []byte{delim})}
			s.start = s.end
			return
		}
		s.start += i + 1
	}
	if delim == 0 {
		return
	}
	if i := index(seg[s.start:s.end], delim); i >= 0 {
		s.end = s.start + i
	}
}

// padding counts the delimiters that are missing on the way.
func (s *spot) padding() int { return s.pad[0].n + s.pad[1].n + s.pad[2].n + s.pad[3].n }

func (s *spot) missing() bool { return s.padding() > 0 }

// fill appends seg with v at the spot.
func (s *spot) fill(out, seg, v []byte) []byte {
	out = s.begin(append(out, seg[:s.start]...))
	return append(append(out, v...), seg[s.end:]...)
}

// begin appends the padding.
func (s *spot) begin(out []byte) []byte {
	for i := range s.pad {
		for range s.pad[i].n {
			out = append(out, s.pad[i].delim)
		}
	}
	return out
}

// spots appends to out where p's value goes in one segment, from left to right.
// With needed false only places that exist are given.
func (m *Message) spots(out []spot, seg []byte, p Path, needed bool) ([]spot, error) {
	d, n := &m.delims, p.p.field+1
	if isHeader(seg) {
		n--
	}
	f := spot{end: len(seg)}
	f.descend(seg, d.Field, n, 0)
	if p.p.sub > 1 && d.Subcomponent == 0 {
		return nil, refuse(p, "MSH-2 declares no subcomponent separator", "", nil)
	}
	reps, err := m.repetitions(out, seg, f, p)
	if err != nil {
		return nil, err
	}
	out = reps[:0]
	for _, s := range reps {
		if p.p.comp > 0 {
			s.descend(seg, d.Component, p.p.comp, 2)
		}
		if p.p.sub > 0 {
			s.descend(seg, d.Subcomponent, p.p.sub, 3)
		}
		if needed || !s.missing() {
			out = append(out, s)
		}
	}
	return out, nil
}

// repetitions appends the repetitions of field f that p means.
func (m *Message) repetitions(out []spot, seg []byte, f spot, p Path) ([]spot, error) {
	c := p.p.rep
	if !c.given() {
		if p.p.comp == 0 {
			return append(out, f), nil
		}
		c.which = 1
	}
	value := seg[f.start:f.end]
	if len(value) == 0 && c.which == all && len(c.conds) == 0 {
		return out, nil
	}
	m.eachRepetition(value, &c, func(start, end int) bool {
		s := f
		s.start, s.end = f.start+start, f.start+end
		out = append(out, s)
		return true
	})
	switch {
	case len(out) > 0:
		return out, nil
	case len(c.conds) > 0 || p.p.at.rep > 0: // an item that is gone is not made again
		return nil, refuse(p, ErrNoMatch.Error(), "", ErrNoMatch)
	case m.delims.Repetition == 0:
		return nil, refuse(p, "MSH-2 declares no repetition separator", "", nil)
	case len(value) == 0 || c.which != bytes.Count(value, []byte{m.delims.Repetition})+2:
		return nil, refuse(p, "repetition gap: an earlier one is missing", "only the next one can be made", ErrGap)
	}
	f.descend(seg, m.delims.Repetition, c.which, 1)
	return append(out, f), nil
}
