package expr

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"

	"github.com/spine-engine/spine-engine/internal/message"
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
		return d.native(c, args)
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

// both is && (end = false) and || (end = true). Either side can end it, even when
// the other fails: false && fault is false, and fault && false is too.
func both(left, right boolFn, end bool) node {
	return node{yes: func(v *view) (bool, error) {
		l, err := left(v)
		if err == nil && l == end {
			return end, nil
		}
		r, rerr := right(v)
		switch {
		case rerr == nil && r == end:
			return end, nil
		case err != nil:
			return false, err
		case rerr != nil:
			return false, rerr
		}
		return !end, nil
	}}
}

func not(x boolFn) node {
	return node{yes: func(v *view) (bool, error) {
		b, err := x(v)
		return err == nil && !b, err
	}}
}

// choose is condition ? a : b; only the chosen side is evaluated.
func choose(args []node) (node, bool) {
	cond, a, b := args[0].yes, args[1], args[2]
	switch {
	case a.text != nil && b.text != nil:
		return node{text: func(v *view) (string, error) {
			yes, err := cond(v)
			switch {
			case err != nil:
				return "", err
			case yes:
				return a.text(v)
			}
			return b.text(v)
		}}, true
	case a.yes != nil && b.yes != nil:
		return node{yes: func(v *view) (bool, error) {
			yes, err := cond(v)
			switch {
			case err != nil:
				return false, err
			case yes:
				return a.yes(v)
			}
			return b.yes(v)
		}}, true
	case a.number != nil && b.number != nil:
		return node{number: func(v *view) (int64, error) {
			yes, err := cond(v)
			switch {
			case err != nil:
				return 0, err
			case yes:
				return a.number(v)
			}
			return b.number(v)
		}}, true
	}
	return node{}, false
}

func equal(args []node, want bool) (node, bool) {
	a, b := args[0], args[1]
	if a.fixed != nil {
		a, b = b, a // a fixed text cannot fail, so which comes first does not matter
	}
	switch {
	case a.text != nil && b.fixed != nil:
		x, s := a.text, *b.fixed
		return node{yes: func(v *view) (bool, error) {
			t, err := x(v)
			return err == nil && (t == s) == want, err
		}}, true
	case a.text != nil && b.text != nil:
		return node{yes: func(v *view) (bool, error) {
			s, t, err := two(v, a.text, b.text)
			return err == nil && (s == t) == want, err
		}}, true
	case a.number != nil && b.number != nil:
		return numbers(a.number, b.number, func(i, j int64) bool { return (i == j) == want }), true
	case a.yes != nil && b.yes != nil:
		return node{yes: func(v *view) (bool, error) {
			i, err := a.yes(v)
			if err != nil {
				return false, err
			}
			j, err := b.yes(v)
			return err == nil && (i == j) == want, err
		}}, true
	}
	return node{}, false
}

func numbers(x, y numberFn, is func(i, j int64) bool) node {
	return node{yes: func(v *view) (bool, error) {
		i, err := x(v)
		if err != nil {
			return false, err
		}
		j, err := y(v)
		return err == nil && is(i, j), err
	}}
}

func texts(x, y textFn, is func(s, t string) bool) (node, bool) {
	return node{yes: func(v *view) (bool, error) {
		s, t, err := two(v, x, y)
		return err == nil && is(s, t), err
	}}, true
}

// onMessage is msg["SEL"], msg.has("SEL") and their like.
func (c *native) onMessage(call ast.CallExpr, id string) (node, bool) {
	switch id {
	case "msg_index", "msg_has", "msg_is_null", "msg_list", "msg_item_index":
	default:
		return node{}, false
	}
	xs := call.Args()
	if call.IsMemberFunction() {
		xs = []ast.Expr{call.Target(), xs[0]}
	}
	i, ok := xs[1].AsLiteral().(types.Int)
	if !ok || xs[0].Kind() != ast.IdentKind {
		return node{}, false
	}
	if id == "msg_item_index" {
		return node{number: func(v *view) (int64, error) { return v.msg.index(int(i)), nil }}, true
	}
	return c.read(id, xs[0].AsIdent() == "orig", int(i)), true
}

func (c *native) read(id string, orig bool, n int) node {
	doc := func(v *view) *docVal { return v.msg }
	if orig {
		doc = func(v *view) *docVal { return &v.scope.orig }
	}
	s := c.env.selectors[n].Selector
	switch id {
	case "msg_has":
		return node{yes: func(v *view) (bool, error) { return doc(v).has(n), nil }}
	case "msg_is_null":
		return node{yes: func(v *view) (bool, error) { return doc(v).doc.Presence(s) == message.Null, nil }}
	case "msg_list":
		return node{list: func(v *view) ([]string, error) { return doc(v).doc.List(s), nil }}
	}
	if orig {
		return node{text: func(v *view) (string, error) { return v.scope.orig.text(n), nil }}
	}
	return node{text: func(v *view) (string, error) { return v.msg.text(n), nil }}
}

// onTable is .has, .get and .get with a default.
func (c *native) onTable(call ast.CallExpr, id string) (node, bool) {
	if !call.IsMemberFunction() || call.Target().Kind() != ast.IdentKind {
		return node{}, false
	}
	t, ok := c.env.tables[call.Target().AsIdent()]
	if !ok {
		return node{}, false
	}
	key, ok := c.compile(call.Args()[0])
	if !ok {
		return node{}, false
	}
	switch {
	case strings.HasPrefix(id, tableHasID):
		return node{yes: func(v *view) (bool, error) {
			k, err := key.text(v)
			if err != nil {
				return false, err
			}
			_, ok := t.table.Get(k)
			return ok, nil
		}}, true
	case len(call.Args()) == 2:
		return c.tableDefault(t, key.text, call.Args()[1])
	case t.table.Plain():
		return node{text: func(v *view) (string, error) {
			row, err := t.rowOf(v, key.text)
			if err != nil {
				return "", err
			}
			return row[0], nil
		}}, true
	}
	return node{row: func(v *view) ([]string, error) { return t.rowOf(v, key.text) }}, true
}

func (t *tableVal) rowOf(v *view, key textFn) ([]string, error) {
	k, err := key(v)
	if err != nil {
		return nil, err
	}
	return t.lookup(k)
}

func (c *native) tableDefault(t *tableVal, key textFn, otherwise ast.Expr) (node, bool) {
	d, ok := c.compile(otherwise)
	return node{text: func(v *view) (string, error) {
		k, o, err := two(v, key, d.text)
		if err != nil {
			return "", err
		}
		if row, ok := t.table.Get(k); ok {
			return row[0], nil
		}
		return o, nil
	}}, ok
}

// onLiteral is x in [texts] and {texts: texts}.get(x, default).
func (c *native) onLiteral(call ast.CallExpr, id string) (node, bool) {
	if id == overloads.InList {
		x, ok := c.compile(call.Args()[0])
		if !ok || x.text == nil {
			return node{}, false
		}
		if set, ok := textsOf(call.Args()[1]); ok {
			return oneOf(x.text, set), true
		}
		l, ok := c.compile(call.Args()[1])
		return inList(x.text, l.list), ok
	}
	m, ok := mapOf(call.Target())
	if !ok {
		return node{}, false
	}
	x, ok := c.compile(call.Args()[0])
	d, ok2 := c.compile(call.Args()[1])
	return node{text: func(v *view) (string, error) {
		k, o, err := two(v, x.text, d.text)
		if err != nil {
			return "", err
		}
		if s, ok := m[k]; ok {
			return s, nil
		}
		return o, nil
	}}, ok && ok2
}

// few is up to how many texts are compared one by one.
const few = 12

func oneOf(x textFn, set []string) node {
	if len(set) <= few {
		return node{yes: func(v *view) (bool, error) {
			s, err := x(v)
			if err != nil {
				return false, err
			}
			for _, t := range set {
				if s == t {
					return true, nil
				}
			}
			return false, nil
		}}
	}
	known := make(map[string]bool, len(set))
	for _, t := range set {
		known[t] = true
	}
	return node{yes: func(v *view) (bool, error) {
		s, err := x(v)
		return err == nil && known[s], err
	}}
}

func inList(x textFn, list listFn) node {
	return node{yes: func(v *view) (bool, error) {
		s, err := x(v)
		if err != nil {
			return false, err
		}
		l, err := list(v)
		if err != nil {
			return false, err
		}
		for _, t := range l {
			if s == t {
				return true, nil
			}
		}
		return false, nil
	}}
}

func textsOf(x ast.Expr) ([]string, bool) {
	if x.Kind() != ast.ListKind {
		return nil, false
	}
	var out []string
	for _, e := range x.AsList().Elements() {
		s, ok := literal(e)
		if !ok {
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}

func mapOf(x ast.Expr) (map[string]string, bool) {
	if x.Kind() != ast.MapKind {
		return nil, false
	}
	out := map[string]string{}
	for _, e := range x.AsMap().Entries() {
		k, ok := literal(e.AsMapEntry().Key())
		val, ok2 := literal(e.AsMapEntry().Value())
		if _, twice := out[k]; !ok || !ok2 || twice {
			return nil, false
		}
		out[k] = val
	}
	return out, true
}

// standard are CEL's own functions.
func standard(id string, a []node) (node, bool) {
	switch id {
	case overloads.StartsWithString:
		return texts(a[0].text, a[1].text, strings.HasPrefix)
	case overloads.EndsWithString:
		return texts(a[0].text, a[1].text, strings.HasSuffix)
	case overloads.ContainsString:
		return texts(a[0].text, a[1].text, strings.Contains)
	case overloads.MatchesString:
		return matches(a[0].text, a[1].fixed)
	case overloads.LessString:
		return texts(a[0].text, a[1].text, func(s, t string) bool { return s < t })
	case overloads.LessEqualsString:
		return texts(a[0].text, a[1].text, func(s, t string) bool { return s <= t })
	case overloads.GreaterString:
		return texts(a[0].text, a[1].text, func(s, t string) bool { return s > t })
	case overloads.GreaterEqualsString:
		return texts(a[0].text, a[1].text, func(s, t string) bool { return s >= t })
	case overloads.AddString:
		return join(a[0].text, a[1].text), true
	case overloads.SizeString, overloads.SizeStringInst:
		return size(a[0].text), true
	case overloads.IntToString:
		return written(a[0].number), true
	case overloads.StringToInt:
		return parsed(a[0].text), true
	case overloads.StringToString, overloads.IntToInt:
		return a[0], true
	}
	return arithmetic(id, a)
}

func arithmetic(id string, a []node) (node, bool) {
	switch id {
	case overloads.LessInt64:
		return numbers(a[0].number, a[1].number, func(i, j int64) bool { return i < j }), true
	case overloads.LessEqualsInt64:
		return numbers(a[0].number, a[1].number, func(i, j int64) bool { return i <= j }), true
	case overloads.GreaterInt64:
		return numbers(a[0].number, a[1].number, func(i, j int64) bool { return i > j }), true
	case overloads.GreaterEqualsInt64:
		return numbers(a[0].number, a[1].number, func(i, j int64) bool { return i >= j }), true
	case overloads.AddInt64:
		return sum(a[0].number, a[1].number, 1), true
	case overloads.SubtractInt64:
		return sum(a[0].number, a[1].number, -1), true
	}
	return node{}, false
}

const (
	tooLarge = Fault("a number is too large")
	noForm   = Fault("a value has not the form that the conversion needs")
)

func sum(x, y numberFn, sign int64) node {
	return node{number: func(v *view) (int64, error) {
		i, err := x(v)
		if err != nil {
			return 0, err
		}
		j, err := y(v)
		if err != nil {
			return 0, err
		}
		if sign < 0 {
			if (j < 0 && i > math.MaxInt64+j) || (j > 0 && i < math.MinInt64+j) {
				return 0, tooLarge
			}
			return i - j, nil
		}
		if (j > 0 && i > math.MaxInt64-j) || (j < 0 && i < math.MinInt64-j) {
			return 0, tooLarge
		}
		return i + j, nil
	}}
}

func matches(x textFn, pattern *string) (node, bool) {
	if pattern == nil {
		return node{}, false
	}
	re, err := regexp.Compile(*pattern)
	if err != nil {
		return node{}, false
	}
	return node{yes: func(v *view) (bool, error) {
		s, err := x(v)
		return err == nil && re.MatchString(s), err
	}}, true
}

func join(x, y textFn) node {
	return node{text: func(v *view) (string, error) {
		s, t, err := two(v, x, y)
		if err != nil {
			return "", err
		}
		return s + t, nil
	}}
}

func size(x textFn) node {
	return node{number: func(v *view) (int64, error) {
		s, err := x(v)
		return int64(utf8.RuneCountInString(s)), err
	}}
}

func written(x numberFn) node {
	return node{text: func(v *view) (string, error) {
		n, err := x(v)
		if err != nil {
			return "", err
		}
		return strconv.FormatInt(n, 10), nil
	}}
}

func parsed(x textFn) node {
	return node{number: func(v *view) (int64, error) {
		s, err := x(v)
		if err != nil {
			return 0, err
		}
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return 0, noForm
		}
		return n, nil
	}}
}
