package forms

import (
	"fmt"
	"strings"
)

// ParseHL7 reads a TS or DTM (HL7 v2.5.1, chapter 2A.22):
//
//	YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]
//
// Blanks behind it and a colon in the offset, which senders write, are tolerated.
func ParseHL7(s string) (Date, bool) {
	r := scanner{strings.TrimRight(s, " ")}
	var p parts
	ok := true
	if p.year, ok = r.digits(4); !ok {
		return Date{}, false
	}
	p.prec = Year
	for _, at := range []*int{&p.month, &p.day, &p.hour, &p.minute, &p.second} {
		if *at, ok = r.digits(2); !ok {
			break
		}
		p.prec++
	}
	if p.prec == Second && r.one(".") {
		if p.nano, p.digits, ok = r.fraction(4); !ok {
			return Date{}, false
		}
		p.prec = Fraction
	}
	if !r.done() {
		if p.offset, p.zoned = r.offset(); !p.zoned {
			return Date{}, false
		}
	}
	if !r.done() {
		return Date{}, false
	}
	return p.date()
}

// FormatHL7 writes a date as ParseHL7 reads it, to its own precision; more than
// four digits of a fraction are cut. No date gives "".
func FormatHL7(d Date) string {
	if d.IsZero() {
		return ""
	}
	var b [32]byte
	year := d.wall.Year()
	out := twoDigits(twoDigits(b[:0], year/100), year%100)
	for i, v := range []int{int(d.wall.Month()), d.wall.Day(), d.wall.Hour(), d.wall.Minute(), d.wall.Second()} {
		if d.prec < Month+Precision(i) {
			break
		}
		out = twoDigits(out, v)
	}
	if d.prec == Fraction {
		out = d.appendFraction(append(out, '.'), 4)
	}
	if d.zoned {
		out = d.appendOffset(out, "")
	}
	return string(out)
}

// twoDigits writes a number below 100.
func twoDigits(out []byte, n int) []byte { return append(out, byte('0'+n/10), byte('0'+n%10)) }

// appendFraction writes the fraction to its own digits, most at the most.
func (d Date) appendFraction(out []byte, most int) []byte {
	digits := fmt.Sprintf("%09d", d.wall.Nanosecond())
	return append(out, digits[:min(int(d.digits), most)]...)
}

// appendOffset writes +hh, what is between, and mm.
func (d Date) appendOffset(out []byte, between string) []byte {
	sign, minutes := byte('+'), d.offset/60
	if minutes < 0 {
		sign, minutes = '-', -minutes
	}
	out = append(out, sign)
	return fmt.Appendf(out, "%02d%s%02d", minutes/60, between, minutes%60)
}
