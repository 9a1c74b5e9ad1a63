package hl7doc

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
)

const orm = "MSH|^~\\&|EPR|RXX|||20260101101500||ORM^O01|C1|P|2.3\rPID|1||7^^^RXX^PI~8^^^NHS^NH\r" +
	"ORC|NW|A1\rOBR|1|A1||FBC^old\rNTE|1||fasting\rORC|NW|A2\rOBR|2|A2||UE\rOBX|1|ST|Q||no\rOBX|2|ST|R||yes\r"

var slots = map[string]int{"ord": 0, "obx": 1, "id": 2, "order_group": 3}

func below(t *testing.T, s string) message.Selector {
	t.Helper()
	p, err := Compile(s, slots)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCompile(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"PID-3(5=NH).1", "PID-3(5=NH).1"}, {"PID.3.1", "PID-3.1"}, {"obx", "obx"}, {"obx-5", "obx-5"}, {"obx-5(*)", "obx-5(*)"}, {"obx-5[2].1", "obx-5(#2).1"},
		{"obx-3(5=L).1", "obx-3(5=L).1"}, {"id.4.2", "id.4.2"}, {"id(#2).1", "id(#2).1"}, {"ord/OBR-4.1", "ord/OBR-4.1"}, {"ord/OBX(#2)>NTE(*)-3", "ord/OBX(#2)>NTE(*)-3"},
		{"obx>NTE(*)-3", "obx>NTE(*)-3"}, {"order_group/OBR.4", "order_group/OBR-4"},
	} {
		s, err := Compile(c.text, slots)
		if err != nil || s.String() != c.want {
			t.Errorf("%s: %v, %v", c.text, s, err)
		}
	}
	for _, c := range []struct {
		text   string
		items  map[string]int
		offset int
		want   string
	}{
		{"obs-5", slots, 0, `did you mean "obx" or the segment OBS?`},
		{"odr/OBR-4", slots, 0, `did you mean "ord" or the segment ODR?`},
		{"order_grp/OBR-4", slots, 0, `did you mean "order_group"?`},
		{"pid-5", slots, 0, "the segment PID?"},
		{"pid-5", nil, 0, "the segment PID?"},
		{"nothing-5", slots, 0, "id, obx, ord, order_group"},
		{"nothing-5", nil, 0, "as of each"},
		{"ord/obr-4", slots, 4, "write OBR"},
		{"ord/OBR-4(1)", slots, 10, "counted from 1"},
		{"obx-5.1x", slots, 7, "obx-5.1"},
		{"obx-", slots, 4, "PID-5.1"},
		{"OBX-5(", slots, 6, ""},
		{"", slots, 0, ""},
		{"Obx-5", slots, 0, "write OBX"},
	} {
		_, err := Compile(c.text, c.items)
		var pe *hl7.PathError
		if !errors.As(err, &pe) || pe.Offset != c.offset || pe.Input != c.text || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v", c.text, err)
		}
	}
	if !below(t, "obx-5(*)").IsList() || !below(t, "ord/OBX(*)-5").IsList() || below(t, "obx-5").IsList() || !below(t, "obx-5(1=x)").HasCondition() || !below(t, "ord/OBX(2=NM)-5").HasCondition() || below(t, "ord/OBX-5").HasCondition() {
		t.Error("lists and conditions")
	}
}

func TestFits(t *testing.T) {
	for _, c := range []struct {
		sel, in string // "" = groups
		ok      bool
	}{
		{"ord/OBR-4", "", true}, {"ord", "", true}, {"ord-4", "", false}, {"obx-5", "OBX(*)", true}, {"obx/NTE-3", "OBX(*)", true}, {"obx(#1)", "OBX(*)", false},
		{"id.1", "PID-3(*)", true}, {"id/NTE", "PID-3(*)", false}, {"id.1.2.3", "PID-3(*)", false}, {"obx-5.1.1", "ord/OBX(*)", true}, {"id(#1)", "ord/OBX-5(*)", false},
		{"PID-3", "", true}, {"id.1.1.1", "obx-5(*)", true}, // only the message can tell
	} {
		var in message.Selector
		if c.in != "" {
			in = below(t, c.in)
		}
		if err := Fits(below(t, c.sel), in); (err == nil) != c.ok {
			t.Errorf("%s in %q: %v", c.sel, c.in, err)
		}
	}
}

func read(t *testing.T, s string) *Doc {
	t.Helper()
	d, err := Parse([]byte(s), hl7.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func fixed(t *testing.T, d *Doc, list string) []message.Item {
	t.Helper()
	var items []message.Item
	var err error
	if ids, ok := strings.CutPrefix(list, "groups "); ok {
		items, err = d.Groups(strings.Fields(ids))
	} else {
		items, err = d.Items(below(t, list))
	}
	if err != nil {
		t.Fatal(err)
	}
	return items
}

func TestSlots(t *testing.T) {
	d := read(t, orm)
	groups := fixed(t, d, "groups ORC OBR")
	if len(groups) != 2 || d.Index(0) != 0 || d.Text(below(t, "ord/OBR-2")) != "" || d.Presence(below(t, "ord/OBR-2")) != message.Absent {
		t.Fatal("a slot that is not bound selects nothing")
	}
	for name, err := range map[string]error{"set": d.Set(below(t, "ord/OBR-2"), "x"), "null": d.SetNull(below(t, "obx-2")), "raw": d.SetRaw(below(t, "obx-2"), "x"), "copy": d.Copy(d, sel(t, "MSH-3"), below(t, "obx-2"))} {
		if !errors.Is(err, message.ErrNoMatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n, err := d.Remove(below(t, "obx")); n != 0 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	if each, ok := d.Expand(below(t, "ord/OBX(*)-5")); len(each) != 0 || !ok {
		t.Errorf("%v %v", each, ok)
	}
	d.Bind(0, groups[1], 2)
	if d.Index(0) != 2 || d.Text(below(t, "ord/OBR-2")) != "A2" || !d.Holds(0) {
		t.Fatal("bound")
	}
	// Slots of a walk within a walk are their own.
	for n, it := range fixed(t, d, "ord/OBX(*)") {
		d.Bind(1, it, n+1)
		if got := d.Text(below(t, "obx-3")); got != []string{"Q", "R"}[n] || d.Index(1) != n+1 {
			t.Errorf("%q", got)
		}
	}
	c := d.Clone().(*Doc)
	c.Bind(0, groups[0], 1)
	if err := c.Set(below(t, "ord/OBR-2"), "new"); err != nil || d.Text(below(t, "ord/OBR-2")) != "A2" || c.Text(below(t, "obx-3")) != "R" {
		t.Error("a clone keeps the bindings, and its own do not show")
	}
	if err := d.Copy(c, below(t, "ord/OBR-2"), below(t, "ord/ORC-2")); err != nil || d.Text(sel(t, "ORC(#2)-2")) != "new" {
		t.Errorf("each side of a copy reads its own items: %v", err)
	}
	d.Bind(0, nil, 0)
	d.Bind(7, nil, 0)
	d.Bind(-1, groups[0], 1)
	d.Bind(1<<30, groups[0], 1)
	if d.Index(0) != 0 || d.Index(99) != 0 || d.Index(-1) != 0 || d.Holds(0) {
		t.Error("freed")
	}
	if d.Bind(4, "no item", 1); d.Index(4) != 0 {
		t.Error("no item")
	}
	if _, err := d.Items(nil); err == nil {
		t.Error("no selector")
	}
	d.Bind(0, groups[0], 1)
	if err := d.Set(below(t, "ord-4"), "x"); err == nil || errors.Is(err, message.ErrNoMatch) {
		t.Errorf("a part that groups do not have is no matter of if_none: %v", err)
	}
	if _, err := d.Items(below(t, "ord-4")); err == nil {
		t.Error("nor a list of items")
	}
	if d.Text(below(t, "ord-4")) != "" {
		t.Error("it reads as nothing")
	}
}

func TestExpandStaysOnItsNodes(t *testing.T) {
	d := parse(t)
	each, ok := d.Expand(sel(t, "OBX(3=A-1)(*)-3"))
	if !ok || len(each) != 2 {
		t.Fatal(each)
	}
	for _, s := range each { // the condition is no longer true of the first when the second is set
		if err := d.Set(s, "done"); err != nil {
			t.Fatal(err)
		}
	}
	if got := d.List(sel(t, "OBX(*)-3")); !slices.Equal(got, []string{"done", "B-(2)", "done"}) {
		t.Errorf("%q", got)
	}
}

func TestCreateBelowAnItem(t *testing.T) {
	for _, c := range []struct{ list, sel, want string }{
		{"OBX(*)", "obx-3(2=L&3=\"a b\").1", "OBX|1|ST|Q~made^L^a b||no"},
		{"OBX(*)", "obx-9(3=k).1", "OBX|1|ST|Q||no||||made^^k"},
		{"PID-3", "id(5=XX).1", "PID|1||7^^^RXX^PI~8^^^NHS^NH~made^^^^XX"},
	} {
		d := read(t, orm)
		for n := range 4 {
			d.Bind(n, fixed(t, d, c.list)[0], 1)
		}
		at := below(t, c.sel)
		if err := d.Create(at); err != nil {
			t.Errorf("%s: %v", c.sel, err)
			continue
		}
		if err := d.Set(at, "made"); err != nil || !strings.Contains(string(d.M.Bytes()), "\r"+c.want+"\r") {
			t.Errorf("%s: %v, %q", c.sel, err, d.M.Bytes())
		}
	}
	d := read(t, orm)
	d.Bind(0, fixed(t, d, "groups ORC OBR")[0], 1)
	if err := d.Create(below(t, "ord/OBX(2=NM)-5")); err == nil {
		t.Error("a segment of a group is not made by guessing")
	}
	if err := d.Create(below(t, "obx-3(2=L).1")); !errors.Is(err, message.ErrNoMatch) {
		t.Errorf("nothing is bound: %v", err)
	}
}

func TestCutAndKeep(t *testing.T) {
	d := read(t, orm)
	parts, err := d.Cut(fixed(t, d, "groups ORC OBR"), []message.Selector{sel(t, "MSH"), sel(t, "PID"), below(t, "obx")})
	if err != nil || len(parts) != 2 {
		t.Fatal(err)
	}
	for n, want := range []string{"ORC|NW|A1\rOBR|1|A1||FBC^old\rNTE|1||fasting\r", "ORC|NW|A2\rOBR|2|A2||UE\rOBX|1|ST|Q||no\rOBX|2|ST|R||yes\r"} {
		if got := string(parts[n].(*Doc).M.Bytes()); got != orm[:strings.Index(orm, "ORC")]+want {
			t.Errorf("part %d: %q", n+1, got)
		}
	}
	if _, err := d.Cut([]message.Item{"no item"}, nil); err == nil {
		t.Error("no item")
	}
	d.Bind(1, fixed(t, d, "OBX(*)")[1], 2)
	if err := d.Keep([]message.Selector{sel(t, "PID-3(5=NH)"), below(t, "obx"), below(t, "ord")}); err != nil {
		t.Fatal(err)
	}
	if got := string(d.M.Bytes()); !strings.HasSuffix(got, "|2.3\rPID|||8^^^NHS^NH\rOBX|2|ST|R||yes\r") || d.Text(below(t, "obx-5")) != "yes" {
		t.Errorf("%q", got)
	}
}

func TestInsert(t *testing.T) {
	d := read(t, orm)
	g := fixed(t, d, "groups ORC OBR")
	d.Bind(0, g[0], 1)
	made, err := d.Insert("SPM", message.AtEndOf, below(t, "ord"))
	if err != nil {
		t.Fatal(err)
	}
	d.Bind(1, made, 1)
	if err := d.Set(below(t, "obx-4"), "blood"); err != nil || d.Text(below(t, "ord/SPM-4")) != "blood" {
		t.Errorf("%v", err)
	}
	if _, err := d.Insert("ZZZ", message.Before, below(t, "ord/OBX")); !errors.Is(err, message.ErrNoMatch) {
		t.Errorf("%v", err)
	}
	if _, err := d.Insert("zzz", message.Before, below(t, "ord")); err == nil {
		t.Error("no id")
	}
	if got, want := string(d.M.Bytes()), strings.Replace(orm, "fasting\r", "fasting\rSPM||||blood\r", 1); got != want {
		t.Errorf("%q", got)
	}
}

// FuzzCompile: what compiles has a canonical form that means the same; what does
// not, an error that points into the text.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{"obx-5(4=NHS&5=NH)(#2).1.2", "ord/OBR[2]/OBX(*)-5", `ord/OBX(3.1="a\"b")>NTE-3`, "obx>NTE(*)-3", "id.4.2", "id(5=NH).1", "obx", "obs-1", "ord/", "obx(*)(*)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Compile(text, slots)
		if err != nil {
			var pe *hl7.PathError
			if !errors.As(err, &pe) || pe.Offset < 0 || pe.Offset > len(text) {
				t.Fatalf("%v", err)
			}
			return
		}
		again, err := Compile(s.String(), slots)
		if err != nil || again.String() != s.String() || again.IsList() != s.IsList() || again.HasCondition() != s.HasCondition() {
			t.Fatalf("%q reads back as %v, %v", s, again, err)
		}
		for _, list := range []string{"groups ORC OBR", "OBX(*)", "PID-3(*)", "PID-3", "OBX(*)-3.1"} {
			d, _ := Parse([]byte(orm), hl7.Options{})
			for n := range slots {
				d.Bind(slots[n], fixed(t, d, list)[0], 1)
			}
			if d.Text(s) != d.Text(again) || len(d.List(s)) != len(d.List(again)) {
				t.Fatalf("%q: the canonical form selects something else", text)
			}
			if err := d.Set(s, "set"); err == nil && len(d.List(s)) > 0 && !slices.Contains(d.List(s), "set") && !s.HasCondition() && len(text) < 40 && !strings.HasPrefix(s.String(), "MSH") {
				t.Fatalf("%q: set, and reads %q", s, d.List(s))
			}
		}
	})
}
