package transforms_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
)

const adt = "MSH|^~\\&|PAS|RXX|EPR|RXX|20260101101500||ADT^A08|C17|P|2.5.1\r" +
	"PID|1||777^^^RXX^PI~888^^^YYY^PI||Test^Ann|||F||\"\"|1 Road^^Town\r" +
	"PV1|1|I|W7\r" +
	"OBX|1|ST|A^one||x\rOBX|2|ST|B^two||y\r"

func sel(t *testing.T, s string) message.Selector {
	t.Helper()
	p, err := hl7doc.Selector(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func doc(t *testing.T) *hl7doc.Doc {
	t.Helper()
	d, err := hl7doc.Parse([]byte(adt), hl7.Options{UseMSH18: true})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// computed reads the message, as an expression does.
type computed struct {
	at     message.Selector
	suffix string
}

func (c computed) Text(in *transforms.Input) (string, error) {
	return in.Doc.Text(c.at) + c.suffix, nil
}

func table(t *testing.T) *transforms.Table {
	t.Helper()
	tb := transforms.NewTable("codes", "code", "name")
	for k, v := range map[string][]string{"F": {"2", "female"}, "A": {"AA", "alpha"}, "x": {"X", ""}, "same": {"same", "n"}} {
		if err := tb.Add(k, v); err != nil {
			t.Fatal(err)
		}
	}
	return tb
}

func TestSteps(t *testing.T) {
	s := func(text string) message.Selector { return sel(t, text) }
	text := func(v string) transforms.Value { return transforms.Constant(v) }
	set := func(none transforms.IfNone, as ...transforms.Assignment) *transforms.Set {
		return &transforms.Set{Assignments: as, IfNone: none}
	}
	tb := table(t)
	for _, c := range []struct {
		name string
		step transforms.Step
		want string // a line of the result; "" = untouched
		err  string
	}{
		{"set", set(0, transforms.Assignment{At: s("PV1-3.2"), Value: text("a&b")}), "PV1|1|I|W7^a\\T\\b", ""},
		{"set reads the message as it was", set(0,
			transforms.Assignment{At: s("PV1-2"), Value: computed{s("PV1-3"), "!"}},
			transforms.Assignment{At: s("PV1-3"), Value: computed{s("PV1-2"), "?"}}), "PV1|1|W7!|I?", ""},
		{"set copies the message as it was", set(0,
			transforms.Assignment{At: s("PV1-2"), From: s("PV1-3")},
			transforms.Assignment{At: s("PV1-3"), From: s("PV1-2")}), "PV1|1|W7|I", ""},
		{"set raw", set(0, transforms.Assignment{At: s("PV1-3"), Raw: text("a^b")}), "PV1|1|I|a^b", ""},
		{"set raw that breaks segments", set(0, transforms.Assignment{At: s("PV1-3"), Raw: text("a\rb")}), "", "control character"},
		{"set without a match holds", set(transforms.HoldIfNone, transforms.Assignment{At: s("PID-3(5=NH).1"), Value: text("1")}), "", "if_none"},
		{"set without a match skips", set(transforms.SkipIfNone, transforms.Assignment{At: s("PID-3(5=NH).1"), Value: text("1")}), "", ""},
		{"set without a match creates a repetition", set(transforms.CreateIfNone, transforms.Assignment{At: s("PID-3(4=NHS&5=NH).1"), Value: text("1")}),
			"PID|1||777^^^RXX^PI~888^^^YYY^PI~1^^^NHS^NH||Test^Ann|||F||\"\"|1 Road^^Town", ""},
		{"set without a match creates in an empty field", set(transforms.CreateIfNone, transforms.Assignment{At: s("PV1-7(8=X).1"), Value: text("d")}),
			"PV1|1|I|W7||||d^^^^^^^X", ""},
		{"set without a match creates a segment", set(transforms.CreateIfNone, transforms.Assignment{At: s("ZAB(2.1=\"a b\")-3"), Value: text("v")}), "ZAB||a b|v", ""},
		{"set to all", set(0, transforms.Assignment{At: s("OBX(*)-11"), Value: text("F")}), "OBX|2|ST|B^two||y||||||F", ""},
		{"copy a repetition to a field replaces the field", &transforms.Copy{From: s("PID-3(4=YYY)"), To: s("PID-3")},
			"PID|1||888^^^YYY^PI||Test^Ann|||F||\"\"|1 Road^^Town", ""},
		{"copy carries null", &transforms.Copy{From: s("PID-10"), To: s("PV1-2")}, "PV1|1|\"\"|W7", ""},
		{"copy of what is absent changes nothing", &transforms.Copy{From: s("PID-30"), To: s("PV1-2")}, "", ""},
		{"copy without a place", &transforms.Copy{From: s("PID-8"), To: s("PID-3(5=NH).1")}, "", "if_none"},
		{"move", &transforms.Move{From: s("PV1-3"), To: s("PV1-6")}, "PV1|1|I||||W7", ""},
		{"remove segments", &transforms.Remove{At: []message.Selector{s("OBX(*)"), s("ZZZ"), s("PID-3(5=NH)")}}, "no OBX", ""},
		{"remove a field", &transforms.Remove{At: []message.Selector{s("PV1-2")}}, "PV1|1||W7", ""},
		{"nullify", &transforms.Nullify{At: []message.Selector{s("PV1-3")}}, `PV1|1|I|""`, ""},
		{"default fills what is missing", &transforms.Default{Set: *set(0, transforms.Assignment{At: s("PV1-4"), Value: text("R")})}, "PV1|1|I|W7|R", ""},
		{"default leaves values", &transforms.Default{Set: *set(0, transforms.Assignment{At: s("PV1-2"), Value: text("R")})}, "", ""},
		{"default leaves null", &transforms.Default{Set: *set(0, transforms.Assignment{At: s("PID-10"), Value: text("R")})}, "", ""},
		{"map", &transforms.Map{At: s("PID-8"), Table: tb}, "PID|1||777^^^RXX^PI~888^^^YYY^PI||Test^Ann|||2||\"\"|1 Road^^Town", ""},
		{"map with put", &transforms.Map{At: s("PID-8"), Table: tb, Column: -1, Put: []transforms.Put{{At: s("PV1-4"), Column: 1}}}, "PV1|1|I|W7|female", ""},
		{"map a list", &transforms.Map{At: s("OBX(*)-5"), Table: tb, Unmapped: transforms.KeepUnmapped}, "OBX|1|ST|A^one||X", ""},
		{"map absent", &transforms.Map{At: s("PID-30"), Table: tb}, "", ""},
		{"map null", &transforms.Map{At: s("PID-10"), Table: tb}, "", ""},
		{"map unmapped keeps", &transforms.Map{At: s("PV1-2"), Table: tb, Unmapped: transforms.KeepUnmapped}, "", ""},
		{"map unmapped holds", &transforms.Map{At: s("PV1-2"), Table: tb}, "", "held: the code at PV1-2 is not in table"},
		{"map unmapped rejects", &transforms.Map{At: s("PV1-2"), Table: tb, Unmapped: transforms.RejectUnmapped}, "", "rejected: "},
		{"map unmapped default", &transforms.Map{At: s("PV1-2"), Table: tb, Unmapped: transforms.DefaultUnmapped, Default: "9"}, "PV1|1|9|W7", ""},
		{"end", &transforms.End{Stop: transforms.Stop{Outcome: message.Dropped, Reason: "why"}}, "", "dropped: why"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := doc(t)
			err := c.step.Apply(&transforms.Input{Doc: d})
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Fatalf("error %v, want %q", err, c.err)
			}
			if err != nil && (strings.Contains(err.Error(), "Test") || strings.Contains(err.Error(), "777")) {
				t.Fatalf("the error shows content: %v", err)
			}
			got := string(d.M.Bytes())
			switch {
			case c.want == "":
				if got != adt || c.err == "" && d.M.Edited() {
					t.Fatalf("changed: %q", got)
				}
			case c.want == "no OBX":
				if strings.Contains(got, "OBX") || !strings.Contains(got, "PV1") {
					t.Fatalf("%q", got)
				}
			case !strings.Contains(got, "\r"+c.want+"\r"):
				t.Fatalf("%q is not in %q", c.want, got)
			}
		})
	}
}

type answer struct {
	yes bool
	err error
}

func (a answer) Bool(*transforms.Input) (bool, error) { return a.yes, a.err }

func TestChain(t *testing.T) {
	at := func(line int) message.Place { return message.Place{File: "f", Line: line} }
	hold := &transforms.End{Stop: transforms.Stop{Outcome: message.Held, Reason: "look"}}
	set := &transforms.Set{Assignments: []transforms.Assignment{{At: sel(t, "PV1-2"), Value: transforms.Constant("O")}}}
	inner := transforms.Chain{{Step: hold, Place: at(3)}, {Step: set, Place: at(4)}}
	chain := transforms.Chain{{Step: &transforms.When{If: answer{yes: true}, Do: inner}, Place: at(2)}}

	err := chain.Apply(&transforms.Input{Doc: doc(t)})
	var stop *transforms.Stop
	if !errors.As(err, &stop) || stop.Place != at(3) || stop.Outcome != message.Held {
		t.Fatalf("%v", err)
	}
	if hold.Stop.Place != (message.Place{}) {
		t.Fatal("a shared step was changed")
	}

	d := doc(t)
	in := &transforms.Input{Doc: d, Skip: func(p message.Place) bool { return p == at(3) }}
	if err := chain.Apply(in); err != nil || !strings.Contains(string(d.M.Bytes()), "PV1|1|O|") {
		t.Fatalf("a waived step is left out, those after it are done: %v", err)
	}

	no := transforms.Chain{{Step: &transforms.When{If: answer{}, Do: inner}, Place: at(2)}}
	if err := no.Apply(&transforms.Input{Doc: doc(t)}); err != nil {
		t.Fatal(err)
	}
	broken := transforms.Chain{{Step: &transforms.When{If: answer{err: errors.New("cannot tell")}, Do: inner}, Place: at(2)}}
	if err := broken.Apply(&transforms.Input{Doc: doc(t)}); !errors.As(err, &stop) || stop.Place != at(2) || stop.Outcome != message.Held || stop.Reason != "cannot tell" {
		t.Fatalf("a condition that fails holds: %v", err)
	}
}

func TestTable(t *testing.T) {
	plain := transforms.NewTable("p")
	if err := plain.Add("a", []string{"1"}); err != nil || !plain.Plain() {
		t.Fatal(err)
	}
	if err := plain.Add("a", []string{"2"}); err == nil {
		t.Fatal("a code with two meanings")
	}
	if err := plain.Add("b", []string{"2", "3"}); err == nil {
		t.Fatal("two values in a table of one column")
	}
	if _, ok := plain.Get("b"); ok || plain.Len() != 1 || plain.Column("x") != -1 {
		t.Fatal("what was refused must not be there")
	}
}

// Every ready step is documented; the reference is made of this.
func TestVocabulary(t *testing.T) {
	seen := map[string]bool{}
	for _, w := range transforms.Vocabulary() {
		if seen[w.Name] || w.Does == "" || w.Ready && w.Shape == "" {
			t.Errorf("%q: twice, or not documented", w.Name)
		}
		seen[w.Name] = true
	}
}
