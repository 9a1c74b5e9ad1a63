package xmldoc

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spine-engine/spine-engine/internal/message"
)

// small limits keep a fuzzer's inputs quick.
var small = Options{MaxBytes: 1 << 20, MaxNodes: 20_000}

func seeds(f *testing.F) {
	f.Add([]byte(batch))
	f.Add([]byte(table1))
	for _, c := range encodings {
		f.Add(c.in)
	}
	for _, c := range hostile {
		if s := c.make(); len(s) < 1<<10 {
			f.Add([]byte(s))
		}
	}
}

// Parse never panics, gives back the slice it got, writes the same bytes from
// the tree, and agrees with encoding/xml, which is laxer, about what is in it.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Parse(b, small)
		if err != nil {
			if p := err.(*ParseError); p.Offset < 0 || p.Offset > len(b) || p.Line < 1 || p.Column < 1 {
				t.Errorf("%v", err)
			}
			return
		}
		if got := d.Bytes(); len(got) != len(b) || &got[0] != &b[0] {
			t.Fatal("not the slice that was parsed")
		}
		touched(t, "it", d, b)
		if d.src.same && d.src.enc == inUTF8 {
			agrees(t, d, b)
		}
	})
}

// agrees compares the root's text with what the standard library reads.
func agrees(t *testing.T, d *Doc, b []byte) {
	var text strings.Builder
	elements := 0
	for dec := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))); ; {
		tok, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil { // the library refuses some names of the fifth edition
			return
		}
		switch x := tok.(type) {
		case xml.StartElement:
			elements++
		case xml.CharData:
			if elements > 0 {
				text.Write(x)
			}
		}
	}
	want := strings.TrimRight(text.String(), " \n\t")
	if got := strings.TrimRight(d.value(0), " \n\t"); got != want {
		t.Errorf("text %q, the library reads %q", got, want)
	}
}

// What is set is read back, from the tree and from its bytes, and nothing
// outside of the edited node changes.
func FuzzSet(f *testing.F) {
	for _, text := range []string{"", "plain", "a<b>&\"'c", "]]>", "\r\n\t x ", "é€\U0001F3E5", "\x00", "\xff", "\ufffe", "&amp;"} {
		f.Add(text, uint8(0))
		f.Add(text, uint8(5))
		f.Add(text, uint8(8))
	}
	places := []string{"/a/b", "/a/@n", "/a/c/@new", "/a/new/leaf", "/a/v:x/@v:y", "/a/b/text()"}
	f.Fuzz(func(t *testing.T, text string, which uint8) {
		c := encodings[int(which)%len(encodings)]
		d, err := Parse(c.in, small)
		if err != nil {
			t.Fatal(err)
		}
		for _, place := range places {
			e := d.Clone().(*Doc)
			s := sel(t, place)
			err := e.Set(s, text)
			if !fitsXML(text) {
				if err == nil || e.Edited() {
					t.Fatalf("%s: a text that XML cannot carry: %v", place, err)
				}
				continue
			}
			if err != nil {
				continue
			}
			again, err := Parse(e.Bytes(), small)
			if err != nil || e.Text(s) != text || again.Text(s) != text {
				t.Fatalf("%s in %s: %v: %q, again %q, of %q", place, c.name, err, e.Text(s), again.Text(s), text)
			}
			if place == "/a/b" {
				if _, err := again.Remove(s); err != nil {
					t.Fatal(err)
				}
				if _, err := e.Remove(s); err != nil || !bytes.Equal(e.Bytes(), again.Bytes()) {
					t.Fatal("something else was changed")
				}
			}
			if !bytes.Equal(d.Bytes(), c.in) {
				t.Fatal("the edit of a clone shows")
			}
		}
	})
}

func fitsXML(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !isChar(r) }) < 0
}

// A fragment is either refused and nothing happens, or the whole stays a document.
func FuzzSetRaw(f *testing.F) {
	for _, c := range hostile {
		if s := c.make(); len(s) < 200 {
			f.Add(s)
		}
	}
	f.Add(`<v:x xmlns:v="u" v:k="1">t<!-- c --></v:x>`)
	f.Fuzz(func(t *testing.T, raw string) {
		for _, place := range []string{"/v:Batch/v:Device", "/v:Batch/@id", "/v:Batch/v:New"} {
			d := parse(t, batch)
			if err := d.SetRaw(sel(t, place), raw); err != nil {
				if d.Edited() {
					t.Fatalf("%s: refused and edited: %v", place, err)
				}
				continue
			}
			again, err := Parse(d.Bytes(), Options{})
			if err != nil || shape(again) != shape(d) {
				t.Fatalf("%s: %v: %s", place, err, d.Bytes())
			}
		}
	})
}

// No text makes the compiler panic, and what it accepts can be evaluated.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{"/v:a/v:b[@c='1']", "count(//a) + 1", "r/v:Code", "//a[position()=last()]/@*", "a | b", "substring('x', 1 div 0)", "((//a))[1]", "-(1)", "preceding::node()"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		s, err := Compile(in, vendor)
		LooksLike(in)
		if err != nil {
			if e := err.(*SelectorError); e.Offset < 0 || e.Offset > len(in) {
				t.Errorf("%v", err)
			}
			return
		}
		d := parse(t, batch)
		list := d.List(s)
		if d.Err() != nil {
			return
		}
		if text := d.Text(s); len(list) > 0 && text != list[0] {
			t.Errorf("%s: %q, and first of the list %q", in, text, list[0])
		}
		if (d.Presence(s) == message.Absent) != (len(list) == 0) {
			t.Errorf("%s: presence", in)
		}
		var edits message.Doc = d.Clone()
		_ = edits.Set(s, "x")
		_ = edits.(*Doc).Create(s)
		_, _ = edits.Remove(s)
		if _, err := Parse(edits.(*Doc).Bytes(), Options{}); err != nil {
			t.Errorf("%s: %v", in, err)
		}
	})
}
