package forms

import "time"

// Truncate cuts d to a precision; a coarser one stays as it is, for what was not
// written is not made up. A date without a time loses its offset: it says nothing
// about a day of the calendar.
func (d Date) Truncate(p Precision) Date {
	if p == None || p >= d.prec {
		return d
	}
	d.wall, d.prec, d.digits = cut(d.wall, p), p, 0
	if p < Hour {
		d.zoned, d.offset = false, 0
	}
	return d
}

// cut sets what is finer than p to its beginning.
func cut(w time.Time, p Precision) time.Time {
	switch p {
	case Year:
		return time.Date(w.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	case Month:
		return time.Date(w.Year(), w.Month(), 1, 0, 0, 0, 0, time.UTC)
	case Fraction:
		return w
	}
	return w.Truncate(lengthOf(p))
}

// lengthOf a day, hour, minute or second of a clock that is never changed.
func lengthOf(p Precision) time.Duration {
	switch p {
	case Day:
		return 24 * time.Hour
	case Hour:
		return time.Hour
	case Minute:
		return time.Minute
	}
	return time.Second
}

// Add moves d by n units (Year to Second). Month and year keep the day of the
// month, or take the last day of a shorter one. The offset stays as it is. ok is
// false when d is less precise than the unit (a year has no tomorrow), and when
// the result leaves the years 1 to 9999.
func (d Date) Add(n int, unit Precision) (moved Date, ok bool) {
	const most = 1 << 40 // seconds in more than ten thousand years
	if d.IsZero() || unit == None || unit > Second || unit > d.prec || n > most || n < -most {
		return Date{}, false
	}
	switch unit {
	case Year:
		if n > 9999 || n < -9999 {
			return Date{}, false
		}
		return d.addMonths(12 * n)
	case Month:
		return d.addMonths(n)
	}
	seconds := int(lengthOf(unit) / time.Second)
	if n > most/seconds || n < -most/seconds {
		return Date{}, false
	}
	return d.at(time.Unix(d.wall.Unix()+int64(n*seconds), int64(d.wall.Nanosecond())).UTC())
}

// AddYears moves d by years.
func (d Date) AddYears(n int) (Date, bool) { return d.Add(n, Year) }

// AddMonths moves d by months.
func (d Date) AddMonths(n int) (Date, bool) { return d.Add(n, Month) }

// AddDays moves d by days.
func (d Date) AddDays(n int) (Date, bool) { return d.Add(n, Day) }

func (d Date) addMonths(n int) (Date, bool) {
	if n > 120000 || n < -120000 {
		return Date{}, false
	}
	w := d.wall
	first := time.Date(w.Year(), w.Month()+time.Month(n), 1, w.Hour(), w.Minute(), w.Second(), w.Nanosecond(), time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return d.at(first.AddDate(0, 0, min(w.Day(), last)-1))
}

// at is d at another time of the wall clock.
func (d Date) at(wall time.Time) (Date, bool) {
	if y := wall.Year(); y < 1 || y > 9999 {
		return Date{}, false
	}
	d.wall = wall
	return d, true
}

// InZone writes d as clocks in loc show it, with the offset in force there then. A
// date without an offset is taken as the time in loc already. A date without a
// time has no zone and stays as it is.
//
// When clocks go back an hour comes twice: a time in it is taken as its first
// coming. When they go forward an hour is left out: a time in it is taken as the
// clocks would show had they not been moved yet.
func (d Date) InZone(loc *time.Location) Date {
	if d.prec < Hour || loc == nil {
		return d
	}
	if !d.zoned {
		d.zoned, d.offset = true, offsetOfWall(d.wall, loc)
		return d
	}
	instant := d.wall.Unix() - int64(d.offset)
	off := offsetAt(instant, loc)
	if d.prec == Hour && (off-d.offset)%3600 != 0 {
		d.prec = Minute
	}
	d.offset = off
	moved, ok := d.at(time.Unix(instant+int64(off), int64(d.wall.Nanosecond())).UTC())
	if !ok {
		return Date{}
	}
	return moved
}

func offsetAt(unix int64, loc *time.Location) int {
	_, off := time.Unix(unix, 0).In(loc).Zone()
	return off - off%60 // offsets before standard time had seconds, which no form can write
}

// offsetOfWall finds the offset at which clocks in loc show wall.
func offsetOfWall(wall time.Time, loc *time.Location) int {
	before := offsetAt(wall.Unix()-86400, loc)
	after := offsetAt(wall.Unix()+86400, loc)
	for _, off := range []int{before, after} {
		if offsetAt(wall.Unix()-int64(off), loc) == off {
			return off
		}
	}
	return before
}

// Time is the instant at which d begins. Without an offset it is taken as the time
// in loc; ok is false when there is neither.
func (d Date) Time(loc *time.Location) (t time.Time, ok bool) {
	if d.IsZero() || !d.zoned && loc == nil {
		return time.Time{}, false
	}
	zone, off := loc, d.offset
	if d.zoned {
		zone = time.FixedZone("", d.offset)
	} else {
		off = offsetOfWall(d.wall, loc)
	}
	return time.Unix(d.wall.Unix()-int64(off), int64(d.wall.Nanosecond())).In(zone), true
}

// Age is how many whole years d, a date of birth, lies before on; both as they
// are written, whatever their offsets. ok is false when either is not written to
// the day, and when on comes first. Who was born on 29 February is a year older
// on 1 March of common years.
func (d Date) Age(on Date) (years int, ok bool) {
	if d.prec < Day || on.prec < Day {
		return 0, false
	}
	years = on.wall.Year() - d.wall.Year()
	m, dm := on.wall.Month(), d.wall.Month()
	if m < dm || m == dm && on.wall.Day() < d.wall.Day() {
		years--
	}
	return years, years >= 0
}

// Compare is -1, 0 or 1 as d lies before, at or after e, told at the precision of
// the coarser one: 2026 against 20261001 is 0. Instants are compared when both
// have a time and an offset, else what is written. No date comes before all others.
func (d Date) Compare(e Date) int {
	if d.zoned && e.zoned && d.prec >= Hour && e.prec >= Hour {
		e.wall = e.wall.Add(time.Duration(d.offset-e.offset) * time.Second)
	}
	p := min(d.prec, e.prec)
	if p == None {
		return int(min(d.prec, 1)) - int(min(e.prec, 1))
	}
	return cut(d.wall, p).Compare(cut(e.wall, p))
}
