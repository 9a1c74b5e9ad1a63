package expr

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/spine-engine/spine-engine/transforms/forms"
)

var dateType = cel.ObjectType("spine.Date", 0)

// dateVal is a date with the precision and the offset it was written with.
type dateVal struct {
	opaque
	date forms.Date
}

// Equal: the same moment, written to the same precision.
func (d *dateVal) Equal(o ref.Val) ref.Val {
	e, ok := o.(*dateVal)
	return types.Bool(ok && d.date.Precision() == e.date.Precision() && d.date.Compare(e.date) == 0)
}

func (d *dateVal) Value() any { return d }

func dateOr(d forms.Date, ok bool, otherwise Fault) ref.Val {
	if !ok || d.IsZero() {
		return types.WrapErr(otherwise)
	}
	return &dateVal{opaque{dateType}, d}
}

func dateOf(v ref.Val) forms.Date { return v.(*dateVal).date }

const (
	noDate     = Fault("date: the value is no HL7 date; ask is_date(...) first")
	outOfRange = Fault("the date is not written precisely enough for this, or leaves the years 1 to 9999")
)

// dateDefs are the functions that read dates and ask about them.
func (e *Env) dateDefs() []def {
	str, num, at := cel.StringType, cel.IntType, cel.TimestampType
	return []def{
		global("date", "date_text", def{args: []*cel.Type{str}, result: dateType, call: func(a ...ref.Val) ref.Val {
			d, ok := forms.ParseHL7(text(a[0]))
			return dateOr(d, ok, noDate)
		}}),
		global("date", "date_time", def{args: []*cel.Type{at}, result: dateType, call: func(a ...ref.Val) ref.Val {
			return &dateVal{opaque{dateType}, forms.DateOf(a[0].(types.Timestamp).Time, forms.Second)}
		}}),
		global("parse_date", "parse_date_form", def{args: []*cel.Type{str, str}, result: dateType, call: func(a ...ref.Val) ref.Val {
			d, ok := e.forms[text(a[1])].Parse(text(a[0]))
			return dateOr(d, ok, Fault("parse_date: the value has not the form "+text(a[1])+"; ask is_date(...) first"))
		}}),
		global("is_date", "is_date_text", fTB(func(s string) bool { _, ok := forms.ParseHL7(s); return ok })),
		global("is_date", "is_date_form", def{args: []*cel.Type{str, str}, result: cel.BoolType, call: func(a ...ref.Val) ref.Val {
			_, ok := e.forms[text(a[1])].Parse(text(a[0]))
			return types.Bool(ok)
		}}),
		global("age", "age_text_time", def{args: []*cel.Type{str, at}, result: num, call: func(a ...ref.Val) ref.Val {
			return age(text(a[0]), forms.DateOf(a[1].(types.Timestamp).Time, forms.Second))
		}}),
		global("age", "age_text_date", def{args: []*cel.Type{str, dateType}, result: num, call: func(a ...ref.Val) ref.Val {
			return age(text(a[0]), dateOf(a[1]))
		}}),
	}
}

func age(born string, on forms.Date) ref.Val {
	d, ok := forms.ParseHL7(born)
	if !ok {
		return failed("age: the date of birth is no HL7 date; ask is_date(...) first")
	}
	years, ok := d.Age(on)
	if !ok {
		return failed("age: a date is not written to the day, or the birth comes after the other date")
	}
	return types.Int(years)
}

// dateMembers are what a date can be asked and made into.
func (e *Env) dateMembers() []def {
	on := func(name string, args []*cel.Type, result *cel.Type, f func(d forms.Date, a []ref.Val) ref.Val) def {
		return member(name, "date_"+name, def{args: append([]*cel.Type{dateType}, args...), result: result,
			call: func(a ...ref.Val) ref.Val { return f(dateOf(a[0]), a[1:]) }})
	}
	str := []*cel.Type{cel.StringType}
	out := []def{
		on("format", str, cel.StringType, func(d forms.Date, a []ref.Val) ref.Val {
			s, ok := e.forms[text(a[0])].Format(d)
			if !ok {
				return failed("format: the date is less precise than the form " + text(a[0]) + "; put what may be missing in brackets")
			}
			return types.String(s)
		}),
		on("truncate", str, dateType, func(d forms.Date, a []ref.Val) ref.Val {
			p, _ := forms.ParsePrecision(text(a[0]))
			return dateOr(d.Truncate(p), true, outOfRange)
		}),
		on("inZone", str, dateType, func(d forms.Date, a []ref.Val) ref.Val {
			return dateOr(d.InZone(e.zones[text(a[0])]), true, outOfRange)
		}),
		on("precision", nil, cel.StringType, func(d forms.Date, _ []ref.Val) ref.Val { return types.String(d.Precision().String()) }),
		on("before", []*cel.Type{dateType}, cel.BoolType, func(d forms.Date, a []ref.Val) ref.Val { return types.Bool(d.Compare(dateOf(a[0])) < 0) }),
		on("after", []*cel.Type{dateType}, cel.BoolType, func(d forms.Date, a []ref.Val) ref.Val { return types.Bool(d.Compare(dateOf(a[0])) > 0) }),
		on("daysUntil", []*cel.Type{dateType}, cel.IntType, func(d forms.Date, a []ref.Val) ref.Val { return daysUntil(d, dateOf(a[0])) }),
	}
	for _, u := range []struct {
		name string
		unit forms.Precision
	}{{"plusYears", forms.Year}, {"plusMonths", forms.Month}, {"plusDays", forms.Day}, {"plusHours", forms.Hour}, {"plusMinutes", forms.Minute}} {
		out = append(out, on(u.name, []*cel.Type{cel.IntType}, dateType, func(d forms.Date, a []ref.Val) ref.Val {
			moved, ok := d.Add(int(number(a[0])), u.unit)
			return dateOr(moved, ok, outOfRange)
		}))
	}
	for i, name := range []string{"year", "month", "day", "hour", "minute", "second"} {
		out = append(out, on(name, nil, cel.IntType, func(d forms.Date, _ []ref.Val) ref.Val {
			if d.Precision() < forms.Year+forms.Precision(i) {
				return failed(name + ": the date is not written to the " + name)
			}
			y, mo, da, h, mi, s, _ := d.Wall()
			return types.Int([]int{y, mo, da, h, mi, s}[i])
		}))
	}
	return append(out, on("weekday", nil, cel.IntType, func(d forms.Date, _ []ref.Val) ref.Val { return weekday(d) }))
}

// weekday counts from Monday, 1, to Sunday, 7 (ISO 8601).
func weekday(d forms.Date) ref.Val {
	if d.Precision() < forms.Day {
		return failed("weekday: the date is not written to the day")
	}
	return types.Int((dayNumber(d)+2)%7 + 1)
}

func daysUntil(d, e forms.Date) ref.Val {
	if d.Precision() < forms.Day || e.Precision() < forms.Day {
		return failed("daysUntil: a date is not written to the day")
	}
	return types.Int(dayNumber(e) - dayNumber(d))
}

// dayNumber counts the days of the calendar; 1 January of the year 1, a Monday,
// is day 5 of the count (so that years before it are not negative).
func dayNumber(d forms.Date) int64 {
	y, m, day, _, _, _, _ := d.Wall()
	return civilDays(int64(y), int64(m), int64(day))
}

// civilDays counts days from 1 March of the year 0, in the Gregorian calendar:
// years of 365 days, a leap day at the end of each that has one, and months
// beginning with March, of which every five have 153 days.
func civilDays(y, m, d int64) int64 {
	if m <= 2 {
		y, m = y-1, m+12
	}
	return 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d - 1
}
