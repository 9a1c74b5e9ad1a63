package routes

import (
	"path"
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/internal/conf"
)

// testReader reads the tests of one feed.
type testReader struct {
	f       *feed
	sources map[string]testSource
	to      map[string]string            // destinations of the feed: queue by name
	others  map[string]map[string]string // the same of other feeds, read when one is named
}

// readTests reads the tests of a feed; m are all its keys. Files that tests send
// or compare with become files of the project, so that an archived project is
// whole.
func (f *feed) readTests(m map[string]*conf.Node) {
	if !m["tests"].Present() {
		return
	}
	r := &testReader{f: f, sources: f.testSources(m["sources"]), to: testQueues(f.name, m["deliver"])}
	seen := map[string]int{}
	for _, item := range m["tests"].Items() {
		t := r.test(item)
		if first, dup := seen[t.Name]; dup && t.Name != "" {
			item.Get("name").Errorf("rename one", "a test %q exists already, in line %d", t.Name, first)
		}
		seen[t.Name] = t.Place.Line
		f.tests = append(f.tests, t)
	}
}

func (r *testReader) test(n *conf.Node) *Test {
	m := n.Map("test", "name", "environment", "now", "for", "send", "peers", "expect")
	t := &Test{Feed: r.f.name, Name: strings.TrimSpace(m["name"].Text()), Place: n.Place(), Environment: m["environment"].OneOf("", "test", "live"),
		Now: instant(m["now"]), For: positive(m["for"])}
	if n.IsMap() && t.Name == "" {
		n.Errorf("add name: what it shows, in plain words", "the test has no name")
	}
	if n.IsMap() && m["send"] == nil {
		n.Errorf("add send: { to: SOURCE, file: messages/... }", "the test sends nothing")
	}
	if n.IsMap() && m["expect"] == nil {
		n.Errorf("add expect: { ack: AA, delivered: {...} }", "the test expects nothing")
	}
	for _, s := range m["send"].Items() {
		t.Sends = append(t.Sends, r.send(s))
	}
	t.Peers = r.peers(m["peers"])
	t.Expect = r.expect(m["expect"], t.Sends)
	return t
}

func instant(n *conf.Node) time.Time {
	if !n.Present() {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, n.Text())
	if err != nil {
		n.Errorf(`write "2026-11-22T10:00:00Z"`, "%q is not a date and time", n.Text())
	}
	return t.UTC()
}

func (r *testReader) send(n *conf.Node) SpecSend {
	m := n.Map("send", "to", "file", "files", "text", "name", "at", "every", "remote")
	s := SpecSend{Place: n.Place(), At: instant(m["at"]), Every: m["every"].Duration(0), Remote: m["remote"].Text()}
	to := m["to"]
	from, ok := r.sources[to.Text()]
	switch {
	case !n.IsMap():
	case to == nil:
		n.Errorf("add to: SOURCE, one of "+list(r.sources), "send does not say to which source")
	case !ok:
		to.Errorf(orList(to.Text(), r.sources), "the feed has no source %q", to.Text())
	}
	s.Source, s.Mailbox, s.Whole = from.name, from.mailbox, from.whole
	s.Inputs = r.inputs(n, m)
	if name := m["name"]; name.Present() {
		switch {
		case ok && !s.Mailbox:
			name.Errorf("leave it out", "only what comes from a mailbox has a file name")
		case len(s.Inputs) != 1:
			name.Errorf("name one file", "one name for %d files", len(s.Inputs))
		default:
			s.Inputs[0].Name = name.Text()
		}
	}
	if m["remote"].Present() && s.Mailbox {
		m["remote"].Errorf("leave it out", "a file has no sending address")
	}
	return s
}

// inputs reads what is sent: file, files or text.
func (r *testReader) inputs(n *conf.Node, m map[string]*conf.Node) []SpecInput {
	given := 0
	for _, k := range []string{"file", "files", "text"} {
		if m[k].Present() {
			given++
		}
	}
	if n.IsMap() && given != 1 {
		n.Errorf("write file: messages/..., files: [...] or text: |", "send needs one of file, files and text")
		return nil
	}
	if t := m["text"]; t.Present() {
		return []SpecInput{{Name: "text.hl7", Body: []byte(t.Text())}}
	}
	var out []SpecInput
	for _, f := range append(m["file"].Items(), m["files"].Items()...) {
		name := f.Text()
		b, err := r.f.loader.read(name)
		if err != nil && f.IsText() {
			f.Errorf("files of tests are usually in messages/", "%s: %v", name, err)
			continue
		}
		out = append(out, SpecInput{File: name, Name: path.Base(name), Body: b})
	}
	return out
}
