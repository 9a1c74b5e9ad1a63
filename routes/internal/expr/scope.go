package expr

import (
	"strconv"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Scope is what expressions see of one message. It is made once per worker and
// set anew for each message; it is not safe for concurrent use.
type Scope struct {
	env       *Env
	msg, orig docVal
	meta      metaVal
	vars      varsVal
	now       types.Timestamp
	values    []ref.Val // of the named values; nil = not computed yet
	received  received  // the scope of the named values: msg is orig
}

// NewScope makes an empty scope.
func NewScope() *Scope {
	s := &Scope{}
	s.msg.typ, s.orig.typ, s.meta.typ, s.vars.typ = msgType, msgType, metaType, varsType
	s.vars.scope, s.received.scope = s, s
	return s
}

// Set begins a message: orig as received, and the environment of a feed. msg is orig at first.
func (s *Scope) Set(e *Env, orig message.Doc, meta *message.Envelope, now time.Time) {
	s.env = e
	s.orig.doc, s.orig.selectors = orig, e.selectors
	s.msg.doc, s.msg.selectors = orig, e.selectors
	s.meta.env, s.now = meta, types.Timestamp{Time: now}
	s.values = s.values[:0]
	for range e.vars {
		s.values = append(s.values, nil)
	}
}

// SetMsg says which document msg is from now on.
func (s *Scope) SetMsg(doc message.Doc) { s.msg.doc = doc }

// Clear lets go of the message.
func (s *Scope) Clear() {
	s.orig.doc, s.msg.doc, s.meta.env, s.env = nil, nil, nil, nil
	clear(s.values)
}

// ResolveName implements cel.Activation.
func (s *Scope) ResolveName(name string) (any, bool) {
	switch name {
	case "msg":
		return &s.msg, true
	case "orig":
		return &s.orig, true
	case "vars":
		return &s.vars, true
	case "meta":
		return &s.meta, true
	case "now":
		return s.now, true
	}
	t, ok := s.env.tables[name]
	return t, ok
}

// Parent implements cel.Activation.
func (s *Scope) Parent() cel.Activation { return nil }

// received is a Scope in which msg is the message as received: named values
// mean the same wherever they are read.
type received struct{ scope *Scope }

func (r *received) ResolveName(name string) (any, bool) {
	if name == "msg" {
		name = "orig"
	}
	return r.scope.ResolveName(name)
}

func (r *received) Parent() cel.Activation { return nil }

// value computes named value n once per message. It can only refer to those
// defined before it, so this ends.
func (s *Scope) value(n int) (any, error) {
	if v := s.values[n]; v != nil {
		return v, nil
	}
	v, _, err := s.env.vars[n].prg.Eval(&s.received)
	if err != nil {
		return nil, err
	}
	s.values[n] = v
	return v, nil
}

// Program is a compiled expression, shared by goroutines.
type Program struct {
	prg cel.Program
	typ *cel.Type
}

// Bool evaluates a yes or no.
func (p *Program) Bool(s *Scope) (bool, error) {
	v, _, err := p.prg.Eval(s)
	if err != nil {
		return false, safe(err)
	}
	return v == types.True, nil
}

// Text evaluates a text; numbers are written in decimal.
func (p *Program) Text(s *Scope) (string, error) {
	v, _, err := p.prg.Eval(s)
	if err != nil {
		return "", safe(err)
	}
	switch v := v.(type) {
	case types.String:
		return string(v), nil
	case types.Int:
		return strconv.FormatInt(int64(v), 10), nil
	}
	return "", Fault("the expression gave no text")
}

// Msg is the document msg stands for.
func (s *Scope) Msg() message.Doc { return s.msg.doc }
