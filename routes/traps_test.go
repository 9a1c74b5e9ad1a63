package routes

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/spine-engine/spine-engine/internal/conf"
)

// What YAML would read as something else is a problem with a hint, or means
// what is written. arrives is what reaches PID-5.1 of the copy; problem is the
// one line that check prints instead.
func TestTraps(t *testing.T) {
	for _, c := range []struct{ name, value, arrives, problem string }{
		{"no", "NO", "NO", ""},
		{"yes", "yes", "yes", ""},
		{"on", "on", "on", ""},
		{"true", "true", "true", ""},
		{"leading zero", "0123", "0123", ""},
		{"exponent", "1E5", "1E5", ""},
		{"date", "2026-10-01", "2026-10-01", ""},
		{"date and time", "2026-10-01T10:00:00Z", "2026-10-01T10:00:00Z", ""},
		{"sexagesimal", "12:30:45", "12:30:45", ""},
		{"number", "200", "200", ""},
		{"underscore", "1_000", "1_000", ""},
		{"hexadecimal", "0x1F", "0x1F", ""},
		{"octal", "0o17", "0o17", ""},
		{"no digit before the point", ".5", ".5", ""},
		{"trailing zero", "2.10", "2.10", ""},
		{"plus", "+44", "+44", ""},
		{"infinity", ".inf", ".inf", ""},
		{"not a number", ".nan", ".nan", ""},
		{"null in quotes", `"null"`, "null", ""},
		{"tilde in quotes", `"~"`, "~", ""},
		{"exclamation mark in quotes", `"!important"`, "!important", ""},
		{"ampersand in quotes", `"&x"`, "&x", ""},
		{"hash without a blank", "a#b", "a#b", ""},
		{"hash in quotes", `"a #b"`, "a #b", ""},
		{"colon without a blank", "a:b", "a:b", ""},
		{"blanks within", "a  b", "a  b", ""},
		{"single quotes", "'it''s'", "it's", ""},
		{"escapes in double quotes", `"a\tb"`, "a\tb", ""},
		{"backslash in single quotes", `'a\tb'`, `a\tb`, ""},
		{"letters of other languages", "Zoë", "Zoë", ""},
		{"a dollar", "$5", "$5", ""},
		{"an equals sign in quotes", `'= "=x"'`, "=x", ""},
		{"dashes", "a - b", "a - b", ""},
		{"question mark", "what?", "what?", ""},

		{"tilde", "~", "", `16: no value; leave the key out, or write "" for an empty text`},
		{"null", "null", "", `16: no value; leave the key out, or write "" for an empty text`},
		{"Null", "Null", "", `16: no value; leave the key out, or write "" for an empty text`},
		{"nothing", "", "", `15: no value; leave the key out, or write "" for an empty text`},
		{"exclamation mark", "!important", "", "16: YAML tags (!important) are not part of the feed language; a text that begins with ! must be quoted"},
		{"tag of YAML", "!!str 1", "", "16: YAML tags (!!str) are not part of the feed language; a text that begins with ! must be quoted"},
		{"anchor", "&a x", "", "16: YAML anchors (&a) are not part of the feed language; write the value out"},
		{"equals sign", "=x", "", `16: = without a space after it is neither text nor expression; write "= " for an expression; for the text itself '= "=..."'`},
		{"colon and blank", "a: b", "", `17: YAML syntax: mapping values are not allowed in this context; quote texts that hold ": "`},
		{"at sign", "@x", "", `16: YAML syntax: found character that cannot start any token`},
		{"list", "[a]", "", "16: one value goes to one place; write one text, or an expression"},
		{"dash and dash", "- - a", "", "16: YAML syntax: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			feed := testFeed("transform:\n  - set:\n      PID-5.1: " + c.value + "\n" + toEPR)
			p, problems := Load(projectFS(map[string]string{"feeds/f.yaml": feed}), testOptions())
			if c.problem != "" {
				onlyProblem(t, problems, "feeds/f.yaml:7:"+c.problem)
				return
			}
			if len(problems) != 0 {
				t.Fatal(problems)
			}
			if got := arrived(t, p); got != c.arrives {
				t.Errorf("%q arrives as %q", c.value, got)
			}
		})
	}
}

// arrived is PID-5.1 of the copy, unescaped.
func arrived(t *testing.T, p *Plan) string {
	t.Helper()
	d := decide(t, p, strings.Replace(adt("A01", map[int]string{18: "UNICODE UTF-8"}), "Test^Ann", "^", 1))
	b, err := d.Deliveries[0].Body.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := p.ReadCopy("pas", &d.Deliveries[0], b)
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Selector("f", doc.Format(), "PID-5.1")
	if err != nil {
		t.Fatal(err)
	}
	return doc.Text(s)
}

func onlyProblem(t *testing.T, problems []Problem, want string) {
	t.Helper()
	if len(problems) != 1 || !strings.HasPrefix(problems[0].String(), want) || problems[0].Hint == "" {
		t.Errorf("got  %v\nwant %s", problems, want)
	}
}

// Faults of a whole file. want is the beginning of the one problem; "" = the
// file means what it seems to.
func TestTrapsOfFiles(t *testing.T) {
	sound := testFeed(toEPR)
	line := func(n int, text string) string { // puts text before line n
		l := strings.SplitAfter(sound, "\n")
		return strings.Join(l[:n-1], "") + text + strings.Join(l[n-1:], "")
	}
	step := func(s string) string { return testFeed("transform:\n  - " + s + "\n" + toEPR) }
	for _, c := range []struct{ name, feed, want string }{
		{"byte order mark", "\ufeff" + sound, ""},
		{"carriage returns", strings.ReplaceAll(sound, "\n", "\r\n"), ""},
		{"no end of line", strings.TrimSuffix(sound, "\n"), ""},
		{"quoted keys", strings.NewReplacer("feed:", `"feed":`, "unrouted:", "'unrouted':").Replace(sound), ""},
		{"one document with its mark", "---\n" + sound, ""},
		{"comments", "# a\n" + sound + "# b\n", ""},
		{"a flow map of paths", step(`set: { "PID-5.1": a, PID-8: 2 }`), ""},

		{"two documents", sound + "---\n" + sound, "feeds/f.yaml:8:1: a second document begins here"},
		{"an alias", line(6, "  - { to: *x, peer: epr }\n"), "feeds/f.yaml:6:11: YAML syntax: "},
		{"merge key", line(7, "  - { <<: { to: x }, peer: epr }\n"), "feeds/f.yaml:7:7: YAML merge keys (<<)"},
		{"duplicate key", line(3, "feed: g\n"), `feeds/f.yaml:3:1: key "feed" stands here twice, first in line 2`},
		{"duplicate key in quotes", line(3, "\"feed\": g\n"), `feeds/f.yaml:3:1: key "feed" stands here twice, first in line 2`},
		{"a tab", strings.Replace(sound, "  in:", "\tin:", 1), "feeds/f.yaml:4:1: YAML syntax: "},
		{"odd indentation", strings.Replace(sound, "  in: { listener: pas }", "   in: { listener: pas }\n  by: { listener: pas }", 1), "feeds/f.yaml:5:"},
		{"a flow map of XPath keys", step("set: { /h:a/h:b: 2 }"), `feeds/f.yaml:6:12: selector "/h:a/h:b": this is a selector of XML`},
		{"an unquoted selector with blanks", step("remove: [ OBX(3.1=A B)-5 ]"), `feeds/f.yaml:6:24: selector "OBX(3.1=A B)-5": `},
		{"an expression cut by a comment", testFeed("accept:\n  - { if: msg.event == \"A01\" #2\n , then: { drop: x } }\n" + toEPR), `feeds/f.yaml:6:11: " #" ends an unquoted expression`},
		{"an expression that begins with !", testFeed("accept:\n  - { if: !msg.has(\"PID-5\"), then: { drop: x } }\n" + toEPR), "feeds/f.yaml:6:20: YAML syntax: "},
		{"a key of several values", step("set: { [PID-5, PID-6]: a }"), "feeds/f.yaml:6:12: "},
		{"invalid UTF-8", strings.Replace(sound, "feed: f", "feed: \xff", 1), "feeds/f.yaml:2:7: the byte 0xff is no text in UTF-8"},
		{"a control character", strings.Replace(sound, "feed: f", "feed: f\x01", 1), "feeds/f.yaml:2:8: the control character 0x01"},
		{"a zero byte", strings.Replace(sound, "feed: f", "feed: f\x00", 1), "feeds/f.yaml:2:8: the control character 0x00"},
		{"UTF-16", "\xff\xfe" + strings.Join(strings.Split(sound, ""), "\x00") + "\x00", "feeds/f.yaml: the file is in UTF-16"},
		{"very deep nesting", sound + "tests: " + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + "\n", "feeds/f.yaml:"},
		{"a directive", "%YAML 1.1\n---\n" + sound, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, problems := Load(projectFS(map[string]string{"feeds/f.yaml": c.feed}), testOptions())
			switch {
			case c.want != "":
				onlyProblem(t, problems, c.want)
			case len(problems) != 0:
				t.Error(problems)
			}
		})
	}
}

// A large file is read; one above the limit is a problem, and neither takes long.
func TestLargeFiles(t *testing.T) {
	var b strings.Builder
	b.WriteString("tables:\n  t:\n    rows:\n")
	for i := 0; b.Len() < 10<<20; i++ {
		fmt.Fprintf(&b, "      \"%06d\": \"%080d\"\n", i, i)
	}
	b.WriteString("transform:\n  - map: { at: PID-8, table: t, unmapped: keep }\n")
	began := time.Now()
	if p := oneFeed(t, b.String()+toEPR); p == nil {
		t.Fatal("not read")
	}
	t.Logf("10 MiB in %v", time.Since(began))
	fsys := projectFS(map[string]string{"feeds/f.yaml": testFeed(toEPR)})
	fsys["feeds/g.yaml"] = &fstest.MapFile{Data: make([]byte, maxFile+1)}
	_, problems := Load(fsys, testOptions())
	if len(problems) != 1 || problems[0].String() != "feeds/g.yaml: is larger than 64 MiB" || problems[0].Severity != conf.Error {
		t.Error(problems)
	}
}
