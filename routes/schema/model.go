package schema

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// never is the type of keys that the loader knows and refuses.
type never struct{}

// Shape is what may stand at one place.
type Shape struct {
	Name string // of the Go type; "" for lists and unnamed maps
	Kind Kind
	Scalar

	// Of a Struct.
	What    []string // the names that the loader gives the mapping; nil = it takes any keys
	Title   string
	Doc     string
	By      string // the key that tells it from the others of a Pick
	Fields  []Field
	Refused []string // keys that the loader knows and refuses here, beside fields
	Rest    *Field   // other keys, whose names are scalars
	Rules   []Condition

	Key     *Shape   // of a Dict: its keys
	Item    *Shape   // of a List and a Dict
	Options []*Shape // of Forms and a Pick
}

// Kind of a shape.
type Kind uint8

// The kinds.
const (
	Plain  Kind = iota // a scalar
	Struct             // a mapping with keys of its own
	Dict               // a mapping from names to things of one kind
	List
	Forms // a scalar, a list or a mapping
	Pick  // mappings told apart by a key
	Never
)

// Field is one key of a Struct.
type Field struct {
	Key       string
	Shape     *Shape
	Doc       string
	Default   string
	Missing   string // the loader's problem without it; "" = it may be left out
	Sometimes bool   // it is missing only where a rule says so
	Refused   string // why the loader refuses it; "yet" = not in this version
	Extra     bool   // read elsewhere: the loader's name of the mapping does not cover it
}

// Required: the mapping cannot be without it.
func (f *Field) Required() bool { return f.Missing != "" && !f.Sometimes }

// Condition is what one key says about others.
type Condition struct {
	If        test     // nil = always
	Require   []string // these must be there
	Forbid    []string // these must not
	AnyOf     []string // one of these at least
	Exactly   []string // one of these and no other
	AtMostOne []string
	AtLeast   int    // so many keys
	NotEmpty  string // a key whose value must not be empty
}

// test is a question about the keys of a mapping, as JSON Schema asks it.
type test *node

func has(key string) test   { return &node{Required: []string{key}} }
func lacks(key string) test { return &node{Not: has(key)} }
func is(key, word string) test {
	return &node{Required: []string{key}, Properties: props{{key, &node{Enum: spellings(word)}}}}
}

// isNot: it is there, is written out, and is something else.
func isNot(key, word string) test {
	n := &node{Type: scalars, AllOf: []*node{{Not: &node{Enum: spellings(word)}}, {Not: &node{Type: "string", Pattern: `\$\{`}}}}
	return &node{Required: []string{key}, Properties: props{{key, n}}}
}
func isOrLacks(key, word string) test {
	return &node{AnyOf: []*node{lacks(key), is(key, word)}}
}

// reader turns Go types into shapes, each once.
type reader map[reflect.Type]*Shape

// Files gives the shapes of spine.yaml, of a feed, and of a file of values.
func Files() (spine, feed, values *Shape) {
	r := reader{}
	return r.shape(reflect.TypeFor[Spine]()), r.shape(reflect.TypeFor[Feed]()), r.shape(reflect.TypeFor[Values]())
}

func (r reader) shape(t reflect.Type) *Shape {
	if s := r[t]; s != nil {
		return s
	}
	s := &Shape{Name: t.Name()}
	r[t] = s
	switch v := reflect.Zero(t).Interface().(type) {
	case never:
		s.Kind = Never
	case scalar:
		s.Scalar = v.scalar()
	case interface{ forms() []any }:
		s.Kind = Forms
		r.options(s, v.forms())
	case interface{ picks() []any }:
		s.Kind = Pick
		r.options(s, v.picks())
		r.about(s, t)
	default:
		r.composed(s, t)
	}
	return s
}

func (r reader) options(s *Shape, all []any) {
	for _, o := range all {
		s.Options = append(s.Options, r.shape(reflect.TypeOf(o)))
	}
}

func (r reader) composed(s *Shape, t reflect.Type) {
	switch t.Kind() {
	case reflect.Map:
		s.Kind, s.Key, s.Item = Dict, r.shape(t.Key()), r.shape(t.Elem())
	case reflect.Slice:
		s.Kind, s.Item = List, r.shape(t.Elem())
	default:
		s.Kind = Struct
		r.about(s, t)
		r.fields(s, t)
	}
}

// about reads the tag of the blank field.
func (r reader) about(s *Shape, t reflect.Type) {
	f, ok := t.FieldByName("_")
	if !ok {
		return
	}
	s.Title, s.Doc, s.By = f.Tag.Get("title"), f.Tag.Get("doc"), f.Tag.Get("by")
	s.Refused = strings.Fields(f.Tag.Get("refuses"))
	if w := f.Tag.Get("what"); w != "" {
		s.What = strings.Split(w, ",")
	}
	if x := strings.Fields(f.Tag.Get("exactly")); len(x) > 0 {
		s.Rules = append(s.Rules, Condition{Exactly: x})
	}
}

func (r reader) fields(s *Shape, t reflect.Type) {
	if c, ok := reflect.Zero(t).Interface().(interface{ rules() []Condition }); ok && !promoted(t) {
		s.Rules = append(s.Rules, c.rules()...)
	}
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case f.Name == "_":
		case f.Anonymous:
			r.fields(s, f.Type)
		case f.Tag.Get("rest") != "":
			s.Rest = &Field{Shape: r.shape(f.Type), Doc: f.Tag.Get("doc")}
		default:
			s.Fields = append(s.Fields, r.field(f))
		}
	}
}

// promoted: the rules are those of an embedded struct, which brings them itself.
func promoted(t reflect.Type) bool {
	for i := range t.NumField() {
		if f := t.Field(i); f.Anonymous && hasRules(f.Type) {
			return true
		}
	}
	return false
}

func hasRules(t reflect.Type) bool {
	_, ok := reflect.Zero(t).Interface().(interface{ rules() []Condition })
	return ok
}

func (r reader) field(f reflect.StructField) Field {
	tag := f.Tag.Get
	out := Field{Key: tag("key"), Shape: r.shape(f.Type), Doc: tag("doc"), Default: tag("def"), Missing: tag("missing"),
		Sometimes: tag("sometimes") != "", Refused: tag("refused"), Extra: tag("extra") != ""}
	if words := strings.Fields(tag("one")); len(words) > 0 {
		own := *out.Shape
		own.Name, own.Words = "", words
		out.Shape = &own
	}
	if low, top, ok := strings.Cut(tag("range"), " "); ok {
		own := *out.Shape
		own.Name = "" // no longer what the others are
		own.Low, own.Top = bound(low), bound(top)
		own.Says = fmt.Sprintf("%s from %s to %s", own.Says, low, top)
		out.Shape = &own
	}
	return out
}

func bound(s string) *float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil
	}
	return &v
}

// Known are the keys that the loader knows at a Struct.
func (s *Shape) Known() []string {
	out := slices.Clone(s.Refused)
	for _, f := range s.Fields {
		if !f.Extra {
			out = append(out, f.Key)
		}
	}
	slices.Sort(out)
	return out
}
