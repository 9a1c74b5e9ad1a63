package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// draft is the version of JSON Schema.
const draft = "https://json-schema.org/draft/2020-12/schema"

// Names lists the schemas there are.
func Names() []string { return []string{"spine", "feed", "values"} }

// JSON is the JSON Schema (draft 2020-12) of a kind of file: spine, feed or values.
func JSON(name string) ([]byte, error) {
	spine, feed, values := Files()
	s, ok := map[string]*Shape{"spine": spine, "feed": feed, "values": values}[name]
	if !ok {
		return nil, fmt.Errorf("there is no schema %q; there are %s", name, strings.Join(Names(), ", "))
	}
	w := &writer{done: map[string]bool{}}
	n := w.mapping(s)
	n.Schema, n.Title, n.Description, n.Defs = draft, s.Title, unlinked(s.Doc), w.defs
	b, err := plain(n)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// writer writes shapes; those that have a name stand under $defs.
type writer struct {
	defs props
	done map[string]bool
}

// scalars are what YAML may read a text as.
var scalars = []string{"string", "number", "boolean"}

func (w *writer) node(s *Shape) *node {
	switch s.Kind {
	case List:
		item := w.node(s.Item)
		return &node{AnyOf: []*node{{Type: "array", Items: item}, item}} // one stands for a list of one
	case Dict:
		n := &node{Type: "object"}
		w.others(n, s)
		return n
	case Never:
		return nil
	case Plain:
		if s.Name == "" {
			return scalarNode(s.Scalar)
		}
	}
	if !w.done[s.Name] {
		w.done[s.Name] = true
		at := len(w.defs)
		w.defs = append(w.defs, prop{key: s.Name})
		w.defs[at].node = w.body(s)
	}
	return &node{Ref: "#/$defs/" + s.Name}
}

func (w *writer) body(s *Shape) *node {
	switch s.Kind {
	case Plain:
		return scalarNode(s.Scalar)
	case Struct:
		return w.mapping(s)
	case Pick:
		return w.pick(s)
	}
	out := &node{}
	for _, o := range s.Options {
		n := w.node(o)
		if o.Kind == List {
			n = n.AnyOf[0] // the single one is a form of its own
		}
		out.AnyOf = append(out.AnyOf, n)
	}
	return out
}

func (w *writer) mapping(s *Shape) *node {
	n := &node{Description: unlinked(s.Doc), Type: "object", Additional: false}
	for i := range s.Fields {
		f := &s.Fields[i]
		if f.Refused != "" || slices.Contains(s.Refused, f.Key) {
			continue
		}
		if f.Required() {
			n.Required = append(n.Required, f.Key)
		}
		n.Properties = append(n.Properties, prop{f.Key, w.field(f)})
	}
	if s.Rest != nil {
		w.others(n, s.Rest.Shape)
	}
	for _, c := range s.Rules {
		c.write(n)
	}
	return n
}

// others writes what stands under the keys of a Dict. Keys with a form of their
// own are patterns, so that a fault is found at the key.
func (w *writer) others(n *node, dict *Shape) {
	if p := dict.Key.Pattern; p != "" && p != something {
		n.Patterns, n.Additional = props{{"^(?:" + p + ")$", w.node(dict.Item)}}, false
		return
	}
	n.Additional = w.node(dict.Item)
}

func (w *writer) field(f *Field) *node {
	n := *w.node(f.Shape)
	if d := unlinked(docOf(f)); d != "" {
		n.Description = d
	}
	if f.Default != "" && f.Shape.Kind == Plain && fits(f.Shape.Scalar, f.Default) {
		n.Default = f.Default
	}
	return &n
}

// pick offers the keys of all its mappings, and is closed by the one that is meant.
func (w *writer) pick(s *Shape) *node {
	n := &node{Description: unlinked(s.Doc), Type: "object"}
	seen := map[string]bool{}
	for _, o := range s.Options {
		for i := range o.Fields {
			f := &o.Fields[i]
			if f.Refused == "" && !seen[f.Key] {
				seen[f.Key] = true
				n.Properties = append(n.Properties, prop{f.Key, &node{Description: unlinked(docOf(f))}})
			}
		}
	}
	w.choose(n, s.Options)
	return n
}

// choose adds if, then and else for each mapping in turn: of two that might be
// meant, the first one says what does not belong to it.
func (w *writer) choose(n *node, options []*Shape) {
	at, others := n, false
	for i, o := range options {
		if o.By == "" {
			*at, others = *w.node(o), true
			break
		}
		n.OneOf = append(n.OneOf, has(o.By))
		at.If, at.Then = has(o.By), w.node(o)
		if i+1 < len(options) {
			at.Else = &node{}
			at = at.Else
		}
	}
	if others { // any keys at all may be meant
		n.OneOf = nil
	}
}

// write adds a rule to the schema of a mapping.
func (c Condition) write(n *node) {
	then := &node{Required: c.Require, MinProps: c.AtLeast}
	for _, k := range c.Forbid {
		then.Properties = append(then.Properties, prop{k, false})
	}
	for _, k := range c.AnyOf {
		then.AnyOf = append(then.AnyOf, has(k))
	}
	for _, k := range c.Exactly {
		then.OneOf = append(then.OneOf, has(k))
	}
	if c.AtMostOne != nil {
		for _, k := range c.AtMostOne {
			then.OneOf = append(then.OneOf, has(k))
		}
		then.OneOf = append(then.OneOf, &node{Not: &node{AnyOf: slices.Clone(then.OneOf)}})
	}
	if c.NotEmpty != "" {
		then.Properties = props{{c.NotEmpty, &node{MinProps: 1, MinItems: 1}}}
	}
	if c.If != nil {
		n.AllOf = append(n.AllOf, &node{If: c.If, Then: then})
		return
	}
	n.AllOf = append(n.AllOf, then)
}
