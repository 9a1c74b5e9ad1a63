package routes

import (
	"errors"
	"strings"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes/internal/expr"
	"github.com/spine-engine/spine-engine/transforms"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
)

// selectorOf compiles a selector written at n, as a key or as a value; nil after a problem.
func selectorOf(n *conf.Node) message.Selector { return compileSelector(n, n.Source()) }

func compileSelector(n *conf.Node, text string) message.Selector {
	s, err := hl7doc.Selector(text)
	if err == nil {
		return s
	}
	var pe *hl7.PathError
	if !errors.As(err, &pe) {
		n.Errorf("", "selector %q: %v", text, err)
		return nil
	}
	h := pe.Hint
	if !n.Quoted() && strings.ContainsAny(text, " ") {
		h = "quote a selector that holds spaces"
	}
	n.ErrorAt(pe.Offset, h, "selector %q: %s", text, pe.Text)
	return nil
}

func selectorsOf(n *conf.Node) []message.Selector {
	var out []message.Selector
	for _, c := range n.Items() {
		if s := selectorOf(c); s != nil {
			out = append(out, s)
		}
	}
	return out
}

// exprEnv makes the environment of expressions with the given tables.
func (l *loader) exprEnv(n *conf.Node, tables []*transforms.Table) *expr.Env {
	e, err := expr.New(expr.Options{Selector: func(text string, _ bool) (message.Selector, error) { return hl7doc.Selector(text) }, Env: l.lookupEnv, Tables: tables})
	if err != nil {
		n.Errorf("", "the expressions cannot be set up: %v", err)
		return nil
	}
	return e
}

func (l *loader) lookupEnv(name string) (string, bool) {
	v, err := l.resolve("env", name)
	return v, err == nil
}

// compileExpr compiles the expression at n; a leading "= " is allowed. nil after a problem.
func compileExpr(e *expr.Env, n *conf.Node, want expr.Want) *expr.Program {
	src := n.Source()
	body, prefix := strings.CutPrefix(src, "= ")
	skip := 0
	if prefix {
		skip = 2
	}
	switch {
	case e == nil || !n.IsText():
		return nil
	case n.CutByComment():
		n.Errorf("quote the expression, or put the comment on a line of its own", `" #" ends an unquoted expression: what follows is read as a comment`)
		return nil
	case strings.TrimSpace(body) == "":
		n.Errorf("", "the expression is empty")
		return nil
	case strings.Contains(src, "${"):
		n.Errorf(`write env("NAME")`, "${...} is not spliced into expressions")
		return nil
	}
	p, issues := e.Compile(body, want)
	for _, i := range issues {
		n.ErrorIn(i.Line, i.Column+skip, i.Hint, "%s", i.Text)
	}
	return p
}

// condition is a yes or no, and where it stands.
type condition struct {
	prg   *expr.Program
	place message.Place
}

// Bool implements transforms.Condition.
func (c *condition) Bool(in *transforms.Input) (bool, error) {
	return c.prg.Bool(in.Scope.(*expr.Scope))
}

func (f *feed) condition(n *conf.Node) *condition {
	if !n.Present() {
		return nil
	}
	if p := compileExpr(f.env, n, expr.Bool); p != nil {
		return &condition{prg: p, place: n.Place()}
	}
	return nil
}

// exprValue is an expression where a text is written.
type exprValue struct{ prg *expr.Program }

// Text implements transforms.Value.
func (v exprValue) Text(in *transforms.Input) (string, error) {
	return v.prg.Text(in.Scope.(*expr.Scope))
}

// value reads a text or, with a leading "= ", an expression; nil after a problem.
func (f *feed) value(n *conf.Node) transforms.Value {
	if !n.IsText() {
		n.Source() // says what was expected
		return nil
	}
	src := n.Source()
	switch {
	case strings.HasPrefix(src, "= "):
		if p := compileExpr(f.env, n, expr.Text); p != nil {
			return exprValue{p}
		}
		return nil
	case strings.HasPrefix(src, "="):
		n.Errorf(`write "= " for an expression; for the text itself '= "=..."'`, "= without a space after it is neither text nor expression")
		return nil
	}
	return transforms.Constant(n.Text())
}
