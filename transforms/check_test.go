package transforms_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/transforms"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
)

func TestCheckRules(t *testing.T) {
	tb := table(t)
	for _, c := range []struct {
		rule      string
		spec      transforms.CheckSpec
		good, bad []string
	}{
		{"nhs_number", transforms.CheckSpec{}, []string{"9990000018", "999 000 0018"}, []string{"9990000019", "x"}},
		{"ods_code", transforms.CheckSpec{}, []string{"RXX", "A81001"}, []string{"rxx", "RXX "}},
		{"uk_postcode", transforms.CheckSpec{}, []string{"LS1 4AP", "ls14ap"}, []string{"LS1"}},
		{"base64", transforms.CheckSpec{}, []string{"QUJD", "QQ=="}, []string{"QQ=", "?"}},
		{"date", transforms.CheckSpec{}, []string{"2026", "20261001134510.1+0100"}, []string{"20260231", "01/10/2026"}},
		{"date", transforms.CheckSpec{Form: "uk"}, []string{"01/10/2026"}, []string{"20261001"}},
		{"date", transforms.CheckSpec{From: "1900-01-01", To: "2026"}, []string{"19000101", "1900", "20261231235959"}, []string{"18991231", "2027"}},
		{"date", transforms.CheckSpec{From: "20260101"}, []string{"2026", "9999"}, []string{"2025"}},
		{"number", transforms.CheckSpec{}, []string{"1", "-1.5", "+0", ".5", "5."}, []string{"", ".", "1e5", "1,5", "0x1", "NaN", "--1", "1.2.3", strings.Repeat("9", 65)}},
		{"number", transforms.CheckSpec{Min: "-0.1", Max: "100"}, []string{"-0.1", "100.0", "-.10"}, []string{"-0.1000000000000000000001", "100.01"}},
		{"length", transforms.CheckSpec{Min: "2", Max: "3"}, []string{"ab", "éüß"}, []string{"a", "abcd"}},
		{"length", transforms.CheckSpec{Max: "3"}, []string{"a"}, []string{"abcd"}},
		{"pattern", transforms.CheckSpec{Pattern: "[A-Z]+|1"}, []string{"AB", "1"}, []string{"1x", "ab", "A\n"}},
		{"one_of", transforms.CheckSpec{OneOf: []string{"a", "b"}}, []string{"a", "b"}, []string{"A", "ab"}},
		{"table", transforms.CheckSpec{Table: tb}, []string{"F", "A"}, []string{"f", "2"}},
		{"present", transforms.CheckSpec{}, []string{"anything"}, nil},
	} {
		k, err := transforms.NewCheck(c.rule, c.spec)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range c.good {
			if !k.Ok(v) {
				t.Errorf("%s %+v: %q is good", c.rule, c.spec, v)
			}
		}
		for _, v := range c.bad {
			if k.Ok(v) {
				t.Errorf("%s %+v: %q is bad", c.rule, c.spec, v)
			}
		}
	}
}

func TestCheckSpecErrors(t *testing.T) {
	for _, c := range []struct {
		rule string
		spec transforms.CheckSpec
		want string
	}{
		{"nhs", transforms.CheckSpec{}, `rule: there is no rule "nhs"; it can be present, nhs_number`},
		{"nhs_number", transforms.CheckSpec{Min: "1"}, "min: it does not belong to the rule nhs_number"},
		{"present", transforms.CheckSpec{Table: transforms.NewTable("t")}, "table: it does not belong to the rule present"},
		{"date", transforms.CheckSpec{Form: "us"}, "form: "},
		{"date", transforms.CheckSpec{From: "01/10/2026"}, `from: "01/10/2026" is no date; write 2026-10-01 or 20261001`},
		{"date", transforms.CheckSpec{From: "2027", To: "2026"}, "to: it comes before from"},
		{"number", transforms.CheckSpec{Min: "low"}, `min: "low" is no number`},
		{"number", transforms.CheckSpec{Min: "2", Max: "1"}, "max: it is less than min"},
		{"length", transforms.CheckSpec{}, "max: the rule length needs a min or a max"},
		{"length", transforms.CheckSpec{Min: "-1"}, "min: "},
		{"length", transforms.CheckSpec{Min: "3", Max: "2"}, "max: it is less than min"},
		{"pattern", transforms.CheckSpec{}, "pattern: the rule pattern needs one"},
		{"pattern", transforms.CheckSpec{Pattern: "a)(b"}, "pattern: unexpected )"},
		{"one_of", transforms.CheckSpec{}, "one_of: "},
		{"table", transforms.CheckSpec{}, "table: "},
	} {
		_, err := transforms.NewCheck(c.rule, c.spec)
		var se *transforms.SpecError
		if !errors.As(err, &se) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %+v: %v, want %q", c.rule, c.spec, err, c.want)
		}
	}
	for _, name := range transforms.CheckNames() {
		for _, k := range transforms.CheckKeys(name) {
			if !slices.Contains([]string{"form", "from", "to", "min", "max", "pattern", "one_of", "table"}, k) {
				t.Errorf("%s takes an unknown key %q", name, k)
			}
		}
	}
}

func TestJudge(t *testing.T) {
	d, err := hl7doc.Parse([]byte(values), hl7.Options{UseMSH18: true})
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, s transforms.CheckSpec) *transforms.Check {
		c, err := transforms.NewCheck(name, s)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	nhs, present := check("nhs_number", transforms.CheckSpec{}), check("present", transforms.CheckSpec{})
	short := check("length", transforms.CheckSpec{Max: "1"})
	for _, c := range []struct {
		check   *transforms.Check
		at      string
		verdict transforms.Verdict
		where   string
	}{
		{nhs, "PID-3(5=NH).1", transforms.Good, "PID-3(5=NH).1"},
		{nhs, "PID-3(5=PI).1", transforms.Failed, "PID-3(5=PI).1"},
		{nhs, "PID-3(5=XX).1", transforms.Missing, "PID-3(5=XX).1"},
		{nhs, "ZPI-7", transforms.Missing, "ZPI-7"},
		{nhs, "ZPI-2", transforms.Nulled, "ZPI-2"},
		{present, "PID-8", transforms.Good, "PID-8"},
		{present, "ZPI-2", transforms.Failed, "ZPI-2"},
		{present, "ZPI-7", transforms.Failed, "ZPI-7"},
		{present, "ZPI-99", transforms.Failed, "ZPI-99"},
		{present, "OBX(*)-5", transforms.Failed, "OBX(#2)-5"},
		{present, "NK1(*)-1", transforms.Failed, "NK1(*)-1"},
		{nhs, "NK1(*)-1", transforms.Missing, "NK1(*)-1"},
		{short, "OBX(*)-5", transforms.Failed, "OBX(#3)-5"},
		{short, "OBX(*)-1", transforms.Good, "OBX(#1)-1"},
	} {
		got, err := c.check.Judge(d, sel(t, c.at))
		if err != nil || got.Verdict != c.verdict || got.At.String() != c.where {
			t.Errorf("%s at %s: %s at %v, %v; want %s at %s", c.check.Name(), c.at, got.Verdict, got.At, err, c.verdict, c.where)
		}
	}
}

// A segment that ends before the field is one without it, though a list selects
// only what is there.
func TestJudgeSeesWhatAListLacks(t *testing.T) {
	d, err := hl7doc.Parse([]byte("MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.4\rOBX|1|NM|A||1||||||F\rOBX|2|NM|B||2\r"), hl7.Options{UseMSH18: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rule, at string
		spec     transforms.CheckSpec
		want     transforms.Verdict
	}{
		{"present", "OBX(*)-5", transforms.CheckSpec{}, transforms.Good},
		{"present", "OBX(*)-11", transforms.CheckSpec{}, transforms.Failed},
		{"present", "OBX(3=A)(*)-11", transforms.CheckSpec{}, transforms.Good},
		{"one_of", "OBX(*)-11", transforms.CheckSpec{OneOf: []string{"F", "C"}}, transforms.Missing},
		{"one_of", "OBX(*)-11", transforms.CheckSpec{OneOf: []string{"P"}}, transforms.Failed},
	} {
		check, err := transforms.NewCheck(c.rule, c.spec)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := check.Judge(d, sel(t, c.at)); err != nil || got.Verdict != c.want {
			t.Errorf("%s at %s: %s, %v; want %s", c.rule, c.at, got.Verdict, err, c.want)
		}
	}
}
