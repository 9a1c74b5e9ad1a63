package schema_test

import (
	"flag"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	yaml "go.yaml.in/yaml/v4"

	"github.com/spine-engine/spine-engine/routes/schema"
)

var every = flag.Int("every", 7, "in how many places one change is made; 1 makes all thousand of them")

// A project that uses every key is changed in one place after the other: a key is
// taken out, or a value becomes another. What the loader still takes is still
// valid: no schema may forbid what runs.
func TestNoSchemaIsStricterThanTheLoader(t *testing.T) {
	schemas := compiled(t)
	whole := everything(t).fs.(fstest.MapFS)
	mutants, refused, both, places := 0, 0, 0, 0
	for file, name := range (project{"", whole}).files(t) {
		var doc yaml.Node
		if err := yaml.Unmarshal(whole[file].Data, &doc); err != nil {
			t.Fatal(err)
		}
		changes(doc.Content[0], func(what string) {
			if places++; places%*every != 0 {
				return
			}
			text, err := yaml.Marshal(&doc)
			if err != nil {
				t.Fatal(err)
			}
			v, err := instance(text)
			if err != nil {
				t.Fatal(err)
			}
			changed := maps.Clone(whole)
			changed[file] = &fstest.MapFile{Data: text}
			plan, problems := (project{"", changed}).load(nil)
			invalid := schemas[name].Validate(v)
			mutants++
			switch {
			case plan == nil && invalid != nil:
				both++
				refused++
			case plan == nil:
				refused++
			case invalid != nil:
				t.Errorf("%s, %s: it loads and is not valid: %v, %v", file, what, invalid, problems)
			}
		})
	}
	t.Logf("of %d changed projects the loader refuses %d, the schemas %d", mutants, refused, both)
}

// changes makes each change of a tree in turn, tells of it, and undoes it.
func changes(n *yaml.Node, tell func(what string)) {
	if n.Kind == yaml.ScalarNode {
		for i, other := range []yaml.Node{
			{Kind: yaml.ScalarNode, Value: "17"}, {Kind: yaml.ScalarNode, Value: "true"}, {Kind: yaml.ScalarNode, Value: "other"},
			{Kind: yaml.SequenceNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: n.Value}}}, {Kind: yaml.MappingNode},
		} {
			if (n.Line+n.Column+i)%5 == 0 { // one of the five
				was := *n
				*n = other
				tell(was.Value + " becomes " + []string{"a number", "true", "another word", "a list", "a mapping"}[i])
				*n = was
			}
		}
	}
	if n.Kind == yaml.MappingNode {
		for i := 0; i < len(n.Content); i += 2 {
			was := n.Content
			n.Content = append(append([]*yaml.Node{}, was[:i]...), was[i+2:]...)
			tell("without " + was[i].Value)
			n.Content = was
		}
	}
	for i, c := range n.Content {
		if n.Kind != yaml.MappingNode || i%2 == 1 {
			changes(c, tell)
		}
	}
}

// What the types say of a missing key is what the loader says of it.
func TestMissingKeysAreToldAsTheLoaderTellsThem(t *testing.T) {
	var told strings.Builder
	note := func(p project) {
		_, problems := p.load(nil)
		for _, f := range problems {
			told.WriteString(f.Text + "\n")
		}
	}
	for _, p := range checked(t) {
		note(p)
	}
	untold := func(what string) bool { // a key whose absence no project above has shown
		return slices.ContainsFunc(structs(), func(s *schema.Shape) bool {
			return slices.ContainsFunc(s.Fields, func(f schema.Field) bool {
				return what == "without "+f.Key && !strings.Contains(told.String(), f.Missing)
			})
		})
	}
	whole := everything(t).fs.(fstest.MapFS)
	for file := range (project{"", whole}).files(t) {
		var doc yaml.Node
		if err := yaml.Unmarshal(whole[file].Data, &doc); err != nil {
			t.Fatal(err)
		}
		changes(doc.Content[0], func(what string) {
			if !untold(what) {
				return
			}
			text, err := yaml.Marshal(&doc)
			if err != nil {
				t.Fatal(err)
			}
			changed := maps.Clone(whole)
			changed[file] = &fstest.MapFile{Data: text}
			note(project{"", changed})
		})
	}
	for _, s := range structs() {
		for _, f := range s.Fields {
			if f.Missing != "" && !strings.Contains(told.String(), f.Missing) {
				t.Errorf("%s without %s: the loader never says %q", s.Name, f.Key, f.Missing)
			}
		}
	}
}
