package hl7

import (
	"fmt"
	"slices"
	"testing"
)

func TestGet(t *testing.T) {
	m := parse(t, sample)
	tests := []struct {
		path, want string
		state      State
	}{
		{"MSH-1", "|", Value},
		{"MSH-2", `^~\&`, Value},
		{"MSH-2.1", `^~\&`, Value},
		{"MSH-3", "PAS", Value},
		{"MSH-9", "ADT^A08^ADT_A01", Value},
		{"MSH-9.2", "A08", Value},
		{"MSH-12", "2.5.1", Value},
		{"MSH-13", "", Absent},
		{"PID-2", "", Empty},
		{"PID-2.1", "", Empty},
		{"PID-2.2", "", Absent},
		{"PID-3", "7701^^^RXX&2.16.1&ISO^PI~9990000018^^^NHS^NH", Value},
		{"PID-3.1", "7701", Value},
		{"PID-3(#2).1", "9990000018", Value},
		{"PID-3(#3).1", "", Absent},
		{"PID-3.4", "RXX&2.16.1&ISO", Value},
		{"PID-3.4.3", "ISO", Value},
		{"PID-3.4.4", "", Absent},
		{"PID-3(#2).4.1", "NHS", Value},
		{"PID-3(#2).4.2", "", Absent},
		{"PID-3(5=NH).1", "9990000018", Value},
		{"PID-3(4=RXX&5=PI).1", "7701", Value},
		{"PID-3(4=RXX&5=NH).1", "", Absent},
		{"PID-3(4.2=2.16.1).1", "7701", Value},
		{`PID-3(4="RXX&2.16.1&ISO").1`, "7701", Value},
		{"PID-3(5=NH)(#2).1", "", Absent},
		{"PID-5.1", "Mc&Donald", Value},
		{`PID-5(1="Mc&Donald").4`, "Dr", Value},
		{"PID-5.2", `""`, Null},
		{"PID-5.3", "", Empty},
		{"PID-5.5", "", Absent},
		{"PID-9", "", Empty},
		{"PID-10", "", Absent},
		{"PV1-1", "", Absent},
		{"NK1", "NK1|1|Poppy^Rae", Value},
		{"OBX-5", `a\F\b~c\.br\d`, Value},
		{"OBX-5(#2)", "c\nd", Value},
		{"OBX(#2)-5", "81", Value},
		{"OBX(3.1=8302-2)(#2)-5", "180", Value},
		{"OBX(3=29463-7)-5", "81", Value},
		{"OBX(3.1=none)-5", "", Absent},
		{"OBX(#9)-5", "", Absent},
		{"OBX(2=NM&1=2)-5", "180", Value},
		{"OBR(#2)/OBX-5", "81", Value},
		{"OBR(#2)/OBX(3.1=8302-2)-5", "180", Value},
		{"OBR(2=A2)/OBX(#2)-5", "180", Value},
		{"OBR(#2)/NTE-3", "", Absent},
		{"OBR/NTE(#2)-3", "second", Value},
		{"OBR(#2)/ORC-2", "B", Value},
		{"OBR(#1)/ORC-2", "", Absent},
		{"OBX>NTE-3", "first", Value},
		{"OBX(#2)>NTE-3", "", Absent},
		{"OBR>NTE-3", "", Absent},
		{"ZPI-1", "7", Value},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			p := MustPath(tt.path)
			if got := m.Get(p); got != tt.want || m.State(p) != tt.state {
				t.Errorf("got %q, %v; want %q, %v", got, m.State(p), tt.want, tt.state)
			}
		})
	}
}

func TestList(t *testing.T) {
	m := parse(t, sample)
	tests := []struct {
		path string
		want []string
	}{
		{"OBX(*)-3.1", []string{"8302-2", "29463-7", "8302-2"}},
		{"OBX(3.1=8302-2)(*)-1", []string{"1", "2"}},
		{"OBX-5(*)", []string{"a|b", "c\nd"}},
		{"OBX(*)-5(*)", []string{"a|b", "c\nd", "81", "180"}},
		{"PID-3(*).1", []string{"7701", "9990000018"}},
		{"PID-2(*)", nil},
		{"PID-5(*).9", nil},
		{"PID-5.1", []string{"Mc&Donald"}},
		{"PV1-1", nil},
		{"OBR(*)/OBX-3.2", []string{"Height", "Weight"}},
		{"OBR(#2)/OBX(*)-3.2", []string{"Weight", "Height"}},
		{"OBX>NTE(*)-3", []string{"first", "second"}},
		{"OBR(#7)/OBX(*)-3", nil},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			p := MustPath(tt.path)
			if got := m.List(p); !slices.Equal(got, tt.want) || m.Count(p) != len(tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAllStops(t *testing.T) {
	m := parse(t, sample)
	n := 0
	for range m.All(MustPath("OBX(*)-5(*)")) {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d", n)
	}
}

func TestStates(t *testing.T) {
	tests := []struct {
		field, path string
		want        State
	}{
		{`""`, "PID-3", Null},
		{`""`, "PID-3.1", Null},
		{`""`, "PID-3.2", Absent},
		{`^^`, "PID-3", Empty},
		{`~`, "PID-3", Empty},
		{`^&""`, "PID-3.2.2", Null},
		{`^&""`, "PID-3", Value},
		{`\"\"`, "PID-3", Value},
		{`"`, "PID-3", Value},
	}
	for _, tt := range tests {
		t.Run(tt.field+" "+tt.path, func(t *testing.T) {
			m := parse(t, head+"\rPID|1||"+tt.field+"\r")
			if got := m.State(MustPath(tt.path)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestGroups(t *testing.T) {
	tests := []struct {
		name     string
		segments []string
		anchor   int
		from, to int
	}{
		{"obr ends at orc", []string{"MSH", "PID", "OBR", "OBX", "NTE", "ORC", "OBR"}, 2, 2, 5},
		{"obr takes the orc before it", []string{"MSH", "ORC", "OBR", "OBX", "ORC"}, 2, 1, 4},
		{"orc holds its obrs", []string{"MSH", "ORC", "OBR", "OBX", "OBR", "ORC"}, 1, 1, 5},
		{"obx holds its notes", []string{"MSH", "OBR", "OBX", "NTE", "NTE", "OBX"}, 2, 2, 5},
		{"note stands alone", []string{"MSH", "OBX", "NTE", "NTE"}, 2, 2, 3},
		{"merge pairs", []string{"MSH", "EVN", "PID", "PD1", "MRG", "PV1", "PID", "MRG"}, 2, 2, 6},
		{"z stays in its group", []string{"MSH", "PID", "OBR", "OBX", "ZBX", "OBX", "PV1"}, 2, 2, 6},
		{"unlisted ends at its own kind", []string{"MSH", "PID", "PV1", "DG1", "ZDG", "DG1"}, 3, 3, 5},
		{"unlisted ends with its group", []string{"MSH", "PID", "PV1", "TXA", "OBX", "OBX", "PID"}, 3, 3, 6},
		{"schedule", []string{"MSH", "SCH", "RGS", "AIS", "NTE", "AIG", "RGS"}, 3, 3, 5},
		{"message", []string{"MSH", "PID", "OBR"}, 0, 0, 3},
		{"outside", []string{"MSH"}, 4, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := head
			for _, s := range tt.segments[1:] {
				in += "\r" + s + "|"
			}
			if from, to := parse(t, in).Group(tt.anchor); fmt.Sprint(from, to) != fmt.Sprint(tt.from, tt.to) {
				t.Errorf("got [%d, %d), want [%d, %d)", from, to, tt.from, tt.to)
			}
		})
	}
}

func TestMergePairsAreAddressed(t *testing.T) {
	m := parse(t, head+"\rPID|1||11\rPD1|\rMRG|91\rPID|2||12\rMRG|92\rPV1|1\r")
	for path, want := range map[string]string{"PID(#1)/MRG-1": "91", "PID(#2)/MRG-1": "92", "PID(3=12)/MRG-1": "92", "PID(#1)/PV1-1": "", "PID(#2)/PV1-1": "1"} {
		if got := m.Get(MustPath(path)); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}
