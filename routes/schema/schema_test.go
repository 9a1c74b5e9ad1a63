package schema_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/spine-engine/spine-engine/routes/schema"
	"github.com/spine-engine/spine-engine/transforms"
)

// Whatever the loader takes is valid.
func TestSoundProjectsAreValid(t *testing.T) {
	schemas := compiled(t)
	sound := 0
	for _, p := range projects(t) {
		plan, problems := p.load(nil)
		if plan == nil {
			if strings.HasSuffix(p.name, "everything") { // the others have tests of their own
				t.Errorf("%s does not load: %v", p.name, problems)
			}
			continue
		}
		sound++
		for file, name := range p.files(t) {
			v, err := instance(p.read(t, file))
			if err != nil {
				t.Errorf("%s/%s: %v", p.name, file, err)
				continue
			}
			if err := schemas[name].Validate(v); err != nil {
				t.Errorf("%s/%s: %v", p.name, file, err)
			}
		}
	}
	if sound < 8 {
		t.Errorf("%d sound projects", sound)
	}
}

// The keys that the loader knows at a mapping, and those of the type of its name,
// are the same, both ways; and every type is met.
func TestTypesHaveTheKeysOfTheLoader(t *testing.T) {
	types := map[string][]*schema.Shape{}
	met := map[*schema.Shape]bool{}
	for _, s := range structs() {
		for _, w := range s.What {
			types[w] = append(types[w], s)
		}
	}
	faults := map[string]bool{}
	seen := func(what string, known []string) {
		if what == "row" { // its columns are the table's own
			return
		}
		keys := slices.Sorted(slices.Values(known))
		any := false
		for _, s := range types[what] {
			if slices.Equal(s.Known(), keys) {
				any, met[s] = true, true
			}
		}
		if !any {
			faults[what+": the loader knows "+strings.Join(keys, " ")] = true
		}
	}
	for _, p := range projects(t) {
		p.load(seen)
	}
	for f := range faults {
		t.Error(f)
	}
	for what, all := range types {
		for _, s := range all {
			if !met[s] {
				t.Errorf("no project has a %s with the keys of %s: %s", what, s.Name, strings.Join(s.Known(), " "))
			}
		}
	}
}

// structs gives all mappings of the files.
func structs() []*schema.Shape {
	var out []*schema.Shape
	seen := map[*schema.Shape]bool{}
	var walk func(s *schema.Shape)
	walk = func(s *schema.Shape) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		if s.Kind == schema.Struct {
			out = append(out, s)
		}
		for i := range s.Fields {
			walk(s.Fields[i].Shape)
		}
		if s.Rest != nil {
			walk(s.Rest.Shape)
		}
		walk(s.Item)
		for _, o := range s.Options {
			walk(o)
		}
	}
	spine, feed, values := schema.Files()
	for _, s := range []*schema.Shape{spine, feed, values} {
		walk(s)
	}
	return out
}

// The steps are those of the vocabulary.
func TestStepsAreTheVocabulary(t *testing.T) {
	for _, s := range structs() {
		if s.Name != "Step" {
			continue
		}
		var have []string
		for _, f := range s.Fields {
			if f.Key != "if_none" {
				have = append(have, f.Key)
			}
		}
		want := slices.Sorted(slices.Values(transforms.Names()))
		if slices.Sort(have); !slices.Equal(have, want) {
			t.Errorf("have %v, want %v", have, want)
		}
	}
}
