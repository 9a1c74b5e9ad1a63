package xmldoc

import (
	"fmt"
	"unicode/utf8"

	"github.com/spine-engine/spine-engine/internal/message"
)

// maxSelector bounds the text of a selector.
const maxSelector = 4 << 10

// SelectorOptions are what a feed declares for its selectors.
type SelectorOptions struct {
	Namespaces map[string]string // by prefix
	// Items are names of items (of each) and their slots. A path that begins with
	// one of them, outside of predicates, begins at the item: r/v:Code, r/@id, r.
	Items map[string]int
}

// Selector is a compiled XPath 1.0 expression. It is immutable and shared by
// goroutines.
type Selector struct {
	in      string
	x       expr
	plain   *path // x, when it is a location path
	preds   bool
	settled *item // the one node, for what Expand makes
}

var _ message.Selector = (*Selector)(nil)

// Compile reads a selector. The error is a *SelectorError.
func Compile(in string, o SelectorOptions) (message.Selector, error) {
	fail := func(at int, text, hint string) (message.Selector, error) {
		return nil, &SelectorError{Input: in[:min(len(in), 100)], Offset: at, Text: text, Hint: hint}
	}
	switch {
	case len(in) > maxSelector:
		return fail(0, fmt.Sprintf("longer than %d bytes", maxSelector), "")
	case !utf8.ValidString(in):
		return fail(0, "not UTF-8", "")
	}
	l := lexer{in: in}
	list, err := l.all()
	if err != nil {
		return nil, err
	}
	if len(list) == 1 {
		return fail(0, "empty", "write a path such as /v:Batch/v:Patient/v:Id")
	}
	p := parser{in: in, list: list, o: &o}
	x := p.expr()
	if t := p.now(); p.err == nil && t.kind != tEnd {
		p.fail(t, "nothing more can stand here", "")
	}
	if p.err != nil {
		if likeHL7(in) {
			p.err.Hint = useXPath
		}
		return nil, p.err
	}
	s := &Selector{in: in, x: x, preds: p.preds > 0}
	s.plain, _ = x.(*path)
	if s.Relative() && likeHL7(in) {
		return fail(0, "this is a selector of HL7 v2", useXPath)
	}
	return s, nil
}

const useXPath = "XML takes XPath, such as /v:Batch/v:Patient/v:Id"

// likeHL7: PID-3, OBX(*)-5. To XPath the first is a name, though nobody's.
func likeHL7(in string) bool {
	return segmentLike(in) && len(in) > 4 && (in[3] == '(' || digit(in[4]))
}

// String is the text as written.
func (s *Selector) String() string { return s.in }

// IsList is false: a path means the first node it finds where one is asked for.
func (s *Selector) IsList() bool { return false }

// HasCondition tells whether there is a predicate.
func (s *Selector) HasCondition() bool { return s.preds }

// Computes tells whether the selector gives a text, number or truth, such as
// count(//v:Result): it can be read but neither set nor walked.
func (s *Selector) Computes() bool { return s.x.gives() != nodes }

// Relative tells whether the selector is a path that begins neither at the root
// nor at an item. It is read from the document, so that v:Batch is /v:Batch.
func (s *Selector) Relative() bool { return s.plain != nil && s.plain.from == fromContext }

// eval gives the selector's value in d.
func (d *Doc) eval(s *Selector) (value, error) {
	if s.settled != nil {
		i, ok := d.mine(*s.settled)
		if !ok || d.isGone(i) {
			return value{}, nil
		}
		return value{set: []uint32{i}}, nil
	}
	r := run{d: d}
	v := s.x.eval(&r, context{0, 1, 1})
	if r.err != nil {
		return value{kind: v.kind}, fmt.Errorf("xml: %s: %w", s, r.err)
	}
	return v, nil
}

// all gives the nodes that s selects.
func (d *Doc) all(s *Selector) ([]uint32, error) {
	v, err := d.eval(s)
	if err == nil && len(v.set) > maxResult {
		err = fmt.Errorf("xml: %s selects more than %d nodes; select fewer", s, maxResult)
	}
	if err != nil {
		return nil, err
	}
	return v.set, nil
}

// note keeps the first reason why reading failed.
func (d *Doc) note(err error) {
	if err != nil {
		d.failed.CompareAndSwap(nil, &err)
	}
}
