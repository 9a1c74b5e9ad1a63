package routes

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
)

// Problem is one fault of a project.
type Problem = conf.Problem

// LoadOptions are what a project folder does not say itself.
type LoadOptions struct {
	Kinds       []adapters.Kind
	Environment string                      // overrides that of spine.yaml when not empty
	Env         func(string) (string, bool) // ${env:NAME} and env("NAME"); nil = none is set
	Secrets     fs.FS                       // ${file:path}; nil = the project folder itself

	// Seen is told the keys that every mapping of the project may have, for the
	// test that holds the schema to the loader; nil = nobody asks.
	Seen func(what string, known []string)
}

// Load reads and compiles a project. The problems are all there are, sorted; the
// plan is nil when any of them is an Error.
func Load(fsys fs.FS, o LoadOptions) (*Plan, []Problem) {
	l := newLoader(fsys, o)
	if root := l.readYAML("spine.yaml"); root != nil {
		l.project(root)
		l.feeds()
		l.linkFeeds()
		l.claims()
		if !l.problems.Failed() { // what is not used may be what is wrong
			l.unused()
			l.lint()
		}
	}
	found := l.problems.Sorted()
	if l.problems.Failed() {
		return nil, found
	}
	return l.finish(), found
}

// loader is the state of one Load.
type loader struct {
	fs        fs.FS
	options   LoadOptions
	problems  conf.Problems
	ctx       *conf.Context
	kinds     map[string]adapters.Kind
	plan      *Plan
	values    map[string]string // of values/<environment>.yaml
	valuesErr error
	outside   hash.Hash // of values from outside the project
	listeners map[string]*source
	peers     map[string]*peer
	feedNames map[string]message.Place
	links     []link
	secrets   map[string]string
	steps     *conf.Node      // of spine.yaml: steps that all feeds may use
	used      map[string]bool // lists of steps, by where they stand
	elsewhere bool            // something is only_in another environment
}

func newLoader(fsys fs.FS, o LoadOptions) *loader {
	l := &loader{fs: fsys, options: o, kinds: map[string]adapters.Kind{}, outside: sha256.New(),
		listeners: map[string]*source{}, peers: map[string]*peer{}, feedNames: map[string]message.Place{}, used: map[string]bool{}}
	l.plan = &Plan{files: map[string][]byte{}, bySource: map[string]*source{}}
	l.ctx = &conf.Context{Problems: &l.problems, Resolve: l.resolve, Seen: o.Seen}
	for _, k := range o.Kinds {
		l.kinds[k.Name] = k
	}
	if l.options.Env == nil {
		l.options.Env = func(string) (string, bool) { return "", false }
	}
	if l.options.Secrets == nil {
		l.options.Secrets = fsys
	}
	return l
}

// maxFile bounds a project file; a larger one is a mistake, not a feed.
const maxFile = 64 << 20

// read gives a project file and keeps it for the archive.
func (l *loader) read(name string) ([]byte, error) {
	if b, ok := l.plan.files[name]; ok {
		return b, nil
	}
	if !fs.ValidPath(name) {
		return nil, errors.New("a path within the project folder, without .. and without a leading /, is wanted")
	}
	st, err := fs.Stat(l.fs, name)
	switch {
	case err != nil:
		return nil, readable(err)
	case st.Size() > maxFile:
		return nil, fmt.Errorf("is larger than %d MiB", maxFile>>20)
	}
	b, err := fs.ReadFile(l.fs, name)
	if err != nil {
		return nil, readable(err)
	}
	l.plan.files[name] = b
	return b, nil
}

// readable shortens the errors of a file system to what the reader needs.
func readable(err error) error {
	var pe *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("there is no such file")
	case errors.As(err, &pe):
		return pe.Err
	}
	return err
}

func (l *loader) readYAML(name string) *conf.Node {
	b, err := l.read(name)
	if err != nil {
		hint := ""
		if name == "spine.yaml" {
			hint = "a project folder has one; spine-engine init makes a project"
		}
		l.problems.Add(Problem{File: name, Text: err.Error(), Hint: hint})
		return nil
	}
	n := conf.Parse(l.ctx, name, b)
	if n != nil && !n.IsMap() {
		n.Errorf(`begin with "spine: v1"`, "expected a mapping (key: value)")
		return nil
	}
	return n
}

// resolve answers ${kind:name}.
func (l *loader) resolve(kind, name string) (string, error) {
	var v string
	switch kind {
	case "value":
		s, ok := l.values[name]
		switch {
		case ok:
			return s, nil
		case l.valuesErr != nil:
			return "", fmt.Errorf("%w; write it, with a line for %s", l.valuesErr, name)
		}
		how := cmp.Or(didYouMean(name, slices.Sorted(maps.Keys(l.values))), "; add a line "+name+": ...")
		return "", fmt.Errorf("values/%s.yaml has no %q%s", l.plan.Environment, name, how)
	case "env":
		s, ok := l.options.Env(name)
		if !ok {
			return "", errors.New("the environment variable is not set; set it, or write ${env:NAME:-default}")
		}
		v = s
	case "file":
		if !fs.ValidPath(name) {
			return "", errors.New("write a path within the project folder, without .. and without a leading /")
		}
		b, err := fs.ReadFile(l.options.Secrets, name)
		if err != nil {
			return "", fmt.Errorf("%w; write a path from the project folder, such as secrets/epr", readable(err))
		}
		v = strings.TrimRight(string(b), "\r\n")
		l.plan.secrets = append(l.plan.secrets, name)
	}
	fmt.Fprintf(l.outside, "%s\x00%s\x00%d\x00%s", kind, name, len(v), v)
	return v, nil
}

func didYouMean(s string, known []string) string {
	if k := conf.Suggest(s, known); k != "" {
		return fmt.Sprintf("; did you mean %q?", k)
	}
	return ""
}

func hint(s string, known []string) string { return strings.TrimPrefix(didYouMean(s, known), "; ") }

// notYet reports keys that the language has and this version does not.
func notYet(m map[string]*conf.Node, keys ...string) {
	for _, k := range keys {
		if n := m[k]; n != nil {
			n.Errorf("leave it out", "%q is not supported by this version yet", k)
		}
	}
}

// justTexts holds keys that only people read to being texts.
func justTexts(m map[string]*conf.Node, keys ...string) {
	for _, k := range keys {
		m[k].Text()
	}
}

func (l *loader) finish() *Plan {
	p := l.plan
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00", p.Environment)
	for _, name := range slices.Sorted(maps.Keys(p.files)) {
		fmt.Fprintf(h, "%s\x00%d\x00", name, len(p.files[name]))
		h.Write(p.files[name]) // a hash never fails
	}
	p.hash = message.Hash(h.Sum(nil))
	p.resolved = [32]byte(l.outside.Sum(nil))
	p.identity = []message.Selector{hl7.MustPath("MSH-3"), hl7.MustPath("MSH-4"), hl7.MustPath("MSH-10")}
	p.header = [2]message.Selector{hl7.MustPath("MSH-15"), hl7.MustPath("MSH-16")}
	p.runs.New = func() any { return newRun(p) }
	return p
}
