package main

import (
	"fmt"
	"io/fs"
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
		for _, s := range sections(page, read(t, page)) {
			blocks += len(s.of("feed")) + len(s.of("steps")) + len(s.of("spine"))
			if len(s.blocks) > 0 {
				t.Run(fmt.Sprintf("%s:%d", strings.TrimPrefix(page, "../../"), s.line), func(t *testing.T) { report(t, s.faults(files)) })
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

// sections cuts a page. A block without an end is no block that is known.
func sections(page, text string) []section {
	out := []section{{page: page, line: 1}}
	var in *block
	n := 0
	for line := range strings.Lines(text) {
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
		last := &out[len(out)-1]
		last.blocks = append(last.blocks, block{line: in.line, info: []string{"yaml", "without", "end"}})
	}
	return out
}

func report(t *testing.T, faults []string) {
	for _, f := range faults {
		t.Error(f)
	}
}

// faults takes the blocks of a section in their order and says what is wrong.
func (s *section) faults(files map[string]string) []string {
	p := newDocsProject(s, files)
	p.load(nil)
	for _, b := range s.blocks {
		switch {
		case len(b.info) == 0 || b.isFile():
		case b.info[0] == "sh":
			p.commands(b)
		case b.info[0] == "yaml":
			p.yaml(b)
		case b.is("in"):
			p.decide(b)
		case b.is("out"):
			p.out(b)
		case b.is("outcome"):
			p.outcome(b)
		}
	}
	return p.found
}

func (p *docsProject) fault(line int, format string, args ...any) {
	p.found = append(p.found, fmt.Sprintf("%s:%d: ", p.section.page, line)+fmt.Sprintf(format, args...))
}

// commands looks at the lines that begin with spine-engine: the program takes them.
func (p *docsProject) commands(b block) {
	n := b.line
	for line := range strings.Lines(b.text) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
		for part := range strings.SplitSeq(line, " | ") {
			words := shellWords(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(part), "&")))
			if len(words) < 2 || words[0] != "spine-engine" {
				continue
			}
			if err := lineError(words); err != nil {
				p.fault(n, "%q: %v", words, err)
			}
		}
		n++
	}
}

func (p *docsProject) yaml(b block) {
	switch {
	case b.is("ignore") && len(b.info) > 3, b.is("spine"), b.is("feed") && hasKey(b.text, "feed"):
	case b.is("feed"), b.is("steps"):
		p.load(&b)
	case b.is("ignore"):
		p.fault(b.line-1, "say why this block is ignored")
	default:
		p.fault(b.line-1, "say what this block is: yaml feed, yaml steps, yaml spine, or yaml ignore and why")
	}
}

// load reads the section's project with one part, if there is anything to read.
func (p *docsProject) load(part *block) {
	fsys := p.files(part)
	if fsys == nil {
		return
	}
	plan, problems := routes.Load(fsys, routes.LoadOptions{Kinds: kinds()})
	for _, problem := range problems {
		if problem.Severity != conf.Warning || !p.incomplete(problem) {
			p.fault(p.lineOf(problem), "%s", problem)
		}
	}
	if p.plan = plan; plan == nil || len(plan.Tests()) == 0 {
		return
	}
	r := feedtest.Run(plan, feedtest.Options{})
	var out strings.Builder
	if _, failed, _ := r.Counts(); failed > 0 && r.Print(&out) == nil {
		p.fault(p.section.line, "tests fail\n%s", &out)
	}
}

var docsNow = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// decide takes a message through the last project that was loaded.
func (p *docsProject) decide(b block) {
	p.decision, p.copies = &message.Decision{}, nil
	if p.plan == nil {
		p.fault(b.line, "no sound project before this message")
		return
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
	p.copies = slices.Clone(p.decision.Deliveries)
}

// out compares the next copy for a queue.
func (p *docsProject) out(b block) {
	i := slices.IndexFunc(p.copies, func(d message.Delivery) bool {
		return len(b.info) > 2 && (d.Queue == b.info[2] || strings.HasSuffix(d.Queue, "/"+b.info[2]))
	})
	if i < 0 {
		p.fault(b.line, "no such copy; the message is %q, %d copies are left", told(p.decision), len(p.copies))
		return
	}
	body, err := p.copies[i].Body.ReadAll()
	p.copies = slices.Delete(p.copies, i, i+1)
	got := strings.TrimRight(strings.ReplaceAll(string(body), "\r", "\n"), "\n")
	if want := strings.TrimRight(b.text, "\n"); got != want || err != nil {
		p.fault(b.line, "the page shows\n%s\nand what comes is (%v)\n%s", want, err, got)
	}
}

func (p *docsProject) outcome(b block) {
	if got := told(p.decision); got != strings.TrimSpace(b.text) {
		p.fault(b.line, "the page says %q, it is %q", strings.TrimSpace(b.text), got)
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
