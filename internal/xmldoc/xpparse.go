package xmldoc

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// parser is a recursive descent over the grammar of XPath 1.0, section by section.
type parser struct {
	in    string
	list  []lexeme
	i     int
	o     *SelectorOptions
	inner int // how many predicates we are in: names of items count only outside
	depth int
	preds int // predicates met
	err   *SelectorError
}

func (p *parser) now() lexeme { return p.list[p.i] }

func (p *parser) take(text string) bool {
	if !p.now().is(text) {
		return false
	}
	p.i++
	return true
}

func (p *parser) fail(at lexeme, text, hint string) {
	if p.err == nil {
		p.err = &SelectorError{Input: p.in, Offset: at.at, Text: text, Hint: hint}
	}
	p.i = len(p.list) - 1 // the end, so that nothing more is read
}

func (p *parser) need(text, where string) {
	if !p.take(text) {
		p.fail(p.now(), "missing "+text+" "+where, "")
	}
}

// levels are the binary operators, those that bind least first.
var levels = [][]string{{"or"}, {"and"}, {"=", "!="}, {"<", "<=", ">", ">="}, {"+", "-"}, {"*", "div", "mod"}}

const maxNesting = 100

func (p *parser) expr() expr {
	if p.depth++; p.depth > maxNesting {
		p.fail(p.now(), "nested too deeply", "")
		return literal("")
	}
	defer func() { p.depth-- }()
	return p.level(0)
}

func (p *parser) level(n int) expr {
	if n == len(levels) {
		return p.unary()
	}
	l := p.level(n + 1)
	for p.now().kind == tOp && slices.Contains(levels[n], p.now().text) {
		op := p.now().text
		p.i++
		l = &operation{op, l, p.level(n + 1)}
	}
	return l
}

func (p *parser) unary() expr {
	minus := 0
	for p.take("-") {
		minus++
	}
	x := p.union()
	if minus%2 == 1 {
		return &negation{x}
	}
	if minus > 0 {
		return &negation{&negation{x}}
	}
	return x
}

func (p *parser) union() expr {
	at := p.now()
	l := p.path()
	for p.now().is("|") {
		p.i++
		right := p.now()
		r := p.path()
		for _, side := range []struct {
			x  expr
			at lexeme
		}{{l, at}, {r, right}} {
			if side.x.gives() != nodes {
				p.fail(side.at, "| joins only paths", "")
			}
		}
		l = &union{l, r}
	}
	return l
}

// path reads a location path, or a primary expression with what may follow it.
func (p *parser) path() expr {
	t := p.now()
	switch {
	case t.is("/"):
		p.i++
		out := &path{from: fromRoot}
		if p.startsStep() {
			p.steps(out)
		}
		return out
	case t.is("//"):
		return p.steps(&path{from: fromRoot})
	case t.is("(") || t.kind == tLiteral || t.kind == tNumber || p.isCall():
		return p.primaryPath()
	}
	if out, ok := p.item(); ok {
		return out
	}
	if !p.startsStep() {
		p.fail(t, "a path or a value must stand here", "")
		return literal("")
	}
	return p.steps(&path{})
}

// item reads the name of an item where a relative path may begin, outside of
// predicates: r, r/v:Code, r[@id="1"].
func (p *parser) item() (expr, bool) {
	t := p.now()
	slot, ok := p.o.Items[t.text]
	if !ok || t.kind != tName || t.prefix != "" || p.inner > 0 || p.list[p.i+1].is("::") {
		return nil, false
	}
	p.i++
	out := &path{from: fromItem, slot: slot}
	if p.now().is("[") {
		out = &path{from: fromExpr, start: &filtered{out, p.predicates()}}
	}
	return p.rest(out), true
}

func (p *parser) primaryPath() expr {
	x := p.primary()
	if p.now().is("[") {
		if x.gives() != nodes {
			p.fail(p.now(), "a predicate on what is no set of nodes", "")
		}
		x = &filtered{x, p.predicates()}
	}
	if p.now().is("/") || p.now().is("//") {
		if x.gives() != nodes {
			p.fail(p.now(), "a step from what is no set of nodes", "")
		}
		return p.rest(&path{from: fromExpr, start: x})
	}
	return x
}

func (p *parser) primary() expr {
	t := p.now()
	switch {
	case t.kind == tLiteral:
		p.i++
		return literal(t.text)
	case t.kind == tNumber:
		p.i++
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			p.fail(t, "not a number", "")
		}
		return numeral(f)
	case p.take("("):
		x := p.expr()
		p.need(")", "to close the parenthesis")
		return &filtered{x: x}
	}
	return p.call()
}

// isCall: a name before ( that is no node test.
func (p *parser) isCall() bool {
	t := p.now()
	return t.kind == tName && t.text != "*" && p.list[p.i+1].is("(") && (t.prefix != "" || !isNodeTest(t.text))
}

func isNodeTest(name string) bool {
	return name == "text" || name == "node" || name == "comment" || name == "processing-instruction"
}

func (p *parser) call() expr {
	t := p.now()
	f := functions[t.text]
	if f == nil || t.prefix != "" {
		p.fail(t, "XPath 1.0 has no such function, or not for documents without a document type", hintOf(t.text))
		return literal("")
	}
	p.i += 2
	out := &call{f: f}
	for first := true; !p.take(")"); first = false {
		if !first {
			p.need(",", "between arguments, or ) after them")
		}
		if p.err != nil {
			return out
		}
		at := p.now()
		x := p.expr()
		if f.sets && x.gives() != nodes {
			p.fail(at, t.text+"() takes a path", "")
		}
		out.args = append(out.args, x)
	}
	if len(out.args) < f.least || len(out.args) > f.most {
		p.fail(t, t.text+"() has another number of arguments", "write "+f.usage)
	}
	return out
}

func hintOf(name string) string {
	switch name {
	case "matches", "lower-case", "upper-case", "replace", "ends-with", "tokenize", "string-join":
		return "that one came with XPath 2.0; select with a path and do the rest in an expression"
	}
	return "functions are " + strings.Join(slices.Sorted(maps.Keys(functions)), ", ")
}
