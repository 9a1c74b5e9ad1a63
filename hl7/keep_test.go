package hl7

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func paths(s ...string) (out []Path) {
	for _, p := range s {
		out = append(out, MustPath(p))
	}
	return out
}

func TestKeep(t *testing.T) {
	const pid = "PID|1||77^^^RXX&9&ISO^PI~88^^^NHS^NH||Do\\T\\e^Ann^^^|\"\"|19700101|F|||a||||"
	const er7 = "MSH|^~\\&|A|B||||x||C||P||\r" + pid + "\rNTE|1||secret\rOBR|1|||c^d|\rOBX|1|NM|q||5\rOBX|2|ST|q||secret\rOBX|3|NM|r||\rZPI|secret\rno segment\r"
	const msh = "MSH|^~\\&|A|B||||x||C||P||\r"
	for _, c := range []struct{ name, keep, want string }{
		{"nothing", "", ""},
		{"MSH is whole when none of its fields is listed", "MSH", ""},
		{"fields keep their places", "PID-7 PID-8", "PID|||||||19700101|F"},
		{"whatever their order in the list", "PID-8 PID-7 PID-8", "PID|||||||19700101|F"},
		{"a segment as a whole", "PID", pid},
		{"a segment and one of its fields", "PID PID-7", pid},
		{"only the first without (*)", "OBX-5", "OBX|||||5"},
		{"all that a condition selects", "OBX(2=NM)(*)", "OBX|1|NM|q||5\rOBX|3|NM|r||"},
		{"one that a condition selects", "OBX(2=ST)", "OBX|2|ST|q||secret"},
		{"a component keeps its place", "PID-5.2", "PID|||||^Ann"},
		{"components and a field", "PID-5.1 PID-5.2 PID-8", "PID|||||Do\\T\\e^Ann|||F"},
		{"a field with its escapes and trailing separators", "PID-5", "PID|||||Do\\T\\e^Ann^^^"},
		{"repetitions close up", "PID-3(5=NH)", "PID|||88^^^NHS^NH"},
		{"all repetitions", "PID-3(*)", "PID|||77^^^RXX&9&ISO^PI~88^^^NHS^NH"},
		{"a part of every repetition", "PID-3(*).1", "PID|||77~88"},
		{"a component without repetition is of the first", "PID-3.1", "PID|||77"},
		{"subcomponents", "PID-3.4.2", "PID|||^^^&9"},
		{"null is a value", "PID-6", `PID||||||""`},
		{"an empty field is nothing", "PID-9", ""},
		{"an absent field is nothing", "PID-40 PV1-3", ""},
		{"empty in some", "OBX(*)-5", "OBX|||||5\rOBX|||||secret"},
		{"an empty part beside a full one", "PID-5.4 PID-8", "PID||||||||F"},
		{"in a group", "OBR/OBX(#2)-5", "OBX|||||secret"},
		{"a list of the research feed", "MSH PID-7 PID-8 OBR-4 OBX(2=NM)(*)", "PID|||||||19700101|F\rOBR||||c^d\rOBX|1|NM|q||5\rOBX|3|NM|r||"},
	} {
		m := parse(t, er7)
		if err := m.Keep(paths(strings.Fields(c.keep)...)...); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		want := msh
		if c.want != "" {
			want += c.want + "\r"
		}
		if got := string(m.Bytes()); got != want {
			t.Errorf("%s: got\n%s", c.name, strings.ReplaceAll(got, "\r", "\n"))
		}
	}
	m := parse(t, er7)
	if err := m.Keep(paths("PID", "ZPI", "NTE", "OBR", "OBX(*)")...); err != nil || m.Len() != 8 {
		t.Error("a line without an id stays")
	}
	if err := m.Keep(Path{}); err == nil {
		t.Error("no selector")
	}
	m = parse(t, er7)
	rep := in(t, anchors(t, m, "PID-3(*)")[1], "id.1")
	if err := m.Keep(rep, in(t, anchors(t, m, "OBX(*)")[1], "x")); err != nil || string(m.Bytes()) != msh+"PID|||88\rOBX|2|ST|q||secret\r" {
		t.Errorf("items: %v, %q", err, m.Bytes())
	}
	m = parse(t, "MSH|^~\\&|A\rNTE|1||a\nPIDx|b\r")
	if err := m.Keep(MustPath("NTE-3")); err != nil || parse(t, string(m.Bytes())).Len() != 2 {
		t.Errorf("a line feed within text is not the end of a segment: %v, %q", err, m.Bytes())
	}
}

// TestKeepLeavesWhatIsListed: of a message and a list made by chance, every
// listed field reads as before and every other one is gone.
func TestKeepOfTheHeader(t *testing.T) {
	const er7 = "MSH|^~\\&|A|B^x|C|D|7|secret|ADT^A01|ID|P|2.5|||AL|NE||8859/1|secret\rPID|1\r"
	for _, c := range []struct{ name, keep, want string }{
		{"whole", "PID", "MSH|^~\\&|A|B^x|C|D|7|secret|ADT^A01|ID|P|2.5|||AL|NE||8859/1|secret\rPID|1\r"},
		{"named whole", "MSH MSH-3", "MSH|^~\\&|A|B^x|C|D|7|secret|ADT^A01|ID|P|2.5|||AL|NE||8859/1|secret\r"},
		{"fields, and what a message needs", "MSH-4.1 MSH-7", "MSH|^~\\&||B|||7||ADT^A01|ID|P|2.5||||||8859/1\r"},
		{"a field that is not there is listed all the same", "MSH-25", "MSH|^~\\&|||||||ADT^A01|ID|P|2.5||||||8859/1\r"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := parse(t, er7)
			var list []Path
			for _, s := range strings.Fields(c.keep) {
				list = append(list, MustPath(s))
			}
			if err := m.Keep(list...); err != nil || string(m.Bytes()) != c.want {
				t.Errorf("%v %q", err, m.Bytes())
			}
		})
	}
}

func TestKeepLeavesWhatIsListed(t *testing.T) {
	ids := []string{"PID", "OBR", "OBX", "ZZZ"}
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		var s strings.Builder
		s.WriteString("MSH|^~\\&|A\r")
		for n := range 1 + rnd.IntN(12) {
			s.WriteString(ids[rnd.IntN(len(ids))])
			for f := range rnd.IntN(9) {
				s.WriteString([]string{"|", `|""`, fmt.Sprintf("|v%d.%d", n, f), "|a^b&c~d\\F\\", "|~^"}[rnd.IntN(5)])
			}
			s.WriteString("\r")
		}
		m := parse(t, s.String())
		listed := map[string]bool{}
		var list []Path
		for range rnd.IntN(6) {
			id, n := ids[rnd.IntN(len(ids))], 1+rnd.IntN(8)
			listed[fmt.Sprintf("%s-%d", id, n)] = true
			list = append(list, MustPath(fmt.Sprintf("%s(*)-%d", id, n)))
		}
		c := m.Clone()
		if err := c.Keep(list...); err != nil {
			t.Fatal(err)
		}
		for h := range c.segs {
			a, _ := m.Find(c.Handle(h))
			for n := 1; h > 0 && n < 12; n++ {
				was, _ := field(m.content(a), '|', n)
				is, _ := field(c.content(h), '|', n)
				id := string(m.content(a)[:3])
				if m.state(Node{m: m, raw: was}) == Empty || !listed[fmt.Sprintf("%s-%d", id, n)] {
					was = nil
				}
				if string(is) != string(was) {
					t.Fatalf("seed %d: field %d of %s", seed, n, id)
				}
			}
		}
		for i := 1; i < m.Len(); i++ { // what is gone had nothing listed
			if _, ok := c.Find(m.Handle(i)); ok {
				continue
			}
			for at := range listed {
				id, n, _ := strings.Cut(at, "-")
				if f, _ := field(m.content(i), '|', int(n[0]-'0')); m.is(i, id) && m.state(Node{m: m, raw: f}) != Empty {
					t.Fatalf("seed %d: a segment with %s is gone", seed, at)
				}
			}
		}
	}
}

func TestCutParts(t *testing.T) {
	const two = "MSH|^~\\&|A\rEVN|1\rPID|1\rNTE|1||of 1\rPV1|1\rORC|1\rOBR|1\rOBX|1\rOBR|2\rPID|2\rORC|3\rOBR|3\rZZZ|1\r"
	for _, c := range []struct {
		name, er7, parts, keep string
		want                   []string
	}{
		{"one per order", orders, "groups ORC OBR", "MSH PID", []string{
			"PID|1||7^^^X~8^^^Y ORC|NW|1 OBR|1|a NTE|1||order OBX|1|ST|x||5~6 NTE|1||five OBX|2|ST|y||7",
			"PID|1||7^^^X~8^^^Y ORC|NW|2 OBR|2|b OBX|1|ST|z||8", "PID|1||7^^^X~8^^^Y OBR|3|c"}},
		{"an order goes under its own patient", two, "groups ORC OBR", "EVN PID PV1 NTE(*)", []string{
			"EVN|1 PID|1 NTE|1||of_1 PV1|1 ORC|1 OBR|1 OBX|1", "EVN|1 PID|1 NTE|1||of_1 PV1|1 OBR|2", "EVN|1 PID|2 ORC|3 OBR|3 ZZZ|1"}},
		{"one per patient", two, "groups PID", "EVN", []string{"EVN|1 PID|1 NTE|1||of_1 PV1|1 ORC|1 OBR|1 OBX|1 OBR|2", "EVN|1 PID|2 ORC|3 OBR|3 ZZZ|1"}},
		{"one per segment", orders, "OBX(*)", "PID-1", []string{"PID|1 OBX|1|ST|x||5~6", "PID|1 OBX|2|ST|y||7", "PID|1 OBX|1|ST|z||8"}},
		{"one per repetition", orders, "PID-3(*)", "", []string{"PID|||7^^^X", "PID|||8^^^Y"}},
		{"before any patient", two, "EVN(*)", "PID", []string{"EVN|1 PID|1"}},
	} {
		m := parse(t, c.er7)
		for n, a := range anchors(t, m, c.parts) {
			got, err := m.Cut(a, paths(strings.Fields(c.keep)...)...)
			if err != nil {
				t.Fatal(err)
			}
			want := "MSH|^~\\&|A\r" + strings.ReplaceAll(strings.ReplaceAll(c.want[n], " ", "\r"), "_", " ") + "\r"
			if string(got.Bytes()) != want {
				t.Errorf("%s: part %d is %q", c.name, n+1, got.Bytes())
			}
		}
		if m.Edited() || string(m.Bytes()) != c.er7 {
			t.Errorf("%s: the whole message changed", c.name)
		}
	}
	m := parse(t, orders)
	gone := anchors(t, m, "OBX(*)")[0]
	if _, err := m.Remove(MustPath("OBX")); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Cut(gone); !errors.Is(err, ErrNoMatch) {
		t.Errorf("%v", err)
	}
}
