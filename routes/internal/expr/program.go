package expr

import (
	"strconv"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// Program is a compiled expression, shared by goroutines.
type Program struct {
	env  *Env
	prg  cel.Program
	typ  *cel.Type
	kind kind
	node node // the native form, when there is one
}

// kind is how a result is kept.
type kind uint8

const (
	unset kind = iota
	aText
	aBool
	aNumber
	other // as CEL has it
)

func kindOf(t *cel.Type) kind {
	switch {
	case t.IsExactType(cel.StringType):
		return aText
	case t.IsExactType(cel.BoolType):
		return aBool
	case t.IsExactType(cel.IntType):
		return aNumber
	}
	return other
}

// slot keeps a result without an interface around it where it can.
type slot struct {
	kind   kind
	yes    bool
	number int64
	text   string
	value  ref.Val
}

func (s *slot) val() ref.Val {
	switch s.kind {
	case aText:
		return types.String(s.text)
	case aBool:
		return types.Bool(s.yes)
	case aNumber:
		return types.Int(s.number)
	}
	return s.value
}

func slotOf(k kind, v ref.Val) (slot, error) {
	s, ok := slot{kind: k}, true
	switch k {
	case aText:
		var t types.String
		t, ok = v.(types.String)
		s.text = string(t)
	case aBool:
		var b types.Bool
		b, ok = v.(types.Bool)
		s.yes = bool(b)
	case aNumber:
		var n types.Int
		n, ok = v.(types.Int)
		s.number = int64(n)
	default:
		s.value = v
	}
	if !ok {
		return slot{}, Fault("the expression gave another kind of value than it should")
	}
	return s, nil
}

func (p *Program) eval(v *view) (slot, error) {
	switch {
	case p.node.text != nil:
		t, err := p.node.text(v)
		return slot{kind: aText, text: t}, err
	case p.node.yes != nil:
		b, err := p.node.yes(v)
		return slot{kind: aBool, yes: b}, err
	case p.node.number != nil:
		n, err := p.node.number(v)
		return slot{kind: aNumber, number: n}, err
	}
	return p.interpret(v)
}

func (p *Program) interpret(v *view) (slot, error) {
	val, _, err := p.prg.Eval(v)
	if err != nil {
		return slot{}, err
	}
	return slotOf(p.kind, val)
}

// run evaluates over the message as it is now. A program of another environment
// (a peer's own expression) sees the named values of its own.
func (p *Program) run(s *Scope) (slot, error) {
	if p.env == s.env {
		r, err := p.eval(&s.current)
		return r, safe(err)
	}
	env, values, ofMsg, ofOrig := s.env, s.values, s.msg.memory, s.orig.memory
	s.values, s.msg.memory, s.orig.memory = s.spare, nil, nil
	s.enter(p.env)
	r, err := p.eval(&s.current)
	s.env, s.spare, s.values, s.msg.memory, s.orig.memory = env, s.values, values, ofMsg, ofOrig
	return r, safe(err)
}

// Bool evaluates a yes or no.
func (p *Program) Bool(s *Scope) (bool, error) {
	if p.node.yes != nil && p.env == s.env {
		yes, err := p.node.yes(&s.current)
		return yes, safe(err)
	}
	r, err := p.run(s)
	if err == nil && r.kind != aBool {
		err = Fault("the expression gave no yes or no")
	}
	return r.yes, err
}

// Text evaluates a text; numbers are written in decimal.
func (p *Program) Text(s *Scope) (string, error) {
	r, err := p.run(s)
	switch {
	case err != nil:
		return "", err
	case r.kind == aText:
		return r.text, nil
	case r.kind == aNumber:
		return strconv.FormatInt(r.number, 10), nil
	}
	return "", Fault("the expression gave no text")
}

// Store evaluates over the message as it is now and stores the result, of
// whatever kind, as the local value of that number (Env.DefineLocal).
func (p *Program) Store(s *Scope, local int) error {
	r, err := p.run(s)
	if err == nil {
		s.setLocal(local, r)
	}
	return err
}
