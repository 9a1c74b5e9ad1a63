package expr

import (
	"strconv"
	"testing"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
)

func TestShiftDays(t *testing.T) {
	seen := map[int64]int{}
	for i := range 4000 {
		n, err := shiftDays([]byte("secret"), strconv.Itoa(i), 10)
		again, _ := shiftDays([]byte("secret"), strconv.Itoa(i), 10)
		if err != nil || n != again || n == 0 || n < -10 || n > 10 {
			t.Fatalf("%d: %d, then %d, %v", i, n, again, err)
		}
		seen[n]++
	}
	for n := int64(-10); n <= 10; n++ {
		if n != 0 && (seen[n] < 100 || seen[n] > 300) {
			t.Errorf("%d days came %d times of about 200", n, seen[n])
		}
	}
	a, _ := shiftDays([]byte("secret"), "9990000018", 3650)
	b, _ := shiftDays([]byte("another"), "9990000018", 3650)
	if a == b {
		t.Error("another secret shifts alike")
	}
}

// A table without columns is a set of codes.
func TestSetOfCodes(t *testing.T) {
	set := transforms.NewTable("wards")
	set.Columns = []string{}
	if err := set.Add("W7", nil); err != nil {
		t.Fatal(err)
	}
	e, err := New(Options{Tables: []*transforms.Table{set},
		Selector: func(text string, _ bool) (message.Selector, error) { return hl7doc.Selector(text) }})
	if err != nil {
		t.Fatal(err)
	}
	d, err := hl7doc.Parse([]byte(adt), hl7.Options{UseMSH18: true})
	if err != nil {
		t.Fatal(err)
	}
	p := compile(t, e, `msg["PV1-3.1"] in table("wards") && !table("wards").has("W8")`, Bool)
	s := NewScope()
	s.Set(e, d, &message.Envelope{}, testScope(t, testEnv(t)).now.Time)
	if yes, err := p.Bool(s); !yes || err != nil {
		t.Fatal(yes, err)
	}
	if _, iss := e.Compile(`table("wards").get("W7")`, Text); len(iss) != 1 {
		t.Fatal("a set of codes has no values to get", iss)
	}
}

// Two tables whose names look like ids of overloads do not get in each other's way.
func TestTableNames(t *testing.T) {
	a, b := transforms.NewTable("sex"), transforms.NewTable("or:sex")
	for _, err := range []error{a.Add("F", []string{"2"}), b.Add("F", []string{"3"})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	e, err := New(Options{Tables: []*transforms.Table{a, b}})
	if err != nil {
		t.Fatal(err)
	}
	s := NewScope()
	s.Set(e, nil, &message.Envelope{}, testScope(t, testEnv(t)).now.Time)
	got, err := compile(t, e, `table("sex").get("F") + table("or:sex").get("F") + table("sex").get("X", "9")`, Text).Text(s)
	if got != "239" || err != nil {
		t.Fatal(got, err)
	}
}
