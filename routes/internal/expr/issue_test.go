package expr

import (
	"strings"
	"testing"
)

// What is written out is checked where it stands.
func TestIssuesOfConstants(t *testing.T) {
	for _, c := range []struct {
		name, src string
		want      Want
		col       int
		text      string
		hint      string
	}{
		{"pattern", `"a" == "a" && msg.type.matches("^[a-")`, Bool, 33, "cannot be read: missing closing ]", "RE2"},
		{"pattern of CEL's other spelling", `matches(msg.type, "a**")`, Bool, 20, "invalid nested repetition", "RE2"},
		{"pattern from data", `msg.type.matches(msg.event)`, Bool, 20, "matches takes this written out", "^[0-9]"},
		{"layout", `date(msg["PID-7"]).format("dd/MM/YYYY")`, Text, 27, "no form of dates", "DD/MM"},
		{"layout within", `date(msg["PID-7"]).format("DD/mm/YYYY")`, Text, 27, "no month", ""},
		{"name of a form", `date(msg["PID-7"]).format("is0")`, Text, 27, "no form of dates", "iso"},
		{"form from data", `parse_date(msg["PID-7"], msg["ZDT-1"]).format("hl7")`, Text, 28, "parse_date takes this written out", `"iso"`},
		{"precision", `date(msg["PID-7"]).truncate("days").format("hl7")`, Text, 28, `"days" is no precision`, "year, month, day"},
		{"zone", `date(now).inZone("Europe/Londno").format("hl7")`, Text, 17, `"Europe/Londno" is not known`, "Europe/London"},
		{"the machine's own zone", `date(now).inZone("Local").format("hl7")`, Text, 17, "not known", "UTC"},
		{"secret", `hmac("reserach", msg["PID-3"])`, Text, 5, `no secret "reserach"`, "research"},
		{"secret from data", `hmac(msg["PID-8"], msg["PID-3"])`, Text, 8, "written out", "secret"},
		{"shift", `shift_days("x", msg["PID-3"], 3)`, Text, 11, `no secret "x"`, ""},
		{"a table's code of another kind", `1 in table("sex")`, Bool, 2, "has does not work on table sex.(number)", `table("name").has(code)`},
		{"arguments", `msg.type.padLeft(3)`, Text, 16, "padLeft does not work on text.(number)", `text.padLeft(width, "0")`},
		{"a date as text", `date(now)`, Text, 0, "a date where a text is wanted", "format"},
		{"a list as text", `msg.list("OBX(*)-5")`, Text, 0, "a list of texts where", "join"},
		{"a row as text", `table("spec").get("300")`, Text, 0, "row of table spec", "column"},
		{"list compared", `msg.list("OBX(*)-5") == "x"`, Bool, 21, "== does not work", "exists"},
		{"dates compared", `date(now) < date(msg["PID-7"])`, Bool, 10, "< does not work on (date, date)", "before"},
		{"CEL's calendar", `now.getHours("Europe/London") > 3`, Bool, 12, `"getHours" is not known`, "inZone"},
		{"CEL's has", `has(msg.type)`, Bool, 3, "has does not work", `msg.has("SELECTOR")`},
		{"null of several", `msg.is_null("OBX(*)-5")`, Bool, 12, "several values", "list"},
		{"never", `int("W7") == 1`, Bool, 0, "can never be evaluated", ""},
		{"index of a table from data", `table("sex")[1]`, Text, 12, "get does not work", ".get(code)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, iss := testEnv(t).Compile(c.src, c.want)
			if len(iss) != 1 {
				t.Fatalf("want one issue, got %+v", iss)
			}
			if i := iss[0]; !strings.Contains(i.Text, c.text) || !strings.Contains(i.Hint, c.hint) || i.Column != c.col || i.Line != 1 {
				t.Fatalf("got %+v", i)
			}
		})
	}
}

func TestEmptySecret(t *testing.T) {
	e, err := New(Options{Secret: func(string) (string, bool, []string) { return "", true, nil }})
	if err != nil {
		t.Fatal(err)
	}
	if _, iss := e.Compile(`hmac("a", "b")`, Text); len(iss) != 1 || !strings.Contains(iss[0].Text, "is empty") {
		t.Fatalf("got %v", iss)
	}
}

// Every name that can be misspelt is suggested.
func TestSuggestions(t *testing.T) {
	e := testEnv(t)
	if err := e.PushItem("result", 0); err != nil {
		t.Fatal(err)
	}
	for src, hint := range map[string]string{`msg.type.padleft(3, "0")`: "padLeft", `nhs_number_vaild("1")`: "nhs_number_valid", `reslut.index`: "result", `parts.id`: "part", `msg.evnet`: "event"} {
		if _, iss := e.Compile(src, Any); len(iss) != 1 || !strings.Contains(iss[0].Hint, `"`+hint+`"`) {
			t.Errorf("%s: %+v", src, iss)
		}
	}
}
