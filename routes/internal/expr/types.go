package expr

import (
	"errors"
	"reflect"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/spine-engine/spine-engine/internal/message"
)

// The types that messages add to CEL.
var (
	msgType  = cel.ObjectType("spine.Message", 0)
	varsType = cel.ObjectType("spine.Vars", 0)
	metaType = cel.ObjectType("spine.Meta", 0)
	partType = cel.ObjectType("spine.Part", 0)
)

var errNoConversion = errors.New("has no other form")

// opaque is what all values of our own types share.
type opaque struct{ typ *cel.Type }

func (o *opaque) ConvertToNative(reflect.Type) (any, error) { return nil, errNoConversion }
func (o *opaque) Type() ref.Type                            { return o.typ }

func (o *opaque) ConvertToType(t ref.Type) ref.Val {
	if t == types.TypeType {
		return o.typ
	}
	return types.WrapErr(errNoConversion)
}

// metaVal is meta: the transport's facts.
type metaVal struct {
	opaque
	env *message.Envelope
}

func (m *metaVal) Equal(o ref.Val) ref.Val { return types.Bool(any(m) == any(o)) }
func (m *metaVal) Value() any              { return m }

// varsVal is vars: the named values of a feed, computed when first asked for.
type varsVal struct {
	opaque
	scope *Scope
}

func (v *varsVal) Equal(o ref.Val) ref.Val { return types.Bool(any(v) == any(o)) }
func (v *varsVal) Value() any              { return v }

// partVal is part: which part of a split message msg is.
type partVal struct {
	opaque
	index int
	id    string
}

func (p *partVal) Equal(o ref.Val) ref.Val { return types.Bool(any(p) == any(o)) }
func (p *partVal) Value() any              { return p }

func partFields() map[string]*types.FieldType {
	return map[string]*types.FieldType{
		"index": field(cel.IntType, func(v any) (any, error) { return types.Int(v.(*partVal).index), nil }),
		"id":    field(cel.StringType, func(v any) (any, error) { return types.String(v.(*partVal).id), nil }),
	}
}

// provider tells the checker and the planner about fields of our types.
type provider struct {
	types.Provider
	fields map[string]map[string]*types.FieldType // by type name, field name
}

func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := p.fields[name]; ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return p.Provider.FindStructType(name)
}

func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	fields, ok := p.fields[name]
	if !ok {
		return p.Provider.FindStructFieldNames(name)
	}
	var names []string
	for n := range fields {
		names = append(names, n)
	}
	return names, true
}

func (p *provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	fields, ok := p.fields[name]
	if !ok {
		return p.Provider.FindStructFieldType(name, field)
	}
	f, ok := fields[field]
	return f, ok
}

// NewValue refuses: expressions make no messages.
func (p *provider) NewValue(name string, fields map[string]ref.Val) ref.Val {
	if _, ok := p.fields[name]; ok {
		return types.WrapErr(errNoConversion)
	}
	return p.Provider.NewValue(name, fields)
}

func field(t *cel.Type, get func(target any) (any, error)) *types.FieldType {
	return &types.FieldType{Type: t, IsSet: func(any) bool { return true }, GetFrom: get}
}

func messageFields() map[string]*types.FieldType {
	fields := map[string]*types.FieldType{}
	for n, name := range headerNames() {
		fields[name] = field(cel.StringType, func(v any) (any, error) { return types.String(v.(*docVal).header(n)), nil })
	}
	return fields
}

// metaTexts and metaNumbers are the fields of meta, but for received.
func metaTexts() map[string]func(*message.Envelope) string {
	return map[string]func(*message.Envelope) string{
		"id":     func(e *message.Envelope) string { return e.ID.String() },
		"source": func(e *message.Envelope) string { return e.Source },
		"remote": func(e *message.Envelope) string { return e.Remote },
		"file":   func(e *message.Envelope) string { return e.File },
	}
}

func metaNumbers() map[string]func(*message.Envelope) int64 {
	return map[string]func(*message.Envelope) int64{
		"index": func(e *message.Envelope) int64 { return int64(e.Index) },
		"row":   func(e *message.Envelope) int64 { return int64(e.Index) }, // what a file of rows calls it
		"size":  func(e *message.Envelope) int64 { return e.Body.Size() },
	}
}

func metaFields() map[string]*types.FieldType {
	fields := map[string]*types.FieldType{
		"received": field(cel.TimestampType, func(v any) (any, error) {
			return types.Timestamp{Time: v.(*metaVal).env.Received.In(time.UTC)}, nil
		}),
	}
	for name, get := range metaTexts() {
		fields[name] = field(cel.StringType, func(v any) (any, error) { return types.String(get(v.(*metaVal).env)), nil })
	}
	for name, get := range metaNumbers() {
		fields[name] = field(cel.IntType, func(v any) (any, error) { return types.Int(get(v.(*metaVal).env)), nil })
	}
	return fields
}
