package schema

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// scalarNode accepts a text however YAML reads it: 0123, 200 and true are texts.
func scalarNode(s Scalar) *node {
	if s.Words != nil {
		n := &node{}
		for _, w := range s.Words {
			n.Enum = append(n.Enum, spellings(w)...)
		}
		return &node{AnyOf: []*node{n, interpolated()}}
	}
	n := &node{Type: s.types(), Minimum: s.Low, Maximum: s.Top}
	switch {
	case s.Pattern == "":
	case s.Verbatim:
		n.Pattern = "^(?:" + s.Pattern + ")$"
	default:
		n.Pattern = "^(?:" + s.Pattern + `)$|\$\{`
	}
	if s.Not != "" {
		n.Not = &node{Type: "string", Pattern: s.Not}
	}
	return n
}

func (s Scalar) types() any {
	out := []string{"string"}
	if s.Numbers {
		out = append(out, "number")
	}
	if s.Yes {
		out = append(out, "boolean")
	}
	return out
}

// interpolated is a text that is not known before ${...} in it is.
func interpolated() *node { return &node{Type: "string", Pattern: `\$\{`} }

// spellings are the values that YAML may read a word as: 1.2 is a number too.
func spellings(word string) []any {
	out := []any{word}
	if v, err := strconv.ParseFloat(word, 64); err == nil && !math.IsInf(v, 0) && !math.IsNaN(v) {
		out = append(out, v)
	}
	if word == "true" || word == "false" {
		out = append(out, word == "true")
	}
	return out
}

// fits: the default can be written as a value.
func fits(s Scalar, def string) bool {
	if s.Words != nil {
		return slices.Contains(s.Words, def)
	}
	return !strings.Contains(def, " ") && s.Pattern != "" && s.Pattern != something
}
