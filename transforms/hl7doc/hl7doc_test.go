package hl7doc

import (
	"errors"
	"slices"
	"testing"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
)

const oru = "MSH|^~\\&|LAB|RXX|||20260101101500||ORU^R01|C\\T\\1|P|2.5.1\r" +
	"PID|1||7^^^RXX^PI~8^^^NHS^NH\rOBX|1|NM|A-1||5\rOBX|2|NM|B-(2)||\"\"\rOBX|3|NM|A-1||\r"

func parse(t *testing.T) *Doc {
	t.Helper()
	d, err := Parse([]byte(oru), hl7.Options{UseMSH18: true})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func sel(t *testing.T, s string) message.Selector {
	t.Helper()
	p, err := Selector(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestReading(t *testing.T) {
	d := parse(t)
	if d.Type() != "ORU" || d.Event() != "R01" || d.ControlID() != `C\T\1` || d.Format() != message.HL7 {
		t.Fatal("header")
	}
	for _, c := range []struct {
		sel  string
		text string
		p    message.Presence
	}{
		{"OBX-5", "5", message.Present},
		{"OBX(#2)-5", "", message.Null},
		{"OBX(#3)-5", "", message.Empty},
		{"OBX(#3)-9", "", message.Absent},
		{"ZZZ-1", "", message.Absent},
		{"MSH-10", "C&1", message.Present},
	} {
		if got := d.Text(sel(t, c.sel)); got != c.text || d.Presence(sel(t, c.sel)) != c.p {
			t.Errorf("%s: %q, %s", c.sel, got, d.Presence(sel(t, c.sel)))
		}
	}
	if got := d.List(sel(t, "OBX(*)-5")); !slices.Equal(got, []string{"5", "", ""}) {
		t.Errorf("%q", got)
	}
}

func TestExpand(t *testing.T) {
	d := parse(t)
	for _, c := range []struct {
		sel  string
		want []string
		ok   bool
	}{
		{"PID-3.1", []string{"PID-3.1"}, true},
		{"OBX(*)-3", []string{"OBX(#1)-3", "OBX(#2)-3", "OBX(#3)-3"}, true},
		{"OBX(3=A-1)(*)-5", []string{"OBX(#1)-5", "OBX(#3)-5"}, true},
		{`OBX(3="B-(2)")(*)-5`, []string{"OBX(#2)-5"}, true},
		{"ZZZ(*)-1", nil, true},
		{"PID-3(*).1", []string{"PID(#1)-3(#1).1", "PID(#1)-3(#2).1"}, true},
		{"PID(#1)/OBX(*)-5", []string{"OBX(#1)-5", "OBX(#2)-5", "OBX(#3)-5"}, true},
	} {
		each, ok := d.Expand(sel(t, c.sel))
		var got []string
		for _, s := range each {
			got = append(got, s.String())
		}
		if ok != c.ok || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v %v", c.sel, got, ok)
		}
	}
}

func TestNoMatchIsTheDocumentsError(t *testing.T) {
	d := parse(t)
	at := sel(t, "PID-3(5=XX).1")
	for name, err := range map[string]error{"set": d.Set(at, "x"), "raw": d.SetRaw(at, "x"), "null": d.SetNull(at), "copy": d.Copy(d, sel(t, "OBX-5"), at)} {
		if !errors.Is(err, message.ErrNoMatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := d.Set(sel(t, "OBX(#9)-5"), "x"); err == nil || errors.Is(err, message.ErrNoMatch) {
		t.Errorf("a gap is another error: %v", err)
	}
	if n, err := d.Remove(at); n != 0 || err != nil || d.M.Edited() {
		t.Errorf("nothing to remove: %d %v", n, err)
	}
}

func TestCreateMakesWhatTheSelectorAsksFor(t *testing.T) {
	for _, s := range []string{"PID-3(5=XX).1", `PID-3(4.1="a b"&5=XX).1`, "PID-4(2=X).1", "OBX(3.1=Q)-5", `OBX(3.1="x (y)"&2=ST)-5`, "ZAB(1=2)-4(3=k).1", "ZAB-2(1=v).2"} {
		d := parse(t)
		at := sel(t, s)
		if err := d.Create(at); err != nil {
			t.Errorf("%s: %v", s, err)
			continue
		}
		if err := d.Set(at, "made"); err != nil || d.Text(at) != "made" {
			t.Errorf("%s: %v, %q", s, err, d.M.Bytes())
		}
	}
	if err := parse(t).Create(sel(t, "PID(#1)/OBX(2=ZZ)-5")); err == nil {
		t.Error("a segment of a group is not made by guessing")
	}
}

func TestClone(t *testing.T) {
	d := parse(t)
	c := d.Clone()
	if err := c.Set(sel(t, "MSH-3"), "NEW"); err != nil || d.M.Edited() || string(d.M.Bytes()) != oru {
		t.Fatal("an edit of the clone shows in the original")
	}
}
