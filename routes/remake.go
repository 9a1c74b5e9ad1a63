package routes

import (
	"fmt"
	"maps"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes/internal/expr"
	"github.com/spine-engine/spine-engine/transforms"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
	"github.com/spine-engine/spine-engine/transforms/template"
)

// remake reads the steps that make another document.
func (f *feed) remake(key conf.Field) transforms.Step {
	if f.depth > 0 {
		key.Name.Errorf("put it into the list of transform itself; a destination's when decides who gets it",
			"%s cannot stand within when or each: what follows would not know of what format the message is", key.Key)
		return nil
	}
	if key.Key == "template" {
		return f.templateStep(key.Node)
	}
	return f.xmlStep(key)
}

// templateStep reads { file: templates/NAME, format: hl7 | xml | json | text, namespaces: {...} }.
func (f *feed) templateStep(n *conf.Node) transforms.Step {
	m := n.Map("template step", "file", "format", "namespaces")
	t := f.template(n, m)
	if t == nil {
		return nil
	}
	next := dialect{format: documentOf[t.Format()]}.declare(m["namespaces"])
	maps.Copy(f.made, next.namespaces)
	f.become(next)
	return &template.Step{Template: t, Parse: next.parseMade}
}

// documentOf is the format of the document that a template makes.
var documentOf = map[template.Format]message.Format{template.HL7: message.HL7, template.XML: message.XML, template.JSON: message.Text, template.Text: message.Text}

// template reads and compiles a template; nil after a problem.
func (f *feed) template(n *conf.Node, m map[string]*conf.Node) *template.Template {
	file := m["file"]
	if !file.Present() {
		if n.IsMap() {
			n.Errorf("write { file: templates/letter.xml, format: xml }", "the template's file is not named")
		}
		return nil
	}
	format, ok := template.ParseFormat(textOf(m["format"]))
	if !ok && m["format"].Present() {
		m["format"].OneOf("", template.FormatNames()...)
		return nil
	}
	if !m["format"].Present() {
		if format, ok = template.ParseFormat(extension(file.Text())); !ok {
			n.Errorf("add format: hl7, xml, json or text", "what the template makes is not declared, and its name does not tell")
			return nil
		}
	}
	text, err := f.loader.read(file.Text())
	if err != nil {
		file.Errorf("a path from the project folder, such as templates/letter.xml", "template %q: %v", file.Text(), err)
		return nil
	}
	t, problems := template.Parse(file.Text(), text, format, &templateCompiler{f, file.Text()})
	for _, p := range problems {
		f.loader.problems.Add(Problem{File: p.File, Line: p.Line, Column: p.Column, Text: p.Text, Hint: p.Hint})
	}
	return t
}

func extension(name string) string {
	switch e := path.Ext(name); e {
	case "":
		return ""
	case ".txt":
		return "text"
	default:
		return e[1:]
	}
}

// parseMade reads what a template has made: in UTF-8, whatever it says of itself.
func (d dialect) parseMade(b []byte) (message.Doc, error) {
	switch d.format {
	case message.XML:
		return d.parseXML(b)
	case message.Text:
		return &textDoc{b}, nil
	}
	doc, err := hl7doc.Parse(b, hl7.Options{Override: "UTF-8"})
	if err != nil {
		return nil, err
	}
	// MSH-18 tells the truth about what is not ASCII.
	return doc, doc.M.Recode("UNICODE UTF-8", hl7.Unfit{})
}

// templateCompiler compiles what stands in the tags of a template by the rules of
// the place where the step stands.
type templateCompiler struct {
	feed *feed
	file string
}

func (c *templateCompiler) problem(line, column int, hint, format string, args ...any) {
	c.feed.loader.problems.Add(Problem{File: c.file, Line: line, Column: column, Text: fmt.Sprintf(format, args...), Hint: hint})
}

func (c *templateCompiler) compile(src string, line, col int, want expr.Want) *expr.Program {
	if c.feed.env == nil {
		return nil
	}
	p, issues := c.feed.env.Compile(src, want)
	for _, i := range issues {
		at := i.Column + 1
		if i.Line <= 1 {
			at = col + i.Column
		}
		c.problem(line+max(i.Line, 1)-1, at, i.Hint, "%s", i.Text)
	}
	return p
}

// Value implements template.Compiler.
func (c *templateCompiler) Value(src string, line, col int) transforms.Value {
	if p := c.compile(src, line, col, expr.Text); p != nil {
		return exprValue{p}
	}
	return nil
}

// Condition implements template.Compiler.
func (c *templateCompiler) Condition(src string, line, col int) transforms.Condition {
	if p := c.compile(src, line, col, expr.Bool); p != nil {
		return &condition{prg: p, place: message.Place{File: c.file, Line: line}}
	}
	return nil
}

// Each implements template.Compiler.
func (c *templateCompiler) Each(selector, name string, line, col int) (message.Selector, int, func()) {
	s, err := c.feed.cur.selector(selector)
	if err != nil {
		offset, text, hint := c.feed.cur.fault(selector, err)
		c.problem(line, col+offset, hint, "selector %q: %s", selector, text)
		return nil, 0, nil
	}
	slot := c.feed.slot()
	done, err := c.feed.enter(name, slot, s)
	if err != nil {
		c.problem(line, c.nameColumn(line, col, name), "", "%v", err)
		return nil, 0, nil
	}
	return s, slot, done
}

// nameColumn finds the name of an item behind the selector that stands at col.
func (c *templateCompiler) nameColumn(line, col int, name string) int {
	lines := strings.Split(string(c.feed.loader.plan.files[c.file]), "\n")
	if line > len(lines) {
		return col
	}
	rest := []rune(lines[line-1])
	_, before, ok := strings.Cut(string(rest[min(col-1, len(rest)):]), " as ")
	if !ok {
		return col
	}
	skip := len(before) - len(strings.TrimLeft(before, " "))
	return col + len(rest) - (col - 1) - utf8.RuneCountInString(before) + skip
}

// answer is what the sender of a source gets instead of a plain acknowledgement.
type answer struct {
	template *template.Template
	env      *expr.Env
	place    message.Place
}

// readAnswer reads ack's reply: { template: templates/ok.xml }.
func (l *loader) readAnswer(s *source, n *conf.Node) *answer {
	if !n.Present() {
		return nil
	}
	m := n.Map("reply", "template", "format")
	f := &feed{loader: l, orig: s.dialect, cur: s.dialect}
	f.env = l.exprEnv(n, nil, f.selector)
	t := f.template(n, map[string]*conf.Node{"file": m["template"], "format": m["format"]})
	if t == nil {
		return nil
	}
	return &answer{template: t, env: f.env, place: n.Place()}
}

var contentTypes = map[template.Format]string{template.HL7: "application/hl7-v2", template.XML: "application/xml", template.JSON: "application/json", template.Text: "text/plain; charset=utf-8"}

// answer renders the feed's own answer. The message is stored whatever becomes of
// it, so that a template that fails leaves the plain acknowledgement.
func (r *run) answer(a *answer, reply *message.Reply) {
	r.answers.Set(a.env, r.orig, r.env, r.now)
	defer r.answers.Clear()
	b, err := a.template.Render(&transforms.Input{Doc: r.orig, Scope: r.answers})
	if err != nil {
		r.note(a.place, TraceStep, err.Error())
		return
	}
	reply.Body, reply.Type = string(b), contentTypes[a.template.Format()]
}
