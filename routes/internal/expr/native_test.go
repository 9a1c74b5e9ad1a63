package expr

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
)

// writer writes random expressions of the native subset.
type writer struct {
	*rand.Rand
	element string // the variable of a loop around
}

func (w writer) one(of ...string) string { return of[w.Intn(len(of))] }

func (w writer) selector() string {
	return w.one("PID-5.1", "PID-8", "PV1-3.1", "PID-3(5=NH).1", "PID-11", "ZZZ-1", "OBX(#2)-5", "MSH-10", "PV1-19.1")
}

func (w writer) literal() string {
	return w.one(`""`, `"W7"`, `"F"`, `"Test"`, `"t"`, `" "`, `"ä"`, `"300"`, `"12"`, `"-3"`, `"9223372036854775807"`, `"A03"`)
}

func (w writer) text(depth int) string {
	if w.element != "" && w.Intn(3) == 0 {
		return w.element
	}
	if depth == 0 || w.Intn(5) == 0 {
		return w.one(w.literal(), fmt.Sprintf(`%s["%s"]`, w.one("msg", "orig"), w.selector()), w.one("msg", "orig")+w.one(".type", ".event", ".control_id", ".format"),
			w.one("vars.ward", "vars.bad", "vars.local", "vars.row.name", "vars.unset"), w.one("meta.id", "meta.source", "meta.remote", "meta.file"), "part.id")
	}
	t := func() string { return w.text(depth - 1) }
	n := func() string { return w.number(depth - 1) }
	switch w.Intn(19) {
	case 0, 1:
		return "(" + t() + " + " + t() + ")"
	case 2:
		return t() + w.one(".trim()", ".upper()", ".lower()", ".upperAscii()", ".lowerAscii()")
	case 3:
		return fmt.Sprintf("%s.replace(%s, %s)", t(), t(), t())
	case 4:
		return fmt.Sprintf("%s.substring(%s)", t(), n())
	case 5:
		return fmt.Sprintf("%s.substring(%s, %s)", t(), n(), n())
	case 6:
		return fmt.Sprintf("%s.%s(%s, %s)", t(), w.one("padLeft", "padRight"), n(), w.one(`"0"`, `"ä"`, t()))
	case 7:
		return fmt.Sprintf(`table("sex").get(%s)`, t())
	case 8:
		return fmt.Sprintf(`table("sex").get(%s, %s)`, t(), t())
	case 9:
		return fmt.Sprintf(`table("spec").get(%s).%s`, t(), w.one("code", "name"))
	case 10:
		return fmt.Sprintf(`table("sex")[%s]`, t())
	case 11, 12:
		return fmt.Sprintf("(%s ? %s : %s)", w.yes(depth-1), t(), t())
	case 13:
		return "string(" + w.one(n(), t()) + ")"
	case 14:
		return fmt.Sprintf(`{"A03": "out", "": "x", "W7": "ä"}.get(%s, %s)`, t(), t())
	case 15:
		return w.one("sha256", "uuid", "base64_encode", "base64_decode") + "(" + t() + ")"
	case 17:
		return w.one(`msg.list("OBX(*)-5").join()`, `orig.list("OBX(*)-5").join(`+t()+`)`, `msg.list("ZZZ(*)-1").join("x")`)
	case 16:
		return `hmac("research", ` + t() + ")"
	}
	return `env("TRUST")`
}

func (w writer) number(depth int) string {
	if depth == 0 || w.Intn(4) == 0 {
		return w.one("0", "1", "3", "-1", "9223372036854775807", "meta.index", "meta.row", "meta.size", "part.index", "vars.count", "obx.index")
	}
	t := func() string { return w.text(depth - 1) }
	switch w.Intn(7) {
	case 5:
		return w.one(`msg.list("OBX(*)-5").size()`, `size(orig.list("OBX(*)-5"))`)
	case 0:
		return "size(" + t() + ")"
	case 1:
		return t() + ".size()"
	case 2:
		return "int(" + t() + ")"
	case 3:
		return fmt.Sprintf("(%s %s %s)", w.number(depth-1), w.one("+", "-"), w.number(depth-1))
	case 4:
		return fmt.Sprintf("%s.indexOf(%s)", t(), t())
	}
	return fmt.Sprintf("(%s ? %s : %s)", w.yes(depth-1), w.number(depth-1), w.number(depth-1))
}

func (w writer) yes(depth int) string {
	if depth == 0 || w.Intn(6) == 0 {
		return w.one("true", "false", fmt.Sprintf(`%s.%s("%s")`, w.one("msg", "orig"), w.one("has", "is_null"), w.selector()), `msg.has("OBX(*)-5")`,
			"vars.yes", "vars.badyes", `(msg.event in ["A01", "A03"])`)
	}
	t := func() string { return w.text(depth - 1) }
	switch w.Intn(15) {
	case 12, 13:
		if w.element == "" {
			w.element = "x"
			return fmt.Sprintf(`%s.list("%s").%s(x, %s)`, w.one("msg", "orig"), w.one("OBX(*)-5", "ZZZ(*)-1", "PID-3(*).1"), w.one("exists", "all"), w.yes(depth-1))
		}
	case 0:
		return "!" + w.yes(depth-1)
	case 1, 2, 3:
		return fmt.Sprintf("(%s %s %s)", w.yes(depth-1), w.one("&&", "||"), w.yes(depth-1))
	case 4, 5:
		return fmt.Sprintf("(%s %s %s)", t(), w.one("==", "!=", "<", "<=", ">", ">="), t())
	case 6:
		return fmt.Sprintf("(%s %s %s)", w.number(depth-1), w.one("==", "!=", "<", "<=", ">", ">="), w.number(depth-1))
	case 7:
		return fmt.Sprintf("%s.%s(%s)", t(), w.one("startsWith", "endsWith", "contains"), t())
	case 8:
		return fmt.Sprintf(`%s.matches("%s")`, t(), w.one("^[0-9]{3}$", "W", "^$", "(?i)t.*"))
	case 9:
		set := []string{}
		for range w.Intn(20) {
			set = append(set, w.literal())
		}
		return fmt.Sprintf("(%s in [%s, %s])", t(), strings.Join(append(set, `"x"`), ", "), w.literal())
	case 10:
		return fmt.Sprintf(`(%s in %s)`, t(), w.one(`table("sex")`, `table("spec")`, `msg.list("OBX(*)-5")`))
	case 11:
		return fmt.Sprintf("(%s %s %s)", w.yes(depth-1), w.one("==", "!="), w.yes(depth-1))
	}
	return w.one("nhs_number_valid", "ods_code_form", "is_date") + "(" + t() + ")"
}

// nativeEnv has a named value of every kind, some of which fail.
func nativeEnv(t testing.TB) (*Env, func(*Scope)) {
	e := testEnv(t)
	e.AllowPart(true)
	if err := e.PushItem("obx", 2); err != nil {
		t.Fatal(err)
	}
	for _, v := range [][2]string{{"ward", `msg["PV1-3.1"]`}, {"bad", `table("sex").get(msg["PV1-3.1"])`}, {"row", `table("spec").get(msg["PV1-10.1"])`},
		{"count", `size(msg["PID-5.1"])`}, {"yes", `vars.ward == "W7" || msg.list("OBX(*)-5").exists(x, int(x) > 3)`}, {"badyes", `int(msg["PID-8"]) > 1`}} {
		e.Define(v[0], compile(t, e, v[1], Any))
	}
	local := compile(t, e, `msg["PID-5.1"] + "!"`, Any)
	n := e.DefineLocal("local", local)
	e.DefineLocal("unset", local)
	return e, func(s *Scope) {
		if err := local.Store(s, n); err != nil {
			t.Fatal(err)
		}
	}
}

func randomScope(t testing.TB, w writer, e *Env) *Scope {
	t.Helper()
	f := func() string { return w.one("", "", `""`, "W7", "Test", "F", "Zoë", " a ", "300", "12", "9990000018") }
	raw := fmt.Sprintf("MSH|^~\\&|PAS|RXX|EPR|RXX|20260101101500||ADT^%s|%s|P|2.5.1\rPID|1||777^^^RXX^PI~%s^^^NHS^NH||%s^Ann||19700101|%s|||%s\rPV1|1|I|%s^2^B|||||||%s\rOBX|1|ST|A||%s\rOBX|2|ST|B||%s\r",
		w.one("A01", "A03"), f(), f(), f(), w.one("F", "M", "", "1"), f(), f(), w.one("300", "301"), f(), f())
	parse := func() message.Doc {
		d, err := hl7doc.Parse([]byte(raw), hl7.Options{UseMSH18: true})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	s := NewScope()
	s.Set(e, parse(), &message.Envelope{Source: "pas", File: "f.hl7", Index: w.Intn(3)}, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	s.SetPart(w.Intn(3), "p")
	if w.Intn(2) == 0 {
		d := parse()
		sel, _ := hl7doc.Selector("PID-5.1")
		if err := d.Set(sel, "changed"); err != nil {
			t.Fatal(err)
		}
		s.SetMsg(d)
		walking(s, map[int]int{2: 4})
	}
	return s
}

func outcome(r slot, err error) string {
	if err != nil {
		return "fault: " + safe(err).Error()
	}
	return fmt.Sprint(r.val())
}

// The native path means what the interpreter means, faults included.
func TestNativeIsTheInterpreter(t *testing.T) {
	w := writer{Rand: rand.New(rand.NewSource(7))}
	e, store := nativeEnv(t)
	faults := 0
	for i := range 3000 {
		depth := 1 + i%4
		src, want := w.yes(depth), Bool
		switch i % 3 {
		case 1:
			src, want = w.text(depth), Text
		case 2:
			src, want = w.number(depth), Text
		}
		p, iss := e.Compile(src, want)
		if len(iss) > 0 && strings.Contains(iss[0].Text, "never be evaluated") {
			continue // such as int("W7")
		}
		if len(iss) > 0 {
			t.Fatalf("%s: %v", src, iss)
		}
		if p.node.text == nil && p.node.yes == nil && p.node.number == nil {
			t.Fatalf("%s is not native", src)
		}
		for range 3 {
			s := randomScope(t, w, e)
			store(s)
			for _, v := range []*view{&s.current, &s.received} {
				got, want := outcome(p.eval(v)), outcome(p.interpret(v))
				if got != want {
					t.Fatalf("%s\nnative      %s\ninterpreter %s", src, got, want)
				}
				if strings.HasPrefix(got, "fault") {
					faults++
				}
			}
		}
	}
	if faults < 1000 {
		t.Fatalf("only %d evaluations failed: the faults are hardly tested", faults)
	}
}

// Conditions and fixed texts allocate nothing of their own.
func TestNativeAllocatesNothing(t *testing.T) {
	e := testEnv(t)
	e.Define("yes", compile(t, e, `meta.source == "pas" && meta.index == 3`, Any))
	for _, src := range []string{`vars.yes`, `meta.source in ["a", "b", "pas"]`, `table("sex").has("F") && !(meta.index > 3)`, `"a".startsWith("a") ? true : false`} {
		p, s := compile(t, e, src, Bool), testScope(t, e)
		if n := testing.AllocsPerRun(100, func() {
			if yes, err := p.Bool(s); !yes || err != nil {
				t.Fatal(src, yes, err)
			}
		}); n != 0 {
			t.Errorf("%s allocates %v times", src, n)
		}
	}
}

func BenchmarkExpression(b *testing.B) {
	for _, c := range []struct{ name, src string }{
		{"equal", `msg["PV1-3.1"] == "W7"`},
		{"event", `msg.event == "A03"`},
		{"in", `msg.event in ["A01", "A02", "A03", "A08"]`},
		{"and", `msg.event == "A03" && msg["PV1-3.1"] == "W7"`},
		{"var", `vars.ward == "W7"`},
		{"table", `vars.ward in table("sex") || msg.has("PID-8")`},
		{"starts", `msg["PV1-3.1"].trim().startsWith("W")`},
		{"fault", `table("sex").get(msg["PV1-3.1"]) == "1" || msg.type == "ADT"`},
	} {
		e := testEnv(b)
		e.Define("ward", compile(b, e, `msg["PV1-3.1"]`, Any))
		p := compile(b, e, c.src, Bool)
		for _, way := range []struct {
			name string
			eval func(*view) (slot, error)
		}{{"native", p.eval}, {"interpreter", p.interpret}} {
			b.Run(c.name+"/"+way.name, func(b *testing.B) {
				s := testScope(b, e)
				s.SetMsg(s.orig.doc.Clone()) // not settled: the document is read each time
				b.ReportAllocs()
				for b.Loop() {
					if r, err := way.eval(&s.current); !r.yes || err != nil {
						b.Fatal(r, err)
					}
				}
			})
		}
	}
}

// The same of a message that is not edited any more.
func BenchmarkSettled(b *testing.B) {
	for _, src := range []string{`msg.event in ["A01", "A02", "A03", "A08"]`, `msg.event == "A03" && msg["PV1-3.1"] == "W7"`} {
		b.Run(src, func(b *testing.B) {
			e := testEnv(b)
			p := compile(b, e, src, Bool)
			s := testScope(b, e)
			b.ReportAllocs()
			for b.Loop() {
				if yes, err := p.Bool(s); !yes || err != nil {
					b.Fatal(yes, err)
				}
			}
		})
	}
}

// Loading a project: an environment for each feed, a program for each expression.
func BenchmarkCompile(b *testing.B) {
	b.Run("environment", func(b *testing.B) {
		for b.Loop() {
			testEnv(b)
		}
	})
	e := testEnv(b)
	for _, src := range []string{`msg.event in ["A01", "A02"] && msg["PV1-3.1"] != "X"`, `msg.list("OBX(*)-5").exists(v, v == "a")`} {
		b.Run(src, func(b *testing.B) {
			for b.Loop() {
				compile(b, e, src, Bool)
			}
		})
	}
}

// Other expressions, by whichever way they run.
func BenchmarkOther(b *testing.B) {
	for _, src := range []string{`date(msg["PID-7"]).format("DD/MM/YYYY")`, `age(msg["PID-7"], now)`, `msg.list("OBX(*)-5").exists(v, v == "two") ? "a" : "b"`,
		`msg.list("OBX(*)-5").join(",")`} {
		b.Run(src, func(b *testing.B) {
			e := testEnv(b)
			p, s := compile(b, e, src, Text), testScope(b, e)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Text(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A loop that asks a named value with a loop of its own goes on where it was.
func TestLoopsOfNamedValues(t *testing.T) {
	e := testEnv(t)
	e.Define("inner", compile(t, e, `msg.list("OBX(*)-5").exists(x, x == "two")`, Any))
	e.Define("outer", compile(t, e, `msg.list("OBX(*)-5").all(y, vars.inner && y.size() == 3 && y != "two" || y == "two")`, Any))
	p := compile(t, e, `vars.outer && msg.list("OBX(*)-5").exists(z, vars.inner && z == "one")`, Bool)
	if p.node.yes == nil || e.vars[1].node.yes == nil {
		t.Fatal("not native")
	}
	s := testScope(t, e)
	if yes, err := p.Bool(s); !yes || err != nil {
		t.Fatal(yes, err)
	}
	if s.current.element != "" || s.received.element != "" {
		t.Fatal("an element of the message is kept")
	}
}
