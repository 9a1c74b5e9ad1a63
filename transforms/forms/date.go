package forms

import "time"

// Precision is how much of a date was written.
type Precision uint8

// The precisions, coarse to fine. None is the precision of no date.
const (
	None Precision = iota
	Year
	Month
	Day
	Hour
	Minute
	Second
	Fraction
)

var precisionNames = [...]string{"none", "year", "month", "day", "hour", "minute", "second", "fraction"}

func (p Precision) String() string {
	if int(p) < len(precisionNames) {
		return precisionNames[p]
	}
	return "unknown"
}

// PrecisionNames lists the names that ParsePrecision knows, coarse to fine.
func PrecisionNames() []string { return append([]string(nil), precisionNames[1:]...) }

// ParsePrecision is the inverse of String; false for a name that is none.
func ParsePrecision(name string) (Precision, bool) {
	for i, n := range precisionNames[1:] {
		if n == name {
			return Precision(i + 1), true
		}
	}
	return None, false
}

// Date is a date, with or without a time of day, as it was written: with its
// precision, the digits of its fraction, and its offset from UTC or none. The
// zero Date is no date. It is a value; methods give new ones.
type Date struct {
	wall   time.Time // what clock and calendar show, kept as if it were UTC
	prec   Precision
	digits uint8 // of the fraction, 1 to 9
	zoned  bool
	offset int // seconds east of UTC
}

// IsZero reports whether d is no date.
func (d Date) IsZero() bool { return d.prec == None }

// Precision is how much of d was written.
func (d Date) Precision() Precision { return d.prec }

// Digits is the number of digits of the fraction of a second, 0 when it has none.
func (d Date) Digits() int { return int(d.digits) }

// Offset is the offset from UTC that was written, in seconds east of it.
func (d Date) Offset() (seconds int, written bool) { return d.offset, d.zoned }

// Wall gives what was written as numbers: month, day and the rest are 1 or 0 where
// the precision does not reach them.
func (d Date) Wall() (year, month, day, hour, minute, second, nanosecond int) {
	w := d.wall
	return w.Year(), int(w.Month()), w.Day(), w.Hour(), w.Minute(), w.Second(), w.Nanosecond()
}

// DateOf is t as a Date of the given precision, with t's own offset. A fraction
// gets three digits.
func DateOf(t time.Time, p Precision) Date {
	_, off := t.Zone()
	off -= off % 60
	w := time.Unix(t.Unix()+int64(off), int64(t.Nanosecond())).UTC().Truncate(time.Millisecond)
	return Date{wall: w, prec: Fraction, digits: 3, zoned: true, offset: off}.Truncate(p)
}

// parts are the numbers of a date that a reader found.
type parts struct {
	year, month, day, hour, minute, second, nano int
	prec                                         Precision
	digits                                       int
	zoned                                        bool
	offset                                       int
}

// date checks the numbers against the calendar: there is no 31 February, no hour
// 24, no second 60 and no year 0.
func (p *parts) date() (Date, bool) {
	if p.prec == None || p.year < 1 || p.year > 9999 {
		return Date{}, false
	}
	month, day := p.month, p.day
	if p.prec < Month {
		month = 1
	}
	if p.prec < Day {
		day = 1
	}
	if p.hour > 23 || p.minute > 59 || p.second > 59 {
		return Date{}, false
	}
	w := time.Date(p.year, time.Month(month), day, p.hour, p.minute, p.second, p.nano, time.UTC)
	if w.Year() != p.year || int(w.Month()) != month || w.Day() != day {
		return Date{}, false
	}
	return Date{wall: w, prec: p.prec, digits: uint8(p.digits), zoned: p.zoned, offset: p.offset}, true
}
