package xmldoc

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
)

const table1 = `<r xmlns:v="urn:vendor:poct:2" xml:lang="en-GB"><p x="1"><a k="2">1</a><a k="1">5</a><b>5</b></p>` +
	`<p x="2"><a k="3">7</a><b>6</b><c>ab</c></p><v:q y="b"><v:z>zz</v:z><?go now?><!--note--></v:q></r>`

// What libxml2 answers to the same, too, but for following of an attribute,
// where the standard (section 2.2) is followed: the content of its element follows.
func TestXPath(t *testing.T) {
	d := parse(t, table1)
	for _, c := range []struct{ x, want string }{
		{`/r/p/a`, "1 5 7"}, {`//a[2]`, "5"}, {`(//a)[2]`, "5"}, {`(//a)[last()]`, "7"}, {`//a[last()]`, "5 7"}, {`//a[position()=last()]`, "5 7"},
		{`/descendant::a[2]`, "5"}, {`/descendant::a[last()]`, "7"}, {`//p/a[1]/@k`, "2 3"}, {`/r/p/a[last()-1]`, "1"}, {`//*[@k][2]`, "5"},
		{`//p[a[@k="1"] = b]/@x`, "1"}, {`//p/a[@k>1][1]`, "1 7"}, {`//p[a[@k='2']=1 and b=5]/@x`, "1"},
		{`//v:*`, "zz zz"}, {`/r/v:q/v:z`, "zz"}, {`//z`, ""}, {`//@*`, "en-GB 1 2 1 2 3 b"}, {`//@xml:lang`, "en-GB"},
		{`//b | //a`, "1 5 5 7 6"}, {`//p[b=5] | //p[b=6]/c`, "155 ab"}, {`//a/../@x`, "1 2"},
		{`//c/ancestor-or-self::*/@x`, "2"}, {`//c/ancestor::*[1]/@x`, "2"}, {`//c/ancestor::*[last()]/@xml:lang`, "en-GB"},
		{`//b/preceding-sibling::a[1]`, "5 7"}, {`//p[2]/a/preceding::a`, "1 5"}, {`//p[2]/a/preceding::*[1]`, "5"}, {`//p[1]/a[1]/following::b`, "5 6"},
		{`//p[@x="1"]/following-sibling::p[1]/b`, "6"}, {`//@x/following::a[1]`, "1 7"}, {`//@y/preceding::c`, "ab"}, {`//p/*[self::a or self::c]`, "1 5 7 ab"},
		{`//p[position() mod 2 = 0]/@x`, "2"}, {`//p[count(a)=2]/@x`, "1"}, {`//p[a != b]/@x`, "1 2"}, {`//p[not("")]/@x`, "1 2"}, {`//p[string-length(c)]/@x`, "2"},
		{`//p[string-length(c)=2]/@x`, "2"}, {`//p[starts-with(c, //c)]/@x`, "2"}, {`//c[contains(., "b")]`, "ab"}, {`//a[@k = //p[1]/a/@k]`, "1 5"},
		{`//processing-instruction()`, "now"}, {`//processing-instruction("go")`, "now"}, {`//processing-instruction("x")`, ""}, {`//comment()`, "note"},
		{`//text()[.="5"]`, "5 5"}, {`//p[1]/node()`, "1 5 5"}, {`/`, "155" + "76abzz"}, {`.`, "15576abzz"}, {`./r/p[1]/b`, "5"}, {`//p[lang("en")]/@x`, "1 2"}, {`//p[lang("de")]/@x`, ""},
		{`//a[.>1][.<7]`, "5"}, {`//a[. >= 5]`, "5 7"}, {`//a[7 <= .]`, "7"}, {`//p[a > b]/@x`, "2"}, {`//p[a >= //b]/@x`, "1 2"}, {`//p[true() = c]/@x`, "2"}, {`//p[c != false()]/@x`, "2"},
		{`//p[@x=1 or c]/@x`, "1 2"}, {`//self::p/@x`, "1 2"}, {`child::r/child::p/attribute::x`, "1 2"}, {`(//p)[1]/a[2]`, "5"}, {`//p[a][b][1]/@x`, "1"},
		{`count(//a)`, "3"}, {`count(//a | //a)`, "3"}, {`sum(//a)`, "13"}, {`string(//p/@x)`, "1"}, {`concat(//c, "-", count(//p))`, "ab-2"}, {`boolean(//zzz)`, "false"},
		{`1 + 2 * 3 = 7`, "true"}, {`-//p[1]/a[1]`, "-1"}, {`--2`, "2"}, {`5 mod -2`, "1"}, {`-5 mod 2`, "-1"}, {`1 div 0`, "Infinity"}, {`-1 div 0`, "-Infinity"}, {`0 div 0`, "NaN"}, {`6 div 4`, "1.5"},
		{`number("1e3")`, "NaN"}, {`number(" -1.50 ")`, "-1.5"}, {`number("+1")`, "NaN"}, {`number(true())`, "1"}, {`number(//c)`, "NaN"}, {`1000000000000000000000`, "1000000000000000000000"},
		{`round(2.5)`, "3"}, {`round(-2.5)`, "-2"}, {`floor(-1.5)`, "-2"}, {`ceiling(1.2)`, "2"}, {`round("x")`, "NaN"},
		{`substring("12345", 2, 3)`, "234"}, {`substring("12345", 1.5, 2.6)`, "234"}, {`substring("12345", 0, 3)`, "12"}, {`substring("12345", 0 div 0, 3)`, ""}, {`substring("12345", -42, 1 div 0)`, "12345"}, {`substring("aéb", 2)`, "éb"},
		{`substring-before("1999/04", "/")`, "1999"}, {`substring-after("1999/04", "/")`, "04"}, {`substring-after("x", "")`, "x"}, {`translate("bar", "abc", "AB")`, "BAr"}, {`normalize-space("  a  b ")`, "a b"},
		{`string-length("aé")`, "2"}, {`name(//v:q)`, "v:q"}, {`local-name(//v:q)`, "q"}, {`namespace-uri(//v:q)`, "urn:vendor:poct:2"}, {`name(//zzz)`, ""}, {`contains("abc", 1)`, "false"}, {`"a" < "b"`, "false"}, {`"1" = 1`, "true"},
		{`count(//a[position()<3])`, "3"}, {`string(1 = 1)`, "true"}, {`//a[0]`, ""}, {`//a[1.5]`, ""}, {`//a["x"]`, "1 5 7"}, {`*/*[3]/@y`, "b"}, {`//p[a*2=2]/@x`, "1"}, {`//a[* or not(*)][3]`, ""},
	} {
		got := strings.Join(d.List(sel(t, c.x)), " ")
		if got != c.want || d.Err() != nil {
			t.Errorf("%s: %q, want %q (%v)", c.x, got, c.want, d.Err())
		}
	}
}

func TestSelectorsThatAreNone(t *testing.T) {
	for _, c := range []struct {
		in   string
		at   int
		want string
	}{
		{"", 0, "empty"},
		{"  ", 0, "empty"},
		{"/v:a/w:b", 5, `"w" is not declared; declare it under namespaces of the source; there are v`},
		{"//a[@w:b]", 5, "not declared"},
		{"//w:*", 2, "not declared"},
		{"//a[", 4, "path or a value"},
		{"//a[1", 5, "missing ]"},
		{"//a]", 3, "nothing more"},
		{"/a/", 3, "without a name"},
		{"//", 2, "without a name"},
		{"a b", 2, "operator"},
		{"$x", 0, "variables"},
		{"//a[.=$x]", 6, "variables"},
		{"matches(a, 'x')", 0, "no such function"},
		{"id('x')", 0, "no such function"},
		{"count(1)", 6, "takes a path"},
		{"count()", 0, "number of arguments"},
		{"concat('a')", 0, "number of arguments"},
		{"not(1, 2)", 0, "number of arguments"},
		{"'abc", 0, "closing quote"},
		{"a | 1", 4, "joins only paths"},
		{"'a'[1]", 3, "no set of nodes"},
		{"count(a)/b", 8, "no set of nodes"},
		{"namespace::a", 0, "no axis"},
		{"foo::a", 0, "no axis"},
		{"a#b", 1, "no meaning"},
		{"1.2.3", 0, "not a number"},
		{"v:", 1, "no meaning"},
		{"v:1", 0, "prefix without a name"},
		{"a\xff", 0, "not UTF-8"},
		{strings.Repeat("a/", 3000), 0, "longer"},
		{strings.Repeat("(", 2000), 100, "too deeply"},
		{strings.Repeat("a[", 1500), 200, "too deeply"},
		{"PID-3(5=NH).1", 0, "XML takes XPath"},
		{"PID-3.1", 0, "selector of HL7 v2"},
		{"OBX(*)-5", 0, "XML takes XPath"},
	} {
		_, err := Compile(c.in, vendor)
		var e *SelectorError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || e.Offset != c.at {
			t.Errorf("%.40s: %v", c.in, err)
		}
	}
}

func TestSelectorsKnowWhatTheyAre(t *testing.T) {
	for _, c := range []struct {
		in                            string
		condition, computes, relative bool
	}{
		{"/v:a/v:b", false, false, false},
		{"/v:a[1]/v:b", true, false, false},
		{"v:a", false, false, true},
		{"r/v:a", false, false, false},
		{"r[v:a]", true, false, false},
		{"count(//a)", false, true, false},
		{"//a = 1", false, true, false},
		{"(//a)", false, false, false},
	} {
		s := sel(t, c.in).(*Selector)
		if s.IsList() || s.HasCondition() != c.condition || s.Computes() != c.computes || s.Relative() != c.relative || s.String() != c.in {
			t.Errorf("%s: %v %v %v", c.in, s.HasCondition(), s.Computes(), s.Relative())
		}
	}
}

func TestLooksLike(t *testing.T) {
	for _, s := range []string{"/v:Batch", "//a", ".", "..", "@id", "v:Panel/v:Code", "v:Code", "r/@id", "r/v:Code", "a/b", "count(//a)", "child::a", "ord/Code", "Batch/Patient", "r[@x='1']", "a | b"} {
		if !LooksLike(s) {
			t.Errorf("%s is XPath", s)
		}
	}
	for _, s := range []string{"", "PID-3(5=NH).1", "OBX(*)-5", "OBR(#2)/OBX(*)-5", "OBR(#2)>NTE(*)-3", "obx-5", "ord/OBR-4.1", "MSH", "ZPI(*)", "PID-3(4=NHS&5=NH).1", "OBX(3.1=8302-2)-5", `PID-3(4="a b").1`} {
		if LooksLike(s) {
			t.Errorf("%s is HL7", s)
		}
	}
}

// A document can make a harmless selector dear. It is given up, and said so.
func TestWorkIsBounded(t *testing.T) {
	d := parse(t, "<r>"+strings.Repeat("<a>1</a>", 20_000)+"</r>")
	dear := sel(t, `//a[count(preceding-sibling::a) = 5 and count(//a)=1]`)
	if got := d.Text(dear); got != "" || d.Err() == nil || !strings.Contains(d.Err().Error(), "10000000 steps") {
		t.Errorf("%q, %v", got, d.Err())
	}
	if err := d.Set(dear, "y"); err == nil || d.Edited() || d.Clone().(*Doc).Err() != nil {
		t.Error("set", err)
	}
	many := parse(t, "<r>"+strings.Repeat("<a/>", maxResult+1)+"</r>")
	if got := many.List(sel(t, "//a")); len(got) != 0 || many.Err() == nil {
		t.Error(len(got), many.Err())
	}
	if _, err := many.Remove(sel(t, "//a")); err == nil {
		t.Error("removed")
	}
	if got := many.Text(sel(t, "count(//a)")); got != "100001" {
		t.Error(got)
	}
}

func TestManyGoroutinesRead(t *testing.T) {
	d := parse(t, batch)
	if err := d.Set(sel(t, "/v:Batch/v:New/v:Code"), "X"); err != nil {
		t.Fatal(err)
	}
	codes, parent := sel(t, "//v:Code[. != 'KET'] | //v:Device/@sn"), sel(t, "//v:Code[1]/..")
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if got := d.List(codes); !slices.Equal(got, []string{"D-7", "GLU", "GLU", "X"}) || len(d.List(parent)) != 4 {
				t.Errorf("%q", got)
			}
			if c := d.Clone(); c.Set(sel(t, "/v:Batch/@id"), "other") != nil || d.Text(sel(t, "/v:Batch/@id")) != "B1" {
				t.Error("clone")
			}
		})
	}
	wait.Wait()
}

func TestExpand(t *testing.T) {
	d := parse(t, batch)
	each, ok := d.Expand(sel(t, "//v:Code"))
	if !ok || len(each) != 3 {
		t.Fatal(each)
	}
	for n, s := range each {
		if err := d.Set(s, "C"+string(rune('1'+n))); err != nil {
			t.Fatal(err)
		}
	}
	if got := d.List(sel(t, "//v:Code")); !slices.Equal(got, []string{"C1", "C2", "C3"}) {
		t.Errorf("%q", got)
	}
	if n, err := d.Remove(each[1]); n != 1 || err != nil || d.Text(each[1]) != "" {
		t.Error(n, err)
	}
	if one, ok := d.Expand(sel(t, "//v:Device")); !ok || len(one) != 1 {
		t.Error(one)
	}
}

// A text read from a message never becomes part of a selector: there is no way
// to give a selector a value, so quotes in values are only text.
func TestValuesAreOnlyText(t *testing.T) {
	d := parse(t, `<a><b>x' or '1'='1</b><b>y</b></a>`)
	if got := d.List(sel(t, `//b[. = /a/b[1]]`)); !slices.Equal(got, []string{"x' or '1'='1"}) {
		t.Errorf("%q", got)
	}
}
