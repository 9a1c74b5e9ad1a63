package transforms_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
)

// values holds one of everything that value steps work on.
const values = "MSH|^~\\&|PAS|RXX|EPR|RXX|20260101101500||ADT^A08|C17|P|2.5.1\r" +
	"PID|1||999 000 0018^^^NHS^NH~42^^^RXX^PI||Test^Ann||19700615|F|||1 Road^^Town^^ls14ap||(0113) 496-0000\r" +
	"ZPI|01-Oct-2026|\"\"|  two   words |a\\S\\b|202607011245+0000|a,b,c||x^y|\"q\"|a&b^c\r" +
	"OBX|1|ST|A||a\rOBX|2|ST|B||\"\"\rOBX|3|ST|C||bb\r"

type valueCase struct {
	name string
	make func() (transforms.Step, error)
	at   string // what to look at afterwards
	want string
	err  string
}

func runValueCases(t *testing.T, cases []valueCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, err := c.make()
			if err != nil {
				t.Fatal(err)
			}
			d, err := hl7doc.Parse([]byte(values), hl7.Options{UseMSH18: true})
			if err != nil {
				t.Fatal(err)
			}
			err = s.Apply(&transforms.Input{Doc: d})
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Fatalf("error %v, want %q", err, c.err)
			}
			if err != nil {
				for _, content := range []string{"Test", "9990000018", "999 000", "Oct", "two", "42"} {
					if strings.Contains(err.Error(), content) {
						t.Fatalf("the error shows content: %v", err)
					}
				}
			}
			if got := strings.Join(d.List(sel(t, c.at)), ";"); got != c.want {
				t.Fatalf("%s = %q, want %q", c.at, got, c.want)
			}
		})
	}
}

// at makes the list of places of a step.
func at(t *testing.T, texts ...string) []message.Selector {
	t.Helper()
	var out []message.Selector
	for _, s := range texts {
		out = append(out, sel(t, s))
	}
	return out
}

func TestTidy(t *testing.T) {
	tidy := func(as, bad, none string, places ...string) func() (transforms.Step, error) {
		return func() (transforms.Step, error) {
			return transforms.NewTidy(transforms.TidySpec{At: at(t, places...), As: as, IfBad: bad, IfNone: none})
		}
	}
	runValueCases(t, []valueCase{
		{"an NHS number", tidy("nhs_number", "", "", "PID-3(5=NH).1"), "PID-3(5=NH).1", "9990000018", ""},
		{"a postcode", tidy("postcode", "", "", "PID-11.5"), "PID-11.5", "LS1 4AP", ""},
		{"an ODS code is one already", tidy("ods_code", "", "", "MSH-4"), "MSH-4", "RXX", ""},
		{"a telephone number", tidy("phone", "", "", "PID-13"), "PID-13", "01134960000", ""},
		{"trim", tidy("trim", "", "", "ZPI-3"), "ZPI-3", "two   words", ""},
		{"spaces", tidy("spaces", "", "", "ZPI-3"), "ZPI-3", "two words", ""},
		{"upper and a delimiter within", tidy("upper", "", "", "ZPI-4"), "ZPI-4", "A^B", ""},
		{"lower", tidy("lower", "", "", "PID-8"), "PID-8", "f", ""},
		{"all of a list, null left alone", tidy("upper", "", "", "OBX(*)-5"), "OBX(*)-5", "A;;BB", ""},
		{"several places", tidy("lower", "", "", "PID-8", "MSH-4"), "MSH-4", "rxx", ""},
		{"a bad one holds", tidy("nhs_number", "", "", "PID-3(5=PI).1"), "PID-3(5=PI).1", "42", "the value at PID-3(5=PI).1 has not the form nhs_number"},
		{"a bad one is kept", tidy("nhs_number", "keep", "", "PID-3(5=PI).1"), "PID-3(5=PI).1", "42", ""},
		{"a bad one is taken out", tidy("nhs_number", "empty", "", "PID-3(5=PI).1"), "PID-3(5=PI).1", "", ""},
		{"nothing matches", tidy("nhs_number", "", "skip", "PID-3(5=XX).1"), "PID-8", "F", ""},
		{"nothing matches and something should", tidy("nhs_number", "", "hold", "PID-3(5=XX).1"), "PID-8", "F", "nothing matches PID-3(5=XX).1"},
		{"a field with parts is no value", tidy("upper", "", "", "PID-5"), "PID-5", "Test^Ann", "has parts"},
		{"nor a component with subcomponents", tidy("upper", "", "", "ZPI-10.1"), "ZPI-10", "a&b^c", "has parts"},
		{"a first part is a value", tidy("upper", "", "", "ZPI-10.1.1"), "ZPI-10", "A&b^c", ""},
		{"nor one with repetitions", tidy("upper", "", "", "PID-3"), "PID-3.1", "999 000 0018", "has parts"},
	})
}

func TestDate(t *testing.T) {
	uk, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Skipf("no zone data here: %v", err)
	}
	date := func(place string, s transforms.DateSpec) func() (transforms.Step, error) {
		return func() (transforms.Step, error) {
			s.At = at(t, place)
			return transforms.NewDate(s)
		}
	}
	num := func(s string) transforms.Value { return transforms.Constant(s) }
	runValueCases(t, []valueCase{
		{"as year", date("PID-7", transforms.DateSpec{As: "year"}), "PID-7", "1970", ""},
		{"as day of what is a day", date("PID-7", transforms.DateSpec{As: "day"}), "PID-7", "19700615", ""},
		{"as minute makes nothing up", date("PID-7", transforms.DateSpec{As: "minute"}), "PID-7", "19700615", ""},
		{"shift", date("PID-7", transforms.DateSpec{Shift: num("-15")}), "PID-7", "19700531", ""},
		{"shift keeps time and offset", date("ZPI-5", transforms.DateSpec{Shift: num(" 1 ")}), "ZPI-5", "202607021245+0000", ""},
		{"from uk", date("ZPI-1", transforms.DateSpec{From: "uk"}), "ZPI-1", "20261001", ""},
		{"to a layout", date("PID-7", transforms.DateSpec{To: "DD/MM/YYYY"}), "PID-7", "15/06/1970", ""},
		{"to iso", date("ZPI-5", transforms.DateSpec{To: "iso"}), "ZPI-5", "2026-07-01T12:45Z", ""},
		{"zone", date("ZPI-5", transforms.DateSpec{Zone: uk}), "ZPI-5", "202607011345+0100", ""},
		{"zone, then shift, then cut, then form", date("ZPI-5", transforms.DateSpec{Zone: uk, Shift: num("3"), As: "hour", To: "uk"}), "ZPI-5", "04-Jul-2026 13:00", ""},
		{"absent", date("ZPI-30", transforms.DateSpec{As: "day", Shift: computed{}}), "PID-7", "19700615", ""},
		{"null", date("ZPI-2", transforms.DateSpec{As: "day"}), "PID-7", "19700615", ""},
		{"no date holds", date("PID-8", transforms.DateSpec{As: "day"}), "PID-8", "F", "the value at PID-8 is no date of the form hl7"},
		{"no date is kept", date("PID-8", transforms.DateSpec{As: "day", IfBad: "keep"}), "PID-8", "F", ""},
		{"no date is taken out", date("PID-8", transforms.DateSpec{As: "day", IfBad: "empty"}), "PID-8", "", ""},
		{"a form that asks for more", date("PID-7", transforms.DateSpec{To: "YYYY-MM-DD HH:mm"}), "PID-7", "19700615", "has less than the form YYYY-MM-DD HH:mm asks for"},
		{"a shift that is no number", date("PID-7", transforms.DateSpec{Shift: computed{at: sel(t, "PID-8")}}), "PID-7", "19700615", "no whole number of days"},
		{"a shift out of the calendar", date("PID-7", transforms.DateSpec{Shift: num("3600000")}), "PID-7", "19700615", "leaves the years"},
	})
}

func TestPad(t *testing.T) {
	pad := func(place string, s transforms.PadSpec) func() (transforms.Step, error) {
		return func() (transforms.Step, error) {
			s.At = at(t, place)
			return transforms.NewPad(s)
		}
	}
	runValueCases(t, []valueCase{
		{"left", pad("PID-3(5=PI).1", transforms.PadSpec{To: 5}), "PID-3(5=PI).1", "00042", ""},
		{"right", pad("PID-8", transforms.PadSpec{To: 3, Side: "right"}), "PID-8", "F  ", ""},
		{"with a character of two bytes", pad("PID-8", transforms.PadSpec{To: 3, With: "é"}), "PID-8", "ééF", ""},
		{"long enough", pad("PID-8", transforms.PadSpec{To: 1}), "PID-8", "F", ""},
		{"too long holds", pad("PID-7", transforms.PadSpec{To: 4}), "PID-7", "19700615", "has 8 characters where pad makes 4"},
		{"too long is kept", pad("PID-7", transforms.PadSpec{To: 4, TooLong: "keep"}), "PID-7", "19700615", ""},
		{"too long is cut", pad("PID-7", transforms.PadSpec{To: 4, TooLong: "cut"}), "PID-7", "0615", ""},
		{"too long is cut on the right", pad("PID-7", transforms.PadSpec{To: 4, Side: "right", TooLong: "cut"}), "PID-7", "1970", ""},
		{"all of a list, null left alone", pad("OBX(*)-5", transforms.PadSpec{To: 3}), "OBX(*)-5", "00a;;0bb", ""},
		{"absent", pad("ZPI-30", transforms.PadSpec{To: 3}), "ZPI-30", "", ""},
		{"empty", pad("ZPI-7", transforms.PadSpec{To: 3}), "ZPI-7", "", ""},
	})
}

func TestReplace(t *testing.T) {
	replace := func(place string, s transforms.ReplaceSpec) func() (transforms.Step, error) {
		return func() (transforms.Step, error) {
			s.At = at(t, place)
			return transforms.NewReplace(s)
		}
	}
	runValueCases(t, []valueCase{
		{"the first", replace("ZPI-6", transforms.ReplaceSpec{Text: ",", By: ";"}), "ZPI-6", "a;b,c", ""},
		{"all", replace("ZPI-6", transforms.ReplaceSpec{Text: ",", By: "|", All: true}), "ZPI-6", "a|b|c", ""},
		{"a dollar of a text is itself", replace("ZPI-6", transforms.ReplaceSpec{Text: ",", By: "$1"}), "ZPI-6", "a$1b,c", ""},
		{"the first of a pattern", replace("ZPI-6", transforms.ReplaceSpec{Pattern: "([a-z])", By: "<$1>"}), "ZPI-6", "<a>,b,c", ""},
		{"all of a pattern", replace("ZPI-6", transforms.ReplaceSpec{Pattern: "(?P<l>[a-z]),?", By: "${l}_$$", All: true}), "ZPI-6", "a_$b_$c_$", ""},
		{"where nothing stands", replace("ZPI-6", transforms.ReplaceSpec{Pattern: "^", By: "0"}), "ZPI-6", "0a,b,c", ""},
		{"to nothing", replace("PID-8", transforms.ReplaceSpec{Text: "F"}), "PID-8", "", ""},
		{"not there", replace("PID-8", transforms.ReplaceSpec{Text: "M", By: "1"}), "PID-8", "F", ""},
		{"null left alone", replace("OBX(*)-5", transforms.ReplaceSpec{Pattern: ".*", By: "x"}), "OBX(*)-5", "x;;x", ""},
		{"null is not written by chance", replace("ZPI-9", transforms.ReplaceSpec{Text: "q"}), "ZPI-9", `"q"`, "would be read as null"},
		{"a field with parts is no value", replace("ZPI-8", transforms.ReplaceSpec{Text: "x"}), "ZPI-8", "x^y", "has parts"},
	})
}

// A value that a pattern would blow up is refused, and the error says why.
func TestReplaceLimits(t *testing.T) {
	big := strings.Repeat("ab", 60_000)
	for name, c := range map[string]struct {
		spec transforms.ReplaceSpec
		err  string
	}{
		"too many matches": {transforms.ReplaceSpec{Pattern: "[ab]", By: "x", All: true}, "more than 100000 times"},
		"too large":        {transforms.ReplaceSpec{Pattern: "a", By: strings.Repeat("x", 999), All: true}, "more than 16777216 bytes"},
		"too large a text": {transforms.ReplaceSpec{Text: "a", By: strings.Repeat("x", 999), All: true}, "more than 16777216 bytes"},
	} {
		d := doc(t)
		place := sel(t, "PV1-3")
		if err := d.Set(place, big); err != nil {
			t.Fatal(err)
		}
		c.spec.At = []message.Selector{place}
		s, err := transforms.NewReplace(c.spec)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Apply(&transforms.Input{Doc: d}); err == nil || !strings.Contains(err.Error(), c.err) || d.Text(place) != big {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every error of a constructor names the key at fault.
func TestSpecErrors(t *testing.T) {
	here := at(t, "PID-8")
	tidy := func(s transforms.TidySpec) error { s.At = here; _, err := transforms.NewTidy(s); return err }
	date := func(s transforms.DateSpec) error { s.At = here; _, err := transforms.NewDate(s); return err }
	pad := func(s transforms.PadSpec) error { s.At = here; _, err := transforms.NewPad(s); return err }
	replace := func(s transforms.ReplaceSpec) error { s.At = here; _, err := transforms.NewReplace(s); return err }
	_, noPlace := transforms.NewPad(transforms.PadSpec{To: 3})
	for _, c := range []struct {
		err  error
		want string
	}{
		{noPlace, "at: the step names no place"},
		{tidy(transforms.TidySpec{As: "nhs"}), `as: "nhs" is no form; it can be nhs_number`},
		{tidy(transforms.TidySpec{As: "trim", IfBad: "drop"}), `if_bad: "drop" is no choice; it can be hold, keep, empty`},
		{tidy(transforms.TidySpec{As: "trim", IfNone: "create"}), `if_none: "create" is no choice; it can be skip, hold`},
		{date(transforms.DateSpec{}), "at: the step would change nothing"},
		{date(transforms.DateSpec{As: "uk"}), `as: "uk" is a form; as cuts to a precision; write to: uk`},
		{date(transforms.DateSpec{As: "YYYYMM"}), "write to: YYYYMM"},
		{date(transforms.DateSpec{As: "fraction"}), `as: "fraction" is no precision; it can be year, month, day, hour, minute, second`},
		{date(transforms.DateSpec{From: "us"}), `from: "us" is no form of dates`},
		{date(transforms.DateSpec{To: "yyyy-mm-dd"}), "the year is YYYY"},
		{date(transforms.DateSpec{Shift: transforms.Constant("1.5")}), "shift: the shift is no whole number of days"},
		{date(transforms.DateSpec{As: "day", IfBad: "x"}), "if_bad: "},
		{pad(transforms.PadSpec{}), "to: a length is 1 to 1000 characters"},
		{pad(transforms.PadSpec{To: 3, With: "ab"}), "with: it is not one character"},
		{pad(transforms.PadSpec{To: 3, With: "\r"}), "with: it is not one character"},
		{pad(transforms.PadSpec{To: 3, Side: "top"}), "side: "},
		{pad(transforms.PadSpec{To: 3, TooLong: "drop"}), "too_long: "},
		{replace(transforms.ReplaceSpec{}), "text: the step does not say what to replace"},
		{replace(transforms.ReplaceSpec{Text: "a", Pattern: "b"}), "pattern: it stands beside text"},
		{replace(transforms.ReplaceSpec{Pattern: "("}), "pattern: missing closing ): `(`; patterns are RE2"},
		{replace(transforms.ReplaceSpec{Pattern: strings.Repeat("a", 1001)}), "pattern: the pattern is longer than 1000 characters"},
		{replace(transforms.ReplaceSpec{Text: "a", By: strings.Repeat("a", 1001)}), "by: it is longer"},
		{replace(transforms.ReplaceSpec{Pattern: "(a)", By: "$2"}), `by: the pattern has no group "2"; it has 1`},
		{replace(transforms.ReplaceSpec{Pattern: "(a)", By: "$1x"}), `by: the pattern has no group "1x"`},
		{replace(transforms.ReplaceSpec{Pattern: "(a)", By: "5$"}), "by: a $ alone"},
	} {
		var se *transforms.SpecError
		if !errors.As(c.err, &se) || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%v, want %q", c.err, c.want)
		}
	}
}

// Below an item of each it is the same: a notation is no value.
func TestPartsBelowAnItem(t *testing.T) {
	d, err := hl7doc.Parse([]byte(values), hl7.Options{UseMSH18: true})
	if err != nil {
		t.Fatal(err)
	}
	items, err := d.Items(sel(t, "ZPI"))
	if err != nil || len(items) != 1 {
		t.Fatal(err)
	}
	d.Bind(0, items[0], 1)
	for place, want := range map[string]string{"z-10": "has parts", "z-10.1": "has parts", "z-4": "", "z-6": ""} {
		s, err := hl7doc.Compile(place, map[string]int{"z": 0})
		if err != nil {
			t.Fatal(err)
		}
		step, err := transforms.NewTidy(transforms.TidySpec{At: []message.Selector{s}, As: "upper"})
		if err != nil {
			t.Fatal(err)
		}
		err = step.Apply(&transforms.Input{Doc: d})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", place, err)
		}
	}
	if got := d.Text(sel(t, "ZPI-4")) + " " + d.Text(sel(t, "ZPI-10")); got != "A^B a&b^c" {
		t.Error(got)
	}
}
