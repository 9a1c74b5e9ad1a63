package schema_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	yaml "go.yaml.in/yaml/v4"

	"github.com/spine-engine/spine-engine/internal/conf"
)

// What is not valid in a broken project stands where the loader sees a fault too:
// at the key, the value or the mapping of the JSON pointer, by line and column.
func TestBrokenProjectsAreNotValid(t *testing.T) {
	schemas := compiled(t)
	caught := 0
	for _, p := range checked(t) {
		plan, problems := p.load(nil)
		if plan != nil {
			continue
		}
		found := false
		for file, name := range p.files(t) {
			data := p.read(t, file)
			v, err := instance(data)
			if err != nil {
				continue
			}
			var invalid *jsonschema.ValidationError
			if !errors.As(schemas[name].Validate(v), &invalid) {
				continue
			}
			found = true
			right := map[string]bool{} // mappings with a fault that the loader sees
			var other [][]string
			for _, at := range deepest(invalid) {
				within := extent(t, data, at)
				if slices.ContainsFunc(problems, func(f conf.Problem) bool { return f.File == file && within(f.Line, f.Column) }) {
					right[pointer(at[:max(len(at)-1, 0)])] = true
				} else {
					other = append(other, at)
				}
			}
			for _, at := range other {
				if !right[pointer(at[:max(len(at)-1, 0)])] { // else a consequence of its neighbour
					t.Errorf("%s/%s: not valid at %q, where the loader sees nothing: %v", p.name, file, pointer(at), problems)
				}
			}
		}
		if found {
			caught++
		}
	}
	if caught < 80 {
		t.Errorf("only %d broken projects are not valid", caught)
	}
	t.Logf("%d broken projects are not valid", caught)
}

// pointer is the JSON pointer (RFC 6901) of a place.
func pointer(at []string) string {
	var b strings.Builder
	for _, s := range at {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(s))
	}
	return b.String()
}

// deepest gives the places of the faults. Of several forms that a value might
// have, those count that it comes closest to.
func deepest(e *jsonschema.ValidationError) [][]string {
	at := slices.Clone(e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		var out [][]string
		for _, p := range k.Properties {
			out = append(out, append(slices.Clone(at), p))
		}
		return out
	}
	if len(e.Causes) == 0 {
		return [][]string{at}
	}
	var out [][]string
	for _, c := range e.Causes {
		out = append(out, deepest(c)...)
	}
	if _, ok := e.ErrorKind.(*kind.AnyOf); ok {
		most := 0
		for _, p := range out {
			most = max(most, len(p))
		}
		out = slices.DeleteFunc(out, func(p []string) bool { return len(p) < most })
	}
	return out
}

// extent reports what lies at a place: at its key, its value, or within its value
// where that has no inner part of its own to blame.
func extent(t *testing.T, data []byte, at []string) func(line, column int) bool {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Content) == 0 {
		return func(int, int) bool { return true } // the file as a whole
	}
	n := doc.Content[0]
	first := n
	for _, step := range at {
		key, next := child(n, step)
		if next == nil {
			t.Fatalf("nothing at %s", pointer(at))
		}
		if n, first = next, next; key != nil {
			first = key
		}
	}
	end := last(n)
	return func(line, column int) bool {
		switch {
		case line < first.Line || line == first.Line && column < first.Column:
			return false
		case len(at) == 0:
			return line == first.Line || line == 0
		}
		return line < end.Line || line == end.Line && column <= end.Column+len(end.Value)
	}
}

// last is the last scalar of a node.
func last(n *yaml.Node) *yaml.Node {
	if len(n.Content) == 0 {
		return n
	}
	return last(n.Content[len(n.Content)-1])
}

func child(n *yaml.Node, step string) (key, value *yaml.Node) {
	if n.Kind == yaml.SequenceNode {
		if i, err := strconv.Atoi(step); err == nil && i < len(n.Content) {
			return nil, n.Content[i]
		}
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == step {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}
