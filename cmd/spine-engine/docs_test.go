package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/feedtest"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
)

// Every YAML block of the pages is loaded as a project, and what a page says comes
// of a message does come of it. What stands behind yaml says what the block is:
//
//	yaml feed            a feed; one without feed: is a part, the rest comes from docsFeed
//	yaml steps           a list of steps, for transform
//	yaml spine           spine.yaml, or some of its keys; the rest comes from docsSpine
//	yaml ignore WHY      neither; WHY is for the reader of the page's source
//	LANGUAGE DIR/FILE    a file of the project, such as csv tables/sex.csv
//	hl7 in [SOURCE]      a message that comes in (or xml in)
//	hl7 out QUEUE        a copy that comes of it (or xml, json, text); in order
//	sh                   lines that begin with spine-engine are ones the program takes
//	text outcome         instead of copies: one line for each feed, such as held: why
//
// Spines, whole feeds and files of a section, from one heading to the next, are one
// project; each part of a feed and each list of steps makes one with these.
func TestPages(t *testing.T) {
	files := docsFiles(t)
	blocks := 0
	for _, page := range pages(t) {
		for _, s := range sections(t, page) {
			blocks += len(s.of("feed")) + len(s.of("steps")) + len(s.of("spine"))
			if len(s.blocks) > 0 {
				t.Run(fmt.Sprintf("%s:%d", strings.TrimPrefix(page, "../../"), s.line), func(t *testing.T) { s.run(t, files) })
			}
		}
	}
	if blocks < 30 {
		t.Errorf("only %d blocks were found", blocks)
	}
}

func pages(t *testing.T) []string {
	t.Helper()
	out, err := filepath.Glob("../../*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"../../docs", "../../examples"} {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if strings.HasSuffix(path, ".md") {
				out = append(out, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// block is what stands between two fences, from the line of the page.
type block struct {
	line int
	info []string // yaml feed
	text string
}

func (b block) is(what string) bool { return len(b.info) > 1 && b.info[1] == what }

// section is what stands between two headings.
type section struct {
	page   string
	line   int
	blocks []block
}

func (s *section) of(what string) []block {
	return slices.DeleteFunc(slices.Clone(s.blocks), func(b block) bool { return !b.is(what) })
}

func sections(t *testing.T, page string) []section {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	out := []section{{page: page, line: 1}}
	var in *block
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		last := &out[len(out)-1]
		switch fence, isFence := strings.CutPrefix(strings.TrimRight(line, "\n"), "```"); {
		case isFence && in == nil:
			in = &block{line: n + 1, info: strings.Fields(fence)}
		case isFence:
			last.blocks, in = append(last.blocks, *in), nil
		case in != nil:
			in.text += line
		case strings.HasPrefix(line, "#"):
			out = append(out, section{page: page, line: n})
		}
	}
	if in != nil {
		t.Errorf("%s:%d: the block has no end", page, in.line)
	}
	return out
}

// run takes the blocks of a section in their order.
func (s *section) run(t *testing.T, files map[string]string) {
	p := newDocsProject(s, files)
	if whole := p.load(t, nil); whole != nil {
		p.plan = whole
	}
	var copies []message.Delivery
	for _, b := range s.blocks {
		switch {
		case len(b.info) == 0 || b.isFile():
		case b.info[0] == "sh":
			commands(t, b.text)
		case b.info[0] == "yaml":
			s.yaml(t, p, b)
		case b.is("in"):
			p.decide(t, s, b)
			copies = slices.Clone(p.decision.Deliveries)
		case b.is("out"):
			copies = p.out(t, s, b, copies)
		case b.is("outcome"):
			p.outcome(t, s, b)
		}
	}
}

// commands looks at the lines that begin with spine-engine: the program takes them.
func commands(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
		for part := range strings.SplitSeq(line, " | ") {
			if words := shellWords(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(part), "&"))); len(words) > 1 && words[0] == "spine-engine" {
				checkLine(t, words)
			}
		}
	}
}

func (s *section) yaml(t *testing.T, p *docsProject, b block) {
	switch {
	case b.is("ignore") && len(b.info) > 3, b.is("spine"), b.is("feed") && hasKey(b.text, "feed"):
	case b.is("feed"), b.is("steps"):
		p.plan = p.load(t, &b)
	case b.is("ignore"):
		t.Errorf("%s:%d: say why this block is ignored", s.page, b.line-1)
	default:
		t.Errorf("%s:%d: say what this block is: yaml feed, yaml steps, yaml spine, or yaml ignore and why", s.page, b.line-1)
	}
}

// load reads the section's project with one part; nil where there is none, or problems.
func (p *docsProject) load(t *testing.T, part *block) *routes.Plan {
	t.Helper()
	fsys := p.files(part)
	if fsys == nil {
		return nil
	}
	plan, problems := routes.Load(fsys, routes.LoadOptions{Kinds: kinds()})
	for _, problem := range problems {
		if problem.Severity == conf.Warning && p.incomplete(problem) {
			continue
		}
		t.Errorf("%s: %s", p.where(problem), problem)
	}
	if plan != nil && len(plan.Tests()) > 0 {
		r := feedtest.Run(plan, feedtest.Options{})
		var out strings.Builder
		if _, failed, _ := r.Counts(); failed > 0 && r.Print(&out) == nil {
			t.Errorf("%s:%d: tests fail\n%s", p.section.page, p.section.line, &out)
		}
	}
	return plan
}

var docsNow = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// decide takes a message through the last project that was loaded.
func (p *docsProject) decide(t *testing.T, s *section, b block) {
	t.Helper()
	if p.plan == nil {
		t.Fatalf("%s:%d: no project before this message", s.page, b.line)
	}
	source := "pas"
	if len(b.info) > 2 {
		source = b.info[2]
	}
	e := &message.Envelope{ID: message.ID{1}, Received: docsNow, Source: source, Index: 1}
	body := b.text
	if b.info[0] == "xml" {
		e.Format = message.XML
	} else {
		body = strings.ReplaceAll(body, "\n", "\r")
	}
	e.Body = message.InMemory([]byte(body))
	p.decision = p.plan.Decide(e, docsNow)
}

// out compares the next copy for a queue.
func (p *docsProject) out(t *testing.T, s *section, b block, copies []message.Delivery) []message.Delivery {
	t.Helper()
	i := slices.IndexFunc(copies, func(d message.Delivery) bool {
		return len(b.info) > 2 && (d.Queue == b.info[2] || strings.HasSuffix(d.Queue, "/"+b.info[2]))
	})
	if i < 0 {
		t.Errorf("%s:%d: no such copy; the message is %v, %d copies are left", s.page, b.line, told(p.decision), len(copies))
		return copies
	}
	body, err := copies[i].Body.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.TrimRight(strings.ReplaceAll(string(body), "\r", "\n"), "\n")
	if want := strings.TrimRight(b.text, "\n"); got != want {
		t.Errorf("%s:%d: the page shows\n%s\nand what comes is\n%s", s.page, b.line, want, got)
	}
	return slices.Delete(copies, i, i+1)
}

func (p *docsProject) outcome(t *testing.T, s *section, b block) {
	t.Helper()
	if got := told(p.decision); got != strings.TrimSpace(b.text) {
		t.Errorf("%s:%d: the page says %q, it is %q", s.page, b.line, strings.TrimSpace(b.text), got)
	}
}

// told gives what became of the message in each feed, as outcome: reason.
func told(d *message.Decision) string {
	var out []string
	for _, p := range d.Parts {
		out = append(out, strings.TrimSuffix(p.Outcome.String()+": "+p.Reason, ": "))
	}
	return strings.Join(out, "\n")
}
