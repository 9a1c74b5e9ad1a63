package forms

import (
	"fmt"
	"strings"
)

// ParseISO reads the extended form of ISO 8601 that XML Schema and FHIR use:
//
//	2026  2026-10  2026-10-01  2026-10-01T13  2026-10-01T13:45
//	2026-10-01T13:45:10  2026-10-01T13:45:10.123  each with a time also with Z, +01:00, +0100 or +01
//
// A blank for the T and a comma for the point are tolerated.
func ParseISO(s string) (Date, bool) {
	r := scanner{strings.TrimSpace(s)}
	var p parts
	ok := true
	if p.year, ok = r.digits(4); !ok {
		return Date{}, false
	}
	p.prec = Year
	for i, at := range []*int{&p.month, &p.day, &p.hour, &p.minute, &p.second} {
		if !r.one(isoBefore[i:i+1]) && !(i == 2 && r.one("t ")) {
			break
		}
		if *at, ok = r.digits(2); !ok {
			return Date{}, false
		}
		p.prec++
	}
	if p.prec == Second && r.one(".,") {
		if p.nano, p.digits, ok = r.fraction(9); !ok {
			return Date{}, false
		}
		p.prec = Fraction
	}
	if !r.isoOffset(&p) || !r.done() {
		return Date{}, false
	}
	return p.date()
}

// isoBefore is what stands before month, day, hour, minute and second.
const isoBefore = "--T::"

// isoOffset reads Z or an offset, which only a time may have; none is fine.
func (r *scanner) isoOffset(p *parts) bool {
	if r.done() {
		return true
	}
	if p.prec < Hour {
		return false
	}
	if p.zoned = r.one("Zz"); p.zoned {
		return true
	}
	p.offset, p.zoned = r.offset()
	return p.zoned
}

// FormatISO writes a date as ParseISO reads it, to its own precision. The offset
// of a date without a time is left out: ISO 8601 has none. No date gives "".
func FormatISO(d Date) string {
	if d.IsZero() {
		return ""
	}
	var b [40]byte
	out := fmt.Appendf(b[:0], "%04d", d.wall.Year())
	for i, v := range []int{int(d.wall.Month()), d.wall.Day(), d.wall.Hour(), d.wall.Minute(), d.wall.Second()} {
		if d.prec < Month+Precision(i) {
			break
		}
		out = fmt.Appendf(append(out, isoBefore[i]), "%02d", v)
	}
	if d.prec == Fraction {
		out = d.appendFraction(append(out, '.'), 9)
	}
	switch {
	case !d.zoned || d.prec < Hour:
	case d.offset == 0:
		out = append(out, 'Z')
	default:
		out = d.appendOffset(out, ":")
	}
	return string(out)
}
