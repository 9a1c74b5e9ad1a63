package feedtest

import (
	"bytes"
	"encoding/xml"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/spine-engine/spine-engine/internal/message"
)

func TestDifferences(t *testing.T) {
	const msh = `MSH|^~\&|A|B` + "\r"
	for _, c := range []struct {
		name      string
		want, got string
		out       []string
	}{
		{"nothing but line ends", msh + "PID|1\r", "MSH|^~\\&|A|B\r\nPID|1\r\n\r\n", nil},
		{"a component", msh + "PV1|1||A^B^C", msh + "PV1|1||A^X^C", []string{`expected PV1-3.2 "B", got "X"`}},
		{"a field that has become parts", msh + "PV1|1||A", msh + "PV1|1||A^B", []string{`expected PV1-3.2 "", got "B"`}},
		{"a repetition", msh + "PID|1||A~B^C", msh + "PID|1||A~D^C", []string{`expected PID-3(#2).1 "B", got "D"`}},
		{"a repetition more", msh + "PID|1||A", msh + "PID|1||A~B", []string{`expected PID-3 "A", got "A~B"`}},
		{"a segment more shifts nothing", msh + "OBX|1|A\rOBX|3|C", msh + "OBX|1|A\rOBX|2|B\rOBX|3|C", []string{`unexpected segment OBX(#2): "OBX|2|B"`}},
		{"a segment less", msh + "NK1|1\rPV1|1", msh + "PV1|1", []string{`missing segment NK1: "NK1|1"`}},
		{"segments in another order", msh + "NK1|1\rPV1|1", msh + "PV1|1\rNK1|1", []string{`missing segment NK1: "NK1|1"`, `unexpected segment NK1(#2): "NK1|1"`}},
		{"the second of its kind", msh + "OBX|1|A\rOBX|2|B", msh + "OBX|1|A\rOBX|2|X", []string{`expected OBX(#2)-2 "B", got "X"`}},
		{"the header", msh, "MSH|^~\\&|A|C\r", []string{`expected MSH-4 "B", got "C"`}},
		{"empty fields at the end", msh + "PID|1", msh + "PID|1||", []string{`expected segment PID "PID|1", got "PID|1||"`}},
		{"other delimiters", "MSH#^~\\&#A#B\rPID#1#A", "MSH#^~\\&#A#B\rPID#1#B", []string{`expected PID-2 "A", got "B"`}},
		{"no HL7", "a\nb\n", "a\nc\nd", []string{`expected line 2 "b", got "c"`, `unexpected line 3: "d"`}},
		{"nothing there", msh, "", []string{`missing line 1: "MSH|^~\\&|A|B"`}},
		{"no text", "a\x00b", "a\x00c", []string{"3 bytes and 3 bytes, which differ from byte 2 on"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.out, Differences([]byte(c.want), []byte(c.got))); d != "" {
				t.Error(d)
			}
			if same := sameLines([]byte(c.want), []byte(c.got)); same != (c.out == nil) {
				t.Errorf("the same: %t", same)
			}
		})
	}
}

func TestLongTextsAreComparedLineByLine(t *testing.T) {
	long := strings.Repeat("OBX|1|A\r", 2*mostAligned)
	got := Differences([]byte("MSH|^~\\&|A|B\r"+long), []byte("MSH|^~\\&|A|C\r"+long))
	if len(got) != 1 {
		t.Errorf("%d differences", len(got))
	}
}

func FuzzDifferences(f *testing.F) {
	f.Add([]byte("MSH|^~\\&|A\rPID|1"), []byte("MSH|^~\\&|B\rPID|2\rPID|3"))
	f.Add([]byte("MSH|^~\\&"), []byte("MSH||||||\r\r\n"))
	f.Add([]byte("a\nb"), []byte("\x00"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		if d := Differences(a, b); sameLines(a, b) != (len(d) == 0) {
			t.Errorf("same %t with differences %q", sameLines(a, b), d)
		}
	})
}

// TestUpdate: what differs or is missing is given to be written, and then it passes.
func TestUpdate(t *testing.T) {
	fsys := project(t, "differ")
	r := Run(load(t, fsys), Options{Update: true, Run: regexp.MustCompile("^a whole file$")})
	if _, failed, _ := r.Counts(); failed != 0 || len(r.Golden) != 2 || r.Golden[0].Path != "m/none.hl7" || r.Golden[0].Before != nil || r.Golden[1].Path != "m/want.hl7" {
		t.Fatalf("%d failed, %d files", failed, len(r.Golden))
	}
	if d := Changes(r.Golden[1].Before, r.Golden[1].After); len(d) == 0 || !strings.Contains(d[0], `MSH-9.3 was "ADT_A01", is ""`) {
		t.Errorf("changes: %q", d)
	}
	for _, g := range r.Golden {
		fsys[g.Path] = &fstest.MapFile{Data: g.After}
	}
	r = Run(load(t, fsys), Options{Update: true, Run: regexp.MustCompile("^a whole file$")})
	if _, failed, _ := r.Counts(); failed != 0 || len(r.Golden) != 0 {
		t.Errorf("after the update: %s", printed(t, r))
	}
}

// TestUpdateOfOneFileByTwo: what two tests want differently is nobody's.
func TestUpdateOfOneFileByTwo(t *testing.T) {
	fsys := project(t, "peers")
	feed, _, _ := strings.Cut(string(fsys["feeds/f.yaml"].Data), "tests:\n")
	fsys["feeds/f.yaml"] = &fstest.MapFile{Data: []byte(feed + `tests:
  - { name: a, send: { to: in, file: m/1.hl7 }, expect: { delivered: { epr: { same_as: m/new.hl7 }, box: {} } } }
  - { name: b, send: { to: in, file: m/2.hl7 }, expect: { delivered: { epr: { same_as: m/new.hl7 }, box: {} } } }
`)}
	r := Run(load(t, fsys), Options{Update: true})
	const said = `m/new.hl7 cannot be written: the test "a" (feeds/f.yaml:18) wants another content of it`
	if out := printed(t, r); !strings.Contains(out, said) || len(r.Golden) != 1 {
		t.Fatalf("%d files\n%s", len(r.Golden), out)
	}
	fsys["m/new.hl7"] = &fstest.MapFile{Data: r.Golden[0].After}
	r = Run(load(t, fsys), Options{Update: true})
	if out := printed(t, r); !strings.Contains(out, said) || len(r.Golden) != 0 {
		t.Errorf("once it is what a wants: %d files\n%s", len(r.Golden), out)
	}
}

func project(t *testing.T, name string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for _, f := range append(readArchive(t, "testdata/base.txtar").Files, readArchive(t, "testdata/"+name+".txtar").Files...) {
		fsys[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	return fsys
}

func TestChoices(t *testing.T) {
	plan := load(t, project(t, "feeds"))
	for _, c := range []struct {
		name string
		o    Options
		run  int
	}{
		{"all", Options{}, 7},
		{"by name", Options{Run: regexp.MustCompile("^naming|itself$")}, 2},
		{"by feed", Options{Feed: "g"}, 1},
		{"none", Options{Feed: "x"}, 0},
	} {
		if run, _, _ := Run(plan, c.o).Counts(); run != c.run {
			t.Errorf("%s: %d tests", c.name, run)
		}
	}
}

// TestJUnitIsXML whatever a message holds.
func TestJUnitIsXML(t *testing.T) {
	r := &Report{Feeds: []FeedReport{{Feed: "a&b", Tests: []TestReport{
		{Name: "<ok>", Place: message.Place{File: "feeds/a.yaml", Line: 7}},
		{Name: "bad \x01", Failures: []Failure{{Text: "got \"\x0b\xff\"]]>"}, {Text: "more"}}},
		{Name: "left", Skipped: "for live"},
	}}}}
	var out bytes.Buffer
	if err := r.WriteJUnit(&out); err != nil {
		t.Fatal(err)
	}
	dec := xml.NewDecoder(bytes.NewReader(out.Bytes()))
	for {
		if _, err := dec.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
	}
	var suites junitSuites
	if err := xml.Unmarshal(out.Bytes(), &suites); err != nil || suites.Tests != 3 || suites.Failures != 1 || suites.Skipped != 1 ||
		len(suites.Suites) != 1 || len(suites.Suites[0].Cases) != 3 || !strings.HasSuffix(suites.Suites[0].Cases[1].Failure.Message, "(and 1 more)") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
