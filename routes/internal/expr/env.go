package expr

import (
	"slices"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
	"github.com/spine-engine/spine-engine/transforms/forms"
)

// Options are what the expressions of one feed may name.
type Options struct {
	// Selector compiles a selector of orig, or of msg as it is at the place that
	// is being compiled. An error that is a *hl7.PathError, or has a method
	// Detail() (offset int, text, hint string), is shown at its own position.
	Selector func(text string, orig bool) (message.Selector, error)
	Env      func(name string) (string, bool) // env("NAME"), read once, when compiling
	// Secret gives a declared secret, and the names of all that are known.
	Secret func(name string) (value string, ok bool, known []string)
	Tables []*transforms.Table
}

// Env compiles expressions. It is used by one goroutine while a project loads
// and is read-only afterwards.
type Env struct {
	options   Options
	cel       *cel.Env
	selectors []selector // msg["SEL"] becomes msg[number]
	numbers   map[selectorKey]int
	tables    map[string]*tableVal // by the name of their variable
	fields    map[string]map[string]*types.FieldType
	defs      map[string]*def     // by the id of their overload
	names     map[string]variable // vars.NAME
	vars      []*Program          // the named values
	locals    int                 // how many values steps have named
	forms     map[string]forms.DateForm
	zones     map[string]*time.Location
	secrets   map[string][]byte
	items     []item          // around what is being compiled, the innermost last
	parts     bool            // the feed splits
	used      map[string]bool // tables
}

// selector is one that an expression names. What a relative one selects depends on
// which item is bound.
type selector struct {
	message.Selector
	relative bool
}

// selectorKey is a selector as written.
type selectorKey struct {
	text string
	orig bool
}

// New makes an environment without named values.
func New(o Options) (*Env, error) {
	e := &Env{options: o, numbers: map[selectorKey]int{}, tables: map[string]*tableVal{}, names: map[string]variable{}, defs: map[string]*def{}, used: map[string]bool{},
		forms: map[string]forms.DateForm{}, zones: map[string]*time.Location{}, secrets: map[string][]byte{}}
	e.fields = map[string]map[string]*types.FieldType{
		msgType.TypeName():  messageFields(),
		metaType.TypeName(): metaFields(),
		partType.TypeName(): partFields(),
		varsType.TypeName(): {},
	}
	opts := functions()
	for _, d := range e.defineFunctions() {
		opts = append(opts, d.option())
		e.defs[d.id] = &d
	}
	opts = append(opts,
		cel.Variable("msg", msgType), cel.Variable("orig", msgType), cel.Variable("vars", varsType),
		cel.Variable("meta", metaType), cel.Variable("part", partType), cel.Variable("now", cel.TimestampType),
		cel.ParserRecursionLimit(64), cel.ParserExpressionSizeLimit(16<<10))
	for _, t := range o.Tables {
		opts = append(opts, e.declareTable(t)...)
	}
	reg, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	opts = append(opts, cel.CustomTypeAdapter(reg), cel.CustomTypeProvider(&provider{Provider: reg, fields: e.fields}))
	e.cel, err = cel.NewCustomEnv(append([]cel.EnvOption{standardLibrary()}, opts...)...)
	return e, err
}

// TableUsed reports whether any expression names the table.
func (e *Env) TableUsed(name string) bool { return e.used[name] }

// Want is the kind of result a place in a feed file takes.
type Want uint8

// The kinds of results.
const (
	Bool Want = iota
	Text      // text or a whole number
	Any       // for named values
)

// Compile checks and plans an expression. All faults come back at once.
func (e *Env) Compile(src string, want Want) (*Program, []Issue) {
	parsed, iss := e.cel.Parse(src)
	if iss.Err() != nil {
		return nil, syntaxIssues(src, iss)
	}
	r := rewriter{env: e, src: src, info: parsed.NativeRep().SourceInfo(), last: ast.MaxID(parsed.NativeRep())}
	r.walk(parsed.NativeRep().Expr())
	if len(r.issues) > 0 {
		return nil, r.issues
	}
	checked, iss := e.cel.Check(parsed)
	if iss.Err() != nil {
		return nil, e.typeIssues(src, iss)
	}
	if issue, ok := unfit(checked.OutputType(), want); !ok {
		return nil, []Issue{issue}
	}
	return e.plan(checked)
}

// costLimit bounds the work of one expression with a loop: about 50 ms.
const costLimit = 2_000_000

// plan makes the program. Expressions without loops are bounded by their own
// length and the functions' limits; counting the cost of each node would make
// them several times slower for nothing.
func (e *Env) plan(checked *cel.Ast) (*Program, []Issue) {
	opts := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	if hasLoop(checked.NativeRep().Expr()) {
		opts = append(opts, cel.CostLimit(costLimit), cel.CostTracking(growth{}))
	}
	p, err := e.cel.Program(checked, opts...)
	if err != nil {
		return nil, []Issue{{Line: 1, Text: "can never be evaluated: " + firstLine(err.Error())}}
	}
	typ := checked.OutputType()
	out := &Program{env: e, prg: p, typ: typ, kind: kindOf(typ)}
	if n, ok := e.compileNative(checked); ok {
		out.node = n
	}
	return out, nil
}

// growth counts what a call makes as work, so that a loop cannot fill the memory:
// ten characters, or one element, as one step.
type growth struct{}

// CallCost implements CEL's estimator of costs; nil leaves a call to CEL.
func (growth) CallCost(_, _ string, _ []ref.Val, result ref.Val) *uint64 {
	steps := uint64(1)
	switch r := result.(type) {
	case types.String:
		steps += uint64(len(r)) / 10
	case traits.Lister:
		if n, ok := r.Size().(types.Int); ok {
			steps += uint64(n)
		}
	default:
		return nil
	}
	return &steps
}

func hasLoop(root ast.Expr) bool {
	found := false
	ast.PostOrderVisit(root, ast.NewExprVisitor(func(x ast.Expr) {
		found = found || x.Kind() == ast.ComprehensionKind
	}))
	return found
}

// UseTable marks a table as used outside expressions.
func (e *Env) UseTable(name string) { e.used[name] = true }

// defineFunctions are the functions over texts and numbers.
func (e *Env) defineFunctions() []def {
	return slices.Concat(textDefs(), formDefs(), e.digestDefs(), e.dateDefs(), e.dateMembers())
}

// standardLibrary is CEL's own, without what has no place in a feed: other kinds of
// numbers, bytes, values without a type, and calendar functions that read the
// zone data of the machine and count months from 0.
func standardLibrary() cel.EnvOption {
	without := env.NewLibrarySubset()
	for _, fn := range []string{"in", "_in_", "bool", "bytes", "dyn", "type", "uint", "timestamp", "getFullYear", "getMonth", "getDayOfYear", "getDayOfMonth",
		"getDate", "getDayOfWeek", "getHours", "getMinutes", "getSeconds", "getMilliseconds"} {
		without.AddExcludedFunctions(env.NewFunction(fn))
	}
	without.AddExcludedMacros("has", "existsOne") // msg.has is another, exists_one the same
	return cel.StdLib(cel.StdLibSubset(without))
}
