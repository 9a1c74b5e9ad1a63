package hl7

import (
	"errors"
	"strings"
	"testing"
)

func TestParsePath(t *testing.T) {
	tests := []struct {
		in, canonical string
		level         Level
		list          bool
	}{
		{"PID", "PID", SegmentLevel, false},
		{"NK1(*)", "NK1(*)", SegmentLevel, true},
		{"PID-3", "PID-3", FieldLevel, false},
		{"PID-3(#2)", "PID-3(#2)", RepetitionLevel, false},
		{"PID-3(*)", "PID-3(*)", RepetitionLevel, true},
		{"PID-5.1", "PID-5.1", ComponentLevel, false},
		{"PID.5.1", "PID-5.1", ComponentLevel, false},
		{"PID-5-1", "PID-5.1", ComponentLevel, false},
		{"PID-3-4-2", "PID-3.4.2", SubcomponentLevel, false},
		{"OBX[3]-5[2].1", "OBX(#3)-5(#2).1", ComponentLevel, false},
		{"OBX[*]-5", "OBX(*)-5", FieldLevel, true},
		{"PID-3(5=NH).1", "PID-3(5=NH).1", ComponentLevel, false},
		{"PID-3(4=NHS&5=NH).1", "PID-3(4=NHS&5=NH).1", ComponentLevel, false},
		{"PID-3(4.2=1.2.3)(#2).1", "PID-3(4.2=1.2.3)(#2).1", ComponentLevel, false},
		{"OBX(3.1=8302-2)(*)-5", "OBX(3.1=8302-2)(*)-5", FieldLevel, true},
		{"OBX(2=ED)-5.5", "OBX(2=ED)-5.5", ComponentLevel, false},
		{"OBX(3.1.1=X)[2]-5", "OBX(3.1.1=X)(#2)-5", FieldLevel, false},
		{`PID-3(5="NH").1`, "PID-3(5=NH).1", ComponentLevel, false},
		{`PID-3(5="a b")`, `PID-3(5="a b")`, RepetitionLevel, false},
		{`PID-3(5="")`, `PID-3(5="")`, RepetitionLevel, false},
		{`PID-3(5="\"\\")`, `PID-3(5="\"\\")`, RepetitionLevel, false},
		{"OBR(#2)/OBX(*)-5", "OBR(#2)/OBX(*)-5", FieldLevel, true},
		{"OBR(#2)>NTE(*)-3", "OBR(#2)>NTE(*)-3", FieldLevel, true},
		{"OBR(*)/NTE", "OBR(*)/NTE", SegmentLevel, true},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			p, err := ParsePath(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if p.String() != tt.canonical || p.DeepestLevel() != tt.level || p.IsList() != tt.list {
				t.Errorf("got %s, level %d, list %v", p, p.DeepestLevel(), p.IsList())
			}
			if again := MustPath(p.String()); again.String() != p.String() {
				t.Errorf("canonical form reads as %s", again)
			}
		})
	}
}

func TestParsePathRefuses(t *testing.T) {
	tests := []struct {
		in     string
		offset int
		text   string
	}{
		{"", 0, "three characters"},
		{"PI", 0, "three characters"},
		{"pid-3", 0, "write PID"},
		{"1ID-3", 0, "upper-case"},
		{"PID-", 4, "number is missing"},
		{"PID-0", 4, "indexes start at 1"},
		{"PID-3.0", 6, "indexes start at 1"},
		{"PID-3(1)", 6, "write (#1), counted from 1"},
		{"OBX(2)-5", 4, "write (#2), counted from 1"},
		{"OBX[0]-5", 4, "indexes start at 1"},
		{"PID-99999", 4, "above 9999"},
		{"PID-99999999999999999999999", 4, "above 9999"},
		{"PID-3(#2", 8, "missing )"},
		{"OBX[2-5", 5, "missing ]"},
		{"PID-3(5)(#1)", 6, "write (#5)"},
		{"PID-3(5=)", 8, "needs a text"},
		{"PID-3(5=a b)", 9, "ends with )"},
		{`PID-3(5="a)`, 8, "closing quote"},
		{"PID-3(5:NH)", 7, "needs ="},
		{"PID-3(5=A)(6=B)", 11, "only (#n) or (*)"},
		{"PID-3.1.2.3", 9, "unexpected"},
		{"PID 3", 3, "unexpected"},
		{"OBR/OBX/NTE", 7, "unexpected"},
		{"OBR-2/OBX", 5, "unexpected"},
		{"PID-3(5=\xff)", 8, "UTF-8"},
		{"PID-3(1.2.3=x)", 9, "needs ="},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			_, err := ParsePath(tt.in)
			var pe *PathError
			if !errors.As(err, &pe) || pe.Offset != tt.offset || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v, want %q at %d", err, tt.text, tt.offset)
			}
		})
	}
}

func TestPathParts(t *testing.T) {
	p := MustPath("OBR(2=A)/OBX(*)-5(#2).3.4")
	if p.Segment() != "OBX" || p.Field() != 5 || p.Component() != 3 || p.Subcomponent() != 4 || !p.HasCondition() || !p.InGroup() {
		t.Errorf("parts of %s", p)
	}
	if got := p.Occurrence(3).String(); got != "OBR(2=A)/OBX(#3)-5(#2).3.4" {
		t.Errorf("got %s", got)
	}
	var zero Path
	if !zero.IsZero() || zero.Segment() != "" || zero.IsList() || zero.String() != "" || !zero.Occurrence(1).IsZero() {
		t.Error("the zero path")
	}
	m := parse(t, sample)
	if m.Get(zero) != "" || m.State(zero) != Absent || m.Count(zero) != 0 || m.Set(zero, "x") == nil || m.SetRaw(zero, nil) == nil {
		t.Error("the zero path selects something")
	}
}
