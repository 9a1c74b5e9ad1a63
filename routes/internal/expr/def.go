package expr

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// def is one overload of a function, written once in Go for both the interpreter
// and the native path. Its arguments are strict: it is called when all of them
// have a value, in CEL and here alike.
type def struct {
	name, id string
	member   bool // text.f(x), not f(text, x)
	args     []*cel.Type
	result   *cel.Type
	call     func(args ...ref.Val) ref.Val
	native   func(args []node) node // nil: the interpreter calls it
}

func (d *def) option() cel.EnvOption {
	bind := cel.FunctionBinding(d.call)
	if d.member {
		return cel.Function(d.name, cel.MemberOverload(d.id, d.args, d.result, bind))
	}
	return cel.Function(d.name, cel.Overload(d.id, d.args, d.result, bind))
}

func text(v ref.Val) string  { return string(v.(types.String)) }
func number(v ref.Val) int64 { return int64(v.(types.Int)) }

func textOr(s string, err error) ref.Val {
	if err != nil {
		return types.WrapErr(err)
	}
	return types.String(s)
}

func member(name, id string, d def) def { return named(name, id, true, d) }
func global(name, id string, d def) def { return named(name, id, false, d) }

func named(name, id string, isMember bool, d def) def {
	d.name, d.id, d.member = name, id, isMember
	return d
}

// The shapes of functions. T is a text, N a whole number, B a yes or no; the
// last letter is the result. Those ending in e can fail.

func fTT(f func(string) string) def {
	return def{
		args: []*cel.Type{cel.StringType}, result: cel.StringType,
		call: func(a ...ref.Val) ref.Val { return types.String(f(text(a[0]))) },
		native: func(a []node) node {
			x := a[0].text
			return node{text: func(v *view) (string, error) {
				s, err := x(v)
				if err != nil {
					return "", err
				}
				return f(s), nil
			}}
		},
	}
}

func fTTe(f func(string) (string, error)) def {
	return def{
		args: []*cel.Type{cel.StringType}, result: cel.StringType,
		call: func(a ...ref.Val) ref.Val { return textOr(f(text(a[0]))) },
		native: func(a []node) node {
			x := a[0].text
			return node{text: func(v *view) (string, error) {
				s, err := x(v)
				if err != nil {
					return "", err
				}
				return f(s)
			}}
		},
	}
}

func fTB(f func(string) bool) def {
	return def{
		args: []*cel.Type{cel.StringType}, result: cel.BoolType,
		call: func(a ...ref.Val) ref.Val { return types.Bool(f(text(a[0]))) },
		native: func(a []node) node {
			x := a[0].text
			return node{yes: func(v *view) (bool, error) {
				s, err := x(v)
				return err == nil && f(s), err
			}}
		},
	}
}

func fTTN(f func(a, b string) int64) def {
	return def{
		args: []*cel.Type{cel.StringType, cel.StringType}, result: cel.IntType,
		call: func(a ...ref.Val) ref.Val { return types.Int(f(text(a[0]), text(a[1]))) },
		native: func(a []node) node {
			x, y := a[0].text, a[1].text
			return node{number: func(v *view) (int64, error) {
				s, t, err := two(v, x, y)
				if err != nil {
					return 0, err
				}
				return f(s, t), nil
			}}
		},
	}
}

func fTTTe(f func(a, b string) (string, error)) def {
	return def{
		args: []*cel.Type{cel.StringType, cel.StringType}, result: cel.StringType,
		call: func(a ...ref.Val) ref.Val { return textOr(f(text(a[0]), text(a[1]))) },
		native: func(a []node) node {
			x, y := a[0].text, a[1].text
			return node{text: func(v *view) (string, error) {
				s, t, err := two(v, x, y)
				if err != nil {
					return "", err
				}
				return f(s, t)
			}}
		},
	}
}

func fTTTTe(f func(a, b, c string) (string, error)) def {
	return def{
		args: []*cel.Type{cel.StringType, cel.StringType, cel.StringType}, result: cel.StringType,
		call: func(a ...ref.Val) ref.Val { return textOr(f(text(a[0]), text(a[1]), text(a[2]))) },
		native: func(a []node) node {
			x, y, z := a[0].text, a[1].text, a[2].text
			return node{text: func(v *view) (string, error) {
				s, t, err := two(v, x, y)
				if err != nil {
					return "", err
				}
				u, err := z(v)
				if err != nil {
					return "", err
				}
				return f(s, t, u)
			}}
		},
	}
}

func fTNTe(f func(string, int64) (string, error)) def {
	return def{
		args: []*cel.Type{cel.StringType, cel.IntType}, result: cel.StringType,
		call: func(a ...ref.Val) ref.Val { return textOr(f(text(a[0]), number(a[1]))) },
		native: func(a []node) node {
			x, n := a[0].text, a[1].number
			return node{text: func(v *view) (string, error) {
				s, i, err := textNumber(v, x, n)
				if err != nil {
					return "", err
				}
				return f(s, i)
			}}
		},
	}
}

func fTNNTe(f func(string, int64, int64) (string, error)) def {
	return def{
		args: []*cel.Type{cel.StringType, cel.IntType, cel.IntType}, result: cel.StringType,
		call: func(a ...ref.Val) ref.Val { return textOr(f(text(a[0]), number(a[1]), number(a[2]))) },
		native: func(a []node) node {
			x, n, m := a[0].text, a[1].number, a[2].number
			return node{text: func(v *view) (string, error) {
				s, i, err := textNumber(v, x, n)
				if err != nil {
					return "", err
				}
				j, err := m(v)
				if err != nil {
					return "", err
				}
				return f(s, i, j)
			}}
		},
	}
}

func fTNTTe(f func(string, int64, string) (string, error)) def {
	return def{
		args: []*cel.Type{cel.StringType, cel.IntType, cel.StringType}, result: cel.StringType,
		call: func(a ...ref.Val) ref.Val { return textOr(f(text(a[0]), number(a[1]), text(a[2]))) },
		native: func(a []node) node {
			x, n, y := a[0].text, a[1].number, a[2].text
			return node{text: func(v *view) (string, error) {
				s, i, err := textNumber(v, x, n)
				if err != nil {
					return "", err
				}
				t, err := y(v)
				if err != nil {
					return "", err
				}
				return f(s, i, t)
			}}
		},
	}
}

func two(v *view, x, y textFn) (s, t string, err error) {
	if s, err = x(v); err == nil {
		t, err = y(v)
	}
	return s, t, err
}

func textNumber(v *view, x textFn, n numberFn) (s string, i int64, err error) {
	if s, err = x(v); err == nil {
		i, err = n(v)
	}
	return s, i, err
}
