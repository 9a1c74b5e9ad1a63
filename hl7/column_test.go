package hl7

import (
	"slices"
	"testing"
)

func TestColumn(t *testing.T) {
	m := parse(t, "MSH|^~\\&|A\rPID|||1^^^A~2~3^^^C\rOBR|1||||F\rOBX|1|NM|a^b|\rOBX|2\rOBR|2\rOBX|3|NM|\"\"\rNTE\r")
	for _, c := range []struct {
		path string
		want []string
	}{
		{"OBR(*)-5", []string{"F", ""}},
		{"OBX(*)-3", []string{"a^b", "", `""`}},
		{"OBX(*)-3.2", []string{"b", "", ""}},
		{"OBX(*)-3(*)", []string{"a^b", "", `""`}},
		{"OBX(2=NM)(*)-3.1", []string{"a", `""`}},
		{"PID-3(*)", []string{"1^^^A", "2", "3^^^C"}},
		{"PID-3(*).4", []string{"A", "", "C"}},
		{"PID(*)-3.4", []string{"A"}},
		{"PID(*)-3.1", []string{"1"}},
		{"PID-9(*)", nil},
		{"ZZZ(*)-1", nil},
		{"OBR(*)/OBX-1", []string{"1", "3"}},
		{"PID-9", nil},
		{"PID-3(4=C).1", []string{"3"}},
		{"NTE(*)", []string{"NTE"}},
	} {
		if got := m.Column(MustPath(c.path)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.path, got, c.want)
		}
	}
}
