package transforms_test

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
)

// names of the items that the tests use, and their slots.
var slots = map[string]int{"ord": 0, "obx": 1, "id": 2, "new": 3}

func rel(t *testing.T, s string) message.Selector {
	t.Helper()
	p, err := hl7doc.Compile(s, slots)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func parsed(t *testing.T, lines ...string) *hl7doc.Doc {
	t.Helper()
	d, err := hl7doc.Parse([]byte("MSH|^~\\&|A|B|||2026||ORM^O01|C|P|2.3\r"+strings.Join(lines, "\r")+"\r"), hl7.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// lines are those behind MSH.
func lines(d message.Doc) string {
	_, rest, _ := strings.Cut(string(d.(*hl7doc.Doc).M.Bytes()), "\r")
	return strings.TrimSuffix(strings.ReplaceAll(rest, "\r", "\n"), "\n")
}

// index is the number of the item in a slot.
type index int

func (i index) Text(in *transforms.Input) (string, error) {
	return strconv.Itoa(in.Doc.(message.Walker).Index(int(i))), nil
}

// has is a condition: a value is there.
type has struct{ at message.Selector }

func (h has) Bool(in *transforms.Input) (bool, error) {
	return in.Doc.Presence(h.at) == message.Present, nil
}

func chain(steps ...transforms.Step) (c transforms.Chain) {
	for n, s := range steps {
		c = append(c, transforms.Placed{Step: s, Place: message.Place{File: "f", Line: n + 1}})
	}
	return c
}

// to is a set of one value, or of a copy.
func to(at message.Selector, v any) *transforms.Set {
	a := transforms.Assignment{At: at}
	switch v := v.(type) {
	case message.Selector:
		a.From = v
	case string:
		a.Value = transforms.Constant(v)
	case transforms.Value:
		a.Value = v
	}
	return &transforms.Set{Assignments: []transforms.Assignment{a}}
}

func fields(s ...*transforms.Set) (all transforms.Set) {
	for _, x := range s {
		all.Assignments = append(all.Assignments, x.Assignments...)
	}
	return all
}

// TestOrders is the feed of orders: for each ORC and OBR a TQ1 from OBR-27, a
// recoded test, an SPM from OBR-15, and the fields that moved go.
func TestOrders(t *testing.T) {
	r := func(s string) message.Selector { return rel(t, s) }
	codes := transforms.NewTable("testcode", "name", "system")
	for k, v := range map[string][]string{"FBC": {"Full blood count", "WIN"}, "UE": {"Urea", "WIN"}} {
		if err := codes.Add(k, v); err != nil {
			t.Fatal(err)
		}
	}
	each := &transforms.Each{Starts: []string{"ORC", "OBR"}, Slot: 0, Do: chain(
		&transforms.Insert{Segment: "TQ1", Where: message.After, At: r("ord/ORC"), Slot: 3, IfNone: transforms.SkipIfNone,
			Set: fields(to(r("new-1"), index(0)), to(r("new-7"), computed{r("ord/OBR-27.4"), ""}), to(r("new-9"), computed{r("ord/OBR-27.6"), ""}))},
		&transforms.Map{At: r("ord/OBR-4.1"), Table: codes, Column: -1, Put: []transforms.Put{{At: r("ord/OBR-4.2"), Column: 0}, {At: r("ord/OBR-4.3"), Column: 1}}},
		&transforms.When{If: has{r("ord/OBR-15.1")}, Do: chain(
			&transforms.Insert{Segment: "SPM", Where: message.AtEndOf, At: r("ord"), Slot: 3,
				Set: fields(to(r("new-1"), "1"), to(r("new-4"), r("ord/OBR-15.1")), to(r("new-17"), computed{r("ord/OBR-7"), ""}))})},
		&transforms.Remove{At: []message.Selector{r("ord/OBR-15"), r("ord/OBR-27")}},
	)}
	d := parsed(t, "PID|1", "ORC|NW|1", "OBR|1|||FBC|||2026||||||||BLD&Blood^x||||||||||||1^^^20260101^^R", "NTE|1||fasting", "OBX|1|ST|a",
		"ORC|NW|2", "OBR|2|||UE|||2027||||||||||||||||||||1^^^20260102^^S", "NTE|1||second", "OBR|3|||FBC|||||||||||URN", "ZZZ|1")
	if err := chain(each).Apply(&transforms.Input{Doc: d}); err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{"PID|1", "ORC|NW|1", "TQ1|1||||||20260101||R", "OBR|1|||FBC^Full blood count^WIN|||2026||||||||||||||||||||", "NTE|1||fasting", "OBX|1|ST|a", "SPM|1|||BLD&Blood|||||||||||||2026",
		"ORC|NW|2", "TQ1|2||||||20260102||S", "OBR|2|||UE^Urea^WIN|||2027||||||||||||||||||||", "NTE|1||second", "OBR|3|||FBC^Full blood count^WIN|||||||||||", "ZZZ|1", "SPM|1|||URN"}, "\n")
	if got := strings.ReplaceAll(lines(d), "BLD&Blood", "BLD&Blood"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// What was inserted between ORC and OBR makes no more groups of them.
	if again, err := d.Groups([]string{"ORC", "OBR"}); err != nil || len(again) != 3 {
		t.Errorf("%d groups, %v", len(again), err)
	}
}

func TestEach(t *testing.T) {
	r := func(s string) message.Selector { return rel(t, s) }
	hold := &transforms.End{Stop: transforms.Stop{Outcome: message.Held, Reason: "look"}}
	in := []string{"PID|1||1^^^A~2^^^B~3", "OBR|1|x", "OBX|9|ST|a||1", "OBX|9|NM|b||2", "NTE|1", "OBR|2|y", "OBX|9|NM|c||3"}
	for _, c := range []struct {
		name string
		each *transforms.Each
		want map[int]string // lines that change, "-" = gone
		err  string
	}{
		{"numbers segments", &transforms.Each{In: r("OBX(*)"), Slot: 1, Do: chain(to(r("obx-1"), index(1)))},
			map[int]string{2: "OBX|1|ST|a||1", 3: "OBX|2|NM|b||2", 6: "OBX|3|NM|c||3"}, ""},
		{"only those of a condition", &transforms.Each{In: r("OBX(2=NM)(*)"), Slot: 1, Do: chain(to(r("obx-1"), index(1)))},
			map[int]string{3: "OBX|1|NM|b||2", 6: "OBX|2|NM|c||3"}, ""},
		{"whose condition a step ends", &transforms.Each{In: r("OBX(2=NM)(*)"), Slot: 1, Do: chain(to(r("obx-2"), "ST"), to(r("obx-1"), index(1)))},
			map[int]string{3: "OBX|1|ST|b||2", 6: "OBX|2|ST|c||3"}, ""},
		{"repetitions", &transforms.Each{In: r("PID-3(*)"), Slot: 2, Do: chain(to(r("id.5"), "PI"), to(r("id.4.2"), index(2)))},
			map[int]string{0: "PID|1||1^^^A&1^PI~2^^^B&2^PI~3^^^&3^PI"}, ""},
		{"parts of fields", &transforms.Each{In: r("OBX(*)-3.1"), Slot: 2, Do: chain(to(r("id"), computed{r("id"), "!"}))},
			map[int]string{2: "OBX|9|ST|a!||1", 3: "OBX|9|NM|b!||2", 6: "OBX|9|NM|c!||3"}, ""},
		{"a walk within a walk", &transforms.Each{Starts: []string{"OBR"}, Slot: 0, Do: chain(
			&transforms.Each{In: r("ord/OBX(*)"), Slot: 1, Do: chain(to(r("obx-1"), index(1)), to(r("obx-4"), r("ord/OBR-2")), to(r("obx-6"), index(0)))})},
			map[int]string{2: "OBX|1|ST|a|x|1|1", 3: "OBX|2|NM|b|x|2|1", 6: "OBX|1|NM|c|y|3|2"}, ""},
		{"of an item within a segment", &transforms.Each{In: r("OBR(*)"), Slot: 0, Do: chain(
			&transforms.Each{In: r("ord/OBX(*)-5(*)"), Slot: 2, Do: chain(to(r("id"), r("ord-2")))})},
			map[int]string{2: "OBX|9|ST|a||x", 3: "OBX|9|NM|b||x", 6: "OBX|9|NM|c||y"}, ""},
		{"removes its items", &transforms.Each{In: r("OBX(*)"), Slot: 1, Do: chain(
			&transforms.When{If: has{r("obx-5(1=2)")}, Do: chain(&transforms.Remove{At: []message.Selector{r("obx")}})})},
			map[int]string{3: "-"}, ""},
		{"passes over items that are gone", &transforms.Each{In: r("OBX(*)"), Slot: 1, Do: chain(
			&transforms.Remove{At: []message.Selector{r("OBX(2=NM)")}}, to(r("obx-1"), index(1)))},
			map[int]string{2: "OBX|1|ST|a||1", 3: "-", 6: "-"}, "f:2: held: nothing matches obx-1"},
		{"copies and moves", &transforms.Each{In: r("OBX(*)"), Slot: 1, Do: chain(
			&transforms.Move{From: r("obx-3"), To: r("obx-4")}, &transforms.Copy{From: r("PID-1"), To: r("obx-1")},
			&transforms.Copy{From: r("obx-9"), To: r("obx-4")}, &transforms.Default{Set: *to(r("obx-7"), "d")}, &transforms.Nullify{At: []message.Selector{r("obx-2")}})},
			map[int]string{2: `OBX|1|""||a|1||d`, 3: `OBX|1|""||b|2||d`, 6: `OBX|1|""||c|3||d`}, ""},
		{"if_none", &transforms.Each{In: r("PID-3(*)"), Slot: 2, Do: chain(&transforms.Set{IfNone: transforms.SkipIfNone, Assignments: to(r("obx-1"), "x").Assignments})}, nil, ""},
		{"makes repetitions", &transforms.Each{In: r("OBX(*)"), Slot: 1, Do: chain(&transforms.Set{IfNone: transforms.CreateIfNone, Assignments: to(r("obx-3(2=L).1"), "k").Assignments})},
			map[int]string{2: "OBX|9|ST|a~k^L||1", 3: "OBX|9|NM|b~k^L||2", 6: "OBX|9|NM|c~k^L||3"}, ""},
		{"a stop ends it", &transforms.Each{In: r("OBX(*)"), Slot: 1, Do: chain(to(r("obx-1"), index(1)), &transforms.When{If: has{r("obx-5(1=2)")}, Do: chain(hold)})},
			map[int]string{2: "OBX|1|ST|a||1", 3: "OBX|2|NM|b||2"}, "f:1: held: look"},
		{"nothing to walk", &transforms.Each{In: r("SPM(*)"), Slot: 1, Do: chain(hold)}, nil, ""},
		{"an item that is not bound", &transforms.Each{In: r("ord/OBX(*)"), Slot: 1, Do: chain(hold)}, nil, ""},
		{"a group has no fields", &transforms.Each{Starts: []string{"OBR"}, Slot: 0, Do: chain(to(r("ord-2"), "x"))}, nil, "group of segments"},
		{"no group id", &transforms.Each{Starts: []string{"obr"}, Slot: 0}, nil, "segment id"},
		{"another document", &transforms.Each{In: r("OBX(*)"), Slot: 1, Do: chain(become{})}, nil, "another document"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := parsed(t, in...)
			err := chain(c.each).Apply(&transforms.Input{Doc: d})
			if got := fmt.Sprint(place(err), err); (err == nil) != (c.err == "") || err != nil && !strings.Contains(got, c.err) {
				t.Errorf("error %s, want %q", got, c.err)
			}
			var want []string
			for n, line := range in {
				if l, ok := c.want[n]; ok {
					line = l
				}
				if line != "-" {
					want = append(want, line)
				}
			}
			if got := lines(d); got != strings.Join(want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
			}
			for _, slot := range slots {
				if d.Index(slot) != 0 {
					t.Errorf("slot %d is not freed", slot)
				}
			}
		})
	}
}

func place(err error) string {
	var s *transforms.Stop
	if errors.As(err, &s) {
		return s.Place.String() + ": "
	}
	return ""
}

// become is a step that makes another document.
type become struct{}

func (become) Apply(in *transforms.Input) error {
	in.Become(in.Doc.Clone())
	return nil
}

func TestInsert(t *testing.T) {
	r := func(s string) message.Selector { return rel(t, s) }
	for _, c := range []struct {
		name   string
		insert *transforms.Insert
		want   string
		err    string
	}{
		{"after", &transforms.Insert{Segment: "ORC", Where: message.After, At: r("PV1"), Slot: 3,
			Set: fields(to(r("new-1"), "NW"), to(r("new-2"), computed{r("SCH-2.1"), "-1"}), to(r("new-7.4"), computed{r("AIS-4"), ""}))},
			"SCH|1|s\nPID|1\nPV1|1\nORC|NW|s-1|||||^^^2026\nAIS|1||op^name|2026", ""},
		{"before, with a copy of parts", &transforms.Insert{Segment: "OBR", Where: message.Before, At: r("AIS"), Slot: 3, Set: fields(to(r("new-1"), "1"), to(r("new-4"), r("AIS-3")))},
			"SCH|1|s\nPID|1\nPV1|1\nOBR|1|||op^name\nAIS|1||op^name|2026", ""},
		{"at the end of a group", &transforms.Insert{Segment: "ZZZ", Where: message.AtEndOf, At: r("PID"), Slot: 3}, "SCH|1|s\nPID|1\nPV1|1\nAIS|1||op^name|2026\nZZZ", ""},
		{"reads the message as it was", &transforms.Insert{Segment: "PID", Where: message.Before, At: r("PID"), Slot: 3,
			Set: fields(to(r("new-2"), computed{r("PID-1"), "!"}), to(r("new-3"), r("PID-1")), to(r("new-4"), computed{r("new-2"), "?"}))}, "SCH|1|s\nPID||1!|1|?\nPID|1\nPV1|1\nAIS|1||op^name|2026", ""},
		{"nothing to insert at", &transforms.Insert{Segment: "ORC", At: r("SPM"), Slot: 3}, "", "nothing matches SPM"},
		{"nothing to insert at is skipped", &transforms.Insert{Segment: "ORC", At: r("SPM"), Slot: 3, IfNone: transforms.SkipIfNone, Set: fields(to(r("new-1"), "x"))}, "", ""},
		{"before MSH", &transforms.Insert{Segment: "ORC", Where: message.Before, At: r("MSH"), Slot: 3}, "", "nothing stands before MSH"},
		{"a second MSH", &transforms.Insert{Segment: "MSH", Where: message.After, At: r("PID"), Slot: 3}, "", "one header"},
		{"a value that fails", &transforms.Insert{Segment: "ORC", Where: message.After, At: r("PID"), Slot: 3, Set: fields(to(r("new-1"), failing{}))}, "", "cannot tell"},
	} {
		d := parsed(t, "SCH|1|s", "PID|1", "PV1|1", "AIS|1||op^name|2026")
		before := lines(d)
		err := c.insert.Apply(&transforms.Input{Doc: d})
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.want == "" {
			c.want = before
		}
		if got := lines(d); got != c.want || d.Index(3) != 0 {
			t.Errorf("%s: got\n%s", c.name, got)
		}
	}
}

type failing struct{}

func (failing) Text(*transforms.Input) (string, error) { return "", errors.New("cannot tell") }

// TestKeepOfTheResearchFeed: the allow-list of a de-identified copy. What the
// laboratory adds next year does not pass.
func TestKeepOfTheResearchFeed(t *testing.T) {
	var keep transforms.Keep
	for _, s := range []string{"MSH", "PID-7", "PID-8", "OBR-4", "OBR-7", "OBX(2=NM)(*)"} {
		keep.At = append(keep.At, rel(t, s))
	}
	d := parsed(t, "PID|1||777^^^RXX||Test^Ann||1970|F|||1 Road", "ZPD|secret", "NK1|1|Test^Bob", "ORC|RE|1", "OBR|1|p|f|FBC^x|||2026|a|b", "NTE|1||Ann", "OBX|1|NM|Hb||141|g", "OBX|2|ST|text||Ann")
	if err := keep.Apply(&transforms.Input{Doc: d}); err != nil {
		t.Fatal(err)
	}
	if got, want := lines(d), "PID|||||||1970|F\nOBR||||FBC^x|||2026\nOBX|1|NM|Hb||141|g"; got != want {
		t.Errorf("got\n%s", got)
	}
}

// plain is a document that cannot be walked.
type plain struct{ message.Doc }

func (plain) Format() message.Format { return message.XML }

func TestDocumentsThatCannotBeWalked(t *testing.T) {
	for name, s := range map[string]transforms.Step{"each": &transforms.Each{In: rel(t, "OBX(*)")}, "insert": &transforms.Insert{Segment: "ORC", At: rel(t, "PID")},
		"keep": &transforms.Keep{}, "to_xml": &transforms.ToXML{}, "from_xml": transforms.FromXML{}} {
		if err := s.Apply(&transforms.Input{Doc: plain{}}); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "xml") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// xml is an XML document of which only the bytes are asked for.
type xml struct {
	message.Doc
	b []byte
}

func (xml) Format() message.Format { return message.XML }
func (x xml) Bytes() []byte        { return x.b }

func TestXMLAndBack(t *testing.T) {
	d := parsed(t, `PID|1||7^^^X&9~8|""|a\F\b\H\c`, "no segment <here>")
	var seen []message.Doc
	in := &transforms.Input{Doc: d, Swap: func(doc message.Doc) { seen = append(seen, doc) }}
	make := func(b []byte) (message.Doc, error) { return xml{b: b}, nil }
	if err := chain(&transforms.ToXML{Parse: make}, transforms.FromXML{}).Apply(in); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 2 || seen[1] != in.Doc || !bytes.Contains(seen[0].(xml).b, []byte(`<PID.3><PID.3.1>8</PID.3.1></PID.3>`)) {
		t.Fatalf("%d documents", len(seen))
	}
	if lines(in.Doc) != lines(d) || in.Doc.Type() != "ORM" {
		t.Errorf("got\n%s", lines(in.Doc))
	}
	broken := func([]byte) (message.Doc, error) { return nil, errors.New("too large") }
	if err := (&transforms.ToXML{Parse: broken}).Apply(&transforms.Input{Doc: d}); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("%v", err)
	}
	if err := (transforms.FromXML{}).Apply(&transforms.Input{Doc: xml{b: []byte("<HL7><PID/></HL7>")}}); err == nil || !strings.Contains(err.Error(), "MSH") {
		t.Errorf("%v", err)
	}
	if err := (transforms.FromXML{}).Apply(&transforms.Input{Doc: d}); err == nil || !strings.Contains(err.Error(), "this is hl7") {
		t.Errorf("%v", err)
	}
}
