package xmldoc

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// size is that of the largest message a source takes by default.
const size = 16 << 20

// fill repeats s up to the size of a large message, between before and after.
func fill(before, s, after string) string {
	n := (size - len(before) - len(after)) / len(s)
	return before + strings.Repeat(s, n) + after
}

// numbered repeats f(0), f(1) and so on up to the size.
func numbered(before string, f func(n int) string, after string) string {
	var b strings.Builder
	b.WriteString(before)
	for n := 0; b.Len() < size-len(after)-100; n++ {
		b.WriteString(f(n))
	}
	return b.String() + after
}

const canary = "SMITH"

// refused is a document that must be refused, and a part of the reason.
type refused struct {
	name string
	make func() string
	want string
}

// large are of the size that a source takes, and made to be dear.
var large = []refused{
	{"nested a million deep", func() string { return strings.Repeat("<a>", 1<<20) }, "MaxDepth of 100"},
	{"nested and closed", func() string { return strings.Repeat("<a>", 1<<20) + strings.Repeat("</a>", 1<<20) }, "MaxDepth of 100"},
	{"a million attributes", func() string {
		return numbered("<a", func(n int) string { return " a" + strconv.Itoa(n) + `=""` }, "/>")
	}, "MaxAttributes of 256"},
	{"elements without end", func() string { return fill("<r>", "<a/>", "</r>") }, "MaxElements of 1000000"},
	{"elements and texts", func() string { return fill("<r>", "<a/>x", "</r>") }, "MaxNodes of 1500000"},
	{"attributes without end", func() string {
		return fill("<r>", `<a a="" b="" c="" d="" e="" f="" g=""/>`, "</r>")
	}, "MaxNodes of 1500000"},
	{"comments without end", func() string { return fill("<r>", "<!---->", "</r>") }, "MaxNodes of 1500000"},
	{"comments outside", func() string { return fill("<r/>", "<!---->", "") }, "MaxNodes of 1500000"},
	{"tags of 256 attributes", func() string {
		var tag strings.Builder
		tag.WriteString("<e")
		for n := range 255 {
			tag.WriteString(" a" + strconv.Itoa(n) + `="1"`)
		}
		return fill("<r>", tag.String()+"/>", "</r>")
	}, "MaxNodes of 1500000"},
	{"a namespace for each element", func() string {
		return numbered("<r>", func(n int) string { return `<a xmlns="u` + strconv.Itoa(n) + `"/>` }, "</r>")
	}, "MaxNamespaces of 1000"},
	{"a prefix for each element", func() string {
		return numbered("<r>", func(n int) string { return `<a xmlns:p` + strconv.Itoa(n) + `="u"/>` }, "</r>")
	}, "MaxNamespaces of 1000"},
	{"declarations nested", func() string {
		return numbered("<r>", func(n int) string { return `<a xmlns="u` + strconv.Itoa(n%900) + `">` }, "")
	}, "MaxDepth of 100"},
	{"never closed", func() string { return fill("<r>", canary+" text ", "") }, "ends within 1 open elements"},
	{"a comment never closed", func() string { return fill("<r><!--", canary+" ", "") }, "comment without an end"},
	{"a CDATA section never closed", func() string { return fill("<r><![CDATA[", "]] ", "") }, "CDATA section without an end"},
	{"an instruction never closed", func() string { return fill("<r><?a ", "?", "") }, "instruction without an end"},
	{"a value never closed", func() string { return fill(`<r a="`, canary+" ", "") }, "value without an end"},
	{"a tag never closed", func() string { return fill(`<r`, " ", "") }, "within a tag"},
	{"a huge name", func() string { return fill("<", "a", "/>") }, "MaxName of 1024"},
	{"a huge attribute name", func() string { return fill("<r ", "a", `=""/>`) }, "MaxName of 1024"},
	{"a huge instruction name", func() string { return fill("<r/><?", "a", "?>") }, "MaxName of 1024"},
	{"a huge reference", func() string { return fill("<r>&#", "0", ";</r>") }, "no character of XML 1.0"},
	{"ampersands", func() string { return fill("<r>", "&", "</r>") }, "five entities"},
	{"the last byte is bad", func() string { return fill("<r>", "<a>x</a> \n  text   text   text   text", "\x01</r>") }, "does not allow"},
	{"a wrong end tag, late", func() string { return fill("<r>", "<a>1234567890123456789012</a>", "</s>") }, "line 1, column 1"},
	{"a huge declaration", func() string { return fill(`<?xml version="1.0"`, " ", "?><a/>") }, "declaration is malformed"},
	{"UTF-16, all of it", func() string { return "\xff\xfe" + strings.Repeat("<\x00", size/2) }, "no name"},
	{"UTF-16, half a pair at the end", func() string { return "\xff\xfe" + strings.Repeat("a\x00", size/2) + "\x00\xd8" }, "not UTF-16"},
	{"ISO-8859-1 that doubles", func() string {
		return fill(`<?xml version="1.0" encoding="ISO-8859-1"?><r>`, "\xe9", "</s>")
	}, "end tag"},
}

// hostile are small.
var hostile = []refused{
	{"document type", text1(`<!DOCTYPE a><a/>`), "document type"},
	{"document type later", text1(`<a/><!DOCTYPE a>`), "document type"},
	{"document type within", text1(`<a><!DOCTYPE a></a>`), "document type"},
	{"external entity", text1(`<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`), "document type"},
	{"external subset", text1(`<!DOCTYPE a SYSTEM "http://169.254.169.254/latest">` + `<a/>`), "document type"},
	{"billion laughs", text1(`<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><l>&c;</l>`), "document type"},
	{"document type in UTF-16", func() string { return string(inUTF16LE.encode([]byte("\xff\xfe"), []byte(`<!DOCTYPE a><a/>`))) }, "document type"},
	{"document type in small letters", text1(`<!doctype a><a/>`), "neither a comment nor"},
	{"entity declaration", text1(`<!ENTITY a "b"><a/>`), "neither a comment nor"},
	{"undeclared entity", text1(`<a>&smith;</a>`), "five entities"},
	{"undeclared entity in a value", text1(`<a b="&nbsp;"/>`), "five entities"},
	{"two roots", text1(`<a/><b/>`), "second root"},
	{"text behind the root", text1(`<a/>SMITH`), "text outside"},
	{"text before the root", text1(`SMITH<a/>`), "text outside"},
	{"a reference outside", text1(`<a/>&#32;`), "text outside"},
	{"CDATA outside", text1(`<a/><![CDATA[x]]>`), "neither a comment nor"},
	{"nothing", text1(``), "no root"},
	{"only a comment", text1(`<!-- SMITH -->`), "no root"},
	{"only a declaration", text1(`<?xml version="1.0"?>`), "no root"},
	{"duplicate attribute", text1(`<a SMITH="1" SMITH="2"/>`), "has already"},
	{"duplicate by expanded name", text1(`<a xmlns:p="u" xmlns:q="u" p:SMITH="1" q:SMITH="2"/>`), "same namespace"},
	{"duplicate among many", text1(`<a a="" b="" c="" d="" e="" f="" g="" h="" i="" j="" a=""/>`), "has already"},
	{"duplicate by expanded name among many", text1(`<a xmlns:p="u" xmlns:q="u" a="" b="" c="" d="" e="" f="" g="" h="" i="" p:z="" q:z=""/>`), "same namespace"},
	{"duplicate declaration", text1(`<a xmlns:p="u" xmlns:p="w"/>`), "has already"},
	{"undeclared prefix", text1(`<SMITH:a/>`), "prefix is not declared"},
	{"undeclared prefix of an attribute", text1(`<a SMITH:b=""/>`), "prefix is not declared"},
	{"prefix of a sibling", text1(`<a><b xmlns:p="u"/><p:c/></a>`), "prefix is not declared"},
	{"prefix taken back", text1(`<a xmlns:p="u"><b xmlns:p=""/></a>`), "without a namespace"},
	{"xmlns declared", text1(`<a xmlns:xmlns="u"/>`), "cannot be declared"},
	{"xmlns namespace declared", text1(`<a xmlns:p="http://www.w3.org/2000/xmlns/"/>`), "cannot be declared"},
	{"xml bound to another", text1(`<a xmlns:xml="u"/>`), "belong together"},
	{"xml's namespace under another prefix", text1(`<a xmlns:p="http://www.w3.org/XML/1998/namespace"/>`), "belong together"},
	{"xml's namespace as default", text1(`<a xmlns="http://www.w3.org/XML/1998/namespace"/>`), "belong together"},
	{"xml's namespace in references", text1(`<a xmlns:p="http://www.w3.org/XML/1998/name&#115;pace"/>`), "belong together"},
	{"element with prefix xmlns", text1(`<xmlns:a/>`), "prefix is not declared"},
	{"two colons", text1(`<a:b:c xmlns:a="u"/>`), "two colons"},
	{"colon first", text1(`<:a/>`), "no name"},
	{"colon last", text1(`<a:/>`), "colon"},
	{"digit first", text1(`<1a/>`), "no name"},
	{"digit after the colon", text1(`<a:1 xmlns:a="u"/>`), "colon"},
	{"blank before the name", text1(`< a/>`), "no name"},
	{"wrong end tag", text1(`<SMITH></SMITHY>`), "end tag that is not"},
	{"end tag too short", text1(`<SMITH></SMIT>`), "end tag that is not"},
	{"overlapping", text1(`<a><b></a></b>`), "end tag that is not"},
	{"end tag with an attribute", text1(`<a></a b="">`), "end tag that is not"},
	{"end tag alone", text1(`</a>`), "no name"},
	{"end tag behind the root", text1(`<a/></a>`), "second root"},
	{"slash in the tag", text1(`<a / b="1">`), "slash"},
	{"no value", text1(`<a b/>`), "without a value"},
	{"no quotes", text1(`<a b=1/>`), "without quotes"},
	{"no blank between", text1(`<a b="1"c="2"/>`), "no white space"},
	{"angle bracket in a value", text1(`<a b="<SMITH"/>`), "within an attribute"},
	{"NUL", text1("<a>SMITH\x00</a>"), "does not allow"},
	{"control", text1("<a>\x0b</a>"), "does not allow"},
	{"control in a value", text1("<a b='\x1b'/>"), "does not allow"},
	{"control in a comment", text1("<a><!--\x02--></a>"), "does not allow"},
	{"control in CDATA", text1("<a><![CDATA[\x03]]></a>"), "does not allow"},
	{"control in an instruction", text1("<a><?p \x04?></a>"), "does not allow"},
	{"control by reference", text1("<a>&#1;</a>"), "no character"},
	{"NUL by reference", text1("<a>&#x0;</a>"), "no character"},
	{"surrogate by reference", text1("<a>&#xD800;</a>"), "no character"},
	{"beyond Unicode by reference", text1("<a>&#x110000;</a>"), "no character"},
	{"overflow by reference", text1("<a>&#99999999999999999999;</a>"), "no character"},
	{"signed reference", text1("<a>&#-1;</a>"), "no character"},
	{"capital X", text1("<a>&#X41;</a>"), "no character"},
	{"U+FFFE", text1("<a>\ufffe</a>"), "does not allow"},
	{"U+FFFF in a value", text1("<a b='\uffff'/>"), "does not allow"},
	{"surrogate in UTF-8", text1("<a>\xed\xa0\x80</a>"), "not UTF-8"},
	{"overlong", text1("<a>\xc0\xbcb></a>"), "not UTF-8"},
	{"Latin-1 undeclared", text1("<a>\xe9</a>"), "not UTF-8"},
	{"cut within a character", text1("<a>x</a>\xc3"), "not UTF-8"},
	{"high byte in ASCII", text1(`<?xml version="1.0" encoding="US-ASCII"?>` + "<a>\xc3\xa9</a>"), "US-ASCII"},
	{"UTF-7", text1(`<?xml version="1.0" encoding="UTF-7"?>+ADw-a/+AD4-`), "utf-7 is not read"},
	{"unknown encoding", text1(`<?xml version="1.0" encoding="SMITH"?><a/>`), "encoding is not read"},
	{"UTF-16 declared, UTF-8 sent", text1(`<?xml version="1.0" encoding="UTF-16"?><a/>`), "declares UTF-16 but"},
	{"UTF-8 declared, UTF-16 sent", func() string {
		return string(inUTF16BE.encode([]byte("\xfe\xff"), []byte(`<?xml version="1.0" encoding="UTF-8"?><a/>`)))
	}, "but is UTF-16"},
	{"Latin-1 declared under the mark of UTF-8", text1("\xef\xbb\xbf" + `<?xml version="1.0" encoding="ISO-8859-1"?><a/>`), "byte order mark"},
	{"UTF-16 of odd length", text1("\xff\xfe<\x00a\x00/\x00>\x00\x00"), "not UTF-16"},
	{"UTF-16 lone low surrogate", text1("\xff\xfe<\x00a\x00>\x00\x00\xdc"), "not UTF-16"},
	{"UTF-16 without mark", text1("<\x00a\x00/\x00>\x00"), "without a byte order mark"},
	{"UTF-32", text1("\xff\xfe\x00\x00<\x00\x00\x00"), "UTF-32"},
	{"EBCDIC", text1("\x4c\x6f\xa7\x94\x93"), "EBCDIC"},
	{"two marks", text1("\xef\xbb\xbf\xef\xbb\xbf<a/>"), "text outside"},
	{"XML 1.1", text1(`<?xml version="1.1"?><a/>`), "only XML 1.0"},
	{"declaration without version", text1(`<?xml encoding="UTF-8"?><a/>`), "malformed"},
	{"declaration out of order", text1(`<?xml version="1.0" standalone="yes" encoding="UTF-8"?><a/>`), "malformed"},
	{"standalone", text1(`<?xml version="1.0" standalone="perhaps"?><a/>`), "standalone"},
	{"blank before the declaration", text1(` <?xml version="1.0"?><a/>`), "not at the very start"},
	{"second declaration", text1(`<a><?xml version="1.0"?></a>`), "not at the very start"},
	{"declaration in capitals", text1(`<?XML version="1.0"?><a/>`), "not at the very start"},
	{"instruction without name", text1(`<a><? x?></a>`), "without a name"},
	{"instruction with a colon", text1(`<a><?p:q x?></a>`), "malformed"},
	{"]]> in text", text1(`<a>]]></a>`), "]]> in text"},
	{"CDATA in CDATA", text1(`<a><![CDATA[<![CDATA[x]]>]]></a>`), "]]> in text"},
	{"CDATA in small letters", text1(`<a><![cdata[x]]></a>`), "neither a comment nor"},
	{"CDATA in a tag", text1(`<a <![CDATA[x]]>/>`), "no name"},
	{"-- in a comment", text1(`<a><!-- x -- y --></a>`), "-- within"},
	{"--- at the end of a comment", text1(`<a><!-- x ---></a>`), "-- within"},
	{"half a comment", text1(`<a><!--></a>`), "comment without an end"},
	{"conditional section", text1(`<a><![INCLUDE[x]]></a>`), "neither a comment nor"},
	{"ends in a tag", text1(`<a><`), "within a tag"},
	{"ends in a name", text1(`<a`), "within a tag"},
	{"ends in an end tag", text1(`<a></a`), "end tag that is not"},
	{"JSON", text1(`{"name":"SMITH"}`), "text outside"},
	{"HL7 v2", text1("MSH|^~\\&|A\rPID|1||SMITH"), "text outside"},
}

func text1(s string) func() string { return func() string { return s } }

// Each is refused for its own reason, within 64 MB beside the document, and no
// error shows content. That it takes time by the length alone follows from the
// memory, from one look at each byte, and is measured by the benchmark.
func TestHostile(t *testing.T) {
	for n, c := range slices.Concat(large, hostile) {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && n < len(large) {
				t.Skip("a large one")
			}
			b := []byte(c.make())
			was := bytes.Clone(b[:min(len(b), 1000)])
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			d, err := Parse(b, Options{})
			runtime.ReadMemStats(&after)
			var p *ParseError
			if d != nil || !errors.As(err, &p) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want %s", err, c.want)
			}
			if strings.Contains(strings.ToUpper(err.Error()), canary) || p.Offset < 0 || p.Offset > len(b) || p.Line < 1 || p.Column < 1 {
				t.Errorf("%v", err)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
				t.Errorf("%d MB", used>>20)
			}
			if !bytes.Equal(was, b[:len(was)]) {
				t.Error("the bytes were changed")
			}
		})
	}
}

// The largest tree that the default limits let through.
func TestLargestAcceptedFitsToo(t *testing.T) {
	b := []byte("<r>" + strings.Repeat("<a/>x", 740_000) + "</r>")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	d, err := Parse(b, Options{})
	runtime.ReadMemStats(&after)
	if err != nil || d.Text(sel(t, "count(//a)")) != "740000" {
		t.Fatal(err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
		t.Errorf("%d MB", used>>20)
	}
}

// The small ones also lie in testdata/hostile, for other tools to try.
func TestHostileFiles(t *testing.T) {
	for _, c := range hostile {
		if s := c.make(); len(s) > 0 {
			path := filepath.Join("testdata", "hostile", strings.Map(func(r rune) rune {
				if r < 0x80 && (isNameChar(r) || r == ' ') {
					return r
				}
				return '_'
			}, strings.ReplaceAll(c.name, " ", "-"))+".xml")
			if *update {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(s), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got, err := os.ReadFile(path)
			if err != nil || string(got) != s {
				t.Errorf("%s: %v; go test -update writes it", path, err)
			}
		}
	}
}

func BenchmarkHostile(b *testing.B) {
	for _, c := range large {
		in := []byte(c.make())
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(in, Options{}); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}
