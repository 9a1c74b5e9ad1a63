package hl7

import (
	"errors"
	"strings"
	"testing"
)

const small = head + "\rPID|1||9\rOBR|1\rOBX|1|TX|A\rOBR|2\r"

func TestSet(t *testing.T) {
	tests := []struct{ name, body, path, text, want string }{
		{"replace", "PID|1||9", "PID-3", "8", "PID|1||8"},
		{"whole field drops its repetitions", "PID|1||9~8^x|z", "PID-3", "7", "PID|1||7|z"},
		{"first repetition", "PID|1||9~8^x|z", "PID-3.1", "7", "PID|1||7~8^x|z"},
		{"second repetition", "PID|1||9~8^x|z", "PID-3(#2).1", "7", "PID|1||9~7^x|z"},
		{"next repetition", "PID|1||9~8|z", "PID-3(#3)", "7", "PID|1||9~8~7|z"},
		{"all repetitions", "PID|1||9~8^x|z", "PID-3(*).2", "y", "PID|1||9^y~8^y|z"},
		{"no repetition to set", "PID|1|||z", "PID-3(*).2", "y", "PID|1|||z"},
		{"by condition", "PID|1||9^^^A~8^^^B|z", "PID-3(4=B).1", "7", "PID|1||9^^^A~7^^^B|z"},
		{"grows fields", "PID|1", "PID-5", "x", "PID|1||||x"},
		{"grows components", "PID|1||9", "PID-3.4", "x", "PID|1||9^^^x"},
		{"grows subcomponents", "PID|1||9", "PID-3.1.3", "x", "PID|1||9&&x"},
		{"grows all", "PID|1||9", "PID-4.2.2", "x", "PID|1||9|^&x"},
		{"in the middle", "PID|1||9^b^c|z", "PID-3.2", "x", "PID|1||9^x^c|z"},
		{"component with parts", "PID|1||9^b&c|z", "PID-3.2", "x", "PID|1||9^x|z"},
		{"below null", `PID|1||""|z`, "PID-3.2", "x", `PID|1||""^x|z`},
		{"escapes", "PID|1", "PID-2", "a|b^c~d\\e&f\rg", `PID|1|a\F\b\S\c\R\d\E\e\T\f\X0D\g`},
		{"line feed", "PID|1", "PID-2", "a\nb", `PID|1|a\X0A\b`},
		{"line feed in a note", "NTE|1", "NTE-3", "a\nb", `NTE|1||a\.br\b`},
		{"line feed in a text result", "OBX|1|FT", "OBX-5", "a\nb", `OBX|1|FT|||a\.br\b`},
		{"line feed in a string result", "OBX|1|ST", "OBX-5", "a\nb", `OBX|1|ST|||a\X0A\b`},
		{"empty into nothing makes nothing", "PID|1", "PID-30", "", "PID|1"},
		{"empty empties", "PID|1||9^a|z", "PID-3", "", "PID|1|||z"},
		{"null", "PID|1||9", "PID-3.1", `""`, `PID|1||""`},
		{"bare segment", "PV1", "PV1-2", "I", "PV1||I"},
		{"keeps trailing separators elsewhere", "PID|1|||\rPV1|1||", "PV1-1", "2", "PID|1|||\rPV1|2||"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := parse(t, head+"\r"+tt.body+"\r")
			if err := m.Set(MustPath(tt.path), tt.text); err != nil {
				t.Fatal(err)
			}
			if got, want := string(m.Bytes()), head+"\r"+tt.want+"\r"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if m.Edited() != (tt.body != tt.want) {
				t.Errorf("edited: %v", m.Edited())
			}
		})
	}
}

func TestSetMakesSegments(t *testing.T) {
	tests := []struct{ path, want string }{
		{"ZPI-2", small + "ZPI||x\r"},
		{"ZPI(#1)-2", small + "ZPI||x\r"},
		{"OBX(#2)-2", small + "OBX||x\r"},
		{"OBX(*)-2", strings.Replace(small, "TX", "x", 1)},
		{"ZPI(*)-2", small},
		{"OBR(#2)/OBX-2", small + "OBX||x\r"},
		{"OBR(#1)/OBX(#2)-2", strings.Replace(small, "|A\r", "|A\rOBX||x\r", 1)},
		{"OBR(#1)/NTE-2", strings.Replace(small, "|A\r", "|A\rNTE||x\r", 1)},
		{"OBR(#1)>NTE-2", strings.Replace(small, "OBR|1\r", "OBR|1\rNTE||x\r", 1)},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			m := parse(t, small)
			set(t, m, tt.path, "x")
			if got := string(m.Bytes()); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSetRefuses(t *testing.T) {
	tests := []struct {
		path string
		want error
	}{
		{"MSH-1", ErrNotSettable},
		{"MSH-2", ErrNotSettable},
		{"MSH-2.1", ErrNotSettable},
		{"FHS-2", ErrNotSettable},
		{"OBX(#3)-5", ErrGap},
		{"ZPI(#2)-1", ErrGap},
		{"MSH(#2)-3", ErrGap},
		{"PID-3(#3)", ErrGap},
		{"PID-2(#2)", ErrGap},
		{"PID-9(#2).1", ErrGap},
		{"PID-3(5=NH).1", ErrNoMatch},
		{"PID-3(5=NH)(*).1", ErrNoMatch},
		{"OBX(3=B)-5", ErrNoMatch},
		{"OBX(3=B)(*)-5", ErrNoMatch},
		{"OBR(#3)/OBX-5", ErrNoMatch},
		{"OBR(*)/NTE-3", nil},
		{"PID", nil},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			m := parse(t, small)
			err := m.Set(MustPath(tt.path), "x")
			var se *SetError
			if !errors.As(err, &se) || tt.want != nil && !errors.Is(err, tt.want) || se.Selector != tt.path {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if m.Edited() || string(m.Bytes()) != small {
				t.Error("the message changed")
			}
		})
	}
}

func TestSetIsAllOrNothing(t *testing.T) {
	m := parse(t, head+"\rPID|1||a^^^^NH\rPID|2||b\r")
	if err := m.Set(MustPath("PID(*)-3(5=NH).1"), "x"); !errors.Is(err, ErrNoMatch) || m.Edited() {
		t.Errorf("%v, edited %v", err, m.Edited())
	}
}

func TestSetWithoutEscapeCharacter(t *testing.T) {
	m := parse(t, "MSH|^~&|A\rPID|1\r")
	for _, text := range []string{"a|b", "a^b", "a\rb"} {
		var ue *UnfitError
		if err := m.Set(MustPath("PID-3"), text); !errors.As(err, &ue) || ue.Selector != "PID-3" || strings.Contains(err.Error(), text) {
			t.Errorf("got %v", err)
		}
	}
	set(t, m, "PID-3", `a\b`)
	if got := m.Get(MustPath("PID-3")); got != `a\b` {
		t.Errorf("got %q", got)
	}
	if err := parse(t, "MSH|^|A\rPID|1||x\r").Set(MustPath("PID-3.1.2"), "y"); err == nil {
		t.Error("a subcomponent was set where there is no separator for it")
	}
	if err := parse(t, "MSH|^|A\rPID|1||x\r").Set(MustPath("PID-3(#2)"), "y"); err == nil {
		t.Error("a repetition was set where there is no separator for it")
	}
}

func TestSetRaw(t *testing.T) {
	tests := []struct {
		name, path, er7, want string // want "" = refused
	}{
		{"field", "PID-3", `1^2&3~4\T\`, `PID|1||1^2&3~4\T\|z`},
		{"repetition", "PID-3(#1)", "1^2&3", "PID|1||1^2&3|z"},
		{"component", "PID-3.2", "2&3", "PID|1||9^2&3|z"},
		{"null", "PID-3", `""`, `PID|1||""|z`},
		{"segment", "PID", "PID|7|8", "PID|7|8"},
		{"separator in a field", "PID-3", "a|b", ""},
		{"repetition in a repetition", "PID-3(#1)", "a~b", ""},
		{"component in a component", "PID-3.1", "a^b", ""},
		{"subcomponent in a subcomponent", "PID-3.1.1", "a&b", ""},
		{"cr", "PID-3", "a\rb", ""},
		{"block character", "PID-3", "a\x0bb", ""},
		{"other id", "PID", "PV1|1", ""},
		{"no id", "PID", "1|2", ""},
		{"not UTF-8", "PID-3", "\xff", ""},
		{"header", "MSH", `MSH|^~\&|X`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := parse(t, head+"\rPID|1||9|z\r")
			err := m.SetRaw(MustPath(tt.path), []byte(tt.er7))
			if (err == nil) != (tt.want != "") {
				t.Fatalf("got %v", err)
			}
			if tt.want == "" {
				tt.want = "PID|1||9|z"
			}
			if got := string(m.Bytes()); got != head+"\r"+tt.want+"\r" {
				t.Errorf("got %q", got)
			}
		})
	}
	m := parse(t, head+"\rPID|1||9|z\r")
	if err := m.SetNull(MustPath("PID-3")); err != nil || m.State(MustPath("PID-3")) != Null {
		t.Errorf("null: %v", err)
	}
	if err := m.SetRaw(MustPath("ZPI"), []byte("ZPI|1|2")); err != nil || m.Get(MustPath("ZPI-2")) != "2" {
		t.Errorf("new segment: %v", err)
	}
}

func TestLiteralLineFeedsNeverBecomeSegments(t *testing.T) {
	m := parse(t, head+"\rNTE|1||see\nPID\rPV1|1\r")
	set(t, m, "NTE-4", "x")
	again := parse(t, string(m.Bytes()))
	if again.Len() != m.Len() || again.Get(MustPath("NTE-3")) != "see\nPID" || again.Get(MustPath("NTE-4")) != "x" {
		t.Errorf("read again: %d segments", again.Len())
	}
}

func TestRemove(t *testing.T) {
	tests := []struct {
		path string
		n    int
		want string
	}{
		{"OBR(*)", 2, head + "\rPID|1||9\rOBX|1|TX|A\r"},
		{"OBR(#2)", 1, head + "\rPID|1||9\rOBR|1\rOBX|1|TX|A\r"},
		{"OBR(#1)/OBX(*)", 1, head + "\rPID|1||9\rOBR|1\rOBR|2\r"},
		{"ZZZ(*)", 0, small},
		{"PID-3", 1, strings.Replace(small, "|9\r", "|\r", 1)},
		{"PID-2", 0, small},
		{"PID-9", 0, small},
		{"PID-3(5=NH)", 0, small},
		{"OBX(*)-3", 1, strings.Replace(small, "|A\r", "|\r", 1)},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			m := parse(t, small)
			n, err := m.Remove(MustPath(tt.path))
			if err != nil || n != tt.n || string(m.Bytes()) != tt.want {
				t.Errorf("got %d, %v, %q", n, err, m.Bytes())
			}
		})
	}
	for _, p := range []string{"MSH", "MSH(*)", "MSH-2"} {
		if _, err := parse(t, small).Remove(MustPath(p)); !errors.Is(err, ErrNotSettable) {
			t.Errorf("%s: %v", p, err)
		}
	}
	m := parse(t, head+"\rPID|1||a^b~c^d\r")
	if n, err := m.Remove(MustPath("PID-3(*).2")); n != 2 || err != nil || m.Get(MustPath("PID-3")) != "a^~c^" {
		t.Errorf("%d, %v, %q", n, err, m.Get(MustPath("PID-3")))
	}
}

func TestInsertAndArrange(t *testing.T) {
	m := parse(t, small)
	steps := []struct {
		at, id, want string
		where        Where
	}{
		{"OBR", "ORC", "ORC", Before},
		{"OBR(#2)", "ORC", "ORC(#2)", Before},
		{"OBR(#1)", "TQ1", "TQ1", After},
		{"OBR(#1)", "SPM", "SPM", AtGroupEnd},
	}
	for _, s := range steps {
		p, err := m.InsertSegment(MustPath(s.at), s.where, s.id)
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.Replace(s.want+"(#1)", ")(#1)", ")", 1); p.String() != want {
			t.Errorf("path %s, want %s", p, want)
		}
	}
	want := head + "\rPID|1||9\rORC\rOBR|1\rTQ1\rOBX|1|TX|A\rSPM\rORC\rOBR|2\r"
	if got := string(m.Bytes()); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, bad := range []struct{ at, id string }{{"MSH", "PID"}, {"ZZZ", "PID"}, {"PID", "pid"}, {"PID", "MSH"}, {"PID", ""}} {
		if _, err := m.InsertSegment(MustPath(bad.at), Before, bad.id); err == nil {
			t.Errorf("%v: not refused", bad)
		}
	}
	if err := m.Arrange([]int{0, 3, 1}); err != nil || string(m.Bytes()) != head+"\rOBR|1\rPID|1||9\r" {
		t.Errorf("%v, %q", err, m.Bytes())
	}
	for _, order := range [][]int{{}, {1, 0}, {0, 0}, {0, 1, 1}, {0, 9}, {0, -1}} {
		if err := m.Arrange(order); err == nil {
			t.Errorf("%v: not refused", order)
		}
	}
}
