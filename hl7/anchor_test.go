package hl7

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

const orders = "MSH|^~\\&|A\rPID|1||7^^^X~8^^^Y\rNTE|1||patient\r" +
	"ORC|NW|1\rOBR|1|a\rNTE|1||order\rOBX|1|ST|x||5~6\rNTE|1||five\rOBX|2|ST|y||7\r" +
	"ORC|NW|2\rOBR|2|b\rOBX|1|ST|z||8\rOBR|3|c\r"

// anchors fixes what a path selects, or for a list in brackets its groups.
func anchors(t testing.TB, m *Message, s string) []Anchor {
	t.Helper()
	if ids, ok := strings.CutPrefix(s, "groups "); ok {
		as, err := m.AnchorGroups(strings.Fields(ids))
		if err != nil {
			t.Fatal(err)
		}
		return as
	}
	return m.Anchors(MustPath(s))
}

func in(t testing.TB, a Anchor, s string) Path {
	t.Helper()
	r, err := ParseRelative(s)
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.In(a)
	if err != nil {
		t.Fatal(err)
	}
	if p.String() != s {
		t.Errorf("%s prints as %s", s, p)
	}
	return p
}

func TestReadingBelowAnAnchor(t *testing.T) {
	for _, c := range []struct {
		items string
		n     int // which of them
		path  string
		want  []string
	}{
		{"OBX(*)", 1, "x-5", []string{"5~6"}},
		{"OBX(*)", 1, "x-5(*)", []string{"5", "6"}},
		{"OBX(*)", 1, "x-5(#2)", []string{"6"}},
		{"OBX(*)", 2, "x-5.1", []string{"7"}},
		{"OBX(*)", 2, "x", []string{"OBX|2|ST|y||7"}},
		{"OBX(*)", 1, "x>NTE(*)-3", []string{"five"}},
		{"OBX(*)", 2, "x>NTE(*)-3", nil},
		{"OBX(2=ST)(*)", 3, "x-3", []string{"z"}},
		{"OBR(*)", 1, "x/OBX(*)-5.1", []string{"5", "7"}},
		{"OBR(*)", 1, "x/ORC-2", []string{"1"}},
		{"OBR(*)", 1, "x/OBX(#1)>NTE-3", []string{"five"}},
		{"OBR(*)", 3, "x/OBX(*)-5", nil},
		{"PID-3(*)", 2, "x.1", []string{"8"}},
		{"PID-3(*)", 2, "x.4", []string{"Y"}},
		{"PID-3(*)", 2, "x.4.1", []string{"Y"}},
		{"PID-3(*)", 2, "x", []string{"8^^^Y"}},
		{"PID-3(4=Y)", 1, "x.1", []string{"8"}},
		{"PID-3", 1, "x(4=Y).1", []string{"8"}},
		{"PID-3", 1, "x.1", []string{"7"}},
		{"PID-3", 1, "x(*)", []string{"7^^^X", "8^^^Y"}},
		{"PID-3(*).4", 2, "x", []string{"Y"}},
		{"PID-3(*).4", 2, "x.1", []string{"Y"}},
		{"OBX(*)-3.1", 3, "x", []string{"z"}},
		{"groups ORC OBR", 1, "x/OBR-2", []string{"a"}},
		{"groups ORC OBR", 1, "x/OBX(*)-5.1", []string{"5", "7"}},
		{"groups ORC OBR", 1, "x/NTE(#2)-3", []string{"five"}},
		{"groups ORC OBR", 1, "x/OBX(#1)>NTE(*)-3", []string{"five"}},
		{"groups ORC OBR", 1, "x/OBR>NTE(*)-3", []string{"order"}},
		{"groups ORC OBR", 1, "x/NTE(#3)-3", nil},
		{"groups ORC OBR", 1, "x/PID-3", nil},
		{"groups ORC OBR", 2, "x/OBX(*)-5", []string{"8"}},
		{"groups ORC OBR", 3, "x/OBR-2", []string{"c"}},
		{"groups ORC OBR", 3, "x/ORC-2", nil},
		{"groups ORC OBR", 3, "x", []string{"OBR|3|c"}},
		{"groups OBX", 1, "x/NTE-3", []string{"five"}},
	} {
		m := parse(t, orders)
		as := anchors(t, m, c.items)
		if len(as) < c.n {
			t.Errorf("%s: %d items", c.items, len(as))
			continue
		}
		p := in(t, as[c.n-1], c.path)
		if got := m.List(p); !slices.Equal(got, c.want) {
			t.Errorf("%s of %s %d: %q, want %q", c.path, c.items, c.n, got, c.want)
		}
		if got := m.Get(p); len(c.want) > 0 && got != c.want[0] || len(c.want) == 0 && (got != "" || m.State(p) != Absent) {
			t.Errorf("%s: first is %q", c.path, got)
		}
	}
}

func TestGroupsBegin(t *testing.T) {
	const two = "MSH|^~\\&|A\rPID|1\rPV1|1\rORC|1\rOBR|1\rOBX|1\rPID|2\rORC|2\rTQ1|1\rOBR|2\rOBX|2\rOBR|3\rZZZ|1\r"
	for _, c := range []struct {
		name, er7, ids string
		want           []string // the ids of each group
	}{
		{"an OBR behind its ORC, and one without", orders, "ORC OBR", []string{"ORC OBR NTE OBX NTE OBX", "ORC OBR OBX", "OBR"}},
		{"an ORC with something between, and the next patient", two, "ORC OBR", []string{"ORC OBR OBX", "ORC TQ1 OBR OBX", "OBR ZZZ"}},
		{"by the OBR alone", two, "OBR", []string{"OBR OBX", "OBR OBX", "OBR ZZZ"}},
		{"patients", two, "PID", []string{"PID PV1 ORC OBR OBX", "PID ORC TQ1 OBR OBX OBR ZZZ"}},
		{"merges", "MSH|^~\\&|A\rEVN|A40\rPID|1\rPD1|1\rMRG|1\rPV1|1\rPID|2\rMRG|2\r", "PID", []string{"PID PD1 MRG PV1", "PID MRG"}},
		{"resources", "MSH|^~\\&|A\rSCH|1\rPID|1\rRGS|1\rAIS|1\rNTE|1\rAIG|1\rAIS|2\rAIL|1\r", "AIS", []string{"AIS NTE", "AIS"}},
		{"an ORC at the end", "MSH|^~\\&|A\rORC|1\rORC|2\rOBR|2\r", "ORC OBR", []string{"ORC", "ORC OBR"}},
		{"three ids", "MSH|^~\\&|A\rZA1|1\rZA2|1\rZA3|1\rZA2|2\rZA3|2\rZA3|3\rZA1|2\rZA3|4\r", "ZA1 ZA2 ZA3", []string{"ZA1 ZA2 ZA3", "ZA2 ZA3", "ZA3", "ZA1 ZA3"}},
		{"none", orders, "SPM", nil},
	} {
		m := parse(t, c.er7)
		var got []string
		for _, a := range anchors(t, m, "groups "+c.ids) {
			var ids []string
			for n := range m.All(in(t, a, "g")) {
				ids = append(ids, string(n.Raw()[:3]))
			}
			got = append(got, strings.Join(ids, " "))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	for _, ids := range [][]string{nil, {"orc"}, {"ORC", "ORC"}, {"OBX-5"}, {""}} {
		var pe *PathError
		if _, err := parse(t, orders).AnchorGroups(ids); !errors.As(err, &pe) {
			t.Errorf("%q: %v", ids, err)
		}
	}
}

func TestEditingBelowAnAnchor(t *testing.T) {
	for _, c := range []struct {
		name, items string
		n           int
		path        string
		edit        func(*Message, Path) error
		want        string // the lines that are new, joined by CR
	}{
		{"set a field", "OBX(*)", 2, "x-5", setting("9|"), `OBX|2|ST|y||9\F\`},
		{"set beyond the end", "OBX(*)", 2, "x-7.2", setting("v"), `OBX|2|ST|y||7||^v`},
		{"set all repetitions", "OBX(*)", 1, "x-5(*)", setting("v"), `OBX|1|ST|x||v~v`},
		{"set the next repetition", "OBX(*)", 2, "x-5(#2)", setting("v"), `OBX|2|ST|y||7~v`},
		{"raw", "OBX(*)", 2, "x-3", raws("a^b"), `OBX|2|ST|a^b||7`},
		{"raw segment", "OBX(*)", 2, "x", raws("OBX|9"), "OBX|9"},
		{"null", "OBX(*)", 2, "x-3", func(m *Message, p Path) error { return m.SetNull(p) }, `OBX|2|ST|""||7`},
		{"remove a field", "OBX(*)", 2, "x-3", removing(1), `OBX|2|ST|||7`},
		{"a repetition", "PID-3(*)", 2, "x.1", setting("9"), `PID|1||7^^^X~9^^^Y`},
		{"a repetition as a whole", "PID-3(*)", 2, "x", raws("9^b"), `PID|1||7^^^X~9^b`},
		{"remove a repetition", "PID-3(*)", 1, "x", removing(1), `PID|1||~8^^^Y`},
		{"a subcomponent", "PID-3(*)", 2, "x.4.2", setting("9"), `PID|1||7^^^X~8^^^Y&9`},
		{"a component", "PID-3(*).4", 2, "x.2", setting("9"), `PID|1||7^^^X~8^^^Y&9`},
		{"a field by condition", "PID-3", 1, "x(4=Y).1", setting("9"), `PID|1||7^^^X~9^^^Y`},
		{"in a group", "groups ORC OBR", 2, "x/OBX-5", setting("9"), `OBX|1|ST|z||9`},
		{"all in a group", "groups ORC OBR", 1, "x/OBX(*)-4", setting("9"), "OBX|1|ST|x|9|5~6\rOBX|2|ST|y|9|7"},
		{"a segment made at the end of its group", "groups ORC OBR", 2, "x/NTE-3", setting("n"), "NTE|||n"},
		{"a further segment of its kind", "groups ORC OBR", 1, "x/NTE(#3)-3", setting("n"), "NTE|||n"},
		{"a segment made behind another", "groups ORC OBR", 1, "x/OBX(#2)>NTE-3", setting("n"), "NTE|||n"},
		{"a segment made behind an item", "OBX(*)", 2, "x>NTE-3", setting("n"), "NTE|||n"},
		{"a segment made in the group of an item", "OBR(*)", 3, "x/OBX-5", setting("n"), "OBX|||||n"},
		{"setting nothing makes nothing", "groups ORC OBR", 2, "x/NTE-3", setting(""), ""},
		{"nothing to remove", "groups ORC OBR", 2, "x/NTE", removing(0), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := parse(t, orders)
			p := in(t, anchors(t, m, c.items)[c.n-1], c.path)
			if err := c.edit(m, p); err != nil {
				t.Fatal(err)
			}
			var fresh []string
			was := strings.Split(orders, "\r")
			for s := range m.Segments() {
				if i := slices.Index(was, string(s.Raw)); i >= 0 {
					was = slices.Delete(was, i, i+1)
				} else {
					fresh = append(fresh, string(s.Raw))
				}
			}
			if got := strings.Join(fresh, "\r"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func setting(text string) func(*Message, Path) error {
	return func(m *Message, p Path) error { return m.Set(p, text) }
}

func raws(er7 string) func(*Message, Path) error {
	return func(m *Message, p Path) error { return m.SetRaw(p, []byte(er7)) }
}

func removing(want int) func(*Message, Path) error {
	return func(m *Message, p Path) error {
		n, err := m.Remove(p)
		if err == nil && n != want {
			err = fmt.Errorf("removed %d, want %d", n, want)
		}
		return err
	}
}

func TestEditingWhereNothingIs(t *testing.T) {
	for _, c := range []struct {
		name, items, gone string
		n                 int
		path              string
	}{
		{"a segment that is gone", "OBX(*)", "OBX(#2)", 2, "x-5"},
		{"the segment as a whole", "OBX(*)", "OBX(#2)", 2, "x"},
		{"below a segment that is gone", "OBR(*)", "OBR(#2)", 2, "x/NTE-3"},
		{"behind a segment that is gone", "OBR(*)", "OBR(#2)", 2, "x>NTE-3"},
		{"a repetition of a segment that is gone", "PID-3(*)", "PID", 2, "x.1"},
		{"a group that is gone", "groups ORC OBR", "OBR(#3)", 3, "x/OBX-5"},
		{"an anchor that no group segment is", "groups ORC OBR", "OBX(#1)", 1, "x/OBX(#2)>NTE-3"},
		{"a condition", "groups ORC OBR", "NTE", 1, "x/OBX(3=q)-5"},
		{"a condition of a repetition", "OBX(*)", "NTE", 1, "x-5(1=q)"},
	} {
		m := parse(t, orders)
		p := in(t, anchors(t, m, c.items)[c.n-1], c.path)
		if _, err := m.Remove(MustPath(c.gone)); err != nil {
			t.Fatal(err)
		}
		before := string(m.Bytes())
		for name, err := range map[string]error{"set": m.Set(p, "v"), "set nothing": m.Set(p, ""), "copy": m.CopyFrom(m, MustPath("MSH-3"), p)} {
			if _, ok := m.Near(p.p.at); ok && name == "set nothing" && !p.HasCondition() {
				continue // as elsewhere: nothing needs no place
			}
			if p.Field() > 0 && !errors.Is(err, ErrNoMatch) {
				t.Errorf("%s: %s: %v", c.name, name, err)
			}
		}
		if n, err := m.Remove(p); n != 0 || err != nil && !errors.Is(err, ErrNoMatch) {
			t.Errorf("%s: removed %d, %v", c.name, n, err)
		}
		if got := string(m.Bytes()); got != before || m.Get(p) != "" || m.State(p) != Absent {
			t.Errorf("%s: changed", c.name)
		}
		if _, err := m.Insert(p, After, "ZZZ"); p.Field() == 0 && !errors.Is(err, ErrNoMatch) {
			t.Errorf("%s: insert: %v", c.name, err)
		}
	}
	m := parse(t, orders)
	rep := in(t, anchors(t, m, "PID-3(*)")[1], "x.1")
	if err := m.Set(MustPath("PID-3"), "only"); err != nil {
		t.Fatal(err)
	}
	if err := m.Set(rep, "v"); !errors.Is(err, ErrNoMatch) || m.State(rep) != Absent {
		t.Errorf("a repetition that is gone must not be made again: %v", err)
	}
	group := in(t, anchors(t, m, "groups ORC OBR")[0], "x")
	for name, err := range map[string]error{"set": m.Set(group, "v"), "raw": m.SetRaw(group, []byte("OBR|1")), "copy to": m.CopyFrom(m, MustPath("OBX"), group), "copy from": m.CopyFrom(m, group, MustPath("OBX"))} {
		if err == nil {
			t.Errorf("%s: a group is not one place", name)
		}
	}
}

func TestAnItemStaysTheSame(t *testing.T) {
	m := parse(t, orders)
	obx := anchors(t, m, "OBX(*)")
	groups := anchors(t, m, "groups ORC OBR")
	if _, err := m.Remove(MustPath("OBX(#1)")); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if _, err := m.InsertSegment(MustPath("ORC"), After, "TQ1"); err != nil {
			t.Fatal(i, err)
		}
	}
	if got := m.Get(in(t, obx[1], "x-5")); got != "7" {
		t.Errorf("got %q", got)
	}
	if got := m.Count(in(t, groups[0], "x/TQ1(*)")); got != 5 {
		t.Errorf("%d segments joined the group", got)
	}
	// The first of a group may go; sorting keeps who belongs to it.
	if _, err := m.Remove(in(t, groups[0], "x/ORC")); err != nil {
		t.Fatal(err)
	}
	order := []int{0}
	for i := m.Len() - 1; i > 0; i-- {
		order = append(order, i)
	}
	if err := m.Arrange(order); err != nil {
		t.Fatal(err)
	}
	if got := m.List(in(t, groups[0], "x/NTE(*)-3")); !slices.Equal(got, []string{"five", "order"}) {
		t.Errorf("got %q", got)
	}
	if got := m.Get(in(t, groups[1], "x/ORC-2")); got != "2" {
		t.Errorf("got %q", got)
	}
	if n, err := m.Remove(in(t, groups[1], "x")); n != 3 || err != nil {
		t.Errorf("a group goes as a whole: %d, %v", n, err)
	}
	if _, ok := m.Near(groups[1]); ok {
		t.Error("nothing is left of it")
	}
}

func TestInsertAndGroups(t *testing.T) {
	for _, c := range []struct {
		name, items string
		n           int
		at          string
		w           Where
		want        string // ids from ORC on
		joins       bool
	}{
		{"after the ORC", "groups ORC OBR", 1, "x/ORC", After, "ORC ZZZ OBR NTE OBX NTE OBX ORC OBR OBX OBR", true},
		{"before the first", "groups ORC OBR", 2, "x", Before, "ORC OBR NTE OBX NTE OBX ZZZ ORC OBR OBX OBR", true},
		{"at the end of an item", "groups ORC OBR", 1, "x", AtGroupEnd, "ORC OBR NTE OBX NTE OBX ZZZ ORC OBR OBX OBR", true},
		{"after an item", "groups ORC OBR", 3, "x", After, "ORC OBR NTE OBX NTE OBX ORC OBR OBX OBR ZZZ", true},
		{"at the end of a segment's own group", "groups ORC OBR", 1, "x/OBX", AtGroupEnd, "ORC OBR NTE OBX NTE ZZZ OBX ORC OBR OBX OBR", true},
		{"before a segment", "OBX(*)", 3, "x", Before, "ORC OBR NTE OBX NTE OBX ORC OBR ZZZ OBX OBR", false},
		{"at the end of a segment", "OBX(*)", 1, "x", AtGroupEnd, "ORC OBR NTE OBX NTE ZZZ OBX ORC OBR OBX OBR", false},
	} {
		m := parse(t, orders)
		a := anchors(t, m, c.items)[c.n-1]
		h, err := m.Insert(in(t, a, c.at), c.w, "ZZZ")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var ids []string
		for s := range m.Segments() {
			ids = append(ids, s.ID)
		}
		if got := strings.Join(ids[3:], " "); got != c.want {
			t.Errorf("%s: got %s", c.name, got)
		}
		if i, ok := m.Find(h); !ok || !m.is(i, "ZZZ") || m.Handle(i) != h {
			t.Errorf("%s: the handle is not of the new segment", c.name)
		}
		if a.IsGroup() && (m.Count(in(t, a, "x/ZZZ")) == 1) != c.joins {
			t.Errorf("%s: belongs to the group: %v", c.name, !c.joins)
		}
		if _, err := m.Insert(in(t, m.Anchor(h), "new"), After, "ZZY"); err != nil || a.IsGroup() && m.Count(in(t, a, "x/ZZY")) != 1 {
			t.Errorf("%s: a segment beside a new one belongs where that does: %v", c.name, err)
		}
	}
	m := parse(t, orders)
	if _, err := m.Insert(MustPath("MSH"), Before, "ZZZ"); err == nil {
		t.Error("nothing stands before MSH")
	}
	if _, err := m.Insert(MustPath("OBX"), After, "MSH"); err == nil {
		t.Error("a message has one MSH")
	}
	if n, err := m.Remove(in(t, anchors(t, m, "groups MSH")[0], "x")); n != 0 || !errors.Is(err, ErrNotSettable) {
		t.Errorf("MSH stays: %d, %v", n, err)
	}
}

func TestHandlesInClones(t *testing.T) {
	m := parse(t, orders)
	g := anchors(t, m, "groups ORC OBR")
	c := m.Clone()
	if _, err := c.Insert(in(t, g[0], "x"), AtGroupEnd, "ZZZ"); err != nil {
		t.Fatal(err)
	}
	if m.Count(in(t, g[0], "x/ZZZ")) != 0 || c.Count(in(t, g[0], "x/ZZZ")) != 1 || m.Edited() {
		t.Error("an insertion in the clone shows in the original, or not in the clone")
	}
	if err := m.Set(in(t, g[0], "x/OBR-2"), "new"); err != nil || c.Get(in(t, g[0], "x/OBR-2")) != "a" {
		t.Error("an edit of the original shows in the clone")
	}
	if _, ok := m.Find(Handle{}); ok || m.Handle(-1) != (Handle{}) || m.Handle(99) != (Handle{}) || m.Anchor(Handle{n: 99}) != (Anchor{}) {
		t.Error("the zero handle names a segment")
	}
}

func TestRelativeErrors(t *testing.T) {
	for _, c := range []struct {
		s      string
		offset int
		text   string
	}{
		{"", 0, "name"}, {"OBX-5", 0, "name"}, {"x-0", 2, "start at 1"}, {"x-5.", 4, "number is missing"}, {"x/obx-5", 2, "segment id"},
		{"x/OBX-5.x", 8, "number"}, {"x!", 1, "unexpected"}, {"x(1)", 2, "counted from"}, {"x-5(1)", 4, "counted from"}, {"x-1.2.3.4", 7, "unexpected"},
		{"x/OBX(3=)-5", 8, "needs a text"}, {"x>OBR/OBX", 1, "last segment"}, {"x-5(2.x=1)", 6, "number is missing"},
	} {
		_, err := ParseRelative(c.s)
		var pe *PathError
		if !errors.As(err, &pe) || pe.Offset != c.offset || !strings.Contains(pe.Text, c.text) || pe.Input != c.s {
			t.Errorf("%q: %v", c.s, err)
		}
	}
	m := parse(t, orders)
	for _, c := range []struct{ items, path string }{
		{"groups ORC OBR", "x-5"}, {"groups ORC OBR", "x>NTE"}, {"groups ORC OBR", "x(#1)"}, {"OBX(*)", "x(#1)"}, {"PID-3(*)", "x/NTE-3"}, {"PID-3(*)", "x(#1)"},
		{"PID-3(*)", "x.1.2.3"}, {"PID-3(*)", "x-1(#2)"}, {"PID-3(*).4", "x.1.2"}, {"PID-3(*).4.1", "x.1"}, {"PID-3", "x.1.2.3"},
	} {
		r, err := ParseRelative(c.path)
		if err != nil {
			t.Fatal(err)
		}
		var pe *PathError
		if _, err := r.In(anchors(t, m, c.items)[0]); !errors.As(err, &pe) {
			t.Errorf("%s below %s: %v", c.path, c.items, err)
		}
	}
}

// TestWalkingLeavesTheRest: whatever is edited, inserted and removed below items
// of a message made by chance, all other segments keep their bytes and order.
func TestWalkingLeavesTheRest(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var s strings.Builder
		s.WriteString("MSH|^~\\&|A\r")
		for n := range rnd.IntN(40) {
			fmt.Fprintf(&s, "%s|%d||a^b~c&d|%s\r", []string{"PID", "ORC", "OBR", "OBX", "NTE", "ZZZ", "x y"}[rnd.IntN(7)], n, strings.Repeat("|", rnd.IntN(3)))
		}
		m := parse(t, s.String())
		var want []string // contents; of touched segments only the place
		for i := range m.segs {
			want = append(want, string(m.content(i)))
		}
		groups := anchors(t, m, "groups ORC OBR")
		touched := map[Handle]bool{}
		for k, a := range groups {
			for range rnd.IntN(4) {
				switch rnd.IntN(4) {
				case 0:
					if _, err := m.Insert(in(t, a, "g"), AtGroupEnd, "TQ1"); err != nil {
						t.Fatal(err)
					}
				case 1:
					if _, err := m.Insert(in(t, a, "g/OBR"), After, "TQ1"); err != nil && !errors.Is(err, ErrNoMatch) {
						t.Fatal(err)
					}
				case 2:
					p := in(t, a, "g/OBX(*)-3(*).2")
					for _, b := range m.Anchors(p) {
						touched[b.Segment()] = true
					}
					if err := m.Set(p, "new"); err != nil {
						t.Fatal(err)
					}
				case 3:
					if err := m.Set(in(t, a, "g/TQ1(*)-9"), fmt.Sprint(k)); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		n := 0
		for i := range m.segs {
			if m.is(i, "TQ1") {
				continue
			}
			if got := string(m.content(i)); got != want[n] && !touched[m.Handle(i)] {
				t.Fatalf("seed %d: segment %d was %q and is %q", seed, n, want[n], got)
			}
			n++
		}
		if n != len(want) {
			t.Fatalf("seed %d: %d segments, were %d", seed, n, len(want))
		}
		for k, a := range groups { // each new segment stands in its own group
			for _, text := range m.List(in(t, a, "g/TQ1(*)-9")) {
				if text != "" && text != fmt.Sprint(k) {
					t.Fatalf("seed %d: a segment of group %s in group %d", seed, text, k)
				}
			}
		}
		if again := parse(t, string(m.Bytes())); again.Len() != m.Len() || !bytes.Equal(again.Bytes(), m.Bytes()) {
			t.Fatalf("seed %d: reads otherwise when parsed again", seed)
		}
	}
}
