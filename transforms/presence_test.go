package transforms_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
)

const presencePage = "../docs/feeds/presence.md"

// presenceRow is a step as a feed writes it, made for ZPI-2, and where to look
// for what it did.
type presenceRow struct {
	written string
	step    transforms.Step
	look    string
	value   string // what ZPI-2 holds in the column of a value
}

// states are the columns: what ZPI-2 is.
var states = []string{"absent", "empty", "null", "value"}

// presenceDoc is a message whose ZPI-2 is in a state; ZPJ-4 holds old.
func presenceDoc(t *testing.T, state, value string) *hl7doc.Doc {
	t.Helper()
	zpi := map[string]string{"absent": "ZPI|x", "empty": "ZPI|x||y", "null": `ZPI|x|""|y`, "value": "ZPI|x|" + value + "|y"}[state]
	d, err := hl7doc.Parse([]byte("MSH|^~\\&|A|B|C|D|20260101||ADT^A08|1|P|2.5\r"+zpi+"\rZPJ||||old\r"), hl7.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Presence(sel(t, "ZPI-2")).String(); strings.Replace(got, "present", "value", 1) != state {
		t.Fatalf("ZPI-2 is %s, not %s", got, state)
	}
	return d
}

// holds says what a place holds, as a cell of the table.
func holds(d *hl7doc.Doc, at message.Selector) string {
	if d.Presence(at) == message.Present {
		return "`" + d.Text(at) + "`"
	}
	return d.Presence(at).String()
}

func presenceRows(t *testing.T) []presenceRow {
	t.Helper()
	must := func(s transforms.Step, err error) transforms.Step {
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	here, there := sel(t, "ZPI-2"), sel(t, "ZPJ-4")
	places := []message.Selector{here}
	set := func(as transforms.Assignment) *transforms.Set {
		return &transforms.Set{Assignments: []transforms.Assignment{as}}
	}
	text := func(s string) transforms.Value { return transforms.Constant(s) }
	tb := transforms.NewTable("t")
	if err := tb.Add("F", []string{"2"}); err != nil {
		t.Fatal(err)
	}
	return []presenceRow{
		{"set: { ZPI-2: new }", set(transforms.Assignment{At: here, Value: text("new")}), "ZPI-2", "a"},
		{`set: { ZPI-2: "" }`, set(transforms.Assignment{At: here, Value: text("")}), "ZPI-2", "a"},
		{`set: { ZPJ-4: '= msg["ZPI-2"]' }`, set(transforms.Assignment{At: there, Value: computed{at: here}}), "ZPJ-4", "a"},
		{"set: { ZPJ-4: { copy: ZPI-2 } }", set(transforms.Assignment{At: there, From: here}), "ZPJ-4", "a"},
		{"default: { ZPI-2: new }", &transforms.Default{Set: *set(transforms.Assignment{At: here, Value: text("new")})}, "ZPI-2", "a"},
		{"copy: { from: ZPI-2, to: ZPJ-4 }", &transforms.Copy{From: here, To: there}, "ZPJ-4", "a"},
		{"move: { from: ZPI-2, to: ZPJ-4 }", &transforms.Move{From: here, To: there}, "ZPJ-4", "a"},
		{"remove: [ZPI-2]", &transforms.Remove{At: places}, "ZPI-2", "a"},
		{"nullify: [ZPI-2]", &transforms.Nullify{At: places}, "ZPI-2", "a"},
		{"map: { at: ZPI-2, table: sex, unmapped: hold }", &transforms.Map{At: here, Table: tb}, "ZPI-2", "F"},
		{"tidy: { at: ZPI-2, as: nhs_number }", must(transforms.NewTidy(transforms.TidySpec{At: places, As: "nhs_number"})), "ZPI-2", "999 000 0018"},
		{"date: { at: ZPI-2, as: year }", must(transforms.NewDate(transforms.DateSpec{At: places, As: "year"})), "ZPI-2", "20260101"},
		{"pad: { at: ZPI-2, to: 5 }", must(transforms.NewPad(transforms.PadSpec{At: places, To: 5})), "ZPI-2", "42"},
		{`replace: { at: ZPI-2, pattern: "^", by: "x" }`, must(transforms.NewReplace(transforms.ReplaceSpec{At: places, Pattern: "^", By: "x"})), "ZPI-2", "a"},
	}
}

func presenceOfSteps(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| step | absent | empty | null | a value |\n|---|---|---|---|---|\n")
	for _, r := range presenceRows(t) {
		fmt.Fprintf(&b, "| `%s` |", r.written)
		for _, state := range states {
			d := presenceDoc(t, state, r.value)
			if err := r.step.Apply(&transforms.Input{Doc: d}); err != nil {
				t.Fatalf("%s, %s: %v", r.written, state, err)
			}
			if state == "value" {
				fmt.Fprintf(&b, " `%s` becomes", r.value)
			}
			fmt.Fprintf(&b, " %s |", holds(d, sel(t, r.look)))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// presenceChecks has every rule, with a value that is good and one that is not.
func presenceChecks(t *testing.T) string {
	t.Helper()
	tb := transforms.NewTable("sex")
	if err := tb.Add("F", []string{"2"}); err != nil {
		t.Fatal(err)
	}
	own := map[string]struct {
		spec      transforms.CheckSpec
		keys      string
		good, bad string
	}{
		"present":     {transforms.CheckSpec{}, "", "a", ""},
		"nhs_number":  {transforms.CheckSpec{}, "", "9990000018", "9990000019"},
		"ods_code":    {transforms.CheckSpec{}, "", "RXX", "rx"},
		"uk_postcode": {transforms.CheckSpec{}, "", "LS1 4AP", "LS1"},
		"base64":      {transforms.CheckSpec{}, "", "QUJD", "QUJ"},
		"date":        {transforms.CheckSpec{To: "2026"}, "to: 2026", "20260101", "2027"},
		"number":      {transforms.CheckSpec{Min: "0"}, "min: 0", "1.5", "-1"},
		"length":      {transforms.CheckSpec{Max: "3"}, "max: 3", "abc", "abcd"},
		"pattern":     {transforms.CheckSpec{Pattern: "[A-Z]+"}, `pattern: "[A-Z]+"`, "ABC", "AB1"},
		"one_of":      {transforms.CheckSpec{OneOf: []string{"F", "M"}}, "one_of: [F, M]", "F", "X"},
		"table":       {transforms.CheckSpec{Table: tb}, "table: sex", "F", "X"},
	}
	var b strings.Builder
	b.WriteString("| rule | absent | empty | null | a good value | a bad value |\n|---|---|---|---|---|---|\n")
	for _, name := range transforms.CheckNames() {
		c, ok := own[name]
		if !ok {
			t.Fatalf("the rule %s has no row", name)
		}
		check, err := transforms.NewCheck(name, c.spec)
		if err != nil {
			t.Fatal(err)
		}
		says := func(state, value string) string {
			j, err := check.Judge(presenceDoc(t, state, value), sel(t, "ZPI-2"))
			if err != nil {
				t.Fatal(err)
			}
			return j.Verdict.String()
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |", strings.TrimSuffix("rule: "+name+", "+c.keys, ", "),
			says("absent", ""), says("empty", ""), says("null", ""))
		fmt.Fprintf(&b, " `%s`: %s |", c.good, says("value", c.good))
		if c.bad == "" {
			b.WriteString(" none |\n")
			continue
		}
		fmt.Fprintf(&b, " `%s`: %s |\n", c.bad, says("value", c.bad))
	}
	return b.String()
}

// section puts body between <!-- begin name --> and <!-- end name --> of a page.
// Each test owns its sections, so tests of other packages can add to the page.
func section(page, name, body string) (string, error) {
	begin, end := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->"
	head, rest, ok := strings.Cut(page, begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return "", fmt.Errorf("the page has no section %s", name)
	}
	return head + begin + body + end + tail, nil
}

// TestPresencePage keeps the page equal to what steps and rules do.
func TestPresencePage(t *testing.T) {
	have, err := os.ReadFile(presencePage)
	if err != nil {
		t.Fatal(err)
	}
	want := string(have)
	for name, body := range map[string]string{"steps": presenceOfSteps(t), "checks": presenceChecks(t)} {
		if want, err = section(want, name, body); err != nil {
			t.Fatal(err)
		}
	}
	if *update {
		if err := os.WriteFile(presencePage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(have) {
		t.Errorf("%s is out of date: run go test ./transforms -update", presencePage)
	}
}

// TestWithdrawnDeath: null in PID-29 is no death, and it reaches the receiver.
func TestWithdrawnDeath(t *testing.T) {
	a08 := "MSH|^~\\&|A|B|C|D|20260101||ADT^A08|1|P|2.5\rPID|1||42" + strings.Repeat("|", 26) + "\"\"|N\r"
	d, err := hl7doc.Parse([]byte(a08), hl7.Options{})
	if err != nil {
		t.Fatal(err)
	}
	died, put := sel(t, "PID-29"), sel(t, "ZPI-1")
	if d.Text(died) != "" || d.Presence(died) != message.Null {
		t.Fatalf("%q, %s", d.Text(died), d.Presence(died))
	}
	present, err := transforms.NewCheck("present", transforms.CheckSpec{})
	if err != nil {
		t.Fatal(err)
	}
	if j, err := present.Judge(d, died); err != nil || j.Verdict != transforms.Failed {
		t.Errorf("a withdrawn death is read as a date of death: %s, %v", j.Verdict, err)
	}
	date, err := transforms.NewDate(transforms.DateSpec{At: []message.Selector{died}, As: "day"})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []transforms.Step{date, &transforms.Copy{From: died, To: put}} {
		if err := s.Apply(&transforms.Input{Doc: d}); err != nil {
			t.Fatal(err)
		}
	}
	if d.Presence(died) != message.Null || d.Presence(put) != message.Null {
		t.Errorf("the withdrawal is lost: %s, %s", d.Presence(died), d.Presence(put))
	}
}
