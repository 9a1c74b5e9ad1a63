package expr

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// reserved are the names that always have a meaning.
var reserved = []string{"msg", "orig", "vars", "meta", "now", "part"}

// words are what CEL keeps for itself.
var words = []string{"true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
	"loop", "package", "namespace", "return", "var", "void", "while", "bool", "bytes", "double", "list", "map", "null_type", "string", "uint", "type"}

var (
	itemName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)
	segment  = regexp.MustCompile(`^[A-Z][A-Z0-9]{2}$`)
)

// CheckItemName says why a name cannot stand for an item of each or of a template.
func CheckItemName(name string) error {
	switch {
	case !itemName.MatchString(name):
		return fmt.Errorf("%q is no name: write letters, digits and _, such as obx", name)
	case segment.MatchString(name):
		return fmt.Errorf("%q reads as a segment: write it otherwise, such as obx", name)
	case slices.Contains(reserved, name), slices.Contains(words, name), slices.Contains(functionNames(), name):
		return fmt.Errorf("%q already has a meaning in expressions: name it otherwise, such as obx", name)
	}
	return nil
}

// item is a name that stands for what a slot of the message is bound to.
type item struct {
	name string
	slot int
}

// PushItem declares the name of an item for what is compiled from here to
// PopItem: NAME.index is the number of the item bound to the slot, from 1, and
// Options.Selector is asked anew for every selector.
func (e *Env) PushItem(name string, slot int) error {
	if err := CheckItemName(name); err != nil {
		return err
	}
	if _, taken := e.itemSlot(name); taken {
		return fmt.Errorf("%q names an item around this one already: name it otherwise", name)
	}
	e.items = append(e.items, item{name, slot})
	e.Reset()
	return nil
}

// PopItem ends what the last PushItem began.
func (e *Env) PopItem() {
	if n := len(e.items); n > 0 {
		e.items = e.items[:n-1]
	}
	e.Reset()
}

func (e *Env) itemSlot(name string) (int, bool) {
	for _, it := range e.items {
		if it.name == name {
			return it.slot, true
		}
	}
	return 0, false
}

// Reset says that selectors of msg mean something else from here on: msg has
// become another document, or its item names have changed. Programs compiled
// before keep their meaning.
func (e *Env) Reset() {
	maps.DeleteFunc(e.numbers, func(k selectorKey, _ int) bool { return !k.orig })
}

// AllowPart says whether what is compiled from here on may name part.
func (e *Env) AllowPart(yes bool) { e.parts = yes }

// variable is what vars.NAME stands for.
type variable struct {
	name    string
	program *Program
	local   bool
	number  int // in Env.vars, or of the local value
}

// Define adds a named value, read as vars.NAME by expressions compiled later. It
// is computed over the message as received, once, when first asked for.
func (e *Env) Define(name string, p *Program) {
	v := variable{name: name, program: p, number: len(e.vars)}
	e.vars = append(e.vars, p)
	e.declare(v)
}

// DefineLocal adds a value that a step names, read as vars.NAME by expressions
// compiled later; an earlier one of the same name is hidden. The step stores it:
// p.Store(scope, local).
func (e *Env) DefineLocal(name string, p *Program) (local int) {
	v := variable{name: name, program: p, local: true, number: e.locals}
	e.locals++
	e.declare(v)
	return v.number
}

func (e *Env) declare(v variable) {
	e.names[v.name] = v
	e.fields[varsType.TypeName()][v.name] = field(v.program.typ, func(target any) (any, error) {
		s, err := v.read(target.(*varsVal).scope)
		if err != nil {
			return nil, err
		}
		return s.val(), nil
	})
}

func (v *variable) read(s *Scope) (*slot, error) {
	if v.local {
		return s.local(v.number, v.name)
	}
	return s.value(v.number)
}

// Begin opens a stretch of steps: what DefineLocal names within it has no
// meaning after the end, and what it hid is back.
func (e *Env) Begin() (end func()) {
	vars := varsType.TypeName()
	names, fields := maps.Clone(e.names), maps.Clone(e.fields[vars])
	return func() { e.names, e.fields[vars] = names, fields }
}
