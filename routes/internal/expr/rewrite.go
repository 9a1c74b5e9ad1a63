package expr

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// rewriter prepares a parsed expression: selectors become numbers, tables
// variables, env("X") its text.
type rewriter struct {
	env    *Env
	src    string
	info   *ast.SourceInfo
	issues []Issue
	hidden []string // names of items that a loop uses for itself
	last   int64    // the highest id given to a node
}

// nextID gives an id to a node that the rewriter adds.
func (r *rewriter) nextID() int64 {
	r.last++
	return r.last
}

func (r *rewriter) walk(root ast.Expr) {
	ast.PreOrderVisit(root, ast.NewExprVisitor(func(x ast.Expr) {
		switch x.Kind() {
		case ast.CallKind:
			r.call(x)
		case ast.SelectKind:
			r.itemField(x)
		case ast.IdentKind:
			r.ident(x)
		case ast.ComprehensionKind:
			r.notShadowed(x, x.AsComprehension().IterVar())
		}
	}))
}

func (r *rewriter) notShadowed(x ast.Expr, name string) {
	if _, isItem := r.env.itemSlot(name); isItem || slices.Contains(reserved, name) {
		r.fault(x, 0, "name it otherwise, as in .all(x, x != \"\")", "%s already has a meaning", name)
		r.hidden = append(r.hidden, name) // what it would stand for is not known
	}
}

// itemField makes obx.index a question to msg: which number has the item of that slot.
func (r *rewriter) itemField(x ast.Expr) {
	sel := x.AsSelect()
	if sel.Operand().Kind() != ast.IdentKind {
		return
	}
	slot, ok := r.env.itemSlot(sel.Operand().AsIdent())
	if !ok || sel.IsTestOnly() {
		return
	}
	if sel.FieldName() != "index" {
		name := sel.Operand().AsIdent()
		r.fault(x, 0, `write msg["`+name+`-5.1"] for a value, `+name+`.index for its number`, "an item has no %q", sel.FieldName())
		replace(x, types.String("")) // the name within it is no second fault
		return
	}
	f := ast.NewExprFactory()
	x.SetKindCase(f.NewMemberCall(x.ID(), itemIndex, f.NewIdent(sel.Operand().ID(), "msg"), f.NewLiteral(r.nextID(), types.Int(slot))))
}

// ident refuses names that mean nothing where they stand.
func (r *rewriter) ident(x ast.Expr) {
	name := x.AsIdent()
	if _, ok := r.env.itemSlot(name); ok && !slices.Contains(r.hidden, name) {
		r.fault(x, 0, `write msg["`+name+`-5.1"] for a value, `+name+`.index for its number`, "%s is an item, which has no value of its own", name)
	}
	if name == "part" && !r.env.parts {
		r.fault(x, 0, "add split: to the feed, or name another value", "this feed does not split messages: there is no part here")
	}
}

func (r *rewriter) call(x ast.Expr) {
	c := x.AsCall()
	fn, args := c.FunctionName(), c.Args()
	switch {
	case fn == operators.Index && isMessage(args[0]):
		r.selector(args[0].AsIdent(), args[1], "[...]")
	case c.IsMemberFunction() && fn != itemIndex && isMessage(c.Target()) && len(args) == 1:
		r.selector(c.Target().AsIdent(), args[0], "."+fn)
	case fn == operators.Index && isTable(args[0]): // table("t")[k] is table("t").get(k)
		x.SetKindCase(ast.NewExprFactory().NewMemberCall(x.ID(), "get", args[0], args[1]))
	case fn == operators.In && isTable(args[1]): // k in table("t") is table("t").has(k)
		x.SetKindCase(ast.NewExprFactory().NewMemberCall(x.ID(), "has", args[1], args[0]))
	case c.IsMemberFunction():
		r.fixed(x, "."+fn, args)
	case fn == "table":
		r.table(x, args)
	case fn == "env":
		r.environment(x, args)
	default:
		r.fixed(x, fn, args)
	}
}

func isTable(x ast.Expr) bool {
	return x.Kind() == ast.CallKind && !x.AsCall().IsMemberFunction() && x.AsCall().FunctionName() == "table"
}

func isMessage(x ast.Expr) bool {
	return x.Kind() == ast.IdentKind && (x.AsIdent() == "msg" || x.AsIdent() == "orig")
}

func literal(x ast.Expr) (string, bool) {
	if x.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := x.AsLiteral().(types.String)
	return string(s), ok
}

func replace(x ast.Expr, v ref.Val) {
	x.SetKindCase(ast.NewExprFactory().NewLiteral(x.ID(), v))
}

// within is how many characters into an expression lies what is n bytes into a text
// in quotes that begins there.
func within(text string, n int) int {
	return 1 + utf8.RuneCountInString(text[:min(max(n, 0), len(text))])
}

// selector makes the selector at x a number. what is how the document is asked.
func (r *rewriter) selector(doc string, x ast.Expr, what string) {
	text, ok := literal(x)
	if !ok {
		r.fault(x, 0, `write it in quotes: msg["PID-5.1"]`, "%s takes a selector written out, so that it can be checked", doc+what)
		return
	}
	n, err := r.env.number(text, doc == "orig")
	if err != nil {
		f := selectorFault(err)
		r.fault(x, within(text, f.Offset), f.Hint, "selector %q: %s", text, f.Text)
		return
	}
	if s := r.env.selectors[n]; s.IsList() && (what == "[...]" || what == ".is_null") {
		r.fault(x, 0, `use `+doc+`.list("`+text+`")`, "%s selects several values", text)
		return
	}
	replace(x, types.Int(n))
}

func (e *Env) number(text string, orig bool) (int, error) {
	key := selectorKey{text, orig}
	if n, ok := e.numbers[key]; ok {
		return n, nil
	}
	if e.options.Selector == nil {
		return 0, errors.New("no values of a message can be read here")
	}
	s, err := e.options.Selector(text, orig)
	if err != nil {
		return 0, err
	}
	e.selectors = append(e.selectors, selector{s, !orig && len(e.items) > 0})
	e.numbers[key] = len(e.selectors) - 1
	return len(e.selectors) - 1, nil
}

func (r *rewriter) table(x ast.Expr, args []ast.Expr) {
	if len(args) != 1 {
		r.fault(x, 0, `table("specialty").get(code)`, "table takes one name")
		return
	}
	name, ok := literal(args[0])
	if !ok {
		r.fault(args[0], 0, `table("specialty").get(code)`, "table takes a name written out")
		return
	}
	if _, ok := r.env.tables[tableVar(name)]; !ok {
		r.fault(args[0], 0, suggest(name, r.env.tableNames()), "there is no table %q in this feed", name)
		return
	}
	r.env.used[name] = true
	x.SetKindCase(ast.NewExprFactory().NewIdent(x.ID(), tableVar(name)))
}

func (e *Env) tableNames() []string {
	var names []string
	for _, t := range e.options.Tables {
		names = append(names, t.Name)
	}
	return names
}

func (r *rewriter) environment(x ast.Expr, args []ast.Expr) {
	name, ok := "", false
	if len(args) == 1 {
		name, ok = literal(args[0])
	}
	if !ok {
		r.fault(x, 0, `env("TRUST_ODS")`, "env takes one name written out")
		return
	}
	var v string
	if r.env.options.Env != nil {
		v, ok = r.env.options.Env(name)
	} else {
		ok = false
	}
	if !ok {
		r.fault(x, 0, "set it before the engine starts", "environment variable %s is not set", strings.TrimSpace(name))
		return
	}
	replace(x, types.String(v))
}
