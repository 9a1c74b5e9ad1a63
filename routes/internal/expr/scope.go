package expr

import (
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Scope is what expressions see of one message. It is made once per worker and
// set anew for each message; it is not safe for concurrent use.
type Scope struct {
	env       *Env
	msg, orig docVal
	meta      metaVal
	vars      varsVal
	part      partVal
	now       types.Timestamp
	values    []slot // of the named values; not set = not computed yet
	locals    []slot // of the values that steps named
	current   view
	received  view
	spare     []slot // values, while a program of another environment runs

	asReceived, asSettled memory
	settled               message.Doc
}

// view is what names stand for. There are two of each scope: in the one msg is
// the document as it is now, in the other, that of the named values, it is the
// message as received, so that they mean the same wherever they are read.
type view struct {
	scope   *Scope
	msg     *docVal
	element string // of the list that is being gone through
}

// NewScope makes an empty scope.
func NewScope() *Scope {
	s := &Scope{}
	s.msg.typ, s.orig.typ, s.meta.typ, s.vars.typ, s.part.typ = msgType, msgType, metaType, varsType, partType
	s.msg.scope, s.orig.scope, s.vars.scope = s, s, s
	s.current, s.received = view{scope: s, msg: &s.msg}, view{scope: s, msg: &s.orig}
	return s
}

// Set begins a message: orig as received, and the environment of a feed. msg is
// orig at first, and no step has named anything yet.
func (s *Scope) Set(e *Env, orig message.Doc, meta *message.Envelope, now time.Time) {
	s.orig.doc, s.msg.doc = orig, orig
	s.meta.env, s.now = meta, types.Timestamp{Time: now.UTC()}
	s.SetPart(0, "")
	s.ClearLocals()
	s.enter(e)
	s.asReceived.forget(len(e.selectors))
	s.orig.memory, s.msg.memory, s.settled = &s.asReceived, &s.asReceived, nil
}

// enter makes e the environment. Its named values are not computed yet.
func (s *Scope) enter(e *Env) {
	s.env = e
	s.values = sized(s.values, len(e.vars))
}

// sized gives n slots that are not set.
func sized(s []slot, n int) []slot {
	clear(s[:cap(s)])
	if cap(s) < n {
		return make([]slot, n)
	}
	return s[:n]
}

// SetMsg says which document msg is from now on; documents are pointers. Steps may
// edit it.
func (s *Scope) SetMsg(doc message.Doc) {
	s.msg.doc = doc
	switch doc {
	case s.orig.doc:
		s.msg.memory = &s.asReceived
	case s.settled:
		s.msg.memory = &s.asSettled
	default:
		s.msg.memory = nil
	}
}

// Settle says that the document that msg is now is not edited any more, so that
// what is read of it need be read once. It is still so after msg was another one
// for a while. What is received is settled anyway.
func (s *Scope) Settle() {
	if s.msg.memory != nil {
		return
	}
	s.settled = s.msg.doc
	s.asSettled.forget(len(s.env.selectors))
	s.msg.memory = &s.asSettled
}

// Msg is the document msg stands for.
func (s *Scope) Msg() message.Doc { return s.msg.doc }

// SetPart says which part of a split message msg is: its number from 1 and its id.
func (s *Scope) SetPart(index int, id string) { s.part.index, s.part.id = index, id }

// ClearLocals forgets what steps have named, before another part or copy of the
// message goes through them.
func (s *Scope) ClearLocals() { s.locals = sized(s.locals, 0) }

// Clear lets go of the message.
func (s *Scope) Clear() {
	s.orig.doc, s.msg.doc, s.settled, s.meta.env, s.env = nil, nil, nil, nil, nil
	s.asReceived.forget(0)
	s.asSettled.forget(0)
	s.SetPart(0, "")
	s.ClearLocals()
	s.values, s.spare = sized(s.values, 0), sized(s.spare, 0)
}

// ResolveName implements cel.Activation.
func (v *view) ResolveName(name string) (any, bool) {
	s := v.scope
	switch name {
	case "msg":
		return v.msg, true
	case "orig":
		return &s.orig, true
	case "vars":
		return &s.vars, true
	case "meta":
		return &s.meta, true
	case "part":
		return &s.part, true
	case "now":
		return s.now, true
	}
	t, ok := s.env.tables[name]
	return t, ok
}

// Parent implements cel.Activation.
func (v *view) Parent() cel.Activation { return nil }

// value computes named value n once per message. It can only refer to those
// defined before it, so this ends.
func (s *Scope) value(n int) (*slot, error) {
	v := &s.values[n]
	if v.kind != unset {
		return v, nil
	}
	got, err := s.env.vars[n].eval(&s.received)
	if err != nil {
		return nil, err
	}
	*v = got
	return v, nil
}

// local is what a step has named, an error when that step was not reached.
func (s *Scope) local(n int, name string) (*slot, error) {
	if n >= len(s.locals) || s.locals[n].kind == unset {
		return nil, Fault("vars." + name + " has no value here: the step that names it did not run")
	}
	return &s.locals[n], nil
}

// setLocal stores what a step names.
func (s *Scope) setLocal(n int, v slot) {
	for len(s.locals) <= n {
		s.locals = append(s.locals, slot{})
	}
	s.locals[n] = v
}
