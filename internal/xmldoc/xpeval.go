package xmldoc

import (
	"fmt"
	"math"
	"slices"
)

// kindOf is the type of a value; it is known of every expression before it runs.
type kindOf uint8

const (
	nodes kindOf = iota
	text
	figure
	truth
)

// value is what an expression gives.
type value struct {
	kind kindOf
	set  []uint32 // in document order, each once
	s    string
	f    float64
	b    bool
}

// context is where an expression is evaluated (XPath 1.0 section 1).
type context struct {
	node      uint32
	pos, size int
}

// Bounds of one evaluation. Configuration is trusted, the document is not.
const (
	maxWork   = 10_000_000 // nodes visited, and bytes of values compared by 16
	maxResult = 100_000    // nodes
)

// run is one evaluation.
type run struct {
	d    *Doc
	work int
	err  error
}

func (r *run) spend(n int) bool {
	if r.work += n; r.work > maxWork && r.err == nil {
		r.err = fmt.Errorf("the selector asks for more than %d steps in this document; write a shorter way to what it means", maxWork)
	}
	return r.err == nil
}

func (r *run) text(i uint32) string {
	n := r.d.at(i)
	r.spend(1 + int(n.end-n.start)/16)
	if r.err != nil {
		return ""
	}
	return r.d.value(i)
}

func (literal) gives() kindOf   { return text }
func (numeral) gives() kindOf   { return figure }
func (*negation) gives() kindOf { return figure }
func (*union) gives() kindOf    { return nodes }
func (*path) gives() kindOf     { return nodes }
func (c *call) gives() kindOf   { return c.f.gives }
func (f *filtered) gives() kindOf {
	return f.x.gives()
}

func (b *operation) gives() kindOf {
	switch b.op {
	case "+", "-", "*", "div", "mod":
		return figure
	}
	return truth
}

func (l literal) eval(*run, context) value { return value{kind: text, s: string(l)} }
func (n numeral) eval(*run, context) value { return value{kind: figure, f: float64(n)} }
func (n *negation) eval(r *run, c context) value {
	return value{kind: figure, f: -r.number(n.x.eval(r, c))}
}

func (u *union) eval(r *run, c context) value {
	set := append(slices.Clone(u.l.eval(r, c).set), u.r.eval(r, c).set...)
	return value{set: r.d.sorted(set)}
}

func (c *call) eval(r *run, ctx context) value {
	if r.err != nil {
		return value{kind: c.f.gives}
	}
	args := make([]value, len(c.args))
	for i, a := range c.args {
		args[i] = a.eval(r, ctx)
	}
	v := c.f.do(r, ctx, args)
	v.kind = c.f.gives
	return v
}

func (f *filtered) eval(r *run, c context) value {
	v := f.x.eval(r, c)
	for _, p := range f.preds {
		v.set = r.filter(v.set, p)
	}
	return v
}

func (b *operation) eval(r *run, c context) value {
	switch b.op {
	case "or":
		return value{kind: truth, b: r.truth(b.l.eval(r, c)) || r.truth(b.r.eval(r, c))}
	case "and":
		return value{kind: truth, b: r.truth(b.l.eval(r, c)) && r.truth(b.r.eval(r, c))}
	case "=", "!=", "<", "<=", ">", ">=":
		return value{kind: truth, b: r.compare(b.op, b.l.eval(r, c), b.r.eval(r, c))}
	}
	return value{kind: figure, f: arithmetic(b.op, r.number(b.l.eval(r, c)), r.number(b.r.eval(r, c)))}
}

func arithmetic(op string, x, y float64) float64 {
	switch op {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	case "div":
		return x / y
	}
	return math.Mod(x, y)
}

func (p *path) eval(r *run, c context) value {
	return value{set: r.steps(p.begin(r, c), p.steps)}
}

// begin is the set that the first step starts from.
func (p *path) begin(r *run, c context) []uint32 {
	switch p.from {
	case fromRoot:
		return []uint32{0}
	case fromItem:
		if i, ok := r.d.bound(p.slot); ok {
			return []uint32{i}
		}
		return nil
	case fromExpr:
		return p.start.eval(r, c).set
	}
	return []uint32{c.node}
}

// steps takes a set through steps. As long as no node of the set is within
// another one, going down keeps it in order without sorting.
func (r *run) steps(set []uint32, steps []step) []uint32 {
	apart := len(set) <= 1
	for i := range steps {
		s := &steps[i]
		var out []uint32
		for _, n := range set {
			if r.err != nil {
				return nil
			}
			out = r.step(out, n, s)
		}
		down := s.axis == child || s.axis == attributes || s.axis == self
		deep := s.axis == descendant || s.axis == descendantOrSelf
		if !apart || !down && !deep {
			out = r.d.sorted(out)
		}
		apart = apart && down || len(out) <= 1
		set = out
	}
	return set
}

// step appends what a step selects from one node.
func (r *run) step(out []uint32, from uint32, s *step) []uint32 {
	begin := len(out)
	r.d.walk(s.axis, from, func(i uint32) bool {
		if s.test.passes(r.d, s.axis, i) {
			out = append(out, i)
		}
		return r.spend(1)
	})
	if len(s.preds) == 0 {
		return out
	}
	kept := out[begin:]
	for _, p := range s.preds {
		kept = r.filter(kept, p)
	}
	return out[:begin+len(kept)]
}

// filter keeps, in place, the nodes that a predicate holds for (section 2.4).
func (r *run) filter(set []uint32, pred expr) []uint32 {
	if n, ok := pred.(numeral); ok { // [1], the usual one
		if i := int(n); float64(i) == float64(n) && i >= 1 && i <= len(set) {
			set[0] = set[i-1]
			return set[:1]
		}
		return set[:0]
	}
	kept := set[:0]
	for i, n := range set {
		if !r.spend(1) {
			return nil
		}
		v := pred.eval(r, context{n, i + 1, len(set)})
		if v.kind == figure && v.f == float64(i+1) || v.kind != figure && r.truth(v) {
			kept = append(kept, n)
		}
	}
	return kept
}

// sorted puts a set into document order and takes out what is there twice.
func (d *Doc) sorted(set []uint32) []uint32 {
	if !d.mixed {
		if !slices.IsSorted(set) {
			slices.Sort(set)
		}
		return slices.Compact(set)
	}
	place := d.places()
	slices.SortFunc(set, func(a, b uint32) int { return int(place[a]) - int(place[b]) })
	return slices.Compact(set)
}

// places numbers the nodes in document order, once an edit has put new nodes
// among the old.
func (d *Doc) places() []uint32 {
	if p := d.order.Load(); p != nil {
		return *p
	}
	place := make([]uint32, d.count)
	n := uint32(0)
	for i := uint32(0); ; {
		place[i] = n
		n++
		for a := d.at(i).attr; a != 0; a = d.at(a).next {
			place[a] = n
			n++
		}
		if i = d.following(i, 0); i == 0 {
			break
		}
	}
	d.order.Store(&place)
	return place
}

func (r *run) truth(v value) bool {
	switch v.kind {
	case nodes:
		return len(v.set) > 0
	case text:
		return v.s != ""
	case figure:
		return v.f != 0 && !math.IsNaN(v.f)
	}
	return v.b
}

func (r *run) number(v value) float64 {
	switch v.kind {
	case figure:
		return v.f
	case truth:
		if v.b {
			return 1
		}
		return 0
	}
	return parseNumber(r.string(v))
}

func (r *run) string(v value) string {
	switch v.kind {
	case nodes:
		if len(v.set) == 0 {
			return ""
		}
		return r.text(v.set[0])
	case figure:
		return formatNumber(v.f)
	case truth:
		if v.b {
			return "true"
		}
		return "false"
	}
	return v.s
}
