package template_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
	"github.com/spine-engine/spine-engine/transforms/template"
)

const oru = "MSH|^~\\&|LAB|RXX|||20260101101500||ORU^R01|C17|P|2.5.1\r" +
	"PID|1||777^^^RXX^PI||Test \\T\\ Son^<Ann>\r" +
	"OBX|1|NM|A||5\rOBX|2|NM|B||\"\"\rOBX|3|ST|C||say \\E\\ \"x\"\r"

// fake compiles a toy language: "text" in quotes is itself, x.index the number of
// the item x, anything else a selector; as a condition, whether it has a value.
type fake struct {
	items map[string]int
	seen  []string // expressions and selectors, with their places
	fail  bool
}

type valueFunc func(*transforms.Input) (string, error)

func (f valueFunc) Text(in *transforms.Input) (string, error) { return f(in) }

type condFunc func(*transforms.Input) (bool, error)

func (f condFunc) Bool(in *transforms.Input) (bool, error) { return f(in) }

func (f *fake) note(src string, line, col int) {
	f.seen = append(f.seen, fmt.Sprintf("%d:%d %s", line, col, src))
}

func (f *fake) Value(src string, line, col int) transforms.Value {
	f.note(src, line, col)
	if src == "broken" {
		return valueFunc(func(*transforms.Input) (string, error) { return "", errors.New("the expression failed") })
	}
	if s, err := strconv.Unquote(src); err == nil {
		return transforms.Constant(s)
	}
	if name, ok := strings.CutSuffix(src, ".index"); ok {
		slot := f.items[name]
		return valueFunc(func(in *transforms.Input) (string, error) {
			return strconv.Itoa(in.Doc.(message.Walker).Index(slot)), nil
		})
	}
	s, err := hl7doc.Compile(src, f.items)
	if err != nil {
		f.fail = true
		return nil
	}
	return valueFunc(func(in *transforms.Input) (string, error) { return in.Doc.Text(s), nil })
}

func (f *fake) Condition(src string, line, col int) transforms.Condition {
	v := f.Value(src, line, col)
	if v == nil {
		return nil
	}
	return condFunc(func(in *transforms.Input) (bool, error) {
		s, err := v.Text(in)
		return s != "", err
	})
}

func (f *fake) Each(selector, name string, line, col int) (message.Selector, int, func()) {
	f.note(selector, line, col)
	s, err := hl7doc.Compile(selector, f.items)
	if err != nil {
		f.fail = true
		return nil, 0, nil
	}
	if f.items == nil {
		f.items = map[string]int{}
	}
	slot := len(f.items)
	f.items[name] = slot
	return s, slot, func() { delete(f.items, name) }
}

func input(t testing.TB) *transforms.Input {
	t.Helper()
	d, err := hl7doc.Parse([]byte(oru), hl7.Options{UseMSH18: true})
	if err != nil {
		t.Fatal(err)
	}
	return &transforms.Input{Doc: d}
}

func parse(t testing.TB, f template.Format, src string) *template.Template {
	t.Helper()
	tp, problems := template.Parse("t", []byte(src), f, &fake{})
	if tp == nil {
		t.Fatalf("%q: %v", src, problems)
	}
	return tp
}

func TestRender(t *testing.T) {
	const msh = "MSH|^~\\&|X\r"
	for _, c := range []struct {
		name, src, want string
		f               template.Format
	}{
		{"a value is escaped for er7", "MSH|^~\\&|X\nPID|{{ PID-5.1 }}\n", msh + "PID|Test \\T\\ Son\r", template.HL7},
		{"with the delimiters the template declares", "MSH:*~\\&:X\nPID:{{ \"a:b|c*d^e\" }}\n", "MSH:*~\\&:X\rPID:a\\F\\b|c\\S\\d^e\r", template.HL7},
		{"line ends in values are no segments", "MSH|^~\\&|X\nNTE|{{ \"a\\rPID|b\\n\" }}", msh + "NTE|a\\X0D\\PID\\F\\b\\X0A\\\r", template.HL7},
		{"LF, CRLF and CR", "MSH|^~\\&|X\r\nA01|1\rA02|2\n", msh + "A01|1\rA02|2\r", template.HL7},
		{"blank lines and indents vanish", "\n  MSH|^~\\&|X\n\n   \n\tA01|1\n\n", msh + "A01|1\r", template.HL7},
		{"an empty value leaves no blank line", "MSH|^~\\&|X\n{{ PID-30 }}\nA01|1", msh + "A01|1\r", template.HL7},
		{"each", "MSH|^~\\&|X\n{{each OBX(*) as obx}}\nOBX|{{ obx.index }}|{{ obx-3 }}|{{ obx-5 }}\n{{end}}\nZZZ|1", msh + "OBX|1|A|5\rOBX|2|B|\rOBX|3|C|say \\E\\ \"x\"\rZZZ|1\r", template.HL7},
		{"each on the line of its segment", "MSH|^~\\&|X\n{{each \"OBX(*)\" as obx}}OBX|{{ obx.index }}\n{{end}}\n", msh + "OBX|1\rOBX|2\rOBX|3\r", template.HL7},
		{"each within a line", "MSH|^~\\&|X\nNTE|{{each OBX(*) as o}}{{ o-3 }}~{{end}}\n", msh + "NTE|A~B~C~\r", template.HL7},
		{"each within each", "MSH|^~\\&|X\n{{each OBX(*) as a}}\n  {{each PID(*) as b}}\n  ZZ{{ a.index }}|{{ b.index }}{{ b-5.2 }}\n  {{end}}\n{{end}}", msh + "ZZ1|1<Ann>\rZZ2|1<Ann>\rZZ3|1<Ann>\r", template.HL7},
		{"if", "MSH|^~\\&|X\n{{if PID-5}}\nA01|1\n{{end}}\n{{if PID-30}}\nA02|1\n{{end}}\n", msh + "A01|1\r", template.HL7},
		{"if within a line", "MSH|^~\\&|X\nA01|{{if PID-30}}x{{end}}|{{if PID-5}}y{{end}}\n", msh + "A01||y\r", template.HL7},
		{"two block tags on a line", "MSH|^~\\&|X\n {{if PID-5}} {{if PID-5}}\nA01|1\n{{end}}{{end}}\nA02|2\n", msh + "A01|1\rA02|2\r", template.HL7},
		{"no escape character and none needed", "MSH|^~&|X\nA01|{{ \"a\" }}", "MSH|^~&|X\rA01|a\r", template.HL7},
		{"a byte order mark", "\ufeffMSH|^~\\&|X\n", msh, template.HL7},
		{"xml text", "<a>{{ PID-5.1 }}</a>", "<a>Test &amp; Son</a>", template.XML},
		{"xml attribute", "<a b=\"{{ \"'\\\"<\\n\" }}\" c='{{ \"'\" }}'/>", "<a b=\"&#39;&#34;&lt;&#10;\" c='&#39;'/>", template.XML},
		{"xml carriage return", "<a>{{ \"]]>\\r\\n\\t\" }}</a>", "<a>]]&gt;&#13;\n\t</a>", template.XML},
		{"xml comment, CDATA and instruction", "<?xml version=\"1.0\"?>\n<!-- \" < --><a><![CDATA[ < \" ]]>{{ \"<\" }}</a>", "<?xml version=\"1.0\"?>\n<!-- \" < --><a><![CDATA[ < \" ]]>&lt;</a>", template.XML},
		{"xml keeps its line ends", "<a>\r\n  {{if PID-5}}\r\n  <b/>\r\n  {{end}}\r\n</a>\r\n", "<a>\r\n  <b/>\r\n</a>\r\n", template.XML},
		{"a gt within an attribute", "<a b=\">{{ \"<\" }}\">{{ \"'\" }}</a>", "<a b=\">&lt;\">'</a>", template.XML},
		{"json", `{"a": {{ "x\"y" }}, "b": "<{{ "\\\n" }}>", "c": {"d": {{ PID-1 }}}}`, `{"a": "x\"y", "b": "<\\\n>", "c": {"d": "1"}}`, template.JSON},
		{"json controls", `{{ "\x01\t" }}`, `"\u0001\t"`, template.JSON},
		{"json escapes of its own", `"\"{{ "\"" }}\\"`, `"\"\"\\"`, template.JSON},
		{"text", "Dear {{ PID-5.2 }},\n", "Dear <Ann>,\n", template.Text},
		{"the tag itself", "{{ \"{{\" }} and }}", "{{ and }}", template.Text},
		{"braces and quotes of an expression", `{{ "a}}b" }}{{ "'{{'" }}`, "a}}b'{{'", template.Text},
		{"a quote of the text is no quote", `it's {{ "fine" }} isn't it`, "it's fine isn't it", template.Text},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parse(t, c.f, c.src).Render(input(t))
			if err != nil || string(got) != c.want {
				t.Fatalf("%q, %v\nwant %q", got, err, c.want)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	deep := strings.Repeat("{{if PID-1}}", 40) + strings.Repeat("{{end}}", 40)
	for _, c := range []struct {
		name, src, want string // want: line:col: text of the first problem
		f               template.Format
	}{
		{"no end of a tag", "a\nb {{ x", "t:2:3: the {{ is not closed", template.Text},
		{"no end of a string", "{{ \"x }}", "t:1:1: the {{ is not closed", template.Text},
		{"no end of a block", "a\n{{if PID-1}}x", "t:2:1: the block is not closed", template.Text},
		{"an inner end is not the outer one's", "{{if PID-1}}{{if PID-1}}{{end}}", "t:1:1: the block is not closed", template.Text},
		{"an end too many", "x{{end}}", "t:1:2: {{end}} closes nothing", template.Text},
		{"end with something", "{{if PID-1}}{{end if}}", "t:1:13: an end takes nothing", template.Text},
		{"else", "{{if PID-1}}a{{else}}b{{end}}", "t:1:16: there is no else; write {{end}} and a second {{if}}", template.Text},
		{"tags of other languages", "{{#if x}}", "t:1:3: there is no such tag", template.Text},
		{"an empty tag", "é{{ }}", "t:1:2: the tag is empty", template.Text},
		{"if without an expression", "{{if}}{{end}}", "t:1:1: the if has no expression", template.Text},
		{"each without a name", "{{each OBX(*)}}{{end}}", "t:1:1: the each cannot be read; write {{each SELECTOR as name}}", template.Text},
		{"each with a capital", "{{each OBX(*) as X}}{{end}}", "t:1:1: the each cannot be read", template.Text},
		{"three braces", "{{{ PID-1 }: 1}", "t:1:1: {{{ can be read in two ways; put a blank", template.JSON},
		{"too deep", deep, "t:1:385: blocks stand more than 32 deep", template.Text},
		{"not UTF-8", "a\nb\xff", "t:2:2: the template is not UTF-8 here", template.Text},
		{"a tag name", "<{{ PID-1 }}>", "t:1:2: a value cannot stand within a tag, outside of quotes", template.XML},
		{"an attribute without quotes", "<a b={{ PID-1 }}>", "t:1:6: a value cannot stand within a tag", template.XML},
		{"a comment", "<!-- {{ PID-1 }} -->", "t:1:6: a value cannot stand within a comment", template.XML},
		{"CDATA", "<a><![CDATA[{{ PID-1 }}]]></a>", "t:1:13: a value cannot stand within CDATA", template.XML},
		{"an instruction", "<?a {{ PID-1 }}?>", "t:1:5: a value cannot stand within a processing instruction", template.XML},
		{"a document type", "<!DOCTYPE a []>\n<a/>", "t:1:1: document type declarations are not used here", template.XML},
		{"a block across a tag", "<a {{if PID-1}}b=\"{{end}}\"/>", "t:1:4: the block ends in another place of the XML than it begins in", template.XML},
		{"a block across a string", "{\"a{{if PID-1}}\"{{end}}: 1}", "t:1:4: the block ends in another place of the JSON", template.JSON},
		{"behind a backslash", `"\{{ PID-1 }}"`, "t:1:3: a value cannot stand behind a backslash", template.JSON},
		{"a block that opens an element", "<a>{{if PID-1}}<b>{{end}}</b></a>", "t:1:4: the block ends in another place of the XML", template.XML},
		{"an element not closed", "<a>\n<b/><c d='/'></a>", "t:2:18: the template ends with an element open", template.XML},
		{"an element closed twice", "<a/></a >", "t:1:10: the template closes more elements than it opens", template.XML},
		{"a comment not closed", "<a/><!-- x", "t:1:11: the template ends within a tag, a comment or CDATA", template.XML},
		{"a string not closed", `{"a: {{ PID-1 }}}`, "t:1:18: the template ends within a string", template.JSON},
		{"no MSH", "PID|1\n", "t:2:1: an hl7 template has an MSH", template.HL7},
		{"computed delimiters", "MSH|{{ MSH-2 }}|\n", "t:1:5: MSH-1 and MSH-2 cannot be computed", template.HL7},
		{"bad delimiters", "MSH|abcd|\n", "t:1:9: MSH-1 and MSH-2 declare no delimiters", template.HL7},
		{"two sets of delimiters", "MSH|^~\\&|\nMSH|*~\\&|\n", "t:2:9: MSH-1 and MSH-2 declare no delimiters that can be used, or others", template.HL7},
	} {
		t.Run(c.name, func(t *testing.T) {
			tp, ps := template.Parse("t", []byte(c.src), c.f, &fake{})
			if tp != nil || len(ps) == 0 || !strings.HasPrefix(ps[0].String(), c.want) {
				t.Fatalf("%v, want %s", ps, c.want)
			}
		})
	}
}

// The compiler is told where every expression begins, and blocks scope names.
func TestCompilerIsToldWhere(t *testing.T) {
	f := &fake{}
	tp, ps := template.Parse("t", []byte("é{{ PID-1 }}\n{{if\n   PID-2 }}{{end}}{{each 'OBX(*)' as o}}{{o-3}}{{end}}{{each  OBX(#2) as o }}{{ o-4 }}{{end}}"), template.Text, f)
	if tp == nil || len(ps) > 0 {
		t.Fatal(ps)
	}
	want := []string{"1:5 PID-1", "3:4 PID-2", "3:27 OBX(*)", "3:43 o-3", "3:63 OBX(#2)", "3:81 o-4"}
	if got := strings.Join(f.seen, ";"); got != strings.Join(want, ";") {
		t.Fatalf("%s\nwant %s", got, strings.Join(want, ";"))
	}
	f = &fake{}
	tp, ps = template.Parse("t", []byte("{{each OBX(*) as o}}{{end}}{{ o-3 }}"), template.Text, f)
	if tp != nil || len(ps) != 0 || !f.fail {
		t.Fatalf("a name is known within its block only, and the compiler reports it: %v", ps)
	}
}

func TestRenderErrors(t *testing.T) {
	for _, c := range []struct {
		name, src, want string
		f               template.Format
		limit           int
	}{
		{"an expression fails", "a\n{{ broken }}", "t:2: the expression failed", template.Text, 0},
		{"a condition fails", "a\n{{if broken }}{{end}}", "t:2: the expression failed", template.Text, 0},
		{"within each", "{{each OBX(*) as o}}\n{{ broken }}\n{{end}}", "t:2: the expression failed", template.Text, 0},
		{"a character XML lacks", `<a>{{ "\x01" }}</a>`, "t:1: the value holds a character that XML cannot have", template.XML, 0},
		{"no UTF-8", `<a>{{ "\xff" }}</a>`, "t:1: the value is not valid UTF-8", template.XML, 0},
		{"no UTF-8 in json", `{{ "\xff" }}`, "t:1: the value is not valid UTF-8", template.JSON, 0},
		{"no UTF-8 in er7", "MSH|^~\\&|\nA01|{{ \"\\xff\" }}", "t:2: the value is not valid UTF-8", template.HL7, 0},
		{"no escape character", "MSH|^~&|\nA01|{{ \"a|b\" }}", "t:2: ", template.HL7, 0},
		{"too much", "{{each OBX(*) as o}}12345{{end}}", "more than 10 bytes, the limit of what templates make", template.Text, 10},
		{"too large a value", "{{ \"12345678901\" }}", "more than 10 bytes", template.Text, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			tp := parse(t, c.f, c.src)
			tp.Limit = c.limit
			in := input(t)
			out, err := tp.Render(in)
			if out != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%q, %v, want %s", out, err, c.want)
			}
			if in.Doc.(message.Walker).Index(0) != 0 {
				t.Fatal("an item is still bound")
			}
		})
	}
}

func TestStep(t *testing.T) {
	read := func(b []byte) (message.Doc, error) { return hl7doc.Parse(b, hl7.Options{UseMSH18: true}) }
	in := input(t)
	var swapped message.Doc
	in.Swap = func(d message.Doc) { swapped = d }
	s := &template.Step{Template: parse(t, template.HL7, "MSH|^~\\&|NEW|{{ MSH-4 }}\n"), Parse: read}
	if err := s.Apply(in); err != nil || swapped != in.Doc || in.Doc.Text(path(t, "MSH-3")) != "NEW" || in.Doc.Text(path(t, "MSH-4")) != "RXX" {
		t.Fatalf("%v", err)
	}
	in = input(t)
	was := in.Doc
	s = &template.Step{Template: parse(t, template.Text, "{{ PID-5.1 }}"), Parse: read}
	if err := s.Apply(in); err == nil || in.Doc != was || strings.Contains(err.Error(), "Son") {
		t.Fatalf("what cannot be read does not become the message: %v", err)
	}
}

func path(t testing.TB, s string) message.Selector {
	t.Helper()
	p, err := hl7doc.Selector(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// set renders a template whose one value is s.
func set(t testing.TB, f template.Format, src, s string) ([]byte, error) {
	t.Helper()
	tp := parse(t, f, strings.ReplaceAll(src, "VALUE", "{{ "+strconv.Quote(s)+" }}"))
	return tp.Render(input(t))
}

// checkEscapes: whatever a value holds, the document has the same shape, and the
// value comes back.
func checkEscapes(t *testing.T, s string) {
	checkER7(t, s)
	checkXML(t, s)
	checkJSON(t, s)
}

func checkER7(t *testing.T, s string) {
	out, err := set(t, template.HL7, "MSH|^~\\&|A\nZZZ|a|VALUE|b^VALUE&c~d\nNTE|1||VALUE\nEND|1\n", s)
	if !utf8.ValidString(s) {
		if err == nil {
			t.Fatalf("%q is not UTF-8", s)
		}
		return
	}
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	m, err := hl7.ParseWith(out, hl7.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m.Len() != 4 {
		t.Fatalf("%q makes %d segments: %q", s, m.Len(), out)
	}
	for at, want := range map[string]string{"ZZZ-1": "a", "ZZZ-2": s, "ZZZ-3.2.1": s, "ZZZ-3.2.2": "c", "ZZZ-3(#2)": "d", "NTE-3": s, "END-1": "1"} {
		p, err := hl7.ParsePath(at)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Get(p); got != want {
			t.Fatalf("%s is %q, want %q, in %q", at, got, want, out)
		}
	}
}

func checkXML(t *testing.T, s string) {
	out, err := set(t, template.XML, "<r><a b=\"VALUE\" c='VALUE'>VALUE</a><d/></r>", s)
	if err != nil {
		if !strings.Contains(err.Error(), "XML cannot have") && !strings.Contains(err.Error(), "UTF-8") {
			t.Fatal(err)
		}
		return
	}
	var r struct {
		XMLName xml.Name `xml:"r"`
		A       []struct {
			B    string `xml:"b,attr"`
			C    string `xml:"c,attr"`
			Text string `xml:",chardata"`
			More []struct {
				XMLName xml.Name
			} `xml:",any"`
		} `xml:"a"`
		D []struct{} `xml:"d"`
	}
	d := xml.NewDecoder(strings.NewReader(string(out)))
	if err := d.Decode(&r); err != nil {
		t.Fatalf("%q: %v in %q", s, err, out)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Fatalf("%q: more behind the root: %v", s, err)
	}
	if len(r.A) != 1 || len(r.D) != 1 || len(r.A[0].More) != 0 || r.A[0].B != s || r.A[0].C != s || r.A[0].Text != s {
		t.Fatalf("%q does not come back from %q: %+v", s, out, r)
	}
}

func checkJSON(t *testing.T, s string) {
	out, err := set(t, template.JSON, `{"a": VALUE, "b": "<VALUE>", "c": 1}`, s)
	if !utf8.ValidString(s) {
		if err == nil {
			t.Fatalf("%q is not UTF-8", s)
		}
		return
	}
	var r map[string]any
	if err != nil || json.Unmarshal(out, &r) != nil || len(r) != 3 || r["a"] != s || r["b"] != "<"+s+">" {
		t.Fatalf("%q does not come back from %q, %v", s, out, err)
	}
}

var nasty = []string{"", "a", "|^~\\&#", "\r\nPID|1", "\\X0D\\", "\\.br\\", "\\F\\", "]]>", "<!-- -->", "&amp;", "\"'", "\t\n\r", "\x00\x0b\x1c", "\ufffd\ufffe\uffff", "\xff", "é€😀", "}}{{", "\\", "\u2028", "\x7f\u0085"}

func TestValuesComeBack(t *testing.T) {
	for _, s := range nasty {
		checkEscapes(t, s)
	}
}

func FuzzValues(f *testing.F) {
	for _, s := range nasty {
		f.Add(s)
	}
	f.Fuzz(checkEscapes)
}

// A template of any text is parsed or refused with a place in it, and rendering it
// does not panic.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"MSH|^~\\&|\n{{each OBX(*) as o}}\n{{ o-3 }}\n{{end}}", "<a b=\"{{ PID-1 }}\">{{if PID-5}}x{{end}}</a>", `{"a": {{ "x" }}}`, "{{ r'''}}''' }}{{{ {{ } }}"} {
		for i := range template.FormatNames() {
			f.Add(s, byte(i))
		}
	}
	f.Fuzz(func(t *testing.T, src string, format byte) {
		c := &fake{}
		tp, ps := template.Parse("t", []byte(src), template.Format(format%4), c)
		if tp == nil && len(ps) == 0 && !c.fail {
			t.Fatal("refused without a word")
		}
		for _, p := range ps {
			if p.Line < 1 || p.Column < 1 || p.Line > 1+strings.Count(src, "\n")+strings.Count(src, "\r") {
				t.Fatalf("no such place: %v", p)
			}
		}
		if tp == nil {
			return
		}
		tp.Limit = 1 << 16
		out, err := tp.Render(input(t))
		if err == nil && tp.Format() == template.HL7 && len(out) > 0 && out[len(out)-1] != '\r' {
			t.Fatalf("the last segment is not terminated: %q", out)
		}
	})
}
