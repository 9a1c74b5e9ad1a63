package main

import (
	"slices"
	"strings"
	"testing"
)

// What is wrong with a page is found, at its line.
func TestPagesFaults(t *testing.T) {
	files := docsFiles(t)
	const in = "```hl7 in\nMSH|^~\\&|A|B|||1||ADT^A01|1|P|2.4\n```\n"
	for _, c := range []struct{ name, page, want string }{
		{"no word of what it is", "```yaml\na: b\n```\n", "p:1: say what this block is"},
		{"an unknown word", "# h\n```yaml fed\na: b\n```\n", "p:2: say what this block is"},
		{"ignored without a reason", "```yaml ignore\na: b\n```\n", "p:1: say why"},
		{"no end", "```yaml feed\na: b\n", "p:1: say what this block is"},
		{"a step that is none", "\n```yaml steps\n- set: { MSH-3: A }\n- sett: { MSH-3: A }\n```\n", `p:4: feeds/page.yaml:3:5: there is no step "sett"`},
		{"a part of a feed", "```yaml feed\naccept:\n  - { require: nope }\n```\n", "p:3: feeds/page.yaml:2:"},
		{"a whole feed lacks something", "```yaml feed\nspine: v1\nfeed: f\n```\n", "p:2: feeds/page0.yaml:1:1: the feed"},
		{"a spine.yaml", "```yaml spine\nadmin: { listn: x }\n```\n", `p:2: spine.yaml:1:10: unknown key "listn"`},
		{"shared steps", "```yaml spine\nsteps: { a: [ { set: {} } ] }\n```\n", "p:2: spine.yaml:1:"},
		{"a warning", "```yaml feed\ntables: { t: { rows: [A] } }\n```\n", `p:2: feeds/page.yaml:1:11: warning: table "t" is not used`},
		{"a file", "```yaml steps\n- template: { file: templates/a.hl7 }\n```\n```hl7 templates/a.hl7\nMSH|{{ nope }}\n```\n", "p:5: templates/a.hl7:1:"},
		{"another copy", "```yaml steps\n- set: { MSH-3: X }\n```\n" + in + "```hl7 out epr\nMSH|^~\\&|Y|B|||1||ADT^A01|1|P|2.4\n```\n", "p:8: the page shows"},
		{"no copy", "```yaml feed\naccept: [ { if: true, then: { drop: no } } ]\n```\n" + in + "```hl7 out epr\nMSH\n```\n", `p:8: no such copy; the message is "dropped: no"`},
		{"another outcome", "```yaml steps\n- hold: look\n```\n" + in + "```text outcome\nheld: see\n```\n", `p:8: the page says "held: see", it is "held: look"`},
		{"a message without a project", in, "p:2: no sound project"},
		{"a test that fails", "# h\n```yaml feed\ntests:\n  - { name: a, send: { to: pas, text: 'MSH|^~\\&|A|B|||1||ADT^A01|1|P|2.4' }, expect: { ack: AE } }\n```\n", "p:1: tests fail"},
		{"a command", "```sh\nls\nspine-engine chek .\n```\n", "p:3: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			var found []string
			for _, s := range sections("p", c.page) {
				found = append(found, s.faults(files)...)
			}
			if len(found) == 0 || !slices.ContainsFunc(found, func(f string) bool { return strings.HasPrefix(f, c.want) }) {
				t.Errorf("found %q", found)
			}
		})
	}
}
