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
