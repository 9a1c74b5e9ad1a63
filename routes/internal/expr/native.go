package expr

import (
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
)

// The native path: the common expressions as Go closures, several times faster
// than CEL's interpreter. They mean exactly the same, faults included; what is
// not known here is left to the interpreter as a whole. A test evaluates random
// expressions both ways.

type (
	textFn   func(*view) (string, error)
	boolFn   func(*view) (bool, error)
	numberFn func(*view) (int64, error)
	listFn   func(*view) ([]string, error)
	rowFn    func(*view) ([]string, error)
)

// node is a compiled sub-expression: one of its functions is set.
type node struct {
	text   textFn
	yes    boolFn
	number numberFn
	list   listFn
	row    rowFn   // with its table's type
	fixed  *string // a text written out
}

// native compiles one checked expression.
type native struct {
	env     *Env
	ast     *ast.AST
	element string // the variable of the loop around, "" = none
}

// compileNative gives false for what the interpreter has to do.
func (e *Env) compileNative(checked *cel.Ast) (node, bool) {
	c := &native{env: e, ast: checked.NativeRep()}
	return c.compile(c.ast.Expr())
}

func (c *native) compile(x ast.Expr) (node, bool) {
	switch x.Kind() {
	case ast.LiteralKind:
		return literalNode(x)
	case ast.SelectKind:
		return c.field(x)
	case ast.CallKind:
		return c.call(x)
	case ast.ComprehensionKind:
		return c.loop(x)
	case ast.IdentKind:
		if c.element != "" && x.AsIdent() == c.element {
			return node{text: func(v *view) (string, error) { return v.element, nil }}, true
		}
	}
	return node{}, false
}

func literalNode(x ast.Expr) (node, bool) {
	switch v := x.AsLiteral().(type) {
	case types.String:
		return fixedText(string(v)), true
	case types.Int:
		n := int64(v)
		return node{number: func(*view) (int64, error) { return n, nil }}, true
	case types.Bool:
		b := bool(v)
		return node{yes: func(*view) (bool, error) { return b, nil }}, true
	}
	return node{}, false
}

func fixedText(s string) node {
	return node{text: func(*view) (string, error) { return s, nil }, fixed: &s}
}

// field is msg.type, vars.NAME, meta.id, part.index or a column of a row.
func (c *native) field(x ast.Expr) (node, bool) {
	sel := x.AsSelect()
	if sel.IsTestOnly() {
		return node{}, false
	}
	on, name := sel.Operand(), sel.FieldName()
	if on.Kind() != ast.IdentKind {
		return c.column(on, name)
	}
	switch on.AsIdent() {
	case "msg":
		n := slices.Index(headerNames(), name)
		return node{text: func(v *view) (string, error) { return v.msg.header(n), nil }}, n >= 0
	case "orig":
		n := slices.Index(headerNames(), name)
		return node{text: func(v *view) (string, error) { return v.scope.orig.header(n), nil }}, n >= 0
	case "vars":
		return c.variable(name)
	case "meta":
		return metaField(name)
	case "part":
		return partField(name)
	}
	return node{}, false
}

func (c *native) variable(name string) (node, bool) {
	v, ok := c.env.names[name]
	if !ok {
		return node{}, false
	}
	switch v.program.kind {
	case aText:
		return node{text: func(w *view) (string, error) {
			s, err := v.read(w.scope)
			if err != nil {
				return "", err
			}
			return s.text, nil
		}}, true
	case aBool:
		return node{yes: func(w *view) (bool, error) {
			s, err := v.read(w.scope)
			return err == nil && s.yes, err
		}}, true
	case aNumber:
		return node{number: func(w *view) (int64, error) {
			s, err := v.read(w.scope)
			if err != nil {
				return 0, err
			}
			return s.number, nil
		}}, true
	}
	return c.rowVariable(v)
}

// rowVariable is a named value that is a row of a table.
func (c *native) rowVariable(v variable) (node, bool) {
	if c.env.tableOfRow(v.program.typ) == nil {
		return node{}, false
	}
	return node{row: func(w *view) ([]string, error) {
		s, err := v.read(w.scope)
		if err != nil {
			return nil, err
		}
		return s.value.(*rowVal).row, nil
	}}, true
}

// column is table("t").get(k).name, or vars.row.name.
func (c *native) column(on ast.Expr, name string) (node, bool) {
	t := c.env.tableOfRow(c.ast.GetType(on.ID()))
	if t == nil {
		return node{}, false
	}
	n, ok := c.compile(on)
	i := t.table.Column(name)
	if !ok || n.row == nil || i < 0 {
		return node{}, false
	}
	return node{text: func(v *view) (string, error) {
		row, err := n.row(v)
		if err != nil {
			return "", err
		}
		return row[i], nil
	}}, true
}

func metaField(name string) (node, bool) {
	if get, ok := metaTexts()[name]; ok {
		return node{text: func(v *view) (string, error) { return get(v.scope.meta.env), nil }}, true
	}
	get, ok := metaNumbers()[name]
	return node{number: func(v *view) (int64, error) { return get(v.scope.meta.env), nil }}, ok
}

func partField(name string) (node, bool) {
	if name == "id" {
		return node{text: func(v *view) (string, error) { return v.scope.part.id, nil }}, true
	}
	return node{number: func(v *view) (int64, error) { return int64(v.scope.part.index), nil }}, name == "index"
}
