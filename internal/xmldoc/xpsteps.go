package xmldoc

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

func (p *parser) startsStep() bool {
	t := p.now()
	return t.kind == tName || t.is(".") || t.is("..") || t.is("@")
}

// rest reads the steps behind a beginning, if there are any.
func (p *parser) rest(out *path) expr {
	switch {
	case p.take("/"):
		return p.steps(out)
	case p.now().is("//"):
		return p.steps(out)
	}
	return out
}

// steps reads a/b//c, from a step or a //.
func (p *parser) steps(out *path) expr {
	for {
		deep := p.take("//")
		if deep {
			out.steps = append(out.steps, step{axis: descendantOrSelf, test: test{nodes: anyNode}})
		}
		s := p.step()
		if last := len(out.steps) - 1; deep && s.axis == child && len(s.preds) == 0 {
			s.axis = descendant // the same nodes, found at once
			out.steps[last] = s
		} else {
			out.steps = append(out.steps, s)
		}
		if p.err != nil || !p.take("/") && !p.now().is("//") {
			return out
		}
	}
}

func (p *parser) step() (s step) {
	t := p.now()
	switch {
	case p.take("."):
		return step{axis: self, test: test{nodes: anyNode}}
	case p.take(".."):
		return step{axis: parent, test: test{nodes: anyNode}}
	case p.take("@"):
		s.axis = attributes
	case t.kind == tName && p.list[p.i+1].is("::"):
		a, ok := axes[t.text]
		if !ok || t.prefix != "" {
			p.fail(t, "no axis that is known here", "axes are "+strings.Join(slices.Sorted(maps.Keys(axes)), ", "))
			return s
		}
		s.axis = a
		p.i += 2
	}
	s.test = p.test(s.axis)
	s.preds = p.predicates()
	return s
}

func (p *parser) test(a axis) (out test) {
	t := p.now()
	if t.kind != tName {
		p.fail(t, "a step without a name", "")
		return
	}
	p.i++
	out.prefix = t.prefix
	if t.prefix == "" && isNodeTest(t.text) && p.take("(") {
		return p.nodeTest(t.text)
	}
	out.local, out.anyName = t.text, t.text == "*"
	switch {
	case t.prefix != "":
		uri, ok := p.o.Namespaces[t.prefix]
		if t.prefix == "xml" {
			uri, ok = xmlSpace, true
		}
		if !ok {
			p.fail(t, "the prefix "+strconv.Quote(t.prefix)+" is not declared", p.declared())
		}
		out.space = uri
	case out.anyName:
		out.anySpace = true
	}
	return out
}

// declared says which prefixes there are.
func (p *parser) declared() string {
	if len(p.o.Namespaces) == 0 {
		return "declare it under namespaces of the source"
	}
	return "declare it under namespaces of the source; there are " + strings.Join(slices.Sorted(maps.Keys(p.o.Namespaces)), ", ")
}

func (p *parser) nodeTest(name string) (out test) {
	out.anyName, out.anySpace = true, true
	switch name {
	case "text":
		out.nodes = textNode
	case "node":
		out.nodes = anyNode
	case "comment":
		out.nodes = commentNode
	case "processing-instruction":
		out.nodes = piNode
		if t := p.now(); t.kind == tLiteral {
			out.local, out.anyName = t.text, false
			p.i++
		}
	}
	p.need(")", "after "+name+"(")
	return out
}

func (p *parser) predicates() (out []expr) {
	p.inner++
	defer func() { p.inner-- }()
	for p.take("[") {
		p.preds++
		out = append(out, p.expr())
		p.need("]", "to close the predicate")
	}
	return out
}
