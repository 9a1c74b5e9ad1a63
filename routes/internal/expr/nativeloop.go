package expr

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// loop compiles msg.list("SEL").exists(x, ...) and .all(x, ...), which rules ask of
// repeating values. A loop within a loop is left to the interpreter, which counts
// its work; this one's grows with the message alone.
//
// CEL has written them out as
//
//	exists: accu = false; for x while not(accu): accu = accu || condition
//	all:    accu = true;  for x while accu:      accu = accu && condition
func (c *native) loop(x ast.Expr) (node, bool) {
	l := x.AsComprehension()
	init, step := l.AccuInit(), l.LoopStep()
	if c.element != "" || l.HasIterVar2() || init.Kind() != ast.LiteralKind || step.Kind() != ast.CallKind || !isAccu(l.Result(), l) {
		return node{}, false
	}
	begin, ok := init.AsLiteral().(types.Bool)
	operator := operators.LogicalOr // exists
	if begin {
		operator = operators.LogicalAnd
	}
	call := step.AsCall()
	if !ok || call.FunctionName() != operator || !isAccu(call.Args()[0], l) {
		return node{}, false
	}
	list, ok := c.compile(l.IterRange())
	if !ok || list.list == nil {
		return node{}, false
	}
	c.element = l.IterVar()
	condition, ok := c.compile(call.Args()[1])
	c.element = ""
	if !ok || condition.yes == nil {
		return node{}, false
	}
	return node{yes: each(list.list, condition.yes, !bool(begin))}, true
}

func isAccu(x ast.Expr, l ast.ComprehensionExpr) bool {
	return x.Kind() == ast.IdentKind && x.AsIdent() == l.AccuVar()
}

// each asks the condition of every element until one ends it: for exists that is
// true, for all false. As with || and &&, an element that ends it makes good the
// fault of another; else the first fault stands.
func each(list listFn, condition boolFn, end bool) boolFn {
	return func(v *view) (bool, error) {
		l, err := list(v)
		if err != nil {
			return false, err
		}
		outer := v.element // of a loop that asked a named value with a loop of its own
		defer func() { v.element = outer }()
		var first error
		for _, v.element = range l {
			yes, err := condition(v)
			switch {
			case err == nil && yes == end:
				return end, nil
			case err != nil && first == nil:
				first = err
			}
		}
		return first == nil && !end, first
	}
}
