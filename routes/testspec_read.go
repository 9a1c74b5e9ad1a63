package routes

import (
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
)

// testReader reads the tests of one feed.
type testReader struct {
	f       *feed
	sources map[string]testSource
	to      map[string]string            // destinations of the feed: queue by name
	others  map[string]map[string]string // the same of other feeds, read when one is named
}

// testSource is a source as tests name it.
type testSource struct {
	name           string
	mailbox, whole bool
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

func (f *feed) testSources(n *conf.Node) map[string]testSource {
	out := map[string]testSource{}
	inbound := 0
	for _, s := range n.Fields() {
		t := testSource{name: f.name + "/" + s.Key}
		box := s.Node.Get("mailbox")
		switch ref := s.Node.Get("listener"); {
		case ref.Present():
			t.name = ref.Text()
			t.mailbox = f.loader.isMailbox(t.name)
		case s.Node.Get("feed").Present():
			f.handedIn(t.name, s.Name, inbound)
			inbound++
		default:
			t.mailbox, t.whole = box.Present(), box.Get("batch").Get("split").Source() == "false"
		}
		out[s.Key] = t
	}
	return out
}

func (l *loader) isMailbox(source string) bool {
	return slices.ContainsFunc(l.plan.sources, func(s Source) bool { return s.Name == source && s.Kind == "mailbox" })
}

// handedIn makes a source of what comes from other feeds, so that a test can
// stand in for them. Nothing else ever sends by its name.
func (f *feed) handedIn(name string, at *conf.Node, i int) {
	if i >= len(f.inbound) || f.loader.plan.bySource[name] != nil {
		return
	}
	f.loader.plan.bySource[name] = &source{name: name, node: at, place: at.Place(), dialect: f.orig, unparsable: "AR",
		parse: hl7.Options{UseMSH18: true}, takes: []take{f.inbound[i]},
		unmatched: transforms.Stop{Outcome: message.Held, Reason: "no feed takes it", Place: at.Place()}}
}

// testQueues gives the queue of each destination; "" for one that is another feed.
func testQueues(feed string, n *conf.Node) map[string]string {
	out := map[string]string{}
	for _, item := range n.Items() {
		to := item.Get("to")
		switch {
		case !to.IsText():
		case item.Get("feed").Present():
			out[to.Text()] = ""
		case item.Get("peer").Present():
			out[to.Text()] = item.Get("peer").Text()
		default:
			out[to.Text()] = feed + "/" + to.Text()
		}
	}
	return out
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

// list and orList put names into hints.
func list[V any](known map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(known)), ", ")
}

func orList[V any](s string, known map[string]V) string {
	if h := hint(s, slices.Sorted(maps.Keys(known))); h != "" {
		return h
	}
	if len(known) == 0 {
		return ""
	}
	return "there are " + list(known)
}

// destination finds what a test names: a destination of its feed, one of another
// feed written feed/destination, or a peer.
func (r *testReader) destination(n *conf.Node, s string) (SpecDestination, bool) {
	d := SpecDestination{Place: n.Place(), Name: s, Feed: r.f.name}
	queue, own := r.to[s]
	switch {
	case own && queue == "":
		n.Errorf("name the destinations of that feed: FEED/DESTINATION", "%q leads to another feed", s)
		return d, false
	case own:
		d.Queue = queue
		return d, true
	case r.f.loader.peers[s] != nil:
		d.Feed, d.Queue = "", s
		return d, true
	}
	if feed, to, ok := strings.Cut(s, "/"); ok {
		if q := r.foreign(feed)[to]; q != "" {
			d.Feed, d.Queue = feed, q
			return d, true
		}
	}
	n.Errorf(orList(s, r.to), "the feed has no destination %q", s)
	return d, false
}

// foreign gives the destinations of another feed. Its file may not have been read
// yet; its problems are reported when it is.
func (r *testReader) foreign(feed string) map[string]string {
	if r.others == nil {
		r.others = map[string]map[string]string{}
		l := r.f.loader
		for _, file := range l.feedFiles() {
			b, err := l.read(file)
			if err != nil {
				continue
			}
			ctx := &conf.Context{Problems: &conf.Problems{}, Resolve: l.resolve}
			if n := conf.Parse(ctx, file, b); n.IsMap() {
				name := n.Get("feed").Text()
				r.others[name] = testQueues(name, n.Get("deliver"))
			}
		}
	}
	return r.others[feed]
}
