package hl7

import "testing"

func TestLacks(t *testing.T) {
	m, err := Parse([]byte("MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.4\rPID|1||1^^^X^PI~2|\rOBX|1|NM|A^a||140||||||F\rOBX|2|NM|B||\rOBX|3|NM\rNTE|1\r"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		at    string
		lacks bool
	}{
		{"OBX(*)-1", false},
		{"OBX(*)-3", true},
		{"OBX(*)-11", true},
		{"OBX(3.2=a)(*)-11", false},
		{"OBX(3.1=B)(*)-5", false}, // empty, and there
		{"OBX(*)-3.2", true},
		{"OBX(*)", false},
		{"ZZZ(*)-1", false},
		{"PID-3(*)", false},
		{"PID-3(*).1", false},
		{"PID-3(*).5", true},
		{"PID(*)-3(5=PI).1", false},
		{"PID(*)-3(5=NH).1", true},
		{"PID-8(*)", true},
	} {
		if got := m.Lacks(MustPath(c.at)); got != c.lacks {
			t.Errorf("%s: %t", c.at, got)
		}
	}
}
