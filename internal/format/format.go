package format

import (
	"bytes"
	"slices"

	"github.com/spine-engine/spine-engine/internal/conf"
)

// Format gives the canonical form of one project file. Problems say why there is
// none: faults of the file, or something that could not be kept. file is its name
// in them.
func Format(file string, data []byte) ([]byte, []conf.Problem) {
	out, problems := once(file, data)
	if problems != nil {
		return nil, problems
	}
	again, problems := once(file, out)
	if problems != nil || !bytes.Equal(again, out) {
		return nil, []conf.Problem{{File: file, Line: 1, Column: 1, Text: "not formatted: the canonical form does not stay the same when it is formatted again",
			Hint: "the file stays as it is; please report it"}}
	}
	return out, nil
}

// once formats and holds the result against what it was made of.
func once(file string, data []byte) ([]byte, []conf.Problem) {
	s, p := read(file, data)
	if p != nil {
		return nil, []conf.Problem{*p}
	}
	parsed, problems := parse(file, s.text)
	if problems != nil {
		return nil, problems
	}
	if !parsed.IsMap() || len(parsed.Fields()) == 0 {
		return nil, []conf.Problem{*s.problem(1, "the file is not a mapping (key: value)")}
	}
	root, p := s.build(parsed, nil, false)
	if p != nil {
		return nil, []conf.Problem{*p}
	}
	comments := s.scan(root)
	attach(root, comments)
	s.separateTop(root)
	arrange(root, shapeOf(root))
	s.layout(root, 0)
	out := []byte(s.write(root))
	if p := s.verify(parsed, comments, out); p != nil {
		return nil, []conf.Problem{*p}
	}
	return out, nil
}

// parse reads YAML; any fault, traps included, is a problem.
func parse(file string, data []byte) (*conf.Node, []conf.Problem) {
	ctx := &conf.Context{Problems: &conf.Problems{}}
	n := conf.Parse(ctx, file, data)
	if ctx.Problems.Failed() || n == nil {
		return nil, ctx.Problems.Sorted()
	}
	return n, nil
}

// verify reads the result and compares: the same values under the same keys, and
// the same comments.
func (s *source) verify(before *conf.Node, comments []comment, out []byte) *conf.Problem {
	after, problems := parse(s.file, out)
	if problems != nil {
		return s.problem(1, "its canonical form would not be valid YAML")
	}
	if line := differs(before, after); line > 0 {
		return s.problem(line, "the value here would not be read as the same")
	}
	t, p := read(s.file, out)
	if p != nil {
		return p
	}
	root, p := t.build(after, nil, false)
	if p != nil {
		return p
	}
	if line := lost(comments, t.scan(root)); line > 0 {
		return s.problem(line, "the comment here has no place in the canonical form")
	}
	return nil
}

// differs is the line of the first value that is not the same, 0 if all are.
func differs(a, b *conf.Node) int {
	line, _ := a.Position()
	switch {
	case a.IsText() != b.IsText(), a.IsMap() != b.IsMap():
		return line
	case a.IsText():
		if a.Source() != b.Source() {
			return line
		}
		return 0
	case a.IsMap():
		fields := a.Fields()
		if len(fields) != len(b.Fields()) {
			return line
		}
		for _, f := range fields {
			other := b.Get(f.Key)
			if other == nil {
				return line
			}
			if l := differs(f.Node, other); l > 0 {
				return l
			}
		}
		return 0
	}
	xs, ys := a.Items(), b.Items()
	if len(xs) != len(ys) {
		return line
	}
	for i := range xs {
		if l := differs(xs[i], ys[i]); l > 0 {
			return l
		}
	}
	return 0
}

// lost is the line of the first comment that is not there any more, 0 if all are.
func lost(before, after []comment) int {
	var texts []string
	for _, c := range after {
		texts = append(texts, c.text)
	}
	for _, c := range before {
		i := slices.Index(texts, c.text)
		if i < 0 {
			return c.at.line
		}
		texts = slices.Delete(texts, i, i+1)
	}
	return 0
}
