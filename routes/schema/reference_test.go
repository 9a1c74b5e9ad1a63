package schema_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spine-engine/spine-engine/routes"
	"github.com/spine-engine/spine-engine/routes/schema"
)

var update = flag.Bool("update", false, "write docs/feeds/reference.md and docs/feeds/expressions.md anew")

// same compares a page with what it is made from, or writes it.
func same(t *testing.T, page, want string) {
	t.Helper()
	page = root + "docs/feeds/" + page
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Errorf("%s is out of date: run go test ./routes/schema -update", page)
	}
}

const aboutKeys = `# Every key

Made from the types behind the editors' schemas by ` + "`go test ./routes/schema -update`" + `; tests hold them to what the
engine reads. The [guide](guide.md) explains, in the order a message travels; [steps](steps.md), [expressions](expressions.md)
and [tests](tests.md) have pages of their own.

A text means what is written: ` + "`0123`, `NO` and `1E5`" + ` are these texts. ` + "`${env:NAME}`, `${env:NAME:-default}`, `${value:NAME}`" + ` and
` + "`${file:path}`" + ` are put in wherever a text stands, but not into selectors and expressions. A list of one may be written without
its brackets. An unknown key is a problem; where the last column has words, they are the problem of a missing one.
`

// TestReference keeps the page of keys equal to the types.
func TestReference(t *testing.T) { same(t, "reference.md", aboutKeys+schema.Markdown()) }

const aboutExpressions = `# Expressions

Made from the engine's own list by ` + "`go test ./routes/schema -update`" + `; every example is run by a test.

Expressions are CEL, checked when the project is: types, names, selectors, tables. Conditions (` + "`when`, `if`, `require`" + `) are
expressions as they stand; where a text is expected, one begins with ` + "`= `" + `. An expression that fails when a message comes
(a *fault* below) holds the message, with file and line: it is never taken for false.

## Names
| name | is |
|---|---|
| ` + "`msg`" + ` | the message at this place: as received in accept and validate, as the steps have left it later |
| ` + "`orig`" + ` | the message as received, always |
| ` + "`msg[\"PID-5.1\"]`" + ` | the text there; empty for what is absent, empty or HL7 null |
| ` + "`msg.type`, `msg.event`, `msg.control_id`, `msg.format`" + ` | MSH-9.1, MSH-9.2, MSH-10; hl7 or xml |
| ` + "`vars.NAME`" + ` | a value that let has named |
| ` + "`NAME.index`" + ` | within each: the item's number, from 1 |
| ` + "`part.index`, `part.id`" + ` | within and after split: the part's number, from 1, and its id |
| ` + "`meta.id`, `meta.source`, `meta.remote`, `meta.file`, `meta.index`, `meta.size`, `meta.received`" + ` | how it came: the engine's id, the source, the sender's address, the file, its place in the file from 1, its bytes, when |
| ` + "`now`" + ` | when the message is decided |

## Operators
` + "`==  !=  <  <=  >  >=  &&  ||  !  in  +  -  *  /  %  ? :`" + ` and parentheses. ` + "`msg.event in [\"A01\", \"A03\"]`" + ` asks a list,
` + "`code in table(\"sex\")`" + ` a table. ` + "`+`" + ` joins texts and lists. Texts and numbers are never mixed: ` + "`string(n)`, `int(text)`" + `.

## The message of the examples
`

// TestExpressions keeps the page of expressions equal to the functions there are.
func TestExpressions(t *testing.T) {
	var b strings.Builder
	b.WriteString(aboutExpressions)
	fmt.Fprintf(&b, "```\n%s\n```\n", strings.ReplaceAll(strings.TrimRight(routes.FunctionSample, "\r"), "\r", "\n"))
	b.WriteString("Around it: the tables sex (F: 2, M: 1) and specialty (300: code G, name general), a secret research; now is 1 July 2026,\n12:00 UTC.\n")
	group := ""
	for _, f := range routes.Functions() {
		if f.Group != group {
			group = f.Group
			fmt.Fprintf(&b, "\n## %s\n", headings[group])
			b.WriteString("| written | gives | example | is |\n|---|---|---|---|\n")
		}
		fmt.Fprintf(&b, "| `%s` | %s | `%s` | `%s` |\n", cell(f.Shape), cell(f.Does), cell(f.Example), cell(f.Gives))
	}
	b.WriteString("\nWhat they give where the values that they read are absent, empty or HL7 null: [presence](presence.md#functions).\n")
	same(t, "expressions.md", b.String())
}

const begin, end = "<!-- begin functions -->\n", "<!-- end functions -->"

// TestPresence keeps the functions on the page of absent, empty and null; the
// steps above them are kept by package transforms.
func TestPresence(t *testing.T) {
	page, err := os.ReadFile(root + "docs/feeds/presence.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("presence.md has no %s", begin)
	}
	same(t, "presence.md", before+begin+presence()+end+after)
}

var headings = map[string]string{"message": "The message", "text": "Texts", "list": "Lists", "table": "Tables", "date": "Dates",
	"form": "Forms", "digest": "Digests", "number": "Numbers", "engine": "The engine"}

// presence is the table of functions by what they make of nothing.
func presence() string {
	var b strings.Builder
	b.WriteString("| expression | absent | empty | null |\n|---|---|---|---|\n")
	for _, f := range routes.Functions() {
		if f.OnEmpty != "" || f.OnNull != "" || f.OnAbsent != "" {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", cell(f.Example), result(f.OnAbsent), result(f.OnEmpty), result(f.OnNull))
		}
	}
	return b.String()
}

func result(s string) string {
	if strings.HasPrefix(s, "fault: ") {
		return cell(s)
	}
	return "`" + cell(s) + "`"
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
