package expr

import (
	"strings"
	"testing"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
)

const adt = "MSH|^~\\&|PAS|RXX|EPR|RXX|20260101101500||ADT^A03^ADT_A03|C17|P|2.5.1\r" +
	"PID|1||777^^^RXX^PI~9990000018^^^NHS^NH||Test^Ann||19700101|F|||\"\"\r" +
	"PV1|1|I|W7^2^B||||||||300\rOBX|1|ST|A||one\rOBX|2|ST|B||two\r"

func testEnv(t testing.TB) *Env {
	t.Helper()
	plain := transforms.NewTable("sex")
	wide := transforms.NewTable("spec", "code", "name")
	for _, err := range []error{plain.Add("F", []string{"2"}), wide.Add("300", []string{"G", "general"})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	e, err := New(Options{
		Selector: func(text string, _ bool) (message.Selector, error) { return hl7doc.Selector(text) },
		Tables:   []*transforms.Table{plain, wide},
		Secret: func(n string) (string, bool, []string) {
			return "not for patients", n == "research", []string{"research"}
		},
		Env: func(n string) (string, bool) { return "RXX", n == "TRUST" },
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func testScope(t testing.TB, e *Env) *Scope {
	t.Helper()
	d, err := hl7doc.Parse([]byte(adt), hl7.Options{UseMSH18: true})
	if err != nil {
		t.Fatal(err)
	}
	s := NewScope()
	s.Set(e, d, &message.Envelope{Source: "pas", Remote: "10.0.0.1:99", Index: 3}, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	return s
}

func compile(t testing.TB, e *Env, src string, w Want) *Program {
	t.Helper()
	p, iss := e.Compile(src, w)
	if len(iss) > 0 {
		t.Fatalf("%s: %v", src, iss)
	}
	return p
}

func TestText(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"selector", `msg["PID-5.1"]`, "Test"},
		{"repetition by condition", `msg["PID-3(5=NH).1"]`, "9990000018"},
		{"null reads as empty", `msg["PID-11"]`, ""},
		{"absent reads as empty", `msg["ZZZ-4"]`, ""},
		{"header parts", `msg.type + msg.event + msg.control_id + msg.format`, "ADTA03C17hl7"},
		{"received form", `orig["PV1-3.1"]`, "W7"},
		{"environment", `env("TRUST") + "x"`, "RXXx"},
		{"plain table", `table("sex").get(msg["PID-8"])`, "2"},
		{"plain table with default", `table("sex").get("Q", "9")`, "9"},
		{"column", `table("spec").get("300").name`, "general"},
		{"map literal", `{"A03": "out"}.get(msg.event, "")`, "out"},
		{"map literal default", `{"A03": "out"}.get("A99", "other")`, "other"},
		{"join", `msg.list("OBX(*)-5").join(";")`, "one;two"},
		{"join with an empty first", `["", "b"].join("-")`, "-b"},
		{"trim and case", `" aB ".trim().upperAscii() + "Q".lowerAscii()`, "ABq"},
		{"replace", `"a.b.c".replace(".", "")`, "abc"},
		{"substring by characters", `"Zoë1".substring(2, 3)`, "ë"},
		{"substring beyond the end", `"ab".substring(1, 9)`, "b"},
		{"pad", `"7".padLeft(3, "0")`, "007"},
		{"split", `"a^b".split("^")[1]`, "b"},
		{"number", `"abc".indexOf("c")`, "2"},
		{"transport facts", `meta.source + meta.remote + string(meta.index)`, "pas10.0.0.1:993"},
		{"year of now", `date(now).year()`, "2026"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := testEnv(t)
			p := compile(t, e, c.src, Text)
			got, err := p.Text(testScope(t, e))
			if err != nil || got != c.want {
				t.Fatalf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestBool(t *testing.T) {
	for _, c := range []struct {
		name, src string
		want      bool
	}{
		{"has a value", `msg.has("PID-8")`, true},
		{"null is no value", `msg.has("PID-11")`, false},
		{"is null", `msg.is_null("PID-11")`, true},
		{"absent is not null", `msg.is_null("PID-30")`, false},
		{"in a table", `msg["PID-8"] in table("sex") && !("Q" in table("sex"))`, true},
		{"in a table with columns", `"300" in table("spec")`, true},
		{"dates of one moment", `date("202601011200+0000") == date("202601011300+0100")`, true},
		{"dates of another precision", `date("2026") == date("20260101")`, false},
		{"2026 is not before a day of it", `date("2026").before(date("20261001"))`, false},
		{"summer time", `date("20260701120000+0000").inZone("Europe/London").hour() == 13`, true},
		{"leap day", `date("20240229").plusYears(1).format("iso") == "2025-02-28"`, true},
		{"leap century", `date("20000228").daysUntil(date("20000301")) == 2 && date("19000228").daysUntil(date("19000301")) == 1`, true},
		{"Sunday", `date("20261122").weekday() == 7 && date("20261123").weekday() == 1`, true},
		{"form of a date", `is_date("01/10/2026", "DD/MM/YYYY") && !is_date("2026-10-01", "DD/MM/YYYY")`, true},
		{"pseudonyms of two secrets", `hmac("research", "a") != sha256("a")`, true},
		{"list member", `msg.event in ["A01", "A03"]`, true},
		{"table has", `table("spec").has("301")`, false},
		{"comprehension", `msg.list("OBX(*)-5").exists(v, v == "two")`, true},
		{"regular expression", `msg["PID-3(5=NH).1"].matches("^[0-9]{10}$")`, true},
		{"not", `!(msg.type == "ADT")`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := testEnv(t)
			p := compile(t, e, c.src, Bool)
			got, err := p.Bool(testScope(t, e))
			if err != nil || got != c.want {
				t.Fatalf("got %v, %v; want %v", got, err, c.want)
			}
		})
	}
}

func TestVars(t *testing.T) {
	e := testEnv(t)
	e.Define("ward", compile(t, e, `msg["PV1-3.1"]`, Any))
	e.Define("long", compile(t, e, `vars.ward + "-" + msg["PID-5.1"]`, Any))
	e.Define("bad", compile(t, e, `table("sex").get(vars.ward)`, Any))
	s := testScope(t, e)
	changed := s.orig.doc.Clone()
	sel, _ := hl7doc.Selector("PV1-3.1")
	if err := changed.Set(sel, "X9"); err != nil {
		t.Fatal(err)
	}
	s.SetMsg(changed)
	got, err := compile(t, e, `vars.long + msg["PV1-3.1"]`, Text).Text(s)
	if err != nil || got != "W7-TestX9" {
		t.Fatalf("named values are of the message as received: got %q, %v", got, err)
	}
	if _, err = compile(t, e, `vars.bad == "x"`, Bool).Bool(s); err == nil || strings.Contains(err.Error(), "W7") {
		t.Fatalf("a named value that fails must fail, without content: %v", err)
	}
	if _, iss := e.Compile(`vars.wrad == ""`, Bool); len(iss) != 1 || !strings.Contains(iss[0].Hint, "ward") {
		t.Fatalf("unknown named value: %v", iss)
	}
}

func TestFaultsAreNeverFalseAndHoldNoContent(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"missing code", `table("sex").get(msg["PID-5.1"]) == ""`, "not in table sex"},
		{"missing key", `{"a": "b"}[msg["PID-5.1"]] == "b"`, "no such key"},
		{"conversion", `int(msg["PID-5.1"]) > 3`, "form"},
		{"division", `1 / (size(msg["ZZZ-1"])) == 1`, "zero"},
		{"index", `msg["PID-5.1"].split("x")[7] == ""`, "beyond"},
		{"no date", `date(msg["PID-5.1"]).year() == 1`, "no HL7 date"},
		{"no date of the form", `parse_date(msg["PID-5.1"], "uk").year() == 1`, "not the form uk"},
		{"no age", `age(msg["PID-5.1"], now) > 18`, "no HL7 date"},
		{"age before birth", `age("20300101", now) > 18`, "comes after"},
		{"age of a year", `age("1970", now) > 18`, "to the day"},
		{"month of a year", `date("1970").month() == 1`, "not written to the month"},
		{"tomorrow of a year", `date("1970").plusDays(1).year() == 1`, "not written precisely"},
		{"beyond the calendar", `date("99991231").plusDays(1).year() == 1`, "9999"},
		{"time of a day", `date("19700101").format("HH:mm YYYY-MM-DD") == ""`, "less precise than the form"},
		{"empty pseudonym", `hmac("research", msg["PID-11"]) == ""`, "hmac: the text is empty"},
		{"empty digest", `sha256(msg["ZZZ-1"]) == ""`, "sha256: the text is empty"},
		{"empty uuid", `uuid(msg["ZZZ-1"]) == ""`, "uuid: the text is empty"},
		{"empty key", `shift_days("research", msg["ZZZ-1"], 3) == 1`, "shift_days: the text is empty"},
		{"days", `shift_days("research", msg["PID-5.1"], size(msg["ZZZ-1"])) == 1`, "1 to 3650"},
		{"no base64", `base64_decode(msg["PID-5.1"].substring(1)) == ""`, "no base64"},
		{"bytes that are no text", `base64_decode(msg["PID-5.1"]) == ""`, "no text in UTF-8"},
		{"an index that is no code", `table("sex")[msg["PID-5.1"]] == ""`, "not in table sex"},
		{"padding", `msg["PID-5.1"].padRight(3000, " ") == ""`, "width"},
		{"work", `msg["PID-5.1"].split("").size() == 1`, "separator is empty"},
		{"growth", `"a,b,c,d,e,f,g,h,i,j".split(",").map(a, "a,b,c,d,e,f,g,h,i,j".split(",").map(b, "a,b,c,d,e,f,g,h,i,j".split(",").map(c, "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z".split(",").map(d, d.padLeft(1000, "x"))))).size() == 1`, "more work"},
		{"cost", `["a","b","c","d","e","f","g","h"].all(a, ["a","b","c","d","e","f","g","h"].all(b, ["a","b","c","d","e","f","g","h"].all(c, ["a","b","c","d","e","f","g","h"].all(d, ["a","b","c","d","e","f","g","h"].all(e, ["a","b","c","d","e","f","g","h"].all(f, ["a","b","c","d","e","f","g","h"].all(g, a + b + c + d + e + f + g != msg["PID-5.1"])))))))`, "more work"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := testEnv(t)
			p := compile(t, e, c.src, Bool)
			_, err := p.Bool(testScope(t, e))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if strings.Contains(err.Error(), "Test") {
				t.Fatalf("the error shows content: %v", err)
			}
		})
	}
}

func TestIssues(t *testing.T) {
	for _, c := range []struct {
		name, src string
		want      Want
		col       int
		text      string
		hint      string
	}{
		{"selector", `msg.type == "A" && msg["PID-0"] == ""`, Bool, 28, `selector "PID-0"`, ""},
		{"selector not constant", `msg[msg.type] == ""`, Bool, 7, "written out", "quotes"},
		{"list read as one", `msg["OBX(*)-5"] == ""`, Bool, 4, "several values", "msg.list"},
		{"field", `msg.evnt == "A01"`, Bool, 4, `no msg.evnt`, "event"},
		{"name", `mgs.event == "A01"`, Bool, 0, `"mgs"`, "msg"},
		{"single equals", `msg.event = "A01"`, Bool, 10, "= does not compare", "=="},
		{"cut short", `msg.event == `, Bool, 13, "too soon", "#"},
		{"number", `msg["PID-1"] == 1`, Bool, 13, "== does not work", "quotes"},
		{"no bool", `msg.event`, Bool, 0, "yes or no", "compare"},
		{"no text", `msg.event == "A"`, Text, 0, "where a text", "string"},
		{"table", `table("sexx").has("M")`, Bool, 6, `no table "sexx"`, "sex"},
		{"table from data", `table(msg.type).has("M")`, Bool, 9, "written out", ""},
		{"default of a wide table", `table("spec").get("1", "2") == ""`, Bool, 17, "get does not", ""},
		{"environment", `env("NOPE") == ""`, Bool, 3, "NOPE is not set", ""},
		{"regular expression", `msg.type.matches("a(")`, Bool, 18, "missing closing", "RE2"},
		{"shadow", `["a"].all(msg, msg == "a")`, Bool, 9, "already has a meaning", ""},
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

// Whatever is written, compiling and evaluating never panics and never shows content.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{`msg["PID-5.1"] == "x"`, `msg.list("OBX(*)-5").map(v, v + v).join("x") == ""`, `vars.ward`, `table("spec").get("300").name`,
		`orig.event in ["A"] ? "a" : "b"`, `{"a": 1}.get("b", 2)`, `"x".padLeft(999, "ä").substring(3, 900)`, `now - now`, `meta.received`, `date(msg["PID-7"]).plusDays(3).format("DD/MM/YYYY[ HH:mm]")`, `age(msg["PID-7"], now) > 3`,
		`hmac("research", msg["PID-3(5=NH).1"])`, `msg["PID-8"] in table("sex")`, `table("spec")["300"].name`, `is_date("x", "YYYY")`, `part.id`, `obx.index`, `msg[0]`, `has(msg.type)`} {
		f.Add(s)
	}
	e := testEnv(f)
	e.Define("ward", compile(f, e, `msg["PV1-3.1"]`, Any))
	if err := e.PushItem("obx", 0); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, src string) {
		for _, want := range []Want{Bool, Text, Any} {
			p, issues := e.Compile(src, want)
			if p == nil {
				if len(issues) == 0 || issues[0].Text == "" {
					t.Fatal("refused without a word")
				}
				continue
			}
			s := testScope(t, e)
			got, err := p.eval(&s.current)
			if inter, ierr := p.interpret(&s.current); p.kind != other && outcome(got, err) != outcome(inter, ierr) {
				t.Fatalf("native %s, interpreter %s", outcome(got, err), outcome(inter, ierr))
			}
			err = safe(err)
			if err != nil && strings.Contains(err.Error(), "9990000018") {
				t.Fatalf("%v", err)
			}
		}
	})
}
