package conf

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func parse(t testing.TB, text string) (*Node, *Problems) {
	t.Helper()
	ps := &Problems{}
	ctx := &Context{Problems: ps, Resolve: func(kind, name string) (string, error) {
		if name == "missing" {
			return "", errors.New("not there")
		}
		return kind + "/" + name, nil
	}}
	return Parse(ctx, "f.yaml", []byte(text)), ps
}

func lines(ps *Problems) string {
	var out []string
	for _, p := range ps.Sorted() {
		out = append(out, p.String())
	}
	return strings.Join(out, "\n")
}

func TestProblems(t *testing.T) {
	for _, c := range []struct {
		name, text string
		read       func(*Node)
		want       string // begins
	}{
		{"empty", "", nil, "f.yaml: the file is empty"},
		{"comment only", "# x\n", nil, "f.yaml: the file is empty"},
		{"open brace", "a: { b: 1\nc: 2\n", nil, "f.yaml:2:2: YAML syntax: "},
		{"open quote", "a: \"x\nb: 1\n", nil, "f.yaml:"},
		{"colon in a text", "a: b: c\n", nil, "f.yaml:1:5: YAML syntax: "},
		{"tab", "a:\n\tb: 1\n", nil, "f.yaml:2:1: YAML syntax: "},
		{"tag", "a: !x y\n", nil, "f.yaml:1:4: YAML tags (!x)"},
		{"quoted exclamation mark", "a: '!x'\n", nil, ""},
		{"anchor", "a: &n 1\n", nil, "f.yaml:1:4: YAML anchors (&n)"},
		{"merge", "a: &n { x: 1 }\nb: { <<: *n }\n", nil, "f.yaml:1:4: YAML anchors (&n) are not part of the feed language; write the value out\nf.yaml:2:10: YAML aliases (*n)"},
		{"merge of a mapping written out", "b: { <<: { x: 1 } }\n", nil, "f.yaml:1:6: YAML merge keys (<<)"},
		{"two documents", "a: 1\n---\nb: 2\n", nil, "f.yaml:2:1: a second document begins here, and only the first is read"},
		{"UTF-16", "\xff\xfea\x00", nil, "f.yaml: the file is in UTF-16"},
		{"no UTF-8", "a: 1\nb: é\xe9\n", nil, "f.yaml:2:5: the byte 0xe9 is no text in UTF-8"},
		{"control character", "a: 1\nb: \x07\n", nil, "f.yaml:2:4: the control character 0x07"},
		{"null", "a: ~\n", nil, "f.yaml:1:4: no value"},
		{"null by nothing", "a:\nb: 1\n", nil, "f.yaml:1:3: no value"},
		{"duplicate key", "a: 1\nb: 2\na: 3\n", nil, "f.yaml:3:1: key \"a\" stands here twice, first in line 1"},
		{"unknown key", "a: 1\nlisen: 2\n", func(n *Node) { n.Map("thing", "a", "listen") }, "f.yaml:2:1: unknown key \"lisen\" in thing; did you mean \"listen\"?"},
		{"a list where a mapping is wanted", "a: [1]\n", func(n *Node) { n.Get("a").Fields() }, "f.yaml:1:4: expected a mapping (key: value), found a list"},
		{"a mapping where a text is wanted", "a: { b: 1 }\n", func(n *Node) { n.Get("a").Text() }, "f.yaml:1:4: expected a text, found a mapping"},
		{"one of", "a: lvie\n", func(n *Node) { n.Get("a").OneOf("", "test", "live") }, "f.yaml:1:4: \"lvie\" is not allowed here; did you mean \"live\"?"},
		{"duration", "a: 5 min\n", func(n *Node) { n.Get("a").Duration(0) }, "f.yaml:1:4: \"5 min\" is not a length of time"},
		{"size", "a: 5 megs\n", func(n *Node) { n.Get("a").Size(0) }, "f.yaml:1:4: \"5 megs\" is not a size"},
		{"size that overflows", "a: 9223372036854775807KiB\n", func(n *Node) { n.Get("a").Size(0) }, "f.yaml:1:4:"},
		{"number out of bounds", "a: 70\n", func(n *Node) { n.Get("a").Int(1, 1, 64) }, "f.yaml:1:4: \"70\" is out of place; write a whole number from 1 to 64"},
		{"yes or no", "a: yes\n", func(n *Node) { n.Get("a").Bool(false) }, "f.yaml:1:4: \"yes\" is not a yes or no"},
		{"reference", "a: ${env:missing}\n", func(n *Node) { n.Get("a").Text() }, "f.yaml:1:4: ${env:missing}: not there"},
		{"reference of no kind", "a: ${NAME}\n", func(n *Node) { n.Get("a").Text() }, "f.yaml:1:4: ${NAME} is not known"},
		{"reference not closed", "a: ${env:X\n", func(n *Node) { n.Get("a").Text() }, "f.yaml:1:4: ${ is not closed"},
		{"nothing more is said of a trap", "a: ~\n", func(n *Node) { n.Get("a").OneOf("", "b") }, "f.yaml:1:4: no value; leave the key out, or write \"\" for an empty text"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, ps := parse(t, c.text)
			if c.read != nil {
				c.read(n)
			}
			if got := lines(ps); !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
				t.Fatalf("got  %s\nwant %s", got, c.want)
			}
			if ps.Failed() != (c.want != "") {
				t.Fatal("Failed does not agree")
			}
		})
	}
}

// A scalar means the text that was written.
func TestTextsAreAsWritten(t *testing.T) {
	for _, c := range []struct{ written, want string }{
		{"0123", "0123"}, {"1E5", "1E5"}, {"NO", "NO"}, {"2026-10-01", "2026-10-01"}, {"200", "200"}, {"1_000", "1_000"},
		{"0x1F", "0x1F"}, {"12:30:45", "12:30:45"}, {"true", "true"}, {".5", ".5"}, {"'it''s'", "it's"}, {`"a\tb"`, "a\tb"},
		{"${env:X}-${value:y}", "env/X-value/y"}, {"${env:missing:-d}", "d"}, {"$5 {x}", "$5 {x}"},
	} {
		t.Run(c.written, func(t *testing.T) {
			n, ps := parse(t, "a: "+c.written+"\n")
			if got := n.Get("a").Text(); got != c.want || ps.Failed() {
				t.Fatalf("got %q %s", got, lines(ps))
			}
		})
	}
}

func TestAbsentNodes(t *testing.T) {
	n, ps := parse(t, "a: 1\n")
	m := n.Map("thing", "a", "b")
	b := m["b"]
	if b.Present() || b.Text() != "" || b.Duration(time.Second) != time.Second || b.Size(7) != 7 || b.Int(3, 0, 9) != 3 || !b.Bool(true) ||
		b.OneOf("d", "x") != "d" || len(b.Items()) != 0 || len(b.Fields()) != 0 || b.IsMap() || b.Quoted() || b.Comment() != "" || b.CutByComment() ||
		b.Get("x").Present() || b.Without("x").Present() || b.Place().Line != 0 || ps.Failed() {
		t.Fatal("an absent key must read as nothing")
	}
}

func TestUnits(t *testing.T) {
	n, ps := parse(t, "d: [300ms, 30s, 24h, 7d, 2w]\ns: [512, 64KiB, 16 MiB, 2GB]\n")
	var total time.Duration
	for _, d := range n.Get("d").Items() {
		total += d.Duration(0)
	}
	var size int64
	for _, s := range n.Get("s").Items() {
		size += s.Size(0)
	}
	if total != 300*time.Millisecond+30*time.Second+22*24*time.Hour || size != 512+64<<10+16<<20+2e9 || ps.Failed() {
		t.Fatalf("%v %d %s", total, size, lines(ps))
	}
}

// The column of a fault within a scalar is the column in the file.
func TestPositionsWithinScalars(t *testing.T) {
	for _, c := range []struct {
		name, text   string
		line, column int // within the text
		want         string
	}{
		{"plain", "key: abc\n", 1, 2, "f.yaml:1:8:"},
		{"single quotes", "key: 'a''bc'\n", 1, 3, "f.yaml:1:11:"},
		{"double quotes", `key: "a\"bc"` + "\n", 1, 3, "f.yaml:1:11:"},
		{"not ASCII", "kéy: 'ää bc'\n", 1, 3, "f.yaml:1:10:"},
		{"literal block", "key: |\n    one\n      two\n", 2, 3, "f.yaml:3:8:"},
		{"folded block", "key: >\n    one\n    two\n", 1, 5, "f.yaml:1:6:"},
		{"beyond the end", "key: 'a'\n", 1, 99, "f.yaml:1:9:"},
		{"second line of a plain text", "key: one\n  two\n", 2, 1, "f.yaml:1:6:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, ps := parse(t, c.text)
			n.Fields()[0].Node.ErrorIn(c.line, c.column, "", "x")
			if got := lines(ps); !strings.HasPrefix(got, c.want) {
				t.Fatalf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestCutByComment(t *testing.T) {
	for _, c := range []struct {
		text string
		cut  bool
	}{
		{"a: x == 1 #2\n", true},
		{"a: x == 1\n", false},
		{"a: 'x == 1' #2\n", false},
		{"a: x#1\n", false},
		{"a: { b: x }  # why\n", false},
		{"# why\na: x\n# after\n", false},
		{"a: |\n  x # no\n", false},
	} {
		n, _ := parse(t, c.text)
		v := n.Get("a")
		if v.IsMap() {
			v = v.Get("b")
		}
		if v.CutByComment() != c.cut {
			t.Errorf("%q: %v", c.text, !c.cut)
		}
	}
}

func TestWithout(t *testing.T) {
	n, ps := parse(t, "a: 1\nb: 2\nc: 3\n")
	rest := n.Without("b")
	if m := rest.Map("thing", "a", "c"); len(m) != 2 || ps.Failed() || n.Get("b") == nil {
		t.Fatalf("%v %s", m, lines(ps))
	}
}

func TestSuggest(t *testing.T) {
	known := []string{"map", "remove", "deliver", "set", "environment"}
	for in, want := range map[string]string{"mach": "map", "remvoe": "remove", "delivr": "deliver", "enviroment": "environment", "xyz": "", "completely": "", "Map": "map"} {
		if got := Suggest(in, known); got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a: 1\n", "a: [1, { b: c }]\n", "a: &x [*x]\n", "- 'q''q'\n- \"\\u00e9\"\n", "a: |\n  x\n", "? [a]\n: b\n", "%YAML 1.1\n---\na\n", "\xff", "a: ~\n<<: b"} {
		f.Add(s, 3)
	}
	f.Fuzz(func(t *testing.T, s string, column int) {
		n, ps := parse(t, s)
		if n == nil && !ps.Failed() {
			t.Fatal("nothing was read and nothing said")
		}
		walk(n, column)
		for _, p := range ps.Sorted() {
			if p.Line < 0 || p.Column < 0 || p.Text == "" {
				t.Fatalf("%+v", p)
			}
		}
	})
}

// walk reads every node in every way; none may panic.
func walk(n *Node, column int) {
	n.CutByComment()
	n.Text()
	n.Duration(0)
	n.Size(0)
	if n != nil {
		n.ErrorIn(1, max(column, 0)%100, "", "x")
	}
	switch {
	case n.IsMap():
		for _, f := range n.Fields() {
			walk(f.Node, column)
		}
	case n.IsList():
		for _, c := range n.Items() {
			walk(c, column)
		}
	}
}
