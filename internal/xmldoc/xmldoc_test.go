package xmldoc

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spine-engine/spine-engine/internal/message"
)

var update = flag.Bool("update", false, "write the files of testdata")

const batch = `<?xml version="1.0" encoding="UTF-8"?>
<!-- from the ward -->
<v:Batch  xmlns:v='urn:vendor:poct:2' id="B1">
  <v:Device sn = "D-7"/>
  <v:Patient>
    <v:Id type='NH'>9990000018</v:Id>
    <v:Name><![CDATA[O'Neil & Sons]]></v:Name>
    <v:Result><v:Code>GLU</v:Code><v:Value>5.4</v:Value></v:Result>
    <v:Result><v:Code>KET</v:Code><v:Value/></v:Result>
  </v:Patient>
  <v:Patient><v:Id>9990000026</v:Id><!-- none --><v:Result ><v:Code>GLU</v:Code><v:Value xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:nil="true"/></v:Result></v:Patient>
</v:Batch>
`

var vendor = SelectorOptions{Namespaces: map[string]string{"v": "urn:vendor:poct:2"}, Items: map[string]int{"p": 0, "r": 1}}

func parse(t testing.TB, s string) *Doc {
	t.Helper()
	d, err := Parse([]byte(s), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func sel(t testing.TB, s string) message.Selector {
	t.Helper()
	x, err := Compile(s, vendor)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestReading(t *testing.T) {
	d := parse(t, batch)
	for _, c := range []struct {
		sel, text string
		p         message.Presence
	}{
		{"/v:Batch/v:Patient/v:Id", "9990000018", message.Present},
		{"/v:Batch/@id", "B1", message.Present},
		{"/v:Batch/v:Patient[2]/v:Id", "9990000026", message.Present},
		{"/v:Batch/v:Patient/v:Name", "O'Neil & Sons", message.Present},
		{"//v:Result[v:Code='KET']/v:Value", "", message.Empty},
		{"//v:Patient[2]//v:Value", "", message.Null},
		{"/v:Batch/v:Nothing", "", message.Absent},
		{"/Batch", "", message.Absent},
		{"/v:Batch/@v:id", "", message.Absent},
		{"count(//v:Result)", "3", message.Present},
		{"v:Batch/v:Device/@sn", "D-7", message.Present},
		{"p/v:Id", "", message.Absent},
	} {
		if got, p := d.Text(sel(t, c.sel)), d.Presence(sel(t, c.sel)); got != c.text || p != c.p {
			t.Errorf("%s: %q, %s", c.sel, got, p)
		}
	}
	if got := d.List(sel(t, "//v:Code")); !slices.Equal(got, []string{"GLU", "KET", "GLU"}) {
		t.Errorf("%q", got)
	}
	if d.Err() != nil || d.Edited() || &d.Bytes()[0] != &d.src.orig[0] {
		t.Error("reading changes nothing")
	}
}

func TestEditing(t *testing.T) {
	type edits []func(*Doc) error
	set := func(s, text string) func(*Doc) error { return func(d *Doc) error { return d.Set(sel(t, s), text) } }
	raw := func(s, text string) func(*Doc) error { return func(d *Doc) error { return d.SetRaw(sel(t, s), text) } }
	null := func(s string) func(*Doc) error { return func(d *Doc) error { return d.SetNull(sel(t, s)) } }
	remove := func(s string) func(*Doc) error {
		return func(d *Doc) error { _, err := d.Remove(sel(t, s)); return err }
	}
	create := func(s string) func(*Doc) error { return func(d *Doc) error { return d.Create(sel(t, s).(*Selector)) } }
	const ns = `xmlns:v="urn:vendor:poct:2"`
	for _, c := range []struct {
		name, in string
		do       edits
		out      string
	}{
		{"leaf", `<a ><b  x='1'>old</b ></a>`, edits{set("/a/b", "n<&>")}, `<a ><b  x='1'>n&lt;&amp;&gt;</b ></a>`},
		{"same text is no edit", `<a><b><![CDATA[x]]></b></a>`, edits{set("/a/b", "x")}, `<a><b><![CDATA[x]]></b></a>`},
		{"CDATA", `<a><b><![CDATA[x]]></b></a>`, edits{set("/a/b", "y")}, `<a><b>y</b></a>`},
		{"self-closing", `<a><b k='v' /></a>`, edits{set("/a/b", "y")}, `<a><b k='v'>y</b></a>`},
		{"self-closing root", `<a/>`, edits{set("/a", "y")}, `<a>y</a>`},
		{"to empty", `<a><b>y</b></a>`, edits{set("/a/b", "")}, `<a><b></b></a>`},
		{"attribute", `<a><b one = 'x"y'  two="2"/></a>`, edits{set("/a/b/@one", `q'"<`)}, `<a><b one = 'q&apos;&quot;&lt;'  two="2"/></a>`},
		{"white space in an attribute", `<a k=""/>`, edits{set("/a/@k", "a\tb\nc\rd")}, `<a k="a&#9;b&#10;c&#13;d"/>`},
		{"text node", `<a>one<b/>two</a>`, edits{set("/a/text()[2]", "2")}, `<a>one<b/>2</a>`},
		{"twice", `<a><b>1</b></a>`, edits{set("/a/b", "2"), set("/a/b", "3")}, `<a><b>3</b></a>`},
		{"attribute twice", `<a b = "1"   c='2'/>`, edits{set("/a/@c", "3"), set("/a/@c", "4"), set("/a/@b", "x ")}, `<a b = "x "   c='4'/>`},
		{"new child", `<a><b>1</b></a>`, edits{set("/a/c/d", "x")}, `<a><b>1</b><c><d>x</d></c></a>`},
		{"new child in a pretty one", "<a>\n  <b/>\n</a>", edits{set("/a/c", "x")}, "<a>\n  <b/><c>x</c>\n</a>"},
		{"new child in mixed text", "<a><b/>t</a>", edits{set("/a/c", "x")}, "<a><b/>t<c>x</c></a>"},
		{"new children in order", "<a>\n</a>", edits{set("/a/c", "1"), set("/a/d", "2")}, "<a>\n<c>1</c><d>2</d></a>"},
		{"new attribute", `<a><b  /></a>`, edits{set("/a/b/@id", "7")}, `<a><b id="7"  /></a>`},
		{"new, declared prefix", `<w:a xmlns:w="urn:vendor:poct:2"/>`, edits{set("/v:a/v:b", "x")}, `<w:a xmlns:w="urn:vendor:poct:2"><w:b>x</w:b></w:a>`},
		{"new, default namespace", `<a xmlns="urn:vendor:poct:2"/>`, edits{set("/v:a/v:b/@k", "x")}, `<a xmlns="urn:vendor:poct:2"><b k="x"></b></a>`},
		{"new, nothing declared", `<a/>`, edits{set("/a/v:b", "x")}, `<a><v:b ` + ns + `>x</v:b></a>`},
		{"new attribute, nothing declared", `<a/>`, edits{set("/a/@v:b", "x")}, `<a ` + ns + ` v:b="x"/>`},
		{"new, prefix means another", `<a xmlns:v="urn:other"/>`, edits{set("/a/v:b", "x")}, `<a xmlns:v="urn:other"><v1:b xmlns:v1="urn:vendor:poct:2">x</v1:b></a>`},
		{"new in no namespace", `<v:a xmlns="urn:d" xmlns:v="urn:vendor:poct:2"/>`, edits{set("/v:a/b", "x")}, `<v:a xmlns="urn:d" xmlns:v="urn:vendor:poct:2"><b xmlns="">x</b></v:a>`},
		{"fragment", `<a><b>1</b></a>`, edits{raw("/a/b", `x<c k="1"/><!-- c -->`)}, `<a><b>x<c k="1"/><!-- c --></b></a>`},
		{"fragment, then into it", `<a><b/></a>`, edits{raw("/a/b", `<c> </c>`), set("/a/b/c", "y"), set("/a/b/c/@k", "z")}, `<a><b><c k="z">y</c></b></a>`},
		{"raw attribute", `<a k="1"/>`, edits{raw("/a/@k", "x&amp;y")}, `<a k="x&amp;y"/>`},
		{"null", `<a><b>1</b></a>`, edits{null("/a/b")}, `<a><b xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"></b></a>`},
		{"null and back", `<a xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><b>1</b></a>`, edits{null("/a/b"), set("/a/b", "2")}, `<a xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><b>2</b></a>`},
		{"null, declared", `<a xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><b i:nil="false">1</b></a>`, edits{null("/a/b")}, `<a xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><b i:nil="true"></b></a>`},
		{"remove elements", `<a> <b/> <c/> <b/></a>`, edits{remove("//b")}, `<a>  <c/> </a>`},
		{"remove attribute", `<a  one="1"  two="2" />`, edits{remove("/a/@one")}, `<a  two="2" />`},
		{"remove all attributes", `<a  one="1"  two="2" />`, edits{remove("/a/@*")}, `<a />`},
		{"remove nested", `<a><b><b/></b>x</a>`, edits{remove("//b")}, `<a>x</a>`},
		{"remove comment", "<!-- x -->\n<a/>", edits{remove("//comment()")}, "\n<a/>"},
		{"remove a comment within", "<a>1<!-- x -->2</a>", edits{remove("//comment()")}, "<a>12</a>"},
		{"remove what was made", `<a/>`, edits{set("/a/b", "1"), remove("/a/b")}, `<a/>`},
		{"create", `<a><id t="x">1</id></a>`, edits{create(`/a/id[@t="y"]/v`), set(`/a/id[@t="y"]/v`, "2")}, `<a><id t="x">1</id><id t="y"><v>2</v></id></a>`},
		{"create by child", `<a/>`, edits{create(`/a/id[k="y" and @t='z']`), set(`/a/id[k="y"]/v`, "2")}, `<a><id t="z"><k>y</k><v>2</v></id></a>`},
		{"below a condition that is met", `<a><id t="x"/></a>`, edits{set(`/a/id[@t="x"]/v`, "2")}, `<a><id t="x"><v>2</v></id></a>`},
		{"text of an empty element", `<a><b/></a>`, edits{set(`/a/b/text()`, "2")}, `<a><b>2</b></a>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := parse(t, c.in)
			kept := d.Clone().(*Doc)
			for _, do := range c.do {
				if err := do(d); err != nil {
					t.Fatal(err)
				}
			}
			if got := string(d.Bytes()); got != c.out {
				t.Errorf("\n got %s\nwant %s", got, c.out)
			}
			if d.Edited() && d.Size() != len(d.Bytes()) || string(kept.Bytes()) != c.in {
				t.Error("size, or the clone")
			}
			again, err := Parse(d.Bytes(), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if a, b := shape(again), shape(d); a != b {
				t.Errorf("read again it is another tree:\n%s\n%s", a, b)
			}
		})
	}
}

// shape is a canonical text of a tree as XPath sees it; texts in a row are one.
func shape(d *Doc) string {
	var out strings.Builder
	var walk func(i uint32)
	walk = func(i uint32) {
		n := d.at(i)
		switch n.kind {
		case kText:
			fmt.Fprintf(&out, "%s", d.value(i))
			return
		case kSpace:
			return
		case kComment:
			fmt.Fprintf(&out, "{!%s}", d.value(i))
			return
		case kElement:
			_, local := split(d.nameOf(n))
			fmt.Fprintf(&out, "{%s|%s", d.uris[n.space], local)
			for a := n.attr; a != 0; a = d.at(a).next {
				if an := d.at(a); an.kind == kAttr {
					_, local := split(d.nameOf(an))
					fmt.Fprintf(&out, " %s|%s=%q", d.uris[an.space], local, d.value(a))
				}
			}
			out.WriteString(" ")
		}
		for c := n.first; c != 0; c = d.at(c).next {
			walk(c)
		}
		out.WriteString("}")
	}
	walk(0)
	return out.String()
}

func TestRefusedEdits(t *testing.T) {
	d := parse(t, batch)
	for _, c := range []struct {
		name string
		err  error
		want string
		is   error
	}{
		{"several", d.Set(sel(t, "//v:Code"), "x"), "selects 3 nodes", nil},
		{"elements below", d.Set(sel(t, "/v:Batch"), "x"), "elements below", nil},
		{"condition", d.Set(sel(t, "//v:Result[v:Code='ZZZ']/v:Value"), "x"), "nothing matches", message.ErrNoMatch},
		{"deep path", d.Set(sel(t, "//v:Zzz"), "x"), "nothing matches", message.ErrNoMatch},
		{"another root", d.Set(sel(t, "/v:Zzz"), "x"), "root element", message.ErrNoMatch},
		{"unbound", d.Set(sel(t, "r/v:Value"), "x"), "item", message.ErrNoMatch},
		{"function", d.Set(sel(t, "count(//v:Id)"), "x"), "computes", message.ErrUnsupported},
		{"comment", d.Set(sel(t, "/comment()"), "x"), "neither", message.ErrUnsupported},
		{"null attribute", d.SetNull(sel(t, "/v:Batch/@id")), "only an element", message.ErrUnsupported},
		{"fragment", d.SetRaw(sel(t, "/v:Batch/v:Device"), "<v:x>"), "ends within 1 open", nil},
		{"fragment closes", d.SetRaw(sel(t, "/v:Batch/v:Device"), "</v:Device><v:Device>"), "without a start", nil},
		{"fragment prefix", d.SetRaw(sel(t, "/v:Batch/v:Device"), "<w:x/>"), "not declared", nil},
		{"fragment doctype", d.SetRaw(sel(t, "/v:Batch/v:Device"), "<!DOCTYPE a><a/>"), "document type", nil},
		{"bad character", d.Set(sel(t, "/v:Batch/@id"), "a\x00b"), "cannot carry", nil},
		{"bad character where nothing is", d.Set(sel(t, "/v:Batch/@new"), "a\xffb"), "cannot carry", nil},
		{"remove root", second(d.Remove(sel(t, "/v:Batch"))), "root element", nil},
		{"create a function", d.Create(sel(t, "count(/x)")), "computes", message.ErrUnsupported},
		{"create positions", d.Create(sel(t, "/v:Batch/v:X[3]")), "nothing matches", message.ErrNoMatch},
		{"raw attribute", d.SetRaw(sel(t, "/v:Batch/@id"), `a" b="c`), "quotes", nil},
		{"groups", second(d.Groups(nil)), "groups", message.ErrUnsupported},
		{"insert", second(d.Insert("A", message.After, nil)), "segment", message.ErrUnsupported},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) || c.is != nil && !errors.Is(c.err, c.is) || c.is == nil && errors.Is(c.err, message.ErrNoMatch) {
			t.Errorf("%s: %v", c.name, c.err)
		}
	}
	if d.Edited() || string(d.Bytes()) != batch {
		t.Error("a refused edit changed the document")
	}
}

func second[T any](_ T, err error) error { return err }

func TestWalk(t *testing.T) {
	d := parse(t, batch)
	items, err := d.Items(sel(t, "/v:Batch/v:Patient"))
	if err != nil || len(items) != 2 {
		t.Fatal(items, err)
	}
	var got []string
	for n, it := range items {
		d.Bind(0, it, n+1)
		results, err := d.Items(sel(t, "p/v:Result"))
		if err != nil {
			t.Fatal(err)
		}
		for k, r := range results {
			d.Bind(1, r, k+1)
			got = append(got, fmt.Sprintf("%d %d %s %s %q %s", d.Index(0), d.Index(1), d.Text(sel(t, "p/v:Id")), d.Text(sel(t, "r/v:Code")), d.Text(sel(t, `r[v:Code="KET"]/v:Code`)), d.Text(sel(t, "count(p/v:Result)"))))
			if err := d.Set(sel(t, "r/@seen"), "yes"); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := []string{`1 1 9990000018 GLU "" 2`, `1 2 9990000018 KET "KET" 2`, `2 1 9990000026 GLU "" 1`}
	if !slices.Equal(got, want) {
		t.Errorf("%q\n%q", got, want)
	}
	if n := len(d.List(sel(t, "//@seen"))); n != 3 {
		t.Error(n)
	}
	if _, err := d.Remove(sel(t, "p")); err != nil || d.Text(sel(t, "r/v:Code")) != "" || d.Presence(sel(t, "p")) != message.Absent {
		t.Error("a removed item selects nothing", err)
	}
}

func TestCut(t *testing.T) {
	d := parse(t, batch)
	items, _ := d.Items(sel(t, "/v:Batch/v:Patient"))
	parts, err := d.Cut(items, []message.Selector{sel(t, "/v:Batch/v:Device")})
	if err != nil || len(parts) != 2 {
		t.Fatal(err)
	}
	got := string(parts[0].(*Doc).Bytes())
	want := batch[:strings.Index(batch, "\n<!--")] + `<v:Batch  xmlns:v='urn:vendor:poct:2' id="B1"><v:Device sn = "D-7"/>` + batch[strings.Index(batch, "<v:Patient>"):strings.Index(batch, "\n  <v:Patient><")] + `</v:Batch>`
	if got != want {
		t.Errorf("\n%s\n%s", got, want)
	}
	if parts[1].Text(sel(t, "/v:Batch/v:Patient/v:Id")) != "9990000026" || d.Edited() {
		t.Error("the second")
	}
	if _, err := d.Cut([]message.Item{nil}, nil); err == nil {
		t.Error("no item")
	}
}

func TestKeep(t *testing.T) {
	for _, c := range []struct{ keep, want string }{
		{"//v:Id", `<?xml version="1.0" encoding="UTF-8"?>` + "\n\n" + `<v:Batch  xmlns:v='urn:vendor:poct:2'><v:Patient><v:Id type='NH'>9990000018</v:Id></v:Patient><v:Patient><v:Id>9990000026</v:Id></v:Patient></v:Batch>` + "\n"},
		{"//@sn", `<?xml version="1.0" encoding="UTF-8"?>` + "\n\n" + `<v:Batch  xmlns:v='urn:vendor:poct:2'><v:Device sn = "D-7"/></v:Batch>` + "\n"},
		{"//v:None", `<?xml version="1.0" encoding="UTF-8"?>` + "\n\n" + `<v:Batch  xmlns:v='urn:vendor:poct:2'></v:Batch>` + "\n"},
	} {
		d := parse(t, batch)
		if err := d.Keep([]message.Selector{sel(t, c.keep)}); err != nil || string(d.Bytes()) != c.want {
			t.Errorf("%s: %v\n%s\n%s", c.keep, err, d.Bytes(), c.want)
		}
	}
}

func TestCopy(t *testing.T) {
	src := parse(t, batch)
	for _, c := range []struct{ name, in, from, to, want string }{
		{"element", `<a><b>x</b></a>`, "//v:Result", "/a/b", `<a><b><v:Code xmlns:v="urn:vendor:poct:2">GLU</v:Code><v:Value xmlns:v="urn:vendor:poct:2">5.4</v:Value></b></a>`},
		{"leaf", `<a><b k="1">x</b></a>`, "//v:Code", "/a/b", `<a><b k="1">GLU</b></a>`},
		{"leaf with attributes", `<a><b k="1">x</b></a>`, "//v:Id", "/a/b", `<a><b k="1" type="NH">9990000018</b></a>`},
		{"to an attribute", `<a/>`, "//v:Id", "/a/@id", `<a id="9990000018"/>`},
		{"attribute", `<a/>`, "//@id", "/a/b", `<a><b>B1</b></a>`},
		{"absent", `<a><b>x</b></a>`, "//v:Zzz", "/a/b", `<a><b></b></a>`},
		{"computed", `<a/>`, "count(//v:Id)", "/a", `<a>2</a>`},
		{"null", `<a xmlns:x="http://www.w3.org/2001/XMLSchema-instance"><b>1</b></a>`, "//v:Patient[2]//v:Value", "/a/b", `<a xmlns:x="http://www.w3.org/2001/XMLSchema-instance"><b x:nil="true"></b></a>`},
		{"new target", `<a xmlns:v="urn:vendor:poct:2"/>`, "//v:Patient[2]/v:Result", "/a/c", `<a xmlns:v="urn:vendor:poct:2"><c><v:Code>GLU</v:Code><v:Value xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:nil="true"/></c></a>`},
	} {
		d := parse(t, c.in)
		if err := d.Copy(src, sel(t, c.from), sel(t, c.to)); err != nil || string(d.Bytes()) != c.want {
			t.Errorf("%s: %v\n%s\n%s", c.name, err, d.Bytes(), c.want)
		}
	}
}

func TestFragmentsMayUseThePrefixesOfTheFeed(t *testing.T) {
	d, err := Parse([]byte(`<Batch xmlns="urn:vendor:poct:2"><Id/></Batch>`), Options{Namespaces: vendor.Namespaces})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.SetRaw(sel(t, "/v:Batch/v:Id"), `<v:A><v:B/></v:A><C v:d=""/><E/>`); err != nil {
		t.Fatal(err)
	}
	want := `<Batch xmlns="urn:vendor:poct:2"><Id><v:A xmlns:v="urn:vendor:poct:2"><v:B/></v:A><C v:d="" xmlns:v="urn:vendor:poct:2"/><E/></Id></Batch>`
	if got := string(d.Bytes()); got != want || d.Presence(sel(t, "/v:Batch/v:Id/v:A/v:B")) != message.Empty {
		t.Error(got)
	}
	if _, err := Parse(d.Bytes(), Options{}); err != nil {
		t.Error(err)
	}
}

func TestSpansPointIntoTheOriginal(t *testing.T) {
	d := parse(t, batch)
	if err := d.Set(sel(t, "/v:Batch/@id"), "B2"); err != nil {
		t.Fatal(err)
	}
	var whole []byte
	made, n := 0, 0
	d.Spans(func(s Span) bool {
		n++
		if s.Original && !bytes.Equal(s.Bytes, d.src.orig[s.Offset:s.Offset+s.Length]) {
			t.Error("a span that is not where it says")
		}
		if !s.Original {
			made += s.Length
		}
		whole = append(whole, s.Bytes...)
		return true
	})
	if n != 3 || made > 10 || string(whole) != strings.Replace(batch, `"B1"`, `"B2"`, 1) {
		t.Errorf("%d spans, %d made: %s", n, made, whole)
	}
}

func TestNoContentIsPrinted(t *testing.T) {
	d := parse(t, `<a>SECRET</a>`)
	if err := d.Set(sel(t, "/a"), "SECRET2"); err != nil {
		t.Fatal(err)
	}
	j, _ := d.MarshalJSON()
	if out := fmt.Sprintf("%v %+v %#v %s %q %x %s", d, d, d, d, d, d, j); strings.Contains(out, "SECRET") || strings.Contains(out, fmt.Sprintf("%x", "SECRET")) {
		t.Error(out)
	}
}
