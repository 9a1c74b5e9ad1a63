package xmldoc

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// coded gives a document in an encoding, as a sender would write it.
func coded(e encoding, bom, declared, body string) []byte {
	decl := ""
	if declared != "" {
		decl = `<?xml version="1.0" encoding="` + declared + `"?>` + "\r\n"
	}
	return e.encode([]byte(bom), []byte(decl+body))
}

const zoë = "<a n='Zoë'>Ünïcode<b/>\r\n<c>end</c></a>"

var encodings = []struct {
	name string
	in   []byte
	unit int // bytes of a character of ASCII
	euro string
}{
	{"UTF-8", coded(inUTF8, "", "UTF-8", zoë), 1, "€"},
	{"UTF-8 undeclared", coded(inUTF8, "", "", zoë), 1, "€"},
	{"UTF-8 with mark", coded(inUTF8, "\xef\xbb\xbf", "utf-8", zoë), 1, "€"},
	{"UTF-8 with mark, undeclared", coded(inUTF8, "\xef\xbb\xbf", "", zoë), 1, "€"},
	{"Latin-1", coded(inLatin1, "", "ISO-8859-1", zoë), 1, "&#8364;"},
	{"Latin-1, only ASCII so far", coded(inLatin1, "", "iso-8859-1", "<a n='x'>y<b/></a>"), 1, "&#8364;"},
	{"windows-1252", coded(in1252, "", "windows-1252", zoë+"<!-- €\u201c\u0081 -->"), 1, "\x80"},
	{"ASCII", []byte(`<?xml version="1.0" encoding="us-ascii"?><a n="x">y<b/></a>`), 1, "&#8364;"},
	{"UTF-16LE", coded(inUTF16LE, "\xff\xfe", "UTF-16", zoë+"<!--\U0001F3E5-->"), 2, "\xac\x20"},
	{"UTF-16BE", coded(inUTF16BE, "\xfe\xff", "UTF-16", zoë), 2, "\x20\xac"},
	{"UTF-16 undeclared", coded(inUTF16BE, "\xfe\xff", "", zoë), 2, "\x20\xac"},
}

func TestEncodings(t *testing.T) {
	for _, c := range encodings {
		t.Run(c.name, func(t *testing.T) {
			d, err := Parse(c.in, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := d.Bytes(); &got[0] != &c.in[0] || len(got) != len(c.in) {
				t.Error("unedited it is not the slice that came")
			}
			if err := d.Set(sel(t, "/a/b"), "1€2 ü"); err != nil {
				t.Fatal(err)
			}
			out := d.Bytes()
			at := prefixLen(c.in, out)
			if tail := suffixLen(c.in, out); at+tail < len(c.in)-2*c.unit-len("/>")*c.unit {
				t.Errorf("more than <b/> has changed: %d + %d of %d bytes", at, tail, len(c.in))
			}
			if !bytes.Contains(out, []byte(c.euro)) {
				t.Errorf("the euro sign is not written as %q: %q", c.euro, out)
			}
			again, err := Parse(out, Options{})
			if err != nil || again.Text(sel(t, "/a/b")) != "1€2 ü" || again.Encoding() != d.Encoding() {
				t.Errorf("read again: %v", err)
			}
			if d.Text(sel(t, "/a/@n")) != again.Text(sel(t, "/a/@n")) || d.Size() != len(out) {
				t.Error("the rest")
			}
			d.Spans(func(s Span) bool {
				if s.Original && !bytes.Equal(s.Bytes, c.in[s.Offset:s.Offset+s.Length]) {
					t.Error("a span that is not where it says")
				}
				return true
			})
		})
	}
}

func prefixLen(a, b []byte) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func suffixLen(a, b []byte) (n int) {
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}

func TestPartsKeepTheEncoding(t *testing.T) {
	for _, c := range encodings {
		if !strings.Contains(c.name, "UTF-16") && !strings.Contains(c.name, "Latin-1") {
			continue
		}
		d, err := Parse(c.in, Options{})
		if err != nil {
			t.Fatal(err)
		}
		items, err := d.Items(sel(t, "/a/b"))
		if err != nil {
			t.Fatal(err)
		}
		parts, err := d.Cut(items, nil)
		if err != nil || parts[0].Text(sel(t, "/a/@n")) != d.Text(sel(t, "/a/@n")) || parts[0].(*Doc).Encoding() != d.Encoding() {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestFragmentsFitTheEncoding(t *testing.T) {
	d, err := Parse(coded(inLatin1, "", "ISO-8859-1", "<a><b>é</b></a>"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for raw, ok := range map[string]bool{
		"<c k='€'>€ é</c>": true, "<!-- é -->": true, "<!-- € -->": false, "<![CDATA[€]]>": false, "<?p €?>": false, "<ë/>": true, "<\u0142/>": false,
	} {
		c := d.Clone().(*Doc)
		err := c.SetRaw(sel(t, "/a/b"), raw)
		if (err == nil) != ok || !ok && c.Edited() {
			t.Errorf("%s: %v", raw, err)
		}
		if _, err := Parse(c.Bytes(), Options{}); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

func TestErrorsSayWhere(t *testing.T) {
	for _, c := range []struct {
		in                string
		line, col, offset int
	}{
		{"<a>\n<b>\n</a>", 3, 1, 8},
		{"<a>é&x;</a>", 1, 5, 5},
		{"\xef\xbb\xbf<a>&</a>", 1, 5, 6},
		{string(inUTF16LE.encode([]byte("\xff\xfe"), []byte("<a>\n é&x;</a>"))), 2, 3, 14},
		{string(inLatin1.encode(nil, []byte(`<?xml version="1.0" encoding="latin1"?>`+"\n<a>é&x;</a>"))), 2, 5, 44},
	} {
		_, err := Parse([]byte(c.in), Options{})
		p, ok := err.(*ParseError)
		if !ok || p.Line != c.line || p.Column != c.col || p.Offset != c.offset {
			t.Errorf("%q: %v", c.in, err)
		}
	}
}

func TestLimits(t *testing.T) {
	deep := strings.Repeat("<a>", 50) + strings.Repeat("</a>", 50)
	for _, c := range []struct {
		name, in string
		o        Options
		ok       bool
	}{
		{"depth as allowed", deep, Options{MaxDepth: 50}, true},
		{"depth one more", deep, Options{MaxDepth: 49}, false},
		{"attributes", `<a b="" c=""/>`, Options{MaxAttributes: 2}, true},
		{"attributes, one more", `<a b="" c=""/>`, Options{MaxAttributes: 1}, false},
		{"elements", `<a><b/></a>`, Options{MaxElements: 2}, true},
		{"elements, one more", `<a><b/></a>`, Options{MaxElements: 1}, false},
		{"nodes", `<a>x<b c=""/></a>`, Options{MaxNodes: 4}, true},
		{"nodes, one more", `<a>x<b c=""/></a>`, Options{MaxNodes: 3}, false},
		{"name", `<abc/>`, Options{MaxName: 3}, true},
		{"name, one more", `<abcd/>`, Options{MaxName: 3}, false},
		{"bytes", `<abc/>`, Options{MaxBytes: 6}, true},
		{"bytes, one more", `<abcd/>`, Options{MaxBytes: 6}, false},
		{"namespaces", `<a xmlns="u" xmlns:p="w"/>`, Options{MaxNamespaces: 2}, true},
		{"namespaces, one more", `<a xmlns="u" xmlns:p="w" xmlns:q="x"/>`, Options{MaxNamespaces: 2}, false},
	} {
		if _, err := Parse([]byte(c.in), c.o); (err == nil) != c.ok || err != nil && !strings.Contains(err.Error(), "limit Max") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	d, err := Parse([]byte("<a><b/></a>"), Options{MaxDepth: 2})
	if err != nil {
		t.Fatal(err)
	}
	if d.SetRaw(sel(t, "/a/b"), "<c/>") == nil || d.Set(sel(t, "/a/b/c"), "x") == nil || d.SetRaw(sel(t, "/a"), "<c/>") != nil {
		t.Error("edits keep to the limits too")
	}
}

func TestAccepted(t *testing.T) {
	for _, s := range []string{
		`<a/>`, "<a\n/>", `<a></a >`, "\n<a/>\n", `<!----><a/><!-- - -->`, `<?p?><a/><?p q ?>`, `<a b='"' c="'>"/>`, `<a>]] > &#x41;&#0065;&lt;</a>`,
		`<a xmlns="u" xmlns:p="u" p:b="" b=""/>`, `<p:a xmlns:p="u"><p:b xmlns:p="w"/></p:a>`, `<a xmlns="u"><b xmlns=""/></a>`, `<a xml:space="preserve"/>`,
		`<a xmlns:xml="http://www.w3.org/XML/1998/namespace"/>`, `<a><![CDATA[]]></a>`, `<a><![CDATA[]]]]><![CDATA[>&<]]></a>`, `<é.-·/>`, "<a>\u0085\U00010000\ufffd</a>",
		`<?xml version='1.0' standalone="no" ?><a/>`, `<?xml-stylesheet href="x"?><a/>`, `<a><?xmlx ?></a>`, `<a b="&#10;&amp;"/>`, "<a>\r\n\r</a>",
	} {
		d, err := Parse([]byte(s), Options{})
		if err != nil {
			t.Errorf("%s: %v", s, err)
			continue
		}
		if err := d.SetNull(sel(t, "/*")); err != nil { // so that it is written from the tree
			t.Errorf("%s: %v", s, err)
		} else if _, err := Parse(d.Bytes(), Options{}); err != nil {
			t.Errorf("%s: %v: %s", s, err, d.Bytes())
		}
	}
}

func TestCorpus(t *testing.T) {
	root := "../../../shared/corpus/spine"
	if _, err := os.Stat(root); err != nil {
		t.Skip("no XML of the corpus: ", root)
	}
	read, no := 0, 0
	err := filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil || !bytes.HasPrefix(bytes.TrimSpace(b), []byte("<")) && !strings.HasSuffix(path, ".xml") {
			return err
		}
		d, err := Parse(b, Options{})
		if err != nil {
			no++
			t.Logf("%s: %v", filepath.Base(path), err)
			return nil
		}
		read++
		if !bytes.Equal(d.Bytes(), b) {
			t.Errorf("%s is not given back", path)
		}
		touched(t, path, d, b)
		return nil
	})
	if err != nil || read == 0 {
		t.Error(read, err)
	}
	t.Logf("%d read, %d refused", read, no)
}

// touched makes the tree write all of itself, piece by piece.
func touched(t *testing.T, path string, d *Doc, b []byte) {
	c := d.clone()
	for i := uint32(0); i < c.count; i++ {
		if n := c.edit(i); n.kind == kElement || n.kind == kRoot {
			n.flags |= dirty
		}
	}
	c.edited = true
	if !bytes.Equal(c.Bytes(), b) {
		t.Errorf("%s, written piece by piece, is another", path)
	}
}
