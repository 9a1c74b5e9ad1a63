package schema

import (
	"fmt"
	"slices"
	"strings"
)

// Markdown is the reference of all files: every mapping with its places and keys.
func Markdown() string {
	p := &page{sections: map[string]*section{}, inside: map[*Shape]bool{}}
	spine, feed, values := Files()
	for _, f := range []struct {
		at string
		s  *Shape
	}{{"spine.yaml", spine}, {"feeds/NAME.yaml", feed}, {"values/ENVIRONMENT.yaml", values}} {
		p.visit(f.s, f.at)
		for len(p.queue) > 0 { // by breadth first: a file's own keys before what is within them
			next := p.queue[0]
			p.queue = p.queue[1:]
			p.visit(next.s, next.at)
		}
	}
	var b strings.Builder
	b.WriteString("\n## Texts\n\n| takes | written |\n|---|---|\n")
	for _, s := range spine.scalars(feed) {
		fmt.Fprintf(&b, "| %s | %s |\n", s.Says, cell(s.Form))
	}
	for _, s := range p.order {
		s.write(&b)
	}
	return b.String()
}

// scalars lists the texts that have a form, as they are met.
func (s *Shape) scalars(more ...*Shape) []Scalar {
	var out []Scalar
	seen := map[*Shape]bool{}
	var walk func(s *Shape)
	walk = func(s *Shape) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		if s.Form != "" && !slices.ContainsFunc(out, func(x Scalar) bool { return x.Form == s.Form }) {
			out = append(out, s.Scalar)
		}
		for _, in := range s.inner() {
			walk(in)
		}
	}
	for _, x := range append([]*Shape{s}, more...) {
		walk(x)
	}
	return out
}

// inner gives the shapes within a shape.
func (s *Shape) inner() []*Shape {
	out := append([]*Shape{s.Key, s.Item}, s.Options...)
	for i := range s.Fields {
		out = append(out, s.Fields[i].Shape)
	}
	if s.Rest != nil {
		out = append(out, s.Rest.Shape)
	}
	return out
}

// page collects the mappings in the order in which they are met.
type page struct {
	order    []*section
	sections map[string]*section // by title
	queue    []place
	inside   map[*Shape]bool // what has no title and is being visited: a value of set may hold values of set
}

type place struct {
	s  *Shape
	at string
}

type section struct {
	*Shape
	at []string
}

// visit notes a place of a shape, and what is within it when it is met first.
func (p *page) visit(s *Shape, at string) {
	switch {
	case s.Kind == Dict:
		p.visit(s.Item, at+"."+nameIn(s.Key))
	case s.Kind == List:
		p.visit(s.Item, at+"[]")
	case s.Title != "":
		known := p.sections[s.Title]
		if known == nil {
			known = &section{Shape: s}
			p.sections[s.Title] = known
			p.order = append(p.order, known)
			p.within(s, at)
		}
		if !slices.Contains(known.at, at) && len(s.Fields)+len(s.Options) > 0 {
			known.at = append(known.at, at)
		}
	case s.Kind != Plain && s.Kind != Never && !p.inside[s]:
		p.inside[s] = true
		p.within(s, at)
		delete(p.inside, s)
	}
}

func (p *page) within(s *Shape, at string) {
	for _, o := range s.Options {
		if o.Kind == Struct && o.Title == "" {
			p.within(o, at)
			continue
		}
		p.visit(o, at)
	}
	for i := range s.Fields {
		p.queue = append(p.queue, place{s.Fields[i].Shape, at + "." + s.Fields[i].Key})
	}
	if s.Rest != nil {
		p.queue = append(p.queue, place{s.Rest.Shape.Item, at + "." + nameIn(s.Rest.Shape.Key)})
	}
}

// nameIn stands for any key.
func nameIn(key *Shape) string {
	switch key.Name {
	case "Selector":
		return "SELECTOR"
	case "PartNumber":
		return "N"
	case "ReplyCode":
		return "STATUS"
	case "QueueName":
		return "DESTINATION"
	}
	return "NAME"
}

func (s *section) write(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n%s\n", s.Title, s.Doc)
	if places := s.places(); places != "" {
		fmt.Fprintf(b, "\nStands at %s.\n", places)
	}
	if rules := s.exclusive(); rules != "" {
		fmt.Fprintf(b, "\n%s\n", rules)
	}
	b.WriteString("\n| key | takes | is | default | without it |\n|---|---|---|---|---|\n")
	for _, row := range s.rows() {
		b.WriteString(row)
	}
	if later := s.later(); later != "" {
		fmt.Fprintf(b, "\nNot in this version: %s.\n", later)
	}
}

// places shows where the mapping stands; not more than a few, for steps and tests
// stand everywhere.
func (s *section) places() string {
	const most = 4
	var out []string
	for _, at := range s.at[:min(len(s.at), most)] {
		if !strings.HasSuffix(at, ".yaml") {
			out = append(out, "`"+strings.Replace(at, ".yaml.", ".yaml: ", 1)+"`")
		}
	}
	if len(s.at) > most {
		out = append(out, "and elsewhere")
	}
	return strings.Join(out, ", ")
}

func (s *section) exclusive() string {
	var out []string
	for _, o := range s.Options {
		if o.Kind == Struct && o.By != "" {
			out = append(out, "`"+o.By+"`")
		}
	}
	if len(out) > 1 {
		return "One of " + strings.Join(out, ", ") + "; it says which of the other keys there are."
	}
	return ""
}

// rows gives a line for each key; of mappings told apart by a key, for each key
// once, with the mappings that have it.
func (s *section) rows() []string {
	var out []string
	if s.Kind != Pick {
		for i := range s.Fields {
			out = append(out, row(&s.Fields[i], "")...)
		}
		if s.Rest != nil {
			out = append(out, fmt.Sprintf("| %s | %s | %s | | |\n", s.Rest.Shape.Key.named(), kindOf(s.Rest.Shape.Item), cell(s.Rest.Doc)))
		}
		return out
	}
	seen := map[string]bool{}
	for _, o := range s.Options {
		if o.Kind == Dict {
			out = append(out, fmt.Sprintf("| %s | %s | a part | | |\n", o.Key.named(), kindOf(o.Item)))
		}
		for i := range o.Fields {
			f := &o.Fields[i]
			sign := f.Key + kindOf(f.Shape)
			if f.Refused == "" && !seen[sign] {
				seen[sign] = true
				out = append(out, row(f, s.having(f))...)
			}
		}
	}
	return out
}

// having names the mappings of a Pick that have a key, unless all have.
func (s *section) having(f *Field) string {
	var with []string
	for _, o := range s.Options {
		for i := range o.Fields {
			if x := &o.Fields[i]; x.Key == f.Key && kindOf(x.Shape) == kindOf(f.Shape) && x.Key != o.By {
				with = append(with, "`"+o.By+"`")
			}
		}
	}
	if len(with) == 0 || len(with) == len(s.Options) {
		return ""
	}
	return "with " + strings.Join(with, ", ") + ": "
}

func row(f *Field, of string) []string {
	if f.Refused != "" {
		return nil
	}
	doc := docOf(f)
	if f.Doc == "" {
		doc, _, _ = strings.Cut(doc, ": ") // of a step: its shape stands on its own page
	}
	def, without := f.Default, ""
	if def != "" {
		def = "`" + def + "`"
		if strings.Contains(f.Default, " ") || f.Shape.Kind == List {
			def = f.Default
		}
	}
	if f.Missing != "" {
		without = f.Missing
	}
	return []string{fmt.Sprintf("| `%s` | %s | %s%s | %s | %s |\n", f.Key, cell(kindOf(f.Shape)), of, cell(doc), cell(def), cell(without))}
}

// kindOf shows what may stand at a place.
func kindOf(s *Shape) string {
	switch {
	case s.Kind == Plain:
		return s.named()
	case s.Kind == List:
		return "list: " + kindOf(s.Item)
	case s.Kind == Dict:
		return fmt.Sprintf("%s: %s", nameIn(s.Key), kindOf(s.Item))
	case s.Title != "":
		return fmt.Sprintf("[%s](#%s)", s.Title, anchor(s.Title))
	case s.Kind == Forms:
		var out []string
		for _, o := range s.Options {
			out = append(out, kindOf(o))
		}
		return strings.Join(out, ", or ")
	case s.Kind == Pick:
		var out []string
		for _, o := range s.Options {
			out = append(out, kindOf(o))
		}
		return strings.Join(out, ", ")
	}
	return ""
}

// named shows a scalar.
func (s *Shape) named() string {
	if s.Words != nil {
		return "`" + strings.Join(s.Words, "`, `") + "`"
	}
	return s.Says
}

func (s *section) later() string {
	var out []string
	add := func(fields []Field) {
		for _, f := range fields {
			if k := "`" + f.Key + "`"; f.Refused == "yet" && !slices.Contains(out, k) {
				out = append(out, k)
			}
		}
	}
	add(s.Fields)
	for _, o := range s.Options {
		add(o.Fields)
	}
	return strings.Join(out, ", ")
}

// cell is a text within a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// anchor is how the heading is linked to.
func anchor(title string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(title) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
			b.WriteRune(c)
		case c == ' ':
			b.WriteByte('-')
		}
	}
	return b.String()
}
