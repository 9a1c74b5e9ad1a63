package expr

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
)

// call compiles a call by the overload that the checker chose.
func (c *native) call(x ast.Expr) (node, bool) {
	call := x.AsCall()
	ids := c.ast.GetOverloadIDs(x.ID())
	if len(ids) != 1 {
		return node{}, false
	}
	if n, ok := c.onMessage(call, ids[0]); ok {
		return n, true
	}
	if n, ok := c.onTable(call, ids[0]); ok {
		return n, true
	}
	if ids[0] == overloads.InList || ids[0] == "map_get_default" {
		return c.onLiteral(call, ids[0])
	}
	args, ok := c.operands(call)
	if !ok {
		return node{}, false
	}
	switch call.FunctionName() {
	case operators.LogicalAnd:
		return both(args[0].yes, args[1].yes, false), true
	case operators.LogicalOr:
		return both(args[0].yes, args[1].yes, true), true
	case operators.LogicalNot:
		return not(args[0].yes), true
	case operators.Conditional:
		return choose(args)
	case operators.Equals:
		return equal(args, true)
	case operators.NotEquals:
		return equal(args, false)
	}
	if d, ok := c.env.defs[ids[0]]; ok && d.native != nil {
		return d.native(args), true
	}
	return standard(ids[0], args)
}

// operands compiles target and arguments; false when one of them is not native.
func (c *native) operands(call ast.CallExpr) ([]node, bool) {
	var out []node
	xs := call.Args()
	if call.IsMemberFunction() {
		xs = append([]ast.Expr{call.Target()}, xs...)
	}
	for _, x := range xs {
		n, ok := c.compile(x)
		if !ok {
			return nil, false
		}
		out = append(out, n)
	}
	return out, true
}
