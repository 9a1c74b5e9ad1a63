package xmldoc

import (
	"math"
	"strconv"
	"strings"
)

// compare is section 3.4 of XPath 1.0.
func (r *run) compare(op string, a, b value) bool {
	switch {
	case a.kind == nodes && b.kind == nodes:
		return r.compareSets(op, a.set, b.set)
	case a.kind == truth || b.kind == truth:
		if op == "=" || op == "!=" {
			return (r.truth(a) == r.truth(b)) == (op == "=")
		}
		return figures(op, asNumber(r.truth(a), a, r), asNumber(r.truth(b), b, r))
	case a.kind == nodes:
		return r.compareSet(op, a.set, b)
	case b.kind == nodes:
		return r.compareSet(mirrored(op), b.set, a)
	case op != "=" && op != "!=" || a.kind == figure || b.kind == figure:
		return figures(op, r.number(a), r.number(b))
	}
	return (a.s == b.s) == (op == "=")
}

// asNumber: a set compared with a truth counts as a truth itself.
func asNumber(t bool, v value, r *run) float64 {
	if v.kind != nodes {
		return r.number(v)
	}
	return r.number(value{kind: truth, b: t})
}

func mirrored(op string) string {
	switch op {
	case "<":
		return ">"
	case "<=":
		return ">="
	case ">":
		return "<"
	case ">=":
		return "<="
	}
	return op
}

func figures(op string, x, y float64) bool {
	switch op {
	case "=":
		return x == y
	case "!=":
		return x != y
	case "<":
		return x < y
	case "<=":
		return x <= y
	case ">":
		return x > y
	}
	return x >= y
}

// compareSet: one node of the set suffices.
func (r *run) compareSet(op string, set []uint32, b value) bool {
	asText := b.kind == text && (op == "=" || op == "!=")
	for _, i := range set {
		s := r.text(i)
		if r.err != nil {
			return false
		}
		if asText && (s == b.s) == (op == "=") || !asText && figures(op, parseNumber(s), r.number(b)) {
			return true
		}
	}
	return false
}

// compareSets: one pair suffices. It takes time by the sum of both, not by the product.
func (r *run) compareSets(op string, a, b []uint32) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	switch op {
	case "=", "!=":
		return r.equalSets(op == "=", a, b)
	case ">", ">=":
		return r.compareSets(mirrored(op), b, a)
	}
	least, most := math.Inf(1), math.Inf(-1)
	some := [2]bool{}
	for k, set := range [2][]uint32{a, b} {
		for _, i := range set {
			f := parseNumber(r.text(i))
			if math.IsNaN(f) {
				continue
			}
			if some[k] = true; k == 0 {
				least = min(least, f)
			} else {
				most = max(most, f)
			}
		}
	}
	return some[0] && some[1] && figures(op, least, most)
}

// equalSets finds a pair that is equal, or one that differs: all are the same
// only if both sets hold one same text.
func (r *run) equalSets(equal bool, a, b []uint32) bool {
	if !equal {
		first := r.text(a[0])
		for _, set := range [2][]uint32{b, a} {
			for _, i := range set {
				if r.text(i) != first {
					return r.err == nil
				}
			}
		}
		return false
	}
	have := make(map[string]bool, len(a))
	for _, i := range a {
		have[r.text(i)] = true
	}
	for _, i := range b {
		if have[r.text(i)] {
			return r.err == nil
		}
	}
	return false
}

// parseNumber is number() of a text (section 4.4): no exponent, no plus sign.
func parseNumber(s string) float64 {
	s = strings.Trim(s, " \t\r\n")
	digits := strings.TrimPrefix(s, "-")
	some := false
	dots := 0
	for i := range len(digits) {
		switch c := digits[i]; {
		case digit(c):
			some = true
		case c == '.':
			dots++
		default:
			return math.NaN()
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if !some || dots > 1 || err != nil && !math.IsInf(f, 0) {
		return math.NaN()
	}
	return f
}

// formatNumber is string() of a number (section 4.2).
func formatNumber(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		return "0"
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
