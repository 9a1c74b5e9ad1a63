package schema

import (
	"bytes"
	"encoding/json"
)

// node is a schema as it is written.
type node struct {
	Schema      string   `json:"$schema,omitempty"`
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description,omitempty"`
	Ref         string   `json:"$ref,omitempty"`
	Type        any      `json:"type,omitempty"`
	Enum        []any    `json:"enum,omitempty"`
	Pattern     string   `json:"pattern,omitempty"`
	Minimum     *float64 `json:"minimum,omitempty"`
	Maximum     *float64 `json:"maximum,omitempty"`
	Default     any      `json:"default,omitempty"`
	Properties  props    `json:"properties,omitempty"`
	Required    []string `json:"required,omitempty"`
	Patterns    props    `json:"patternProperties,omitempty"`
	Additional  any      `json:"additionalProperties,omitempty"` // false or a node
	MinProps    int      `json:"minProperties,omitempty"`
	Items       *node    `json:"items,omitempty"`
	MinItems    int      `json:"minItems,omitempty"`
	AnyOf       []*node  `json:"anyOf,omitempty"`
	OneOf       []*node  `json:"oneOf,omitempty"`
	AllOf       []*node  `json:"allOf,omitempty"`
	Not         *node    `json:"not,omitempty"`
	If          *node    `json:"if,omitempty"`
	Then        *node    `json:"then,omitempty"`
	Else        *node    `json:"else,omitempty"`
	Defs        props    `json:"$defs,omitempty"`
}

// props are the entries of a mapping in the order they are shown.
type props []prop

type prop struct {
	key  string
	node any // *node, or false
}

// MarshalJSON keeps the order.
func (p props) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, e := range p {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := plain(e.key)
		if err != nil {
			return nil, err
		}
		value, err := plain(e.node)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// plain is JSON without the escapes for HTML.
func plain(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}
