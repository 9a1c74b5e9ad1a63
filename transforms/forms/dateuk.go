package forms

import (
	"fmt"
	"strings"
)

// ParseUK reads dates as people in the United Kingdom write them, the day first:
//
//	01-Oct-2026  1 October 2026  01/10/2026  1.10.2026  Oct-2026  10/2026  2026
//
// with a time behind a blank: 13:45 or 13:45:10. Years have four digits: 01/10/26
// is not guessed at.
func ParseUK(s string) (Date, bool) {
	r := scanner{strings.Join(strings.Fields(s), " ")}
	var p parts
	if !r.ukDay(&p) {
		return Date{}, false
	}
	if p.prec == Day && r.one(" ") && !r.clock(&p) {
		return Date{}, false
	}
	if !r.done() {
		return Date{}, false
	}
	return p.date()
}

// ukDay reads up to the year: the year alone, or month and year, or all three. A
// scanner is a value, so each try starts afresh.
func (r *scanner) ukDay(p *parts) (ok bool) {
	try := *r
	if p.year, ok = try.digits(4); ok && try.done() {
		p.prec, *r = Year, try
		return true
	}
	try = *r
	if try.ukMonthYear(p) && try.done() {
		p.prec, *r = Month, try
		return true
	}
	p.prec = Day
	p.day, ok = r.upTo(2)
	return ok && r.one("-/. ") && r.ukMonthYear(p)
}

// ukMonthYear reads Oct-2026, October 2026, 10/2026.
func (r *scanner) ukMonthYear(p *parts) (ok bool) {
	if p.month, ok = r.month(); !ok {
		if p.month, ok = r.upTo(2); !ok {
			return false
		}
	}
	if !r.one("-/. ") {
		return false
	}
	p.year, ok = r.digits(4)
	return ok
}

// clock reads 13:45 or 13:45:10.
func (r *scanner) clock(p *parts) (ok bool) {
	if p.hour, ok = r.digits(2); !ok || !r.one(":") {
		return false
	}
	if p.minute, ok = r.digits(2); !ok {
		return false
	}
	p.prec = Minute
	if r.one(":") {
		p.prec = Second
		p.second, ok = r.digits(2)
	}
	return ok
}

// FormatUK writes a date as the NHS common user interface does, to its own
// precision: 01-Oct-2026 13:45. It shows neither offset nor fraction, and an hour
// alone as 13:00. No date gives "".
func FormatUK(d Date) string {
	month := monthNames[d.wall.Month()-1][:3]
	switch d.prec {
	case None:
		return ""
	case Year:
		return fmt.Sprintf("%04d", d.wall.Year())
	case Month:
		return fmt.Sprintf("%s-%04d", month, d.wall.Year())
	}
	out := fmt.Sprintf("%02d-%s-%04d", d.wall.Day(), month, d.wall.Year())
	if d.prec >= Hour {
		out += fmt.Sprintf(" %02d:%02d", d.wall.Hour(), d.wall.Minute())
	}
	if d.prec >= Second {
		out += fmt.Sprintf(":%02d", d.wall.Second())
	}
	return out
}
