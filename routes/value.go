package routes

import (
	"strings"
	"unicode/utf8"

	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes/internal/expr"
	"github.com/spine-engine/spine-engine/transforms"
)

// exprEnv makes the environment of expressions with the given tables; selector
// compiles what msg[...] and orig[...] name.
func (l *loader) exprEnv(n *conf.Node, tables []*transforms.Table, selector func(text string, orig bool) (message.Selector, error)) *expr.Env {
	e, err := expr.New(expr.Options{Selector: selector, Env: l.lookupEnv, Secret: l.secret, Tables: tables})
	if err != nil {
		n.Errorf("", "the expressions cannot be set up: %v", err)
		return nil
	}
	return e
}

// both is the selector function of a place where msg and orig are of one format.
func (d dialect) both(text string, _ bool) (message.Selector, error) { return d.inExpression(text) }

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
		n.ErrorAt(utf8.RuneCountInString(src[:strings.Index(src, "${")]), `write env("NAME")`, "${...} is not spliced into expressions")
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
		n.Errorf("write one text, or an expression", "one value goes to one place")
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
