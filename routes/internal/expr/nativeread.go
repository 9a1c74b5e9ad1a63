package expr

import (
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"

	"github.com/spine-engine/spine-engine/internal/message"
)

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
