package hl7

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// tree writes all of a message node by node: states and texts, so that two
// messages of the same tree hold the same, however they are escaped.
func tree(m *Message) string {
	var s strings.Builder
	for i := range m.segs {
		seg := m.content(i)
		id := segmentID(seg, m.delims.Field)
		if id == nil || isDigit(id[0]) {
			fmt.Fprintf(&s, "line %q\n", m.decode(seg))
			continue
		}
		for n := 1; ; n++ {
			f, ok := field(seg, m.delims.Field, n)
			if !ok {
				break
			}
			if n <= 2 && isHeader(seg) {
				fmt.Fprintf(&s, "%s-%d %q\n", id, n, m.decode(f))
				continue
			}
			branch(&s, m, fmt.Sprintf("%s-%d", id, n), f, []byte{m.delims.Repetition, m.delims.Component, m.delims.Subcomponent})
		}
		fmt.Fprintf(&s, "%s ends\n", id)
	}
	return s.String()
}

func branch(s *strings.Builder, m *Message, at string, b []byte, delims []byte) {
	for n := 1; len(delims) > 0; n++ {
		p, ok := part(b, delims[0], n)
		if !ok {
			return
		}
		branch(s, m, fmt.Sprintf("%s.%d", at, n), p, delims[1:])
	}
	if len(delims) == 0 {
		fmt.Fprintf(s, "%s %s %q\n", at, m.state(Node{m: m, raw: b}), m.text(b))
	}
}

func roundTrip(t *testing.T, name string, m *Message) []byte {
	t.Helper()
	x := m.ToXML()
	back, err := FromXML(x)
	if err != nil {
		var u *UnfitError
		if errors.As(err, &u) && m.delims.Escape == 0 {
			return x // a character that only an escape could write
		}
		t.Errorf("%s: %v", name, err)
		return x
	}
	want := tree(m)
	if got := tree(back); got != want {
		g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
		for i := range min(len(g), len(w)) {
			if g[i] != w[i] {
				t.Errorf("%s: got  %s\nwant %s", name, g[i], w[i])
				return x
			}
		}
		t.Errorf("%s: %d nodes, want %d", name, len(g), len(w))
	}
	// A line feed that was no .br is one now in formatted text: <escape V=".br"/>.
	if again := back.ToXML(); back.Charset() == m.Charset() && !strings.Contains(want, `\n`) && !bytes.Equal(again, x) {
		t.Errorf("%s: the XML of what was read differs", name)
	}
	return x
}

func TestXML(t *testing.T) {
	const msh = "MSH|^~\\&|A|B|||2026||ADT^A08^ADT_A01|1|P|2.5.1\r"
	const xmsh = `<MSH><MSH.1>|</MSH.1><MSH.2>^~\&amp;</MSH.2>`
	for _, c := range []struct{ name, er7, xml string }{
		{"components always, subcomponents where there are some", "PID|1||77^^^RXX&9", `<PID><PID.1><PID.1.1>1</PID.1.1></PID.1><PID.3><PID.3.1>77</PID.3.1><PID.3.4><PID.3.4.1>RXX</PID.3.4.1><PID.3.4.2>9</PID.3.4.2></PID.3.4></PID.3></PID>`},
		{"repetitions", "PID|||a~b", `<PID><PID.3><PID.3.1>a</PID.3.1></PID.3><PID.3><PID.3.1>b</PID.3.1></PID.3></PID>`},
		{"an empty repetition holds its place", "PID|||~b~", `<PID><PID.3/><PID.3><PID.3.1>b</PID.3.1></PID.3><PID.3/></PID>`},
		{"null", `PID|||""`, `<PID><PID.3><PID.3.1>""</PID.3.1></PID.3></PID>`},
		{"empty at the end", "PID|1||", `<PID><PID.1><PID.1.1>1</PID.1.1></PID.1><PID.3/></PID>`},
		{"empty components at the end", "PID|a^^|^|b&|&", `<PID><PID.1><PID.1.1>a</PID.1.1><PID.1.3/></PID.1><PID.2><PID.2.2/></PID.2><PID.3><PID.3.1><PID.3.1.1>b</PID.3.1.1><PID.3.1.2/></PID.3.1></PID.3><PID.4><PID.4.1><PID.4.1.2/></PID.4.1></PID.4></PID>`},
		{"a segment without fields", "PID", `<PID></PID>`},
		{"escaped delimiters are characters", `PID|a\F\b\S\c\T\d\R\e\E\f`, `<PID><PID.1><PID.1.1>a|b^c&amp;d~e\f</PID.1.1></PID.1></PID>`},
		{"escapes that stand for no character", `PID|\H\b\N\ \.br\ \.sp+2\ \Zab\ \C2842\`, `<PID><PID.1><PID.1.1><escape V="H"/>b<escape V="N"/> <escape V=".br"/> <escape V=".sp+2"/> <escape V="Zab"/> <escape V="C2842"/></PID.1.1></PID.1></PID>`},
		{"hex that is text, and hex that XML forbids", `PID|\X41\\X00\\XC3A9\\X0D\\X1\`, `<PID><PID.1><PID.1.1>A<escape V="X00"/>é&#13;<escape V="X1"/></PID.1.1></PID.1></PID>`},
		{"no escape at all", `PID|C:\Temp\x 4\5`, `<PID><PID.1><PID.1.1>C:\Temp\x 4\5</PID.1.1></PID.1></PID>`},
		{"characters of XML", `PID|<a> "b" 'c' ]]>`, `<PID><PID.1><PID.1.1>&lt;a&gt; "b" 'c' ]]&gt;</PID.1.1></PID.1></PID>`},
		{"control characters", "PID|a\x1bb\tc", "<PID><PID.1><PID.1.1>a<escape V=\"X1B\"/>b\tc</PID.1.1></PID.1></PID>"},
		{"blanks are values", "PID| | a ", `<PID><PID.1><PID.1.1> </PID.1.1></PID.1><PID.2><PID.2.1> a </PID.2.1></PID.2></PID>`},
		{"Z segments", "ZPI|x", `<ZPI><ZPI.1><ZPI.1.1>x</ZPI.1.1></ZPI.1></ZPI>`},
		{"a line without an id", "some <text>\x01\\F\\", `<line>some &lt;text&gt;<escape V="X01"/>\F\</line>`},
		{"an id that can name no element", "1AB|x", `<line>1AB|x</line>`},
		{"a line feed within text", "NTE|1||a\nb", "<NTE><NTE.1><NTE.1.1>1</NTE.1.1></NTE.1><NTE.3><NTE.3.1>a\nb</NTE.3.1></NTE.3></NTE>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := parse(t, msh+c.er7+"\r")
			x := string(roundTrip(t, c.name, m))
			if !strings.HasPrefix(x, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ADT_A01>\n"+xmsh) || !strings.HasSuffix(x, c.xml+"\n</ADT_A01>\n") {
				t.Errorf("got %s", x)
			}
		})
	}
}

func TestXMLRoundTrip(t *testing.T) {
	for name, s := range map[string]string{
		"sample": sample, "adt": adt, "oru": oru(),
		"other delimiters":     "MSH:*!@%:A\rPID:1::a*b%c!d:x@F@y|^\r",
		"truncation":           "MSH|^~\\&#|A\rOBX|1|ST|x||cut\\P\\here#\r",
		"few delimiters":       "MSH|^|A\rPID|a^b~c\\d&\r",
		"no escape character":  "MSH|^~&|A\rPID|a^b&c~d\\\r",
		"doubled escape":       "MSH|^~\\\\&|A\rPID|a\\F\\b\r",
		"a batch header":       head + "\rFHS|^~\\&|A|\rFHS|\rBHS|^~|x\r",
		"latin 1":              head + "||||||8859/1\rPID|1||M\xfcller\\XE9\\\r",
		"latin 1, two of them": head + "||||||8859/1~UNICODE\rPID|1||M\xfcller\r",
		"windows-1252":         head + "\rPID|1||\x93M\xfcller\x94\r",
		"japanese":             head + "||||||~ISO IR87\rPID|1||\x1b$B;3\x1b(B\r",
		"lines of LF":          "MSH|^~\\&|A\nPID|1|\n",
		"an escape with blank": head + "\rPID|\\.\ta\\|\\.\x01\\|\\.\"\\|\\ZÄ\\\r",
	} {
		t.Run(name, func(t *testing.T) { roundTrip(t, name, parse(t, s)) })
	}
	x := parse(t, "M\x00S\x00H\x00|\x00^\x00~\x00\\\x00&\x00|\x00\xfc\x00\r\x00").ToXML()
	if m, err := FromXML(x); err != nil || m.Get(MustPath("MSH-3")) != "ü" || m.Charset() != "UNICODE UTF-8" {
		t.Errorf("UTF-16: %v", err)
	}
}

func TestXMLCharsetOfMSH18(t *testing.T) {
	m, err := FromXML([]byte(`<HL7><MSH><MSH.18>8859/1</MSH.18></MSH><PID><PID.5>Müller</PID.5></PID></HL7>`))
	if err != nil || !bytes.Contains(m.Bytes(), []byte("\rPID|||||M\xfcller\r")) || m.Charset() != "8859/1" {
		t.Fatalf("%v, %q", err, m.Bytes())
	}
	var u *UnfitError
	if _, err := FromXML([]byte(`<HL7><MSH><MSH.18>8859/1</MSH.18></MSH><PID><PID.5>山</PID.5></PID></HL7>`)); !errors.As(err, &u) {
		t.Errorf("%v", err)
	}
	var c *CharsetError
	if _, err := FromXML([]byte(`<HL7><MSH><MSH.18>KLINGON</MSH.18></MSH><PID><PID.5>ü</PID.5></PID></HL7>`)); !errors.As(err, &c) {
		t.Errorf("%v", err)
	}
	if m, err := FromXML([]byte("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><HL7><MSH/><PID><PID.5>\xfc</PID.5></PID></HL7>")); err != nil || m.Get(MustPath("PID-5")) != "ü" {
		t.Errorf("%v", err)
	}
}

func TestFromXMLReadsUTF16(t *testing.T) {
	b := []byte{0xFF, 0xFE}
	for _, c := range []byte(`<?xml version="1.0" encoding="UTF-16"?><HL7><MSH><MSH.3>A</MSH.3></MSH></HL7>`) {
		b = append(b, c, 0)
	}
	if m, err := FromXML(b); err != nil || m.Get(MustPath("MSH-3")) != "A" {
		t.Errorf("%v", err)
	}
}

func TestFromXMLReadsHandMade(t *testing.T) {
	m, err := FromXML([]byte("\xEF\xBB\xBF<?xml version='1.0'?><!-- made by hand --><x:M xmlns:x='u:1' a='b'>\n <x:MSH>\n  <x:MSH.3>A|B</x:MSH.3> <x:MSH.9><x:MSH.9.2>A01</x:MSH.9.2><x:MSH.9.1>ADT</x:MSH.9.1></x:MSH.9>\n </x:MSH>\n" +
		" <x:PID><x:PID.8>F</x:PID.8><x:PID.3>1</x:PID.3><x:PID.5>\n   <x:PID.5.2>Ann</x:PID.5.2>\n  </x:PID.5><x:PID.3><![CDATA[<2>]]></x:PID.3><x:PID.9>\n </x:PID.9></x:PID>" +
		"<x:NTE><x:NTE.3>a\nb</x:NTE.3></x:NTE></x:M>\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(m.Bytes()), "MSH|^~\\&|A\\F\\B||||||ADT^A01\rPID|||1~<2>||^Ann|||F|\rNTE|||a\\.br\\b\r"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestFromXMLRefuses(t *testing.T) {
	const a, z = `<HL7><MSH/>`, `</HL7>`
	for _, c := range []struct{ name, xml, want string }{
		{"nothing", "", "no root"},
		{"not well formed", "<HL7><MSH>secret</HL7>", "not well-formed XML (line 1)"},
		{"cut short", "<HL7><MSH/>", "not well-formed"},
		{"unknown entity", a + "<PID><PID.3>&secret;</PID.3></PID>" + z, "not well-formed"},
		{"DOCTYPE", `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + a + z, "DOCTYPE"},
		{"unknown encoding", `<?xml version="1.0" encoding="SECRET-9"?>` + a + z, "unknown encoding"},
		{"two roots", a + z + a + z, "more than one root"},
		{"text outside", a + z + "secret", "outside"},
		{"no segments", "<HL7></HL7>", "no segments"},
		{"no MSH", "<HL7><PID/></HL7>", "first segment is not MSH"},
		{"two MSH", a + "<MSH/>" + z, "second MSH"},
		{"text between segments", a + "secret" + z, "between segments"},
		{"a group", a + "<ADT_A01.X><PID/></ADT_A01.X>" + z, "no segment"},
		{"another element", a + "<patient/>" + z, "no segment"},
		{"text in a segment", a + "<PID>secret</PID>" + z, "beside the fields"},
		{"text beside components", a + "<PID><PID.3>secret<PID.3.1/></PID.3></PID>" + z, "beside the parts"},
		{"a foreign field", a + "<PID><PV1.3/></PID>" + z, "not named by its parent"},
		{"a field by name", a + "<PID><PID.sex/></PID>" + z, "not named by its parent"},
		{"field 0", a + "<PID><PID.0/></PID>" + z, "not named by its parent"},
		{"field 10000", a + "<PID><PID.10000/></PID>" + z, "not named by its parent"},
		{"too deep", a + "<PID><PID.1><PID.1.1><PID.1.1.1><PID.1.1.1.1/></PID.1.1.1></PID.1.1></PID.1></PID>" + z, "not named by its parent"},
		{"far too deep", a + strings.Repeat("<PID>", 10000), "too deep"},
		{"a component twice", a + "<PID><PID.3><PID.3.1>1</PID.3.1><PID.3.1>2</PID.3.1></PID.3></PID>" + z, "twice"},
		{"an escape that is none", a + `<PID><PID.3><escape V="|secret"/></PID.3></PID>` + z, "no escape sequence"},
		{"an escape that ends early", a + `<PID><PID.3><escape V=".br\|x\.br"/></PID.3></PID>` + z, "no escape sequence"},
		{"an escape with a terminator", a + `<PID><PID.3><escape V=".&#13;PID"/></PID.3></PID>` + z, "no escape sequence"},
		{"an escape without V", a + `<PID><PID.3><escape/></PID.3></PID>` + z, "needs an attribute V"},
		{"an escape with text", a + `<PID><PID.3><escape V="H">x</escape></PID.3></PID>` + z, "needs an attribute V"},
		{"a line with a terminator", a + "<line>x&#13;PID|1</line>" + z, "carriage return"},
		{"a line that is a segment", a + "<line>PID|1</line>" + z, "begins with a segment id"},
		{"a line that holds a segment", a + "<line>x\nPID|1</line>" + z, "another segment"},
		{"an empty line", a + "<line/>" + z, "empty"},
		{"a separator that MSH.2 lacks", `<HL7><MSH><MSH.2>^</MSH.2></MSH><PID><PID.3>1</PID.3><PID.3>2</PID.3></PID></HL7>`, "no repetition separator"},
		{"a subcomponent that MSH.2 lacks", `<HL7><MSH><MSH.2>^~\</MSH.2></MSH><PID><PID.3><PID.3.1><PID.3.1.2/></PID.3.1></PID.3></PID></HL7>`, "no separator"},
		{"bad delimiters", `<HL7><MSH><MSH.2>^^</MSH.2></MSH></HL7>`, "duplicate delimiters"},
		{"another field separator", a + "<FHS><FHS.1>!</FHS.1></FHS>" + z, "field separator"},
		{"a header without field 2", a + "<FHS><FHS.3>x</FHS.3></FHS>" + z, "field 2"},
		{"separators without end", a + strings.Repeat("<ZZZ><ZZZ.9999/></ZZZ>", 100) + z, "separators"},
		{"repetitions of separators", a + "<ZZZ>" + strings.Repeat("<ZZZ.1><ZZZ.1.9999/></ZZZ.1>", 100) + "</ZZZ>" + z, "separators"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := FromXML([]byte(c.xml))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestCorpusXML: every message of the corpus comes back from XML with the same tree.
func TestCorpusXML(t *testing.T) {
	n := 0
	for name, b := range corpus(t) {
		if m, err := Parse(b); err == nil {
			roundTrip(t, name, m)
			n++
			continue
		}
		for r := NewBatchReader(bytes.NewReader(b), 0); ; {
			one, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
			if m, err := Parse(one); err == nil {
				roundTrip(t, name, m)
				n++
			}
		}
	}
	t.Logf("%d messages", n)
}

// FuzzFromXML: what is read from XML is a message, and comes back from its own XML.
func FuzzFromXML(f *testing.F) {
	for _, s := range seeds {
		if m, err := Parse([]byte(s)); err == nil {
			f.Add(m.ToXML())
		}
	}
	f.Add([]byte(`<HL7><MSH><MSH.2>^~\&amp;#</MSH.2></MSH><line>x<escape V="X01"/></line><NTE><NTE.3>a
b<escape V="P"/></NTE.3></NTE></HL7>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := FromXML(b)
		if err != nil {
			return
		}
		if m.Size() > xmlSlack+xmlGrowth*len(b)+1<<20 {
			t.Fatal("far larger than the XML")
		}
		if m.Size() < 1<<13 { // tree takes long for thousands of fields
			roundTrip(t, "fuzz", m)
		}
	})
}
