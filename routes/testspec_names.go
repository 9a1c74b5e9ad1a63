package routes

import (
	"maps"
	"slices"
	"strings"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
)

// testSource is a source as tests name it.
type testSource struct {
	name           string
	mailbox, whole bool
}

// testSources gives the feed's own sources and, under their names, the listeners
// of spine.yaml: what other feeds take from them may come before this feed's
// messages in the queue of a peer.
func (f *feed) testSources(n *conf.Node) map[string]testSource {
	out := map[string]testSource{}
	for name := range f.loader.listeners {
		out[name] = testSource{name: name, mailbox: f.loader.isMailbox(name)}
	}
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
