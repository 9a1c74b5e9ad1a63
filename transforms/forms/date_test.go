package forms_test

import (
	"testing"
	"time"

	"github.com/spine-engine/spine-engine/transforms/forms"
)

func london(t testing.TB) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Skipf("no zone data here: %v", err)
	}
	return loc
}

func hl7(t testing.TB, s string) forms.Date {
	t.Helper()
	d, ok := forms.ParseHL7(s)
	if !ok {
		t.Fatalf("%q is a date", s)
	}
	return d
}

// Every form keeps the precision and the offset, where it has a way to write them.
func TestDateForms(t *testing.T) {
	for _, c := range []struct {
		hl7, iso, uk string
		p            forms.Precision
	}{
		{"2026", "2026", "2026", forms.Year},
		{"202610", "2026-10", "Oct-2026", forms.Month},
		{"20261001", "2026-10-01", "01-Oct-2026", forms.Day},
		{"2026100113", "2026-10-01T13", "01-Oct-2026 13:00", forms.Hour},
		{"202610011345", "2026-10-01T13:45", "01-Oct-2026 13:45", forms.Minute},
		{"20261001134510", "2026-10-01T13:45:10", "01-Oct-2026 13:45:10", forms.Second},
		{"20261001134510.1", "2026-10-01T13:45:10.1", "01-Oct-2026 13:45:10", forms.Fraction},
		{"20261001134510.0120", "2026-10-01T13:45:10.0120", "01-Oct-2026 13:45:10", forms.Fraction},
		{"20261001134510+0000", "2026-10-01T13:45:10Z", "01-Oct-2026 13:45:10", forms.Second},
		{"20261001134510.5-0330", "2026-10-01T13:45:10.5-03:30", "01-Oct-2026 13:45:10", forms.Fraction},
		{"202610011345+0100", "2026-10-01T13:45+01:00", "01-Oct-2026 13:45", forms.Minute},
		{"20261001+0100", "2026-10-01", "01-Oct-2026", forms.Day},
		{"20240229", "2024-02-29", "29-Feb-2024", forms.Day},
		{"00010101", "0001-01-01", "01-Jan-0001", forms.Day},
		{"99991231", "9999-12-31", "31-Dec-9999", forms.Day},
	} {
		d := hl7(t, c.hl7)
		if d.Precision() != c.p || forms.FormatHL7(d) != c.hl7 || forms.FormatISO(d) != c.iso || forms.FormatUK(d) != c.uk {
			t.Errorf("%s: %s, %s, %s, %s", c.hl7, d.Precision(), forms.FormatHL7(d), forms.FormatISO(d), forms.FormatUK(d))
		}
		if i, ok := forms.ParseISO(c.iso); !ok || forms.FormatISO(i) != c.iso || i.Precision() != c.p {
			t.Errorf("iso %s does not come back: %v", c.iso, ok)
		}
		if u, ok := forms.ParseUK(c.uk); !ok || forms.FormatUK(u) != c.uk {
			t.Errorf("uk %s does not come back: %v", c.uk, ok)
		}
	}
}

func TestDatesOthersWrite(t *testing.T) {
	read := map[string]func(string) (forms.Date, bool){"hl7": forms.ParseHL7, "iso": forms.ParseISO, "uk": forms.ParseUK}
	for _, c := range []struct{ form, in, want string }{
		{"hl7", "20261001  ", "20261001"},
		{"hl7", "202610011345+01:00", "202610011345+0100"},
		{"hl7", "2026+0100", "2026+0100"},
		{"hl7", "", ""}, {"hl7", " ", ""}, {"hl7", "202", ""}, {"hl7", "20261", ""}, {"hl7", "202613", ""}, {"hl7", "20260231", ""}, {"hl7", "20250229", ""},
		{"hl7", "00000101", ""}, {"hl7", "2026100124", ""}, {"hl7", "202610011360", ""}, {"hl7", "20261001134560", ""}, {"hl7", "20261001134510.", ""},
		{"hl7", "20261001134510.12345", ""}, {"hl7", "202610011345.5", ""}, {"hl7", "20261001+2500", ""}, {"hl7", "20261001+1", ""}, {"hl7", "2026-10-01", ""},
		{"hl7", "20261001^D", ""}, {"hl7", "20261000", ""}, {"hl7", "2026١٠", ""},
		{"iso", "2026-10-01 13:45:10,25Z", "20261001134510.25+0000"},
		{"iso", "2026-10-01t13:45z", "202610011345+0000"},
		{"iso", "2026-10-01T13:45:10+0100", "20261001134510+0100"},
		{"iso", "2026-10-01T13:45:10-05", "20261001134510-0500"},
		{"iso", "2026-10-01T13:45:10.123456789Z", "20261001134510.1234+0000"},
		{"iso", " 2026-10-01 ", "20261001"},
		{"iso", "", ""}, {"iso", "20261001", ""}, {"iso", "2026-10-01T", ""}, {"iso", "2026-10-01Z", ""}, {"iso", "2026-1-1", ""}, {"iso", "2026-02-30", ""},
		{"iso", "2026-10-01T24:00", ""}, {"iso", "2026-10-01T13:45:10+15:00", ""}, {"iso", "2026-", ""}, {"iso", "2026-10-01T13:45:10.", ""},
		{"uk", "1 October 2026", "20261001"}, {"uk", "01/10/2026", "20261001"}, {"uk", "1.2.2026", "20260201"}, {"uk", "1-oct-2026", "20261001"},
		{"uk", "01 Sept 2026 09:05:07", "20260901090507"}, {"uk", "01/10/2026  13:45", "202610011345"}, {"uk", "10/2026", "202610"}, {"uk", "October 2026", "202610"},
		{"uk", "", ""}, {"uk", "31/02/2026", ""}, {"uk", "10/13/2026", ""}, {"uk", "01/10/26", ""}, {"uk", "1st October 2026", ""}, {"uk", "01-Okt-2026", ""},
		{"uk", "01/10/2026 1345", ""}, {"uk", "01/10/2026 25:00", ""}, {"uk", "01/10", ""}, {"uk", "Oct", ""}, {"uk", "01-Oct-2026 ", "20261001"}, {"uk", "Octo 2026", ""},
	} {
		d, ok := read[c.form](c.in)
		if ok != (c.want != "") || forms.FormatHL7(d) != c.want {
			t.Errorf("%s %q: %q %v, want %q", c.form, c.in, forms.FormatHL7(d), ok, c.want)
		}
	}
}

func TestLayouts(t *testing.T) {
	for _, c := range []struct{ layout, text, want string }{
		{"DD/MM/YYYY[ HH:mm[:ss]]", "01/10/2026", "20261001"},
		{"DD/MM/YYYY[ HH:mm[:ss]]", "01/10/2026 13:45", "202610011345"},
		{"DD/MM/YYYY[ HH:mm[:ss]]", "01/10/2026 13:45:10", "20261001134510"},
		{"YYYY-MM-DDTHH:mm:ss.SSSZZ:ZZ", "2026-10-01T13:45:10.120+01:00", "20261001134510.120+0100"},
		{"YYYYMMDDHHmmssSSSSSS", "20261001134510120000", "20261001134510.1200"},
		{"YYYYMMDDHHmmZZZZ", "202610011345-0500", "202610011345-0500"},
		{"D MMMM YYYY", "1 October 2026", "20261001"},
		{"MMM D, YYYY", "Oct 31, 2026", "20261031"},
		{"M/YYYY", "9/2026", "202609"},
		{"YYYY 'at' MM", "2026 at 10", "202610"},
		{"YYYY'''s'", "2026's", "2026"},
	} {
		d, ok := forms.ParseLayout(c.layout, c.text)
		if !ok || forms.FormatHL7(d) != c.want {
			t.Errorf("%s reads %q as %q, %v", c.layout, c.text, forms.FormatHL7(d), ok)
		}
		if back, ok := forms.FormatLayout(c.layout, d); !ok || back != c.text {
			t.Errorf("%s writes %q, %v", c.layout, back, ok)
		}
	}
	for layout, text := range map[string]string{"DD/MM/YYYY": "01/10/2026 ", "YYYYMMDD": "2026101", "YYYY": "", "DD/MM/YYYY[ HH:mm]": "01/10/2026 1345", "ss": "10", "YYYYMMDDHHmmss.SSS": "20261001134510.12"} {
		if d, ok := forms.ParseLayout(layout, text); ok {
			t.Errorf("%s reads %q as %s", layout, text, forms.FormatHL7(d))
		}
	}
	if s, ok := forms.FormatLayout("YYYYMMDDHHmm", hl7(t, "20261001")); ok {
		t.Errorf("a time was made up: %q", s)
	}
	if s, ok := forms.FormatLayout("YYYYMMDDHHmmZZZZ", hl7(t, "202610011345")); ok {
		t.Errorf("an offset was made up: %q", s)
	}
}

func TestLayoutErrors(t *testing.T) {
	for layout, want := range map[string]string{
		"yyyy-MM-dd":          `"yyyy" is no part of a layout; the year is YYYY`,
		"YYYY-MM-dd":          `"dd" is no part of a layout; the day is DD or D`,
		"YYYY-mm-DD":          "the layout has no month",
		"YYYY-MM-DD hh:mm":    `"hh" is no part of a layout; the hour, of 24, is HH`,
		"YY":                  `"YY" is no part of a layout; the year is YYYY`,
		"YYYY YYYY":           "the layout has its year twice",
		"YYYY[MM":             "the [ is not closed",
		"YYYY]":               "the ] closes nothing",
		"YYYY 'at":            "the ' is not closed",
		"[[[[[[[YYYY]]]]]]]":  "too many brackets within each other",
		"":                    "the layout has no year",
		"uk date":             `"u" is no part of a layout; put literal letters in single quotes`,
		"YYYYMMDDHHmmss.S{3}": "",
	} {
		_, err := forms.NewLayout(layout)
		if (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%q: %v, want %q", layout, err, want)
		}
	}
}

func TestTruncate(t *testing.T) {
	for _, c := range []struct {
		in   string
		p    forms.Precision
		want string
	}{
		{"20261001134510.123+0100", forms.Second, "20261001134510+0100"},
		{"20261001134510+0100", forms.Minute, "202610011345+0100"},
		{"20261001134510+0100", forms.Hour, "2026100113+0100"},
		{"20261001134510+0100", forms.Day, "20261001"},
		{"20261001", forms.Month, "202610"},
		{"20261001", forms.Year, "2026"},
		{"2026", forms.Day, "2026"},
		{"20261001+0100", forms.Day, "20261001+0100"},
		{"20261001", forms.None, "20261001"},
	} {
		if got := forms.FormatHL7(hl7(t, c.in).Truncate(c.p)); got != c.want {
			t.Errorf("%s to %s: %s", c.in, c.p, got)
		}
	}
}

func TestAdd(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		unit forms.Precision
		want string
	}{
		{"20261231", 1, forms.Day, "20270101"},
		{"20240228", 1, forms.Day, "20240229"},
		{"20261001134510.5+0100", -3, forms.Day, "20260928134510.5+0100"},
		{"20260131", 1, forms.Month, "20260228"},
		{"20240131", 1, forms.Month, "20240229"},
		{"20260331", -1, forms.Month, "20260228"},
		{"20240229", 1, forms.Year, "20250228"},
		{"202601", -1, forms.Month, "202512"},
		{"2026", 10, forms.Year, "2036"},
		{"202610012330", 1, forms.Hour, "202610020030"},
		{"202610012330", 45, forms.Minute, "202610020015"},
		{"20261001235959", 1, forms.Second, "20261002000000"},
		{"2026", 1, forms.Day, ""},
		{"20261001", 1, forms.Hour, ""},
		{"99991231", 1, forms.Day, ""},
		{"00010101", -1, forms.Day, ""},
		{"00010101", -1, forms.Month, ""},
		{"20261001", 1 << 62, forms.Day, ""},
		{"20261001", -1 << 63, forms.Year, ""},
		{"20261001", 1 << 40, forms.Month, ""},
		{"20261001134510", 1, forms.Fraction, ""},
	} {
		got, ok := hl7(t, c.in).Add(c.n, c.unit)
		if forms.FormatHL7(got) != c.want || ok != (c.want != "") {
			t.Errorf("%s %+d %s: %q %v, want %q", c.in, c.n, c.unit, forms.FormatHL7(got), ok, c.want)
		}
	}
	if _, ok := (forms.Date{}).AddDays(1); ok {
		t.Error("no date has no tomorrow")
	}
}

func TestInZone(t *testing.T) {
	uk := london(t)
	for _, c := range []struct{ in, want string }{
		{"202607011345", "202607011345+0100"},
		{"202601011345", "202601011345+0000"},
		{"202607011245+0000", "202607011345+0100"},
		{"202606302330+0000", "202607010030+0100"},
		{"20260701", "20260701"},
		{"20260701+0500", "20260701+0500"},
		{"2026", "2026"},
		{"202610250130", "202610250130+0100"}, // twice: the first
		{"202610250230", "202610250230+0000"},
		{"202603290130", "202603290130+0000"}, // never: as if not yet moved
		{"202603290230", "202603290230+0100"},
		{"2026070113+0000", "2026070114+0100"},
		{"2026070113+0530", "202607010830+0100"}, // half an hour is no hour
		{"20260701134510.123-0400", "20260701184510.123+0100"},
	} {
		if got := forms.FormatHL7(hl7(t, c.in).InZone(uk)); got != c.want {
			t.Errorf("%s: %s, want %s", c.in, got, c.want)
		}
	}
	if d := hl7(t, "00010101000000+1400").InZone(time.UTC); !d.IsZero() {
		t.Errorf("a year before 1: %s", forms.FormatHL7(d))
	}
	if got := forms.FormatHL7(hl7(t, "202607011345").InZone(nil)); got != "202607011345" {
		t.Errorf("no zone changes nothing: %s", got)
	}
}

func TestTime(t *testing.T) {
	uk := london(t)
	for _, c := range []struct {
		in   string
		loc  *time.Location
		want string
	}{
		{"202607011345", uk, "2026-07-01T12:45:00Z"},
		{"202607011345-0500", uk, "2026-07-01T18:45:00Z"},
		{"202607011345-0500", nil, "2026-07-01T18:45:00Z"},
		{"20260701", uk, "2026-06-30T23:00:00Z"},
		{"202607011345", nil, ""},
	} {
		at, ok := hl7(t, c.in).Time(c.loc)
		if ok != (c.want != "") || ok && at.UTC().Format(time.RFC3339) != c.want {
			t.Errorf("%s: %s %v", c.in, at, ok)
		}
		if ok && forms.FormatHL7(forms.DateOf(at, forms.Minute)) != forms.FormatHL7(hl7(t, c.in).InZone(at.Location())) && len(c.in) > 8 {
			t.Errorf("%s does not come back: %s", c.in, forms.FormatHL7(forms.DateOf(at, forms.Minute)))
		}
	}
	if _, ok := (forms.Date{}).Time(uk); ok {
		t.Error("no date is no time")
	}
	at := time.Date(2026, 7, 1, 13, 45, 10, 123456789, uk)
	if got := forms.FormatHL7(forms.DateOf(at, forms.Fraction)); got != "20260701134510.123+0100" {
		t.Error(got)
	}
	if got := forms.FormatHL7(forms.DateOf(at, forms.Day)); got != "20260701" {
		t.Error(got)
	}
}

func TestAge(t *testing.T) {
	for _, c := range []struct {
		born, on string
		want     int
		ok       bool
	}{
		{"19700615", "20260614", 55, true},
		{"19700615", "20260615", 56, true},
		{"197006152300+0100", "202606150100", 56, true},
		{"20240229", "20250228", 0, true},
		{"20240229", "20250301", 1, true},
		{"20260101", "20260101", 0, true},
		{"20260102", "20260101", 0, false},
		{"1970", "20260101", 0, false},
		{"19700615", "2026", 0, false},
	} {
		got, ok := hl7(t, c.born).Age(hl7(t, c.on))
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%s on %s: %d %v", c.born, c.on, got, ok)
		}
	}
}

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"20261001", "20261002", -1}, {"2026", "20261002", 0}, {"2026", "2027", -1}, {"202610", "20260930", 1},
		{"202610011300+0100", "202610011200+0000", 0}, {"202610011300+0100", "202610011230+0000", -1}, {"202610011300", "202610011230+0000", 1},
		{"20261001134510.2", "20261001134510.19", 1}, {"20261001134510.20", "20261001134510.2", 0}, {"20261001134510.2", "20261001134510", 0},
	} {
		if a, b := hl7(t, c.a), hl7(t, c.b); a.Compare(b) != c.want || b.Compare(a) != -c.want {
			t.Errorf("%s and %s: %d, %d", c.a, c.b, a.Compare(b), b.Compare(a))
		}
	}
	var none forms.Date
	if d := hl7(t, "2026"); none.Compare(d) != -1 || d.Compare(none) != 1 || none.Compare(none) != 0 {
		t.Error("no date comes first")
	}
}

func TestNoDate(t *testing.T) {
	var none forms.Date
	if !none.IsZero() || forms.FormatHL7(none)+forms.FormatISO(none)+forms.FormatUK(none) != "" {
		t.Error("no date is written as nothing")
	}
	for _, name := range append(forms.DateFormNames(), "YYYY") {
		f, err := forms.NewDateForm(name)
		if err != nil || f.String() != name {
			t.Fatal(err)
		}
		if s, ok := f.Format(none); ok || s != "" {
			t.Errorf("%s writes %q", name, s)
		}
		if _, ok := f.Parse(""); ok {
			t.Errorf("%s reads nothing", name)
		}
		if d, ok := f.Parse("2026"); !ok || d.Precision() != forms.Year {
			t.Errorf("%s cannot read a year", name)
		}
	}
	for _, n := range forms.PrecisionNames() {
		if p, ok := forms.ParsePrecision(n); !ok || p.String() != n {
			t.Errorf("%s", n)
		}
	}
	if _, ok := forms.ParsePrecision("none"); ok {
		t.Error("none is no precision to ask for")
	}
}

// What a reader takes it writes back as it stands for every form, and it never
// panics.
func FuzzDates(f *testing.F) {
	for _, s := range []string{"20261001134510.12+0100", "2026-10-01T13:45:10Z", "01-Oct-2026 13:45", "1 October 2026", "0001-01-01T00:00+14:00"} {
		f.Add(s, "YYYY-MM-DD[ HH:mm[:ss]]")
	}
	f.Fuzz(func(t *testing.T, s, layout string) {
		for name, c := range map[string]struct {
			read  func(string) (forms.Date, bool)
			write func(forms.Date) string
		}{"hl7": {forms.ParseHL7, forms.FormatHL7}, "iso": {forms.ParseISO, forms.FormatISO}, "uk": {forms.ParseUK, forms.FormatUK}} {
			d, ok := c.read(s)
			if !ok {
				continue
			}
			again, ok := c.read(c.write(d))
			if !ok || c.write(again) != c.write(d) {
				t.Errorf("%s: %q is written %q, which is not read back", name, s, c.write(d))
			}
			d.InZone(time.UTC).Truncate(forms.Day).AddDays(1)
		}
		l, err := forms.NewLayout(layout)
		if err != nil {
			return
		}
		if d, ok := l.Parse(s); ok {
			l.Format(d)
		}
	})
}
