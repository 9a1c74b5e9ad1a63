package routes

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/transforms/template"
)

// untested warns of destinations that no test names, where a feed has tests at all.
func (f *feed) untested() {
	if len(f.tests) == 0 {
		return
	}
	queues := testQueues(f.name, f.nodes["deliver"])
	for _, item := range f.nodes["deliver"].Items() {
		to := item.Get("to")
		queue := queues[to.Text()]
		if slices.ContainsFunc(f.outputs, func(o *output) bool { return o.queue == queue && queue != "" }) && !f.expects(to.Text(), queue) {
			to.Warnf("name it in a test: expect: { delivered: { "+to.Text()+": [ {...} ] } }", "no test says what reaches %q", to.Text())
		}
	}
}

// expects reports whether a test expects something of a destination.
func (f *feed) expects(to, queue string) bool {
	for _, t := range f.loader.plan.Tests() {
		for _, d := range t.Expect.Destinations() {
			if t.Feed == f.name && d.Name == to || d.Name == f.name+"/"+to || d.Feed == "" && d.Queue == queue {
				return true
			}
		}
	}
	return false
}

// unusedFiles warns of templates and tables that nothing reads.
func (l *loader) unusedFiles() {
	if l.elsewhere { // what it would have read is not known
		return
	}
	for folder, what := range map[string]string{"templates": "no step uses this template", "tables": "no feed reads this table"} {
		err := fs.WalkDir(l.fs, folder, func(name string, e fs.DirEntry, err error) error {
			_, isTemplate := template.ParseFormat(extension(name))
			switch {
			case err != nil || e.IsDir() || strings.HasPrefix(e.Name(), "."):
			case folder == "templates" && !isTemplate, folder == "tables" && path.Ext(name) != ".csv":
			case l.plan.files[name] == nil:
				l.problems.Add(Problem{File: name, Severity: conf.Warning, Text: what, Hint: "remove it, or name it in a feed"})
			}
			return nil // a folder that cannot be read holds nothing that is used
		})
		if err != nil {
			l.problems.Add(Problem{File: folder, Severity: conf.Warning, Text: readable(err).Error()})
		}
	}
}

// skipped notes what a feed or destination of another environment names, so
// that it does not count as unused in this one.
func (l *loader) skipped(sources, deliver []*conf.Node) {
	l.elsewhere = true
	for _, s := range sources {
		if from := l.listeners[s.Get("listener").Text()]; from != nil {
			from.named = true
		}
	}
	for _, d := range deliver {
		if p := l.peers[d.Get("peer").Text()]; p != nil {
			p.used = true
		}
	}
}

func valuesOf(n *conf.Node) []*conf.Node {
	var out []*conf.Node
	for _, f := range mapFields(n) {
		out = append(out, f.Node)
	}
	return out
}
