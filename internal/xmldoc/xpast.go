package xmldoc

// The expressions of XPath 1.0. All are immutable once parsed.
type (
	expr interface {
		eval(r *run, c context) value
		gives() kindOf
	}
	operation struct {
		op   string
		l, r expr
	}
	negation struct{ x expr }
	union    struct{ l, r expr }
	literal  string
	numeral  float64
	call     struct {
		f    *function
		args []expr
	}
	// filtered is an expression in parentheses or a call, with predicates.
	filtered struct {
		x     expr
		preds []expr
	}
	// path is a location path. It begins at the root, the context node, an item,
	// or what an expression selects.
	path struct {
		from  origin
		slot  int
		start expr
		steps []step
	}
	step struct {
		axis  axis
		test  test
		preds []expr
	}
	// test is a node test; anyName and anySpace are its stars.
	test struct {
		nodes             nodeTest
		anyName, anySpace bool
		space, local      string // local is also the name of a processing instruction
		prefix            string // as written, for elements that an edit makes
	}
)

type origin uint8

const (
	fromContext origin = iota
	fromRoot
	fromItem
	fromExpr
)

type nodeTest uint8

const (
	principal nodeTest = iota // attributes on the attribute axis, elements on others
	anyNode
	textNode
	commentNode
	piNode
)
