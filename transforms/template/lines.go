package template

import "strings"

// dropTagLines takes out the lines that hold nothing but block tags and blanks:
//
//	PV1|1|I⏎
//	  {{each OBX(*) as obx}}⏎     this line leaves nothing behind
//	OBX|...
func dropTagLines(ps []piece) {
	for i := 0; i < len(ps); i++ {
		if ps[i].kind < each || !opensLine(ps, i) {
			continue
		}
		j := i + 1
		for j < len(ps) && (ps[j].kind >= each || ps[j].blankWithin()) {
			j++
		}
		rest := 0
		if j < len(ps) {
			if rest = lineRest(ps[j]); rest < 0 {
				continue
			}
		}
		if i > 0 {
			ps[i-1].src = strings.TrimRight(ps[i-1].src, " \t")
		}
		for k := i; k < j; k++ {
			if ps[k].kind == text {
				ps[k].src = ""
			}
		}
		if j < len(ps) {
			ps[j].src = ps[j].src[rest:]
		}
		i = j - 1
	}
}

// opensLine tells whether only blanks stand before piece i on its line.
func opensLine(ps []piece, i int) bool {
	if i == 0 {
		return true
	}
	p := ps[i-1]
	if p.kind != text {
		return false
	}
	before := strings.TrimRight(p.whole, " \t")
	return before == "" && i == 1 || strings.HasSuffix(before, "\n")
}

// blankWithin tells whether a piece is blanks that end no line.
func (p *piece) blankWithin() bool {
	return p.kind == text && strings.Trim(p.whole, " \t") == ""
}

// lineRest is the length of what a text has up to and with its first line end, when
// that is blank; -1 otherwise.
func lineRest(p piece) int {
	if p.kind != text {
		return -1
	}
	i := strings.IndexByte(p.whole, '\n')
	if i < 0 || strings.Trim(p.whole[:i], " \t\r") != "" {
		return -1
	}
	return i + 1
}
