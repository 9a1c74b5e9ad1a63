package hl7

import (
	"errors"
	"testing"
)

func TestCopyFrom(t *testing.T) {
	src := head + "\rPID|1||77^^^RXX&9&ISO^PI~88^^^NHS^NH|\"\"|a\\F\\b*c\\H\\d\\X0D\\|||C:\\x\rOBX|1|ED|||x^y\r"
	tests := []struct{ name, dst, from, to, want string }{
		{"field", "PID|1||9|z", "PID-3", "PID-3", `PID|1||77^^^RXX&9&ISO^PI~88^^^NHS^NH|z`},
		{"repetition to field", "PID|1||9~8|z", "PID-3(5=NH)", "PID-3", "PID|1||88^^^NHS^NH|z"},
		{"repetition to repetition", "PID|1||9~8|z", "PID-3(5=NH)", "PID-3(#2)", "PID|1||9~88^^^NHS^NH|z"},
		{"component", "PID|1||9", "PID-3.4", "PID-3.4", "PID|1||9^^^RXX&9&ISO"},
		{"null", "PID|1||9", "PID-4", "PID-3", `PID|1||""`},
		{"escapes", "PID|1", "PID-5", "PID-2", `PID|1|a\F\b*c\H\d\X0D\`},
		{"absent empties", "PID|1||9|z", "PV1-1", "PID-3", "PID|1|||z"},
		{"absent makes nothing", "PID|1", "PV1-1", "PID-30", "PID|1"},
		{"separator as a value", "PID|1", "MSH-2", "PID-2", `PID|1|\S\\R\\E\\T\`},
		{"segment", "PID|1\rOBX|9", "OBX", "OBX", "PID|1\rOBX|1|ED|||x^y"},
		{"segment that is new", "PID|1", "OBX", "ZBX", "PID|1\rZBX|1|ED|||x^y"},
		{"to all", "PID|1\rOBX|1||1\rOBX|2||2", "PID-3(#2).1", "OBX(*)-3", "PID|1\rOBX|1||88\rOBX|2||88"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := parse(t, head+"\r"+tt.dst+"\r")
			if err := m.CopyFrom(parse(t, src), MustPath(tt.from), MustPath(tt.to)); err != nil {
				t.Fatal(err)
			}
			if got := string(m.Bytes()); got != head+"\r"+tt.want+"\r" {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	refused := []struct{ from, to string }{
		{"PID-3(*)", "PID-4"}, {"PID-3", "PID-3.1"}, {"PID-3", "PID-3(#1)"}, {"PID-3.4", "PID-3.4.1"}, {"PID", "PID-3"},
		{"PID-3", "PID"}, {"MSH", "MSH"}, {"PID-4", "MSH-2"}, {"PV1", "PV1"}, {"PID-3", "OBR(#2)-1"},
	}
	for _, tt := range refused {
		m := parse(t, head+"\rPID|1\r")
		if err := m.CopyFrom(parse(t, src), MustPath(tt.from), MustPath(tt.to)); err == nil || m.Edited() {
			t.Errorf("%v: got %v", tt, err)
		}
	}
}

func TestCopyRewritesDelimiters(t *testing.T) {
	src := parse(t, "MSH|^~\\&#|A\rPID|1||a^b&c~d|x\\F\\y\\S\\z*:q\\E\\|C:\\Temp \\H\\h\\N\\ \\X41\\|cut#|tab\there\r")
	m := parse(t, "MSH:*!@%:B\rPID:1\r")
	for _, f := range []string{"PID-3", "PID-4", "PID-5", "PID-6", "PID-7"} {
		if err := m.CopyFrom(src, MustPath(f), MustPath(f)); err != nil {
			t.Fatal(err)
		}
	}
	want := "MSH:*!@%:B\rPID:1::a*b%c!d:x|y^z@S@@F@q\\:C@F@\\Temp @H@h@N@ @X41@:cut#:tab\there\r"
	if got := string(m.Bytes()); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, f := range []string{"PID-3.2.2", "PID-4", "PID-5", "PID-6"} {
		p := MustPath(f)
		if f != "PID-5" && m.Get(p) != src.Get(p) {
			t.Errorf("%s reads %q, was %q", f, m.Get(p), src.Get(p))
		}
	}
	poor := parse(t, "MSH|^|A\rPID|1\r")
	var ue *UnfitError
	if err := poor.CopyFrom(src, MustPath("PID-3"), MustPath("PID-3")); !errors.As(err, &ue) {
		t.Errorf("got %v", err)
	}
}

func TestCopyRewritesCharset(t *testing.T) {
	src := parse(t, head+"||||||8859/1\rPID|1||M\xfcller\\XE9\\\r")
	m := parse(t, head+"\rPID|1||x\r")
	if err := m.CopyFrom(src, MustPath("PID-3"), MustPath("PID-3")); err != nil || string(m.Raw(MustPath("PID-3"))) != "Müller\u00e9" {
		t.Errorf("got %q, %v", m.Raw(MustPath("PID-3")), err)
	}
	ascii := parse(t, head+"||||||ASCII\rPID|1||x\r")
	var ue *UnfitError
	if err := ascii.CopyFrom(src, MustPath("PID-3"), MustPath("PID-3")); !errors.As(err, &ue) || ue.Characters != 2 {
		t.Errorf("got %v", err)
	}
}
