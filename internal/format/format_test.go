package format

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCanonicalForm(t *testing.T) {
	for _, row := range []struct{ name, in, want string }{
		{"two spaces, whatever there was", "spine: v1\nlisteners:\n    pas:\n       mllp:\n           listen: a\n", "spine: v1\nlisteners:\n  pas:\n    mllp:\n      listen: a\n"},
		{"lists are indented", "feed: a\naccept:\n- if: x\n  then: hold\n-   if: y\n    then: hold\n", "feed: a\naccept:\n  - if: x\n    then: hold\n  - if: y\n    then: hold\n"},
		{"the order of the reference", "transform: []\nfeed: a\nmine: 1\nspine: v1\nother: 2\n", "spine: v1\nfeed: a\ntransform: []\nmine: 1\nother: 2\n"},
		{"order within known mappings", "feed: a\ndeliver:\n  - { retry: { then: stop, first: 1s }, when: x, to: b }\n", "feed: a\ndeliver:\n  - { to: b, when: x, retry: { first: 1s, then: stop } }\n"},
		{"steps and rules stay where they are", "feed: a\ntransform:\n  - set: { B: 1, A: 2 }\n  - remove: [Z, A]\n", "feed: a\ntransform:\n  - set: { B: 1, A: 2 }\n  - remove: [Z, A]\n"},
		{"values keep their order", "zeta: 1\nalpha: 2\n", "zeta: 1\nalpha: 2\n"},
		{"blanks within braces", "a: {b: 1,c: [1,2],  d: {}, e: []}\nf: [{g: h}]\n", "a: { b: 1, c: [1, 2], d: {}, e: [] }\nf: [ { g: h } ]\n"},
		{"braces over several lines that fit on one", "a: { b: 1,\n  c: 2 }\n", "a: { b: 1, c: 2 }\n"},
		{"braces that are too long", "a: { b: " + strings.Repeat("x", 60) + ", c: { d: " + strings.Repeat("y", 60) + " } }\n",
			"a:\n  b: " + strings.Repeat("x", 60) + "\n  c: { d: " + strings.Repeat("y", 60) + " }\n"},
		{"an item that is too long", "a:\n  - { b: " + strings.Repeat("x", 60) + ", c: " + strings.Repeat("y", 60) + " }\n",
			"a:\n  - b: " + strings.Repeat("x", 60) + "\n    c: " + strings.Repeat("y", 60) + "\n"},
		{"one blank line", "\n\na: 1\n\n\n\nb: 2\nc:\n\n  - 1\n\n\n  - 2\n\n\n", "a: 1\n\nb: 2\nc:\n  - 1\n\n  - 2\n"},
		{"words lose their quotes", `a: "AA"` + "\nb: 'PID-8'\n\"c\": \"x_1\"\n", "a: AA\nb: PID-8\nc: x_1\n"},
		{"what would be read as something else keeps them", `a: "NO"` + "\nb: '12'\nc: \"null\"\nd: ''\n\"y\": \"1E5\"\ne: '~'\n", "a: \"NO\"\nb: \"12\"\nc: \"null\"\nd: \"\"\n\"y\": \"1E5\"\ne: \"~\"\n"},
		{"texts keep them, in double ones", "a: 'no subscriber'\nb: 'x: y # z'\n", "a: \"no subscriber\"\nb: \"x: y # z\"\n"},
		{"expressions in single ones", `a: "= msg[\"PID-8\"]"` + "\nb: \"= 1 + 1\"\nc: = vars.x\n", "a: '= msg[\"PID-8\"]'\nb: '= 1 + 1'\nc: '= vars.x'\n"},
		{"the quotes that need fewer escapes", `a: "it's \"so\""` + "\nb: 'it''s'\nc: 'C:\\temp'\nd: '= \"'' '' ''\"'\n", `a: 'it''s "so"'` + "\nb: \"it's\"\nc: 'C:\\temp'\nd: \"= \\\"' ' '\\\"\"\n"},
		{"escapes stay as they were written", `a: "x\u00a0y"` + "\nb: \"\\t \\\"\"\n", `a: "x\u00a0y"` + "\nb: \"\\t \\\"\"\n"},
		{"no quotes are added", "a: NO\nb: 0123\nc: 2026-10-01\nd: it's\ne: a \"b\" c\n", "a: NO\nb: 0123\nc: 2026-10-01\nd: it's\ne: a \"b\" c\n"},
		{"plain expressions", "when:   msg.event in [\"A01\", \"A02\"] && msg[\"PV1-2\"] == \"I\"\n", "when: msg.event in [\"A01\", \"A02\"] && msg[\"PV1-2\"] == \"I\"\n"},
		{"a text in several lines", "a:\n    b: one\n       two\n\n       three\n    c: \"x\n\n      y\\\n      z\"\n", "a:\n  b: one\n    two\n\n    three\n  c: \"x\n\n    y\\\n    z\"\n"},
		{"literal blocks", "a:\n      b: |\n            one\n              two\n\n            three\n      c: |-\n        x\n", "a:\n  b: |\n    one\n      two\n\n    three\n  c: |-\n    x\n"},
		{"folded blocks", "a: >-\n      one\n      two\n\n      three\n\n\nb: 1\n", "a: >-\n  one\n  two\n\n  three\n\nb: 1\n"},
		{"a block that begins with blanks", "a: |4\n      two more\n    none\nb: 1\n", "a: |2\n    two more\n  none\nb: 1\n"},
		{"a block that keeps its end", "a: |+\n   x\n\n\nb: 1\n", "a: |+\n  x\n\n\nb: 1\n"},
		{"a block in an item", "- a\n", ""},
		{"a list of blocks", "a:\n- |\n  x\n- - 1\n  - 2\n", "a:\n  - |\n    x\n  - - 1\n    - 2\n"},
		{"Windows line ends and byte order mark", "\xef\xbb\xbfa: 1\r\nb: |\r\n  x\r\n  y\r\n", "a: 1\nb: |\n  x\n  y\n"},
		{"a document start goes", "# about\n---\na: 1\n", "# about\n\na: 1\n"},
		{"no line end at the end", "a: 1\nb: |\n  x", "a: 1\nb: |-\n  x\n"},
		{"accents count once", "a: { b: \"é é\", c: '日本 語' }\n", "a: { b: \"é é\", c: \"日本 語\" }\n"},
		{"a list in a list of braces", "a: [[1,2],[3]]\n", "a: [ [1, 2], [3] ]\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			out, problems := Format("f.yaml", []byte(row.in))
			if row.want == "" {
				if problems == nil {
					t.Errorf("not refused: %s", out)
				}
				return
			}
			if problems != nil {
				t.Fatal(problems)
			}
			if string(out) != row.want {
				t.Errorf("got\n%s\nwant\n%s", out, row.want)
			}
		})
	}
}

func TestCommentsStayWithWhatTheyStandAt(t *testing.T) {
	for _, row := range []struct{ name, in, want string }{
		{"behind a value, in their column", "a: 1      # one\nbb: 2     # two\n", "a: 1      # one\nbb: 2     # two\n"},
		{"no room in the column", "a:   'x y'  # one\nb: [1,2,3]# not one\n", ""},
		{"the column is taken", "a: {b: 1,c: 2} # one\n", "a: { b: 1, c: 2 } # one\n"},
		{"behind a key whose value is below", "a:   # about a\n  b: 1\n", "a:   # about a\n  b: 1\n"},
		{"above, moving with their key", "# about b\ntransform: []\n# about feed\nfeed: x\n", "# about feed\nfeed: x\n# about b\ntransform: []\n"},
		{"about the file", "# licence\n\n# about b\ntransform: []\nfeed: x\n", "# licence\n\nfeed: x\n# about b\ntransform: []\n"},
		{"the editor's schema stays first", "# yaml-language-server: $schema=x\ntransform: []\nfeed: x\n", "# yaml-language-server: $schema=x\nfeed: x\ntransform: []\n"},
		{"at the end of a list", "a:\n    - 1\n    # - 2\nb: 1\n", "a:\n  - 1\n  # - 2\nb: 1\n"},
		{"at the end of the file", "a:\n  - 1\n  # in a\n\n# the end\n", "a:\n  - 1\n  # in a\n\n# the end\n"},
		{"between items", "a:\n  - b: 1\n  # next\n  - b: 2\n", "a:\n  - b: 1\n  # next\n  - b: 2\n"},
		{"behind a dash", "a:\n  - # why\n    b: 1\n", "a:\n  # why\n  - b: 1\n"},
		{"below a dash", "a:\n  -\n    # why\n    b: 1\n", "a:\n  # why\n  - b: 1\n"},
		{"within braces", "a: { b: 1, # one\n  # above c\n  c: 2 } # end\n", "a:       # end\n  b: 1     # one\n  # above c\n  c: 2\n"},
		{"behind an opening bracket", "a: [ # first\n  1, 2\n  # last\n  ]\n", "a:\n  # first\n  - 1\n  - 2\n  # last\n"},
		{"in the header of a block", "a: |   # how\n  x # text\nb: 1\n", "a: |   # how\n  x # text\nb: 1\n"},
		{"between a key and its value", "a: # one\n  # two\n  x # three\nb: 1\n", "# two\n# one\na: x # three\nb: 1\n"},
		{"behind a text of several lines", "a: one\n  two # end\nb: 1\n", "a: one\n  two # end\nb: 1\n"},
		{"what only looks like one", "a: x#y\nb: \"# no\"\nc: '# no'\nd: |\n  # no\ne: \"two\n  # no\"\n", "a: x#y\nb: \"# no\"\nc: \"# no\"\nd: |\n  # no\ne: \"two\n  # no\"\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			out, problems := Format("f.yaml", []byte(row.in))
			if row.want == "" {
				if problems == nil {
					t.Errorf("not refused: %s", out)
				}
				return
			}
			if problems != nil {
				t.Fatal(problems)
			}
			if string(out) != row.want {
				t.Errorf("got\n%s\nwant\n%s", out, row.want)
			}
		})
	}
}

func TestFilesWithFaultsAreLeftAlone(t *testing.T) {
	for _, row := range []struct{ name, in, want string }{
		{"YAML", "a: [1\nb: 2\n", "f.yaml:"},
		{"an anchor", "a: &x 1\nb: *x\n", "anchors (&x)"},
		{"a tag", "a: !!str 1\n", "tags (!!str)"},
		{"no value", "a:\nb: 1\n", "no value"},
		{"a key twice", "a: 1\na: 2\n", `key "a" stands here twice`},
		{"several documents", "a: 1\n---\nb: 2\n", "f.yaml:2:1: not formatted: the file has a document marker"},
		{"an end of document", "a: 1\n...\n", "document marker"},
		{"a directive", "%YAML 1.2\n---\na: 1\n", "directives"},
		{"a carriage return in a line", "a: 1\rb: 2\n", "f.yaml:1:1: not formatted: a carriage return"},
		{"a key that is no text", "? [a]\n: 1\n", "a key that is not a text"},
		{"a list", "- 1\n", "not a mapping"},
		{"nothing", "", "the file is empty"},
		{"a comment without a place", "a: { # here\n  }\n", "f.yaml:1:1: not formatted: the comment here has no place"},
	} {
		t.Run(row.name, func(t *testing.T) {
			out, problems := Format("f.yaml", []byte(row.in))
			if problems == nil || !strings.Contains(problems[0].String(), row.want) || out != nil {
				t.Errorf("got %v, %q, want %q", problems, out, row.want)
			}
		})
	}
}

// Every project of the repository can be formatted, and then stays as it is.
func TestProjectsOfTheRepository(t *testing.T) {
	n := 0
	for _, root := range []string{"../../examples", "../../cmd/spine-engine/starter", "../../routes/testdata"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			out, problems := Format(path, data)
			if problems != nil {
				t.Log(problems) // some of them are there to be wrong
				return nil
			}
			n++
			if again, problems := Format(path, out); problems != nil || !bytes.Equal(again, out) {
				t.Errorf("%s does not settle: %v", path, problems)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n < 5 {
		t.Errorf("only %d files were formatted", n)
	}
}

// Whatever comes in, it ends, and what comes out is as good as what came in: Format
// itself compares values, comments and a second round, so this looks for panics and
// for what does not settle.
func FuzzFormat(f *testing.F) {
	for _, seed := range []string{"a: 1 # x\n\n# y\nb: { c: [1, \"2\"], # z\n  d: 'e' }\n", "a:\n- |+\n  x\n\n- >2\n   y\n  # c\n-\n  b: \"q\n  r\"\n", "feed: a\ndeliver: [{to: b}]\n",
		"a: x\n  y # z\n'b': # n\n  - - 1\n    - 2\n", "? a\n: b\n", "{a: 1}\n", "a: [b: c]\n", "---\na: 1\n", "\xef\xbb\xbfa: é\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, problems := Format("f.yaml", data)
		for _, p := range problems {
			if strings.Contains(p.Text, "does not stay the same") || strings.Contains(p.Text, "not be valid YAML") || strings.Contains(p.Text, "not be read as the same") {
				t.Logf("refused: %s\n%q", p, data)
			}
		}
	})
}
