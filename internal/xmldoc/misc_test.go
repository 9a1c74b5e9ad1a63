package xmldoc

import (
	"errors"
	"strings"
	"testing"

	"github.com/spine-engine/spine-engine/internal/message"
)

// other is a selector of another format.
type other struct{}

func (other) String() string     { return "PID-3" }
func (other) IsList() bool       { return false }
func (other) HasCondition() bool { return false }

func TestSelectorsOfOtherFormats(t *testing.T) {
	d, err := New([]byte(batch), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d.Text(other{}) != "" || d.Presence(other{}) != message.Absent || d.List(other{}) != nil {
		t.Error("read")
	}
	if _, ok := d.Expand(other{}); ok {
		t.Error("expanded")
	}
	id := sel(t, "//v:Id")
	for name, err := range map[string]error{
		"set": d.Set(other{}, "x"), "raw": d.SetRaw(other{}, "x"), "null": d.SetNull(other{}), "create": d.Create(other{}), "keep": d.Keep([]message.Selector{other{}}),
		"remove": second(d.Remove(other{})), "items": second(d.Items(other{})), "cut": second(d.Cut(nil, []message.Selector{other{}})),
		"copy from": d.Copy(d, other{}, id), "copy to": d.Copy(d, sel(t, "//v:Device/@sn"), other{}),
	} {
		if !errors.Is(err, message.ErrUnsupported) || !strings.Contains(err.Error(), "PID-3") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if d.Edited() || d.Type()+d.Event()+d.ControlID() != "" || d.Format() != message.XML {
		t.Error("the rest")
	}
}

func TestSlots(t *testing.T) {
	d := parse(t, batch)
	items, err := d.Items(sel(t, "//v:Result"))
	if err != nil {
		t.Fatal(err)
	}
	for _, slot := range []int{-1, maxSlots} {
		d.Bind(slot, items[0], 1)
		if d.Index(slot) != 0 {
			t.Error(slot)
		}
	}
	d.Bind(1, items[1], 2)
	c := d.Clone().(*Doc)
	if c.Index(1) != 2 || c.Index(0) != 0 || c.Text(sel(t, "r/v:Code")) != "KET" {
		t.Error("clones keep the bindings")
	}
	d.Bind(1, nil, 0)
	if d.Index(1) != 0 || d.Text(sel(t, "r/v:Code")) != "" || c.Index(1) != 2 {
		t.Error("a nil item frees the slot, and only here")
	}
	if _, err := d.Items(sel(t, "count(//v:Id)")); !errors.Is(err, message.ErrUnsupported) {
		t.Error(err)
	}
}

// What was fixed in one document means nothing in another, whatever is there.
func TestItemsBelongToTheirDocument(t *testing.T) {
	d, twin := parse(t, batch), parse(t, batch)
	items, err := d.Items(sel(t, "//v:Result"))
	if err != nil {
		t.Fatal(err)
	}
	each, _ := d.Expand(sel(t, "//v:Code"))
	twin.Bind(1, items[0], 1)
	if twin.Text(sel(t, "r/v:Code")) != "" || twin.Index(1) != 0 || twin.Text(each[0]) != "" || twin.Set(each[0], "x") == nil {
		t.Error("a node of another document")
	}
	if _, err := twin.Cut(items[:1], nil); err == nil {
		t.Error("cut")
	}
	if n, err := twin.Remove(each[0]); n != 0 || err != nil {
		t.Error(n, err)
	}
}

func TestReferences(t *testing.T) {
	for in, want := range map[string]string{
		"&#65;": "A", "&#x41;": "A", "&#x1F3E5;": "\U0001F3E5", "&#" + strings.Repeat("0", 40) + "65;": "A", "&#x" + strings.Repeat("0", 40) + "4e;": "N",
		"&lt;&gt;&amp;&quot;&apos;": `<>&"'`, "&#x10FFFF;": "\U0010FFFF",
	} {
		d := parse(t, `<a b="`+in+`">`+in+`</a>`)
		if d.Text(sel(t, "/a")) != want || d.Text(sel(t, "/a/@b")) != want {
			t.Errorf("%s: %q", in, d.Text(sel(t, "/a")))
		}
	}
	for _, in := range []string{"&", "&;", "&#;", "&#x;", "&#" + strings.Repeat("0", 40) + ";", "&#x" + strings.Repeat("0", 40) + "D800;", "&#00000000000000000g;", "&am;", "&lt", "&LT;"} {
		if _, err := Parse([]byte(`<a>`+in+`</a>`), Options{}); err == nil {
			t.Errorf("%s is accepted", in)
		}
	}
}

func TestComparisonsByType(t *testing.T) {
	d := parse(t, `<a><b>1</b><b>3</b><c>2</c><c>x</c><e/></a>`)
	for x, want := range map[string]string{
		"//b < //c": "true", "//b > //c": "true", "//c < //b": "true", "//b >= 3": "true", "3 < //b": "false", "3 <= //b": "true", "//b = 'x'": "false", "//c = 'x'": "true", "//c != 'x'": "true",
		"//c[2] != 'x'": "false", "//zzz = ''": "false", "//zzz != ''": "false", "//zzz = false()": "true", "//b > true()": "false", "//b >= true()": "true", "//zzz < true()": "true",
		"true() = 'x'": "true", "true() > 0": "true", "'2' > '10'": "false", "'a' != 'b'": "true", "//e = ''": "true", "not(//e)": "false", "boolean(//e = //zzz)": "false", "//c[2] < //b": "false",
		"boolean(0 div 0)": "false", "boolean('false')": "true", "string(-0)": "0", "string(0.1 + 0.2)": "0.30000000000000004", "number(false())": "0", "//b = //b": "true", "//b != //b": "true", "//e != //e": "false",
	} {
		if got := d.Text(sel(t, x)); got != want {
			t.Errorf("%s: %s", x, got)
		}
	}
}

func TestCopyBringsNamespaces(t *testing.T) {
	src := parse(t, `<s xmlns="urn:d" xmlns:q="urn:q" xmlns:v="urn:vendor:poct:2" xmlns:x="http://www.w3.org/2001/XMLSchema-instance">`+
		`<v:from q:k="1" l="2"><one x:type="q:T"/>t<q:two q:m=""><v:in/></q:two></v:from></s>`)
	for in, want := range map[string]string{
		`<a/>`:                           `<a xmlns:q="urn:q" q:k="1" l="2"><one xmlns="urn:d" xmlns:q="urn:q" xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:type="q:T"/>t<q:two xmlns:q="urn:q" xmlns:v="urn:vendor:poct:2" q:m=""><v:in/></q:two></a>`,
		`<a xmlns:q="urn:other" l="9"/>`: `<a xmlns:q="urn:other" l="2" xmlns:q1="urn:q" q1:k="1"><one xmlns="urn:d" xmlns:q="urn:q" xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:type="q:T"/>t<q:two xmlns:q="urn:q" xmlns:v="urn:vendor:poct:2" q:m=""><v:in/></q:two></a>`,
	} {
		d := parse(t, in)
		if err := d.Copy(src, sel(t, "//v:from"), sel(t, "/a")); err != nil || string(d.Bytes()) != want {
			t.Errorf("%v\n got %s\nwant %s", err, d.Bytes(), want)
		}
	}
	d := parse(t, `<a k=""/>`)
	if err := d.Copy(src, sel(t, "//v:from"), sel(t, "/a/@k")); !errors.Is(err, message.ErrUnsupported) || d.Edited() {
		t.Error(err)
	}
	// Without a namespace, into a default one: xmlns="" keeps it so.
	plain := parse(t, `<p><from><b/></from></p>`)
	d = parse(t, `<v:a xmlns:v="urn:vendor:poct:2" xmlns="urn:d"/>`)
	if err := d.Copy(plain, sel(t, "/p/from"), sel(t, "/v:a")); err != nil || string(d.Bytes()) != `<v:a xmlns:v="urn:vendor:poct:2" xmlns="urn:d"><b xmlns=""/></v:a>` {
		t.Errorf("%v %s", err, d.Bytes())
	}
}

func TestEscape(t *testing.T) {
	got, err := Escape([]byte("="), "<a b=\"c\">'&\r\n\té", false)
	if err != nil || string(got) != "=&lt;a b=\"c\"&gt;'&amp;&#13;\n\té" {
		t.Errorf("%s %v", got, err)
	}
	got, err = Escape(nil, "\"'\r\n\t ", true)
	if err != nil || string(got) != "&quot;&apos;&#13;&#10;&#9; " {
		t.Errorf("%s %v", got, err)
	}
	got, err = Escape([]byte("kept"), "ok\x00 \x1b\xff", true)
	var u *UnfitError
	if !errors.As(err, &u) || u.Characters != 3 || u.First != 2 || string(got) != "kept" {
		t.Errorf("%s %v", got, err)
	}
}

func BenchmarkMessage(b *testing.B) {
	in := []byte(batch)
	id, code := sel(b, "/v:Batch/v:Patient/v:Id"), sel(b, `//v:Result[v:Code="KET"]/v:Value`)
	b.Run("parse", func(b *testing.B) {
		b.SetBytes(int64(len(in)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Parse(in, Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	d := parse(b, batch)
	b.Run("text", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			d.Text(id)
		}
	})
	b.Run("text by condition", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			d.Text(code)
		}
	})
	b.Run("clone, set, bytes", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c := d.Clone().(*Doc)
			if err := c.Set(code, "1.5"); err != nil {
				b.Fatal(err)
			}
			c.Bytes()
		}
	})
}
