package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"go.yaml.in/yaml/v4"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
)

// chunk is a key of a file and what stands there when a page does not say it.
type chunk struct{ key, text string }

// docsSpine is the engine around what pages show.
var docsSpine = []chunk{
	{"spine", "spine: v1\n"},
	{"secrets", "secrets: { research: \"${file:secrets/research}\" }\n"},
	{"listeners", `listeners:
  pas: { mllp: { listen: "127.0.0.1:2575" }, charset: { use_msh18: true, otherwise: windows-1252 }, unmatched: hold }
`},
	{"peers", `peers:
  epr:
    mllp: { connect: "127.0.0.1:2600" }
    reply: { AA: done, AE: { retry: 5, then: stop }, AR: dead_letter, none: { after: 30s, do: retry } }
    retry: { give_up_after: never }
`},
}

// docsFeed is the feed around the parts that pages show.
var docsFeed = []chunk{
	{"spine", "spine: v1\n"},
	{"feed", "feed: page\n"},
	{"sources", "sources: { pas: { listener: pas } }\n"},
	{"deliver", "deliver: [ { to: epr, peer: epr } ]\n"},
	{"unrouted", "unrouted: hold\n"},
}

// docsFiles are the secrets that pages name, and a table.
func docsFiles(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	certificate(t, dir, "pas")
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	const secret = "0123456789abcdef0123456789abcdef"
	return map[string]string{"tls/pas.crt": read("pas.crt"), "tls/pas.key": read("pas.key"), "tls/ca.crt": read("pas.crt"),
		"secrets/research": secret, "secrets/token": secret, "tables/specialty.csv": "pas_code,code,name,system\nGS,100,General Surgery,TFC\n"}
}

// docsProject makes projects of a section's blocks.
type docsProject struct {
	section  *section
	base     map[string]string
	from     map[string]int // files of the page: the line of the page at which line 1 stands
	found    []string
	plan     *routes.Plan       // loaded last; nil when it had problems
	decision *message.Decision  // of the last message
	copies   []message.Delivery // of it, that no block has shown yet
}

func newDocsProject(s *section, base map[string]string) *docsProject {
	return &docsProject{section: s, base: base, decision: &message.Decision{}}
}

func (b block) isFile() bool { return len(b.info) > 1 && strings.Contains(b.info[1], "/") }

// hasKey reports whether a YAML text has a key at its top level.
func hasKey(text, key string) bool { return strings.Contains("\n"+text, "\n"+key+":") }

// complete adds what a text does not say, behind it: its lines keep their numbers.
func complete(text string, rest []chunk) string {
	for _, c := range rest {
		if !hasKey(text, c.key) {
			text += c.text
		}
	}
	return text
}

// files are those of the section's project with one part of a feed; nil when there
// is nothing to load.
func (p *docsProject) files(part *block) fstest.MapFS {
	out := fstest.MapFS{}
	p.from = map[string]int{}
	add := func(name, text string, line int) {
		out[name] = &fstest.MapFile{Data: []byte(text)}
		if line > 0 {
			p.from[name] = line
		}
	}
	for name, text := range p.base {
		add(name, text, 0)
	}
	spine, line := "", 0
	for _, b := range p.section.of("spine") {
		spine, line = b.text, b.line
	}
	add("spine.yaml", complete(spine, docsSpine), line)
	for i, b := range p.section.of("feed") {
		if hasKey(b.text, "feed") {
			add(fmt.Sprintf("feeds/page%d.yaml", i), b.text, b.line)
		}
	}
	for _, b := range p.section.blocks {
		if b.isFile() {
			add(b.info[1], b.text, b.line)
		}
	}
	switch whole := slices.ContainsFunc(slices.Collect(maps.Keys(out)), isFeed); {
	case part != nil && part.is("steps"):
		add("feeds/page.yaml", complete("transform:\n"+indented(part.text), docsFeed), part.line-1)
	case part != nil:
		add("feeds/page.yaml", complete(part.text, docsFeed), part.line)
	case !whole && spine == "":
		return nil
	case !whole:
		usesAll(spine, add)
	}
	return out
}

func isFeed(name string) bool { return strings.HasPrefix(name, "feeds/") }

func indented(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ") + "\n"
}

// usesAll makes a feed for each listener of a spine.yaml that a page shows alone; it
// names all the peers and steps there are.
func usesAll(spine string, add func(name, text string, line int)) {
	var doc map[string]any
	if yaml.Unmarshal([]byte(complete(spine, docsSpine)), &doc) != nil {
		return // its problems are found where it is loaded
	}
	names := func(key string) []string {
		m, _ := doc[key].(map[string]any)
		return slices.Sorted(maps.Keys(m))
	}
	var steps, deliver strings.Builder
	for i, s := range names("steps") {
		if i == 0 {
			steps.WriteString("transform:\n")
		}
		fmt.Fprintf(&steps, "  - use: %s\n", s)
	}
	for _, peer := range names("peers") {
		fmt.Fprintf(&deliver, "  - { to: %s, peer: %s }\n", peer, peer)
	}
	for _, l := range names("listeners") {
		add("feeds/"+l+".yaml", complete(fmt.Sprintf("feed: %s\nsources: { in: { listener: %s } }\n%sdeliver:\n%s", l, l, &steps, &deliver), docsFeed), 0)
	}
}

// incomplete reports whether a warning is about what a snippet need not show.
func (p *docsProject) incomplete(problem routes.Problem) bool {
	return p.base[problem.File] != "" || slices.ContainsFunc([]string{"no test says", "no feed takes from", "no feed delivers to"},
		func(s string) bool { return strings.HasPrefix(problem.Text, s) })
}

// lineOf is the line of the page that a problem is about.
func (p *docsProject) lineOf(problem routes.Problem) int {
	if first := p.from[problem.File]; first > 0 {
		return first + max(problem.Line, 1) - 1
	}
	return p.section.line
}
