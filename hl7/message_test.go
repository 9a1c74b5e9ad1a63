package hl7

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

const head = `MSH|^~\&|PAS|RXX|EPR|RXY|20260105093000||ADT^A08^ADT_A01|MSG42|P|2.5.1`

// sample is a message with repetitions, parts, escapes, null, Z and N segments.
const sample = head + "\r" +
	`PID|1||7701^^^RXX&2.16.1&ISO^PI~9990000018^^^NHS^NH||Mc\T\Donald^""^^Dr||19610203|F|` + "\r" +
	"NK1|1|Poppy^Rae\r" +
	"OBR|1|A1\r" + "OBX|1|TX|8302-2^Height||a\\F\\b~c\\.br\\d\r" + "NTE|1||first\r" + "NTE|2||second\r" +
	"ORC|RE|B\r" + "OBR|2|A2\r" + "OBX|1|NM|29463-7^Weight||81\r" + "OBX|2|NM|8302-2^Height||180\r" +
	"ZPI|7|x\r"

func parse(t testing.TB, s string) *Message {
	t.Helper()
	m, err := Parse(exact(s))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestParseKeepsBytesAndFindsSegments(t *testing.T) {
	tests := []struct {
		name, in string
		ids      string
	}{
		{"cr", head + "\rPID|1\r", "MSH PID"},
		{"lf", head + "\nPID|1\n", "MSH PID"},
		{"crlf", head + "\r\nPID|1\r\n", "MSH PID"},
		{"lf before a segment in a cr message", head + "\rPV1|1\nPID|1\r", "MSH PV1 PID"},
		{"lf as data", head + "\rNTE|1||x\ny\rPID|1\r", "MSH NTE PID"},
		{"lf as data before letters like an id", head + "\rNTE|1||x\nPID is missing\rPID|1\r", "MSH NTE PID"},
		{"lf at the very end of a cr message", head + "\rPID|1\n", "MSH PID"},
		{"cr in an lf message", head + "\nPV1|1\rPID|1\n", "MSH PV1 PID"},
		{"blank lines", head + "\r\r\n\rPID|1\r\r", "MSH PID"},
		{"no terminator", head + "\rPID|1", "MSH PID"},
		{"header only", `MSH|^~\&`, "MSH"},
		{"bare id", head + "\rPV1\rPID|1\r", "MSH PV1 PID"},
		{"byte order mark and blanks before", "\xEF\xBB\xBF \r\n" + head + "\rPID|1\r", "MSH PID"},
		{"frame bytes left on", "\x0b" + head + "\rPID|1\r\x1c\r", "MSH PID"},
		{"nul behind", head + "\rPID|1\r\x00\x00", "MSH PID"},
		{"lower case id", head + "\rpid|1\r", "MSH pid"},
		{"broken line", head + "\rOBX|1|TX|PLATE\rLETS||20\rPID|1\r", "MSH OBX - PID"},
		{"unknown and misplaced segments", head + "\rZZ9|1\rPID|1\rEVN|A01\rPID|2\r", "MSH ZZ9 PID EVN PID"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := parse(t, tt.in)
			var ids []string
			for s := range m.Segments() {
				if s.ID == "" {
					s.ID = "-"
				}
				ids = append(ids, s.ID)
			}
			if got := strings.Join(ids, " "); got != tt.ids {
				t.Errorf("segments %q, want %q", got, tt.ids)
			}
			if string(m.Bytes()) != tt.in || m.Edited() {
				t.Errorf("unedited bytes differ")
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct {
		name, in, text string
		offset         int
	}{
		{"empty", "", "no MSH", 0},
		{"blank", " \r\n", "no MSH", 0},
		{"no header", "PID|1\r", "no MSH", 0},
		{"text before", "hello\r" + head, "segment outside message", 0},
		{"batch", "FHS|^~\\&\r" + head, "this is a batch", 0},
		{"xml", "<ADT_A01/>", "XML", 0},
		{"letters only", "MSH", "bad field separator", 3},
		{"letter as separator", "MSHX^~\\&X", "bad field separator", 3},
		{"no encoding characters", "MSH||A", "MSH-2 is empty", 4},
		{"digit as delimiter", `MSH|^~\1|A`, "alphanumeric delimiter", 7},
		{"blank as delimiter", `MSH|^~ &|A`, "space", 6},
		{"repeated delimiter", `MSH|^^\&|A`, "duplicate delimiters", 3},
		{"separator doubled", "MSH&^~\\&&A", "", -1},
		{"all the same", `MSH|&&&&|A`, "duplicate delimiters", 3},
		{"six characters", `MSH|^~\&#!|A`, "more than 5", 4},
		{"non-ASCII", "MSH|^\xcb\x9c\\&|A", "non-ASCII delimiter", 4},
		{"two messages", head + "\r" + head + "\r", "second MSH", len(head) + 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse([]byte(tt.in))
			if tt.offset < 0 {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			var pe *ParseError
			if !errors.As(err, &pe) || !strings.Contains(pe.Text, tt.text) || pe.Offset != tt.offset {
				t.Errorf("got %v, want %q at %d", err, tt.text, tt.offset)
			}
		})
	}
}

func TestOddDelimiters(t *testing.T) {
	tests := []struct {
		name, msh2, field, path, want string
		warned                        bool
	}{
		{"three: no escape", `^~&`, `a^b&c\F\~d`, "PID-3.2.2", `c\F\`, true},
		{"three: by position", `^~\`, `a^b\T\c`, "PID-3.2", `b\T\c`, false},
		{"doubled escape", `^~\\&`, `a^b&c\S\`, "PID-3.2.2", "c^", true},
		{"doubled escape with truncation", `^~\\&#`, `a\P\`, "PID-3", "a#", true},
		{"one", `^`, `a^b~c&d\E\`, "PID-3.2", `b~c&d\E\`, false},
		{"five", `^~\&#`, `a\P\b#`, "PID-3", "a#b#", false},
		{"own set", `*!@%`, `a*b%c@T@!d`, "PID-3.2.2", "c%", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := "MSH|" + tt.msh2 + "|A\rPID|1||" + tt.field + "\r"
			m := parse(t, in)
			if got := m.Get(MustPath(tt.path)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if (len(m.Warnings()) > 0) != tt.warned {
				t.Errorf("warnings %v", m.Warnings())
			}
			if err := m.Set(MustPath("PID-5"), "x"); err != nil || m.Get(MustPath("MSH-2")) != tt.msh2 {
				t.Errorf("MSH-2 changed to %q, %v", m.Get(MustPath("MSH-2")), err)
			}
		})
	}
}

func TestHeaderParts(t *testing.T) {
	m := parse(t, sample)
	got := []string{m.Type(), m.Event(), m.ControlID(), m.Version(), m.Charset()}
	if want := "ADT A08 MSG42 2.5.1 UNICODE UTF-8"; strings.Join(got, " ") != want || m.Len() != 12 {
		t.Errorf("got %q and %d segments", got, m.Len())
	}
	if m.IsResponse() {
		t.Error("an ADT is no response")
	}
	for _, in := range []string{head + "\rMSA|AA|1\r", "MSH|^~\\&|||||||ACK\r", "MSH|^~\\&|||||||MCF\r"} {
		if !parse(t, in).IsResponse() {
			t.Errorf("not known as a response")
		}
	}
}

func TestJoinBrokenLines(t *testing.T) {
	in := head + "\rOBX|1|TX|PLATE\rLETS||20\r and more\rPID|1||9\r"
	m, err := ParseWith([]byte(in), Options{UseMSH18: true, JoinBrokenLines: true})
	if err != nil {
		t.Fatal(err)
	}
	want := head + "\rOBX|1|TX|PLATELETS||20 and more\rPID|1||9\r"
	if got := string(m.Bytes()); got != want || !m.Edited() {
		t.Errorf("got %q", got)
	}
	if m.Get(MustPath("OBX-5")) != "20 and more" || m.Get(MustPath("PID-3")) != "9" {
		t.Error("fields are not where they belong")
	}
}

func TestWarningsAreBounded(t *testing.T) {
	m := parse(t, head+strings.Repeat("\r?", 5000))
	if n := len(m.Warnings()); n != maxWarnings {
		t.Errorf("%d warnings", n)
	}
	if m.Len() != 5001 {
		t.Errorf("%d segments", m.Len())
	}
}

func TestSpansReferToTheOriginal(t *testing.T) {
	big := strings.Repeat("A", 1<<16)
	in := head + "\rPID|1||7\rOBX|1|ED|||" + big + "\rOBX|2|ED|||" + big + "\rZZZ|1"
	m := parse(t, in)
	if got := spans(m); got != fmt.Sprintf("o0+%d", len(in)) {
		t.Errorf("unedited: %s", got)
	}
	if err := m.Set(MustPath("MSH-5"), "LIMS"); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("m%d o%d+%d", len(head)+1, len(head), len(in)-len(head)); spans(m) != want {
		t.Errorf("got %s, want %s", spans(m), want)
	}
	if _, err := m.Remove(MustPath("PID")); err != nil {
		t.Fatal(err)
	}
	if _, err := m.AppendSegment("ZAP"); err != nil {
		t.Fatal(err)
	}
	var joined []byte
	for s := range m.Spans {
		joined = append(joined, s.Bytes...)
		if s.Original && !bytes.Equal(s.Bytes, []byte(in)[s.Offset:s.Offset+s.Length]) {
			t.Error("a span shows other bytes than the original has there")
		}
	}
	want := strings.Replace(head, "|EPR|", "|LIMS|", 1) + "\rOBX|1|ED|||" + big + "\rOBX|2|ED|||" + big + "\rZZZ|1\rZAP\r"
	if string(joined) != want || string(m.Bytes()) != want || m.Size() != len(want) {
		t.Error("spans, bytes and size disagree")
	}
}

func spans(m *Message) string {
	var out []string
	for s := range m.Spans {
		if s.Original {
			out = append(out, fmt.Sprintf("o%d+%d", s.Offset, s.Length))
		} else {
			out = append(out, fmt.Sprintf("m%d", s.Length))
		}
	}
	return strings.Join(out, " ")
}

func TestSpansCanBeCutShort(t *testing.T) {
	m := parse(t, sample)
	for _, p := range []string{"PID-5", "OBX-5", "ZPI-1"} {
		if err := m.Set(MustPath(p), "x"); err != nil {
			t.Fatal(err)
		}
	}
	all := len(strings.Fields(spans(m)))
	for stop := 1; stop < all; stop++ {
		n := 0
		m.Spans(func(Span) bool { n++; return n < stop })
		if n != stop {
			t.Errorf("stopped after %d, want %d", n, stop)
		}
	}
}

func TestClonesAreIndependent(t *testing.T) {
	m := parse(t, sample)
	five := MustPath("PID-5.1")
	a := m.Clone()
	set(t, a, "PID-5.1", "A")
	b := a.Clone()
	set(t, b, "PID-5.1", "B")
	set(t, a, "PID-5.1", "AA")
	set(t, a, "ZPI-1", "9")
	c := a.Clone()
	if _, err := c.Remove(MustPath("OBX(*)")); err != nil {
		t.Fatal(err)
	}
	if got := m.Get(five) + a.Get(five) + b.Get(five) + c.Get(five); got != "Mc&DonaldAABAA" {
		t.Errorf("got %q", got)
	}
	if m.Edited() || string(m.Bytes()) != sample {
		t.Error("the original shows a clone's edit")
	}
	if a.Count(MustPath("OBX(*)")) != 3 || c.Count(MustPath("OBX(*)")) != 0 || b.Get(MustPath("ZPI-1")) != "7" {
		t.Error("an edit shows in another clone")
	}
}

func set(t testing.TB, m *Message, path, text string) {
	t.Helper()
	if err := m.Set(MustPath(path), text); err != nil {
		t.Fatal(err)
	}
}

func TestNormalize(t *testing.T) {
	tests := []struct {
		name, in, want string
		edited         bool
	}{
		{"already", head + "\rPID|1\r", head + "\rPID|1\r", false},
		{"lf", head + "\nPID|1\n", head + "\rPID|1\r", true},
		{"crlf", head + "\r\nPID|1\r\n", head + "\rPID|1\r", true},
		{"no terminator", head + "\rPID|1", head + "\rPID|1\r", true},
		{"doubled", head + "\r\rPID|1\r", head + "\rPID|1\r", true},
		{"frame bytes", "\x0b" + head + "\rPID|1\r\x1c\r", head + "\rPID|1\r", true},
		{"byte order mark", "\xEF\xBB\xBF" + head + "\rPID|1\r", head + "\rPID|1\r", true},
		{"data lf stays", head + "\rNTE|1||a\nb\r\n", head + "\rNTE|1||a\nb\r", true},
		{"one lf only", head + "\n", head + "\r", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := parse(t, tt.in)
			m.Normalize()
			if got := string(m.Bytes()); got != tt.want || m.Edited() != tt.edited {
				t.Errorf("got %q, edited %v", got, m.Edited())
			}
			set(t, m, "PID-5", "x")
			if got := string(m.Bytes()); strings.Contains(got, "\r\r") || !strings.HasSuffix(got, "|x\r") && !strings.Contains(got, "|x\r") {
				t.Errorf("after an edit: %q", got)
			}
		})
	}
}

func TestEditsKeepLineEnds(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"lf", head + "\nPID|1\nPV1|1\n", head + "\nPID|1|x\nPV1|1\nZZZ|y\n"},
		{"crlf", head + "\r\nPID|1\r\nPV1|1\r\n", head + "\r\nPID|1|x\r\nPV1|1\r\nZZZ|y\r\n"},
		{"no last one", head + "\rPID|1\rPV1|1", head + "\rPID|1|x\rPV1|1\rZZZ|y\r"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := parse(t, tt.in)
			set(t, m, "PID-2", "x")
			set(t, m, "ZZZ-1", "y")
			if got := string(m.Bytes()); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNothingPrintsContent(t *testing.T) {
	in := strings.ReplaceAll(sample, "|", "|SECRET")
	in = "MSH|^~\\&" + in[strings.Index(in, "&")+1:]
	m := parse(t, in)
	set(t, m, "PID-5", "SECRET")
	var all []any
	all = append(all, m, Frame{Body: []byte("SECRET"), Size: 6}, AckReply{Text: "SECRET", ControlID: "SECRET"})
	for n := range m.All(MustPath("PID-3(*)")) {
		all = append(all, n)
	}
	for s := range m.Segments() {
		all = append(all, s)
	}
	for s := range m.Spans {
		all = append(all, s)
	}
	h, err := ParseHeader([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, h)
	for _, v := range all {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
			if got := fmt.Sprintf(verb, v); strings.Contains(got, "SECRET") || strings.Contains(got, "5345435245") {
				t.Errorf("%T shows content with %s", v, verb)
			}
		}
	}
	if j, err := m.MarshalJSON(); err != nil || strings.Contains(string(j), "SECRET") || m.LogValue().String() != m.String() {
		t.Errorf("json %s, %v", j, err)
	}
}

// A message with very many line feeds or carriage returns must not take
// quadratic time: these would run for hours.
func TestParseIsLinear(t *testing.T) {
	const n = 4 << 20
	for name, in := range map[string]string{
		"data line feeds":    head + "\rNTE|1||" + strings.Repeat("\n", n) + "x\r",
		"lf then only cr":    head + "\n" + strings.Repeat("A\r", n/2),
		"lf lines":           head + "\n" + strings.Repeat("NTE|1\n", n/6),
		"escape characters":  head + "\rNTE|1||" + strings.Repeat("\\", n),
		"empty repetitions":  head + "\rNTE|1||" + strings.Repeat("~", n),
		"unfinished escapes": head + "\rNTE|1||" + strings.Repeat("\\X4", n/3),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseWith([]byte(in), Options{JoinBrokenLines: true}); err != nil {
				t.Error(err)
			}
			m := parse(t, in)
			m.Get(MustPath("NTE-3.2.2"))
			m.Get(MustPath("NTE-3"))
			m.Count(MustPath("NTE-3(*)"))
			if err := m.Set(MustPath("MSH-5"), "x"); err != nil || len(m.Bytes()) != m.Size() {
				t.Error(err)
			}
			if _, err := readBatch(NewBatchReader(strings.NewReader(in), n*2)); err != nil {
				t.Error(err)
			}
		})
	}
}
