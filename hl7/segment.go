package hl7

// A tag is a segment id as a number, so that the segments of one kind are found
// without a look at their bytes; 0 for a line without an id.
type tag uint32

func tagOf(line []byte, sep byte) tag {
	if len(line) < 3 || len(line) > 3 && line[3] != sep {
		return 0
	}
	return tag(line[0])<<16 | tag(line[1])<<8 | tag(line[2])
}

func tagFor(id string) tag {
	if len(id) != 3 {
		return 0
	}
	return tag(id[0])<<16 | tag(id[1])<<8 | tag(id[2])
}

// field gives field n (from 1) of a segment.
//
//	PID|1||9       part 1 = PID, field n = part n+1
//	MSH|^~\&|A     MSH-1 is the separator itself, so field n = part n
//
// ok is false when the segment ends before it.
func field(seg []byte, sep byte, n int) (b []byte, ok bool) {
	if !isHeader(seg) {
		return part(seg, sep, n+1)
	}
	if n == 1 {
		if len(seg) < 4 {
			return nil, false
		}
		return seg[3:4], true
	}
	return part(seg, sep, n)
}

// isHeader: the three segments whose field 1 is the separator.
func isHeader(seg []byte) bool {
	if len(seg) < 3 || seg[1] != 'S' && seg[1] != 'H' {
		return false
	}
	switch string(seg[:3]) {
	case "MSH", "FHS", "BHS":
		return true
	}
	return false
}

// part gives the n-th (from 1) of the parts of b. A delimiter of 0 does not
// exist: all of b is part 1.
func part(b []byte, delim byte, n int) (p []byte, ok bool) {
	if delim == 0 {
		return b, n == 1
	}
	if n > 1 {
		i := nth(b, delim, n-1)
		if i < 0 {
			return nil, false
		}
		b = b[i+1:]
	}
	if i := index(b, delim); i >= 0 {
		return b[:i:i], true
	}
	return b, true
}

// leaf gives component c, subcomponent s (0 = not asked for) of a repetition.
func (d *Delimiters) leaf(rep []byte, c, s int) (b []byte, ok bool) {
	if c == 0 {
		return rep, true
	}
	if b, ok = part(rep, d.Component, c); !ok || s == 0 {
		return b, ok
	}
	return part(b, d.Subcomponent, s)
}
