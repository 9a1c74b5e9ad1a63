package routes

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/routes/internal/expr"
	"github.com/spine-engine/spine-engine/transforms"
)

// become says that msg is of another dialect from here on.
func (f *feed) become(d dialect) {
	f.cur = d
	if f.env != nil {
		f.env.Reset()
	}
}

// begin opens a stretch of steps; what its let steps name ends with it.
func (f *feed) begin() (end func()) {
	if f.env == nil {
		return func() {}
	}
	return f.env.Begin()
}

// sharedSteps gives the named steps a feed may use: those of spine.yaml and its own.
func (l *loader) sharedSteps(own *conf.Node) map[string]*conf.Node {
	out := map[string]*conf.Node{}
	for _, n := range []*conf.Node{l.steps, own} {
		for _, s := range n.Fields() {
			if first := out[s.Key]; first != nil {
				s.Name.Errorf("rename one", "steps %q exist already, in %s", s.Key, first.Place())
				continue
			}
			if checkName(s.Name, "list of steps", s.Key) {
				out[s.Key] = s.Node
			}
		}
	}
	return out
}

// use does the named steps in the place of this one.
func (f *feed) use(n *conf.Node) transforms.Step {
	name := n.Text()
	steps := f.shared[name]
	switch {
	case steps == nil:
		n.Errorf(cmp.Or(hint(name, slices.Sorted(maps.Keys(f.shared))), "name them under steps:, in this feed or in spine.yaml"), "there are no steps %q", name)
		return nil
	case slices.Contains(f.using, name):
		n.Errorf("end the circle", "the steps %s use themselves", strings.Join(append(f.using, name), " > "))
		return nil
	}
	f.loader.used[where(steps)] = true
	f.using = append(f.using, name)
	defer func() { f.using = f.using[:len(f.using)-1] }()
	return &transforms.Use{Name: name, Do: f.chain(steps)}
}

// letStep names values from here on.
func (f *feed) letStep(n *conf.Node) transforms.Step {
	var out let
	for _, v := range n.Fields() {
		if !identifier.MatchString(v.Key) {
			v.Name.Errorf("letters, digits and _", "%q cannot be read as vars.%s", v.Key, v.Key)
			continue
		}
		if p := compileExpr(f.env, v.Node, expr.Any); p != nil {
			out = append(out, named{p, f.env.DefineLocal(v.Key, p)})
		}
	}
	return out
}

// let is the step that names values.
type let []named

type named struct {
	prg   *expr.Program
	local int
}

// Firm implements transforms.Firm: what follows reads what it names.
func (let) Firm() {}

// Apply implements transforms.Step.
func (l let) Apply(in *transforms.Input) error {
	for _, v := range l {
		if err := v.prg.Store(in.Scope.(*expr.Scope), v.local); err != nil {
			return err
		}
	}
	return nil
}
