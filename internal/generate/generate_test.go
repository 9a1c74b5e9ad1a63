package generate

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/transforms/forms"
)

// structures say which segments follow one another: chapters 3, 4, 7, 9 and 10 of
// the standard, less what is never sent. A blank stands behind each segment.
func structures() map[string]string {
	admission := `MSH EVN PID PD1 NK1 PV1 (AL1 )*DG1 `
	person := `MSH EVN PID PD1 NK1 PV1 `
	siu := `MSH SCH (TQ1 )?NTE PID PD1 PV1 RGS AIS AIL AIP `
	return map[string]string{
		"ADT^A01": admission, "ADT^A08": admission, "ADT^A13": admission,
		"ADT^A02": `MSH EVN PID PD1 PV1 `, "ADT^A11": `MSH EVN PID PD1 PV1 `, "ADT^A03": `MSH EVN PID PD1 PV1 DG1 `,
		"ADT^A28": person, "ADT^A31": person,
		"ADT^A40": `MSH EVN PID PD1 MRG (PV1 )?`,
		"ORU^R01": `MSH PID PD1 (PV1 )?(ORC OBR (NTE )?(OBX )+)+`,
		"SIU^S12": siu, "SIU^S13": siu, "SIU^S14": siu, "SIU^S15": siu,
		"MDM^T02": `MSH EVN PID PV1 TXA (OBX )+`,
		"ORM^O01": `MSH PID PD1 PV1 (ORC OBR )+`,
	}
}

// required are fields that the standard marks R in the segments we send.
func required() map[string][]int {
	return map[string][]int{"MSH": {7, 9, 10, 11, 12}, "EVN": {2}, "PID": {3, 5}, "PV1": {2}, "NK1": {1}, "AL1": {1, 3}, "DG1": {1, 6}, "MRG": {1},
		"ORC": {1}, "OBR": {1, 4, 7}, "OBX": {1, 2, 3, 5, 11}, "SCH": {1, 2, 6, 16, 20}, "RGS": {1}, "AIS": {1, 3}, "AIL": {1}, "AIP": {1},
		"TXA": {1, 2, 12, 17}, "TQ1": {1}, "NTE": {1}}
}

func parse(t *testing.T, b []byte) *hl7.Message {
	t.Helper()
	m, err := hl7.Parse(b)
	if err != nil {
		t.Fatalf("%v in %q", err, b)
	}
	if w := m.Warnings(); len(w) > 0 {
		t.Fatalf("warnings %v in %q", w, b)
	}
	return m
}

func ids(m *hl7.Message) string {
	var b strings.Builder
	for s := range m.Segments() {
		b.WriteString(s.ID + " ")
	}
	return b.String()
}

func get(m *hl7.Message, sel string) string { return m.Get(hl7.MustPath(sel)) }

func TestEveryEventInEveryVersionIsWellFormed(t *testing.T) {
	want := structures()
	for _, version := range Versions() {
		for _, kind := range Kinds() {
			for _, event := range Events(kind) {
				t.Run(fmt.Sprintf("%s %s %s", version, kind, event), func(t *testing.T) {
					g, err := NewWith(Options{Seed: 7, Version: version, PDF: true})
					if err != nil {
						t.Fatal(err)
					}
					for range 20 {
						msg, err := g.Message(kind, event)
						if err != nil {
							t.Fatal(err)
						}
						checkStructure(t, parse(t, msg), want[strings.ToUpper(string(kind))+"^"+event], version)
					}
				})
			}
		}
	}
}

func checkStructure(t *testing.T, m *hl7.Message, want, version string) {
	t.Helper()
	if want == "" || !regexp.MustCompile(`^`+want+`$`).MatchString(ids(m)) {
		t.Fatalf("segments %s, want %s", ids(m), want)
	}
	if tq := strings.Contains(ids(m), "TQ1"); m.Type() == "SIU" && tq != (version >= "2.5") {
		t.Errorf("TQ1 in version %s: %v", version, tq)
	}
	if get(m, "MSH-12") != version || (get(m, "MSH-9.3") == "") != (version == "2.3") {
		t.Errorf("MSH-12 %s, MSH-9.3 %s", get(m, "MSH-12"), get(m, "MSH-9.3"))
	}
	for s := range m.Segments() {
		for _, f := range required()[s.ID] {
			if sel := fmt.Sprintf("%s(*)-%d", s.ID, f); slices.Contains(m.List(hl7.MustPath(sel)), "") || m.Count(hl7.MustPath(sel)) == 0 {
				t.Errorf("%s is required and empty", sel)
			}
		}
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	day := func(seed uint64) []byte {
		msgs, err := New(seed).Day(400)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Join(msgs, nil)
	}
	if !bytes.Equal(day(1), day(1)) {
		t.Error("the same seed gave other bytes")
	}
	if bytes.Equal(day(1), day(2)) {
		t.Error("another seed gave the same bytes")
	}
}

// What other machines and releases must give as well.
func TestBytesOfSeedOneNeverChange(t *testing.T) {
	msg, err := New(1).Message(ADT, "A01")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.ReplaceAll(string(msg), "\r", "\n"); got != golden {
		t.Errorf("got\n%s\nwant\n%s", got, golden)
	}
}

func TestEncodingsAndPartiesAreThoseAskedFor(t *testing.T) {
	for _, row := range []struct {
		name, charset, msh18 string
		accents              bool
	}{
		{"the default", "", "UNICODE UTF-8", true},
		{"Latin 1", "8859/1", "8859/1", true},
		{"ASCII", "ASCII", "ASCII", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			g, err := NewWith(Options{Charset: row.charset, Sending: "ADM^RYY", Receiving: "TIE", Processing: "T"})
			if err != nil {
				t.Fatal(err)
			}
			msgs, err := g.Day(300)
			if err != nil {
				t.Fatal(err)
			}
			m := parse(t, msgs[0])
			if get(m, "MSH-18") != row.msh18 || get(m, "MSH-3") != "ADM" || get(m, "MSH-4") != "RYY" || get(m, "MSH-5") != "TIE" || get(m, "MSH-11") != "T" {
				t.Errorf("header is %q", m.RawText(hl7.MustPath("MSH")))
			}
			high := slices.ContainsFunc(bytes.Join(msgs, nil), func(b byte) bool { return b >= 0x80 })
			if high != row.accents {
				t.Errorf("bytes above 0x7f: %v", high)
			}
		})
	}
}

func TestWrongOptionsAreRefused(t *testing.T) {
	for _, row := range []struct {
		name string
		o    Options
		want string
	}{
		{"version", Options{Version: "2.9"}, `version "2.9" is not one of 2.3, `},
		{"character set", Options{Charset: "KLINGON"}, `character set "KLINGON"`},
		{"UTF-16", Options{Charset: "UNICODE UTF-16"}, "UTF-16 cannot travel in MLLP"},
		{"a party with a field separator", Options{Sending: "A|B"}, "is not of the form APPLICATION^FACILITY"},
		{"a party with a line end", Options{Receiving: "A\rPID"}, "is not of the form APPLICATION^FACILITY"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, err := NewWith(row.o); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
	for _, bad := range [][2]string{{"adt", "A99"}, {"dft", "P03"}} {
		if _, err := New(1).Message(Kind(bad[0]), bad[1]); !errors.Is(err, ErrUnknown) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestNew(t *testing.T) {
	if g := New(0); g == nil || g.Patient().NHS == "" {
		t.Error("the usual options do not work")
	}
}

func TestNumbersAreUniqueAndGood(t *testing.T) {
	g := New(3)
	seen := map[string]bool{}
	test := regexp.MustCompile(`^999\d{7}$`)
	for range 5000 {
		p := g.Patient()
		if digits, ok := forms.NHSNumber(p.NHS); !ok || digits != p.NHS || !test.MatchString(p.NHS) {
			t.Fatalf("%s is no NHS number of the 999 range", p.NHS)
		}
		if seen[p.NHS] || seen[p.Local] {
			t.Fatalf("%s or %s was given twice", p.NHS, p.Local)
		}
		seen[p.NHS], seen[p.Local] = true, true
		if p.Born.After(Epoch()) || !strings.HasPrefix(p.Address[4], "ZZ99 3") || !phone(p.Home) || p.Mobile != "" && !phone(p.Mobile) {
			t.Fatalf("born %s, %q, %s, %s", p.Born, p.Address, p.Home, p.Mobile)
		}
	}
}

// phone reports whether a number is of the ranges that are nobody's.
func phone(s string) bool { return regexp.MustCompile(`^(01632960|07700900)\d{3}$`).MatchString(s) }

func TestBatchCounts(t *testing.T) {
	g := New(5)
	msgs, err := g.Day(37)
	if err != nil {
		t.Fatal(err)
	}
	r := hl7.NewBatchReader(bytes.NewReader(g.Batch(msgs)), 0)
	for i := range msgs {
		if m, err := r.Next(); err != nil || !bytes.Equal(m, msgs[i]) {
			t.Fatalf("message %d: %v, %q", i, err, m)
		}
	}
	if _, err := r.Next(); err == nil {
		t.Error("more messages than were put in")
	}
	if rep := r.Report(); rep.Batches != 1 || rep.Messages != 37 || len(rep.Findings) > 0 || rep.Outside > 0 {
		t.Errorf("report %+v", rep)
	}
}

func TestFromDecidesEveryTime(t *testing.T) {
	from := time.Date(2025, 3, 1, 9, 0, 0, 0, time.FixedZone("", 3600))
	g, err := NewWith(Options{From: from})
	if err != nil {
		t.Fatal(err)
	}
	msg, err := g.Message(ADT, "A01")
	if err != nil {
		t.Fatal(err)
	}
	m := parse(t, msg)
	at, err := time.Parse("20060102150405-0700", get(m, "MSH-7"))
	if err != nil || at.Before(from) || at.After(from.Add(10*time.Minute)) || !strings.HasSuffix(get(m, "MSH-7"), "+0100") {
		t.Errorf("MSH-7 %s: %v", get(m, "MSH-7"), err)
	}
}

func TestPDFHasTrueOffsets(t *testing.T) {
	b := PDF("one", "two (2)")
	var xref int
	tail := b[bytes.LastIndex(b, []byte("startxref")):]
	if _, err := fmt.Sscanf(string(tail), "startxref\n%d\n", &xref); err != nil || !bytes.HasPrefix(b[xref:], []byte("xref\n0 6\n")) {
		t.Fatalf("startxref %d: %v", xref, err)
	}
	table := b[xref+len("xref\n0 6\n"):]
	for n := 1; n <= 5; n++ {
		var at int
		fmt.Sscanf(string(table[20*n:]), "%d", &at)
		if !bytes.HasPrefix(b[at:], fmt.Appendf(nil, "%d 0 obj\n", n)) {
			t.Errorf("object %d is not at %d", n, at)
		}
	}
	if i := bytes.Index(b, []byte("stream\n")) + 7; !bytes.Contains(b, fmt.Appendf(nil, "/Length %d ", bytes.Index(b[i:], []byte("\nendstream")))) {
		t.Error("the length of the stream is wrong")
	}
}
