package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
)

// hostileDoc is a document that must be refused.
type hostileDoc struct {
	name string
	body []byte
	gzip bool // sent as Content-Encoding: gzip
}

// hostileDocs are written again here and not taken from the tests of the reader:
// nothing is shared with what is tried. Those that are large fill up size bytes,
// the most that the listener takes.
func hostileDocs(size int) ([]hostileDoc, error) {
	bomb, err := gzipOf(bytes.Repeat([]byte(" "), 300*size))
	if err != nil {
		return nil, err
	}
	docs := append(largeDocs(size), smallDocs()...)
	return append(docs,
		hostileDoc{name: "one byte too many", body: fillTo(size+1, "<r>", "x", "</r>")},
		hostileDoc{name: "a gzip bomb", body: bomb, gzip: true},
		hostileDoc{name: "not gzip", body: []byte("<a/>"), gzip: true}), nil
}

func gzipOf(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	err := w.Close()
	return out.Bytes(), err
}

// fillTo repeats s between before and after up to size bytes, exactly: what is left
// over is blanks before the end.
func fillTo(size int, before, s, after string) []byte {
	room := size - len(before) - len(after)
	n := room / len(s)
	return []byte(before + strings.Repeat(s, n) + strings.Repeat(" ", room-n*len(s)) + after)
}

// numberTo is fillTo with a text that counts.
func numberTo(size int, before, format, after string) []byte {
	out := []byte(before)
	for n := 0; len(out) < size-len(after)-64; n++ {
		out = fmt.Appendf(out, format, n)
	}
	return append(out, after...)
}

func largeDocs(size int) []hostileDoc {
	deep := size / 7
	bed := `<v:Batch xmlns:v="urn:example:bedside:2" id="B1" kind="results" made="2026-11-22T10:00:00Z"><v:Device ward="W1"/>`
	return []hostileDoc{
		{name: "nested, never closed", body: fillTo(size, "<a>", "<a>", "")},
		{name: "nested and closed", body: []byte(strings.Repeat("<a>", deep) + strings.Repeat("</a>", deep))},
		{name: "a flood of attributes", body: numberTo(size, "<a", ` a%d=""`, "/>")},
		{name: "a flood of attributes in many tags", body: fillTo(size, "<r>", "<a"+manyAttributes()+"/>", "</r>")},
		{name: "empty elements", body: fillTo(size, "<r>", "<a/>", "</r>")},
		{name: "elements and texts", body: fillTo(size, "<r>", "<a/>x", "</r>")},
		{name: "comments", body: fillTo(size, "<r>", "<!---->", "</r>")},
		{name: "a namespace for each element", body: numberTo(size, "<r>", `<a xmlns="u%d"/>`, "</r>")},
		{name: "a prefix for each element", body: numberTo(size, "<r>", `<a xmlns:p%d="u"/>`, "</r>")},
		{name: "a huge name", body: fillTo(size, "<", "a", "/>")},
		{name: "a huge attribute name", body: fillTo(size, "<r ", "a", `=""/>`)},
		{name: "a value without an end", body: fillTo(size, `<r a="`, "x", "")},
		{name: "a comment without an end", body: fillTo(size, "<r><!--", "- ", "")},
		{name: "CDATA without an end", body: fillTo(size, "<r><![CDATA[", "]] ", "")},
		{name: "an instruction without an end", body: fillTo(size, "<r><?a ", "?", "")},
		{name: "ampersands", body: fillTo(size, "<r>", "&", "</r>")},
		{name: "a huge reference", body: fillTo(size, "<r>&#", "0", ";</r>")},
		{name: "a wrong end tag at the end", body: fillTo(size, "<r>", "<a>text</a>", "</s>")},
		{name: "a bad byte at the end", body: fillTo(size, "<r>", "<a>text</a>", "\x01</r>")},
		{name: "quadratic entities", body: fillTo(size, `<!DOCTYPE r [<!ENTITY a "`+strings.Repeat("x", size/4)+`">]><r>`, "&a;", "</r>")},
		{name: "UTF-16, all brackets", body: fillTo(size, "\xff\xfe", "<\x00", "")},
		{name: "patients without a number", body: fillTo(size, bed, "<v:Patient/>", "</v:Batch>")},
		{name: "patients in patients", body: []byte(bed + strings.Repeat("<v:Patient>", 200) + strings.Repeat("</v:Patient>", 200) + "</v:Batch>")},
	}
}

func manyAttributes() string {
	var b strings.Builder
	for n := range 250 {
		fmt.Fprintf(&b, ` a%d="1"`, n)
	}
	return b.String()
}

func smallDocs() []hostileDoc {
	rows := []struct{ name, body string }{
		{"billion laughs", laughs()},
		{"an external entity", `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`},
		{"an external subset at a metadata address", `<!DOCTYPE a SYSTEM "http://169.254.169.254/latest"><a/>`},
		{"a parameter entity", `<!DOCTYPE a [<!ENTITY % p SYSTEM "http://169.254.169.254/p"> %p;]><a/>`},
		{"an empty document type", `<!DOCTYPE a><a/>`},
		{"XInclude of a file", `<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd" parse="text"/></a>`},
		{"an undeclared entity", `<a>&smith;</a>`},
		{"two roots", `<a/><b/>`},
		{"text behind the root", `<a/>text`},
		{"a duplicate attribute", `<a b="1" b="2"/>`},
		{"a duplicate by namespace", `<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>`},
		{"an undeclared prefix", `<p:a/>`},
		{"overlapping elements", `<a><b></a></b>`},
		{"NUL", "<a>\x00</a>"},
		{"half a surrogate by reference", `<a>&#xD800;</a>`},
		{"overlong UTF-8", "<a>\xc0\xaf</a>"},
		{"UTF-8 declared, UTF-16 sent", "\xff\xfe" + inUTF16(`<?xml version="1.0" encoding="UTF-8"?><a/>`)},
		{"UTF-16 of odd length", "\xff\xfe" + inUTF16(`<a/>`) + "<"},
		{"UTF-32", "\x00\x00\xfe\xff\x00\x00\x00<\x00\x00\x00a\x00\x00\x00/\x00\x00\x00>"},
		{"UTF-7", `<?xml version="1.0" encoding="UTF-7"?>+ADw-a/+AD4-`},
		{"EBCDIC", "\x4c\x6f\xa7\x94\x93\x40\xa5\x85\x99\xa2\x89\x96\x95"},
		{"an unknown encoding", `<?xml version="1.0" encoding="x-none"?><a/>`},
		{"XML 1.1", `<?xml version="1.1"?><a>&#1;</a>`},
		{"HL7 v2", "MSH|^~\\&|A|B|C|D|20261122||ADT^A01|1|P|2.4\r"},
		{"JSON", `{"a": 1}`},
		{"a batch of another version", `<v:Batch xmlns:v="urn:example:bedside:1" id="B1"/>`},
	}
	docs := make([]hostileDoc, len(rows))
	for i, r := range rows {
		docs[i] = hostileDoc{name: r.name, body: []byte(r.body)}
	}
	return docs
}

// laughs is ten entities of ten of the one before: 10^10 times "ha".
func laughs() string {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE l [<!ENTITY e0 "ha">`)
	for n := range 10 {
		fmt.Fprintf(&b, `<!ENTITY e%d "%s">`, n+1, strings.Repeat(fmt.Sprintf("&e%d;", n), 10))
	}
	return b.String() + `]><l>&e10;</l>`
}

func inUTF16(s string) string {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return string(out)
}
