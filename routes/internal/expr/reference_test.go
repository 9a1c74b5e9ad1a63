package expr

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
)

func sampleEnv(t *testing.T) *Env {
	t.Helper()
	sex, specialty := transforms.NewTable("sex"), transforms.NewTable("specialty", "code", "name")
	for _, err := range []error{sex.Add("F", []string{"2"}), sex.Add("M", []string{"1"}), specialty.Add("300", []string{"G", "general"})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	e, err := New(Options{
		Selector: func(text string, _ bool) (message.Selector, error) { return hl7doc.Selector(text) },
		Tables:   []*transforms.Table{sex, specialty},
		Env:      func(n string) (string, bool) { return "RXX", n == "TRUST" },
		Secret: func(n string) (string, bool, []string) {
			return "not for patients", n == "research", []string{"research"}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// sampleScope is Sample after edit.
func sampleScope(t *testing.T, e *Env, edit func(message.Doc)) *Scope {
	t.Helper()
	d, err := hl7doc.Parse([]byte(Sample), hl7.Options{Otherwise: "UTF-8"})
	if err != nil {
		t.Fatal(err)
	}
	edit(d)
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	s := NewScope()
	s.Set(e, d, &message.Envelope{Source: "pas", Received: now.Add(-time.Minute)}, now)
	return s
}

var selectorsRead = regexp.MustCompile(`msg(?:\.[a-z_]+\(|\[)"([^"]+)"`)

// Every example gives what the reference says, in every presence of what it reads.
func TestReference(t *testing.T) {
	for _, f := range Functions() {
		t.Run(f.Name+" "+f.Shape, func(t *testing.T) {
			if f.Does == "" || !strings.Contains(f.Shape, f.Name) || !strings.Contains(f.Example, strings.TrimSuffix(f.Name, "()")) {
				t.Fatal("the entry is not complete, or speaks of something else")
			}
			e := sampleEnv(t)
			p := compile(t, e, f.Example, Any)
			check := func(presence, want string, edit func(message.Doc, message.Selector) error) {
				s := sampleScope(t, e, func(d message.Doc) {
					for _, m := range selectorsRead.FindAllStringSubmatch(f.Example, -1) {
						sel, err := hl7doc.Selector(m[1])
						if err != nil {
							t.Fatal(err)
						}
						if err := edit(d, sel); err != nil {
							t.Fatal(err)
						}
					}
				})
				r, err := p.run(s)
				got := outcome(r, err)
				if err == nil && r.kind == aText {
					got = strconv.Quote(got)
				}
				if got != want {
					t.Errorf("%s: got %s, want %s", presence, got, want)
				}
			}
			check("as it is", f.Gives, func(message.Doc, message.Selector) error { return nil })
			if !selectorsRead.MatchString(f.Example) {
				return
			}
			if f.OnAbsent == "" || f.OnEmpty == "" || f.OnNull == "" {
				t.Fatal("the entry does not say what becomes of a value that is not there")
			}
			check("empty", f.OnEmpty, func(d message.Doc, s message.Selector) error { return d.Set(s, "") })
			check("null", f.OnNull, func(d message.Doc, s message.Selector) error { return d.SetNull(s) })
			check("absent", f.OnAbsent, func(d message.Doc, s message.Selector) error {
				if seg, _ := hl7doc.Selector("OBX(*)"); s.IsList() {
					s = seg
				}
				_, err := d.Remove(s)
				return err
			})
		})
	}
}

// What can be called is in the reference, and what is in the reference can be called.
func TestReferenceIsComplete(t *testing.T) {
	var known, listed []string
	e := sampleEnv(t)
	for name := range e.cel.Functions() {
		if ('a' <= name[0] && name[0] <= 'z') || ('A' <= name[0] && name[0] <= 'Z') { // not an operator
			known = append(known, name)
		}
	}
	for _, m := range e.cel.Macros() {
		known = append(known, m.Function())
	}
	known = append(known, "env", "table") // which the rewriter resolves
	for _, f := range Functions() {
		listed = append(listed, f.Name)
	}
	for _, l := range []*[]string{&known, &listed} {
		slices.Sort(*l)
		*l = slices.Compact(*l)
	}
	for _, name := range known {
		if !slices.Contains(listed, name) {
			t.Errorf("%s can be called and is not in the reference", name)
		}
	}
	for _, name := range listed {
		if !slices.Contains(known, name) {
			t.Errorf("%s is in the reference and cannot be called", name)
		}
	}
}

// A program serves many workers at once, each with a scope of its own.
func TestProgramsAreShared(t *testing.T) {
	e := sampleEnv(t)
	e.Define("sex", compile(t, e, `table("sex").get(msg["PID-8"])`, Any))
	programs := map[*Program]string{compile(t, e, `vars.sex`, Any): "2"}
	for _, f := range Functions() {
		if !strings.HasPrefix(f.Gives, `"`) {
			programs[compile(t, e, f.Example, Any)] = f.Gives
		}
	}
	var all sync.WaitGroup
	for range 4 {
		s := sampleScope(t, e, func(message.Doc) {})
		all.Go(func() {
			for range 20 {
				s.Set(e, s.orig.doc, s.meta.env, s.now.Time)
				for p, want := range programs {
					if got := outcome(p.run(s)); got != want {
						t.Errorf("got %s, want %s", got, want)
					}
				}
			}
		})
	}
	all.Wait()
}
