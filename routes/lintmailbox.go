package routes

import (
	"fmt"
	"slices"
	"strings"
)

// crossing is a folder that one feed writes and another reads.
type crossing struct {
	from, to *feed
	at       *Destination
	source   *source
}

// The claims of mailboxes name their folders so.
const writesInto, readsFrom = "mailbox-out ", "mailbox-in "

func (l *loader) crossings() []crossing {
	readers := map[string]*source{}
	for i := range l.plan.sources {
		for _, c := range l.plan.sources[i].Config.Claims() {
			if dir, ok := strings.CutPrefix(c, readsFrom); ok {
				readers[dir] = l.plan.bySource[l.plan.sources[i].Name]
			}
		}
	}
	var out []crossing
	for i := range l.plan.destinations {
		d := &l.plan.destinations[i]
		for _, c := range d.Config.Claims() {
			dir, _ := strings.CutPrefix(c, writesInto)
			s := readers[dir]
			if s == nil {
				continue
			}
			for _, f := range l.plan.feeds {
				if !f.delivers(d.Queue) {
					continue
				}
				for _, t := range s.takes {
					out = append(out, crossing{f, t.feed, d, s})
				}
			}
		}
	}
	return out
}

func (f *feed) delivers(queue string) bool {
	return slices.ContainsFunc(f.outputs, func(o *output) bool { return o.queue == queue && o.feed == nil })
}

// mailboxCircles warns of feeds that write into a folder from which a feed
// reads that leads back to them.
func (l *loader) mailboxCircles() {
	next := map[*feed][]*feed{}
	crossings := l.crossings()
	for _, c := range crossings {
		next[c.from] = append(next[c.from], c.to)
	}
	for _, f := range l.plan.feeds {
		for _, o := range f.outputs {
			if o.feed != nil {
				next[f] = append(next[f], o.feed)
			}
		}
	}
	told := map[string]bool{}
	for _, c := range crossings {
		way := back(next, c.from, c.to, nil)
		members := slices.Sorted(slices.Values(way))
		if key := strings.Join(members, " "); way != nil && !told[key] {
			told[key] = true
			c.at.node.Warnf("end the circle, or write into another folder", "what is written here is read again by %s, and messages go round: %s",
				c.source.name, strings.Join(append([]string{c.from.name}, way...), " > "))
		}
	}
}

// back gives the names on a way from at to goal; nil when there is none.
func back(next map[*feed][]*feed, goal, at *feed, way []string) []string {
	if slices.Contains(way, at.name) {
		return nil
	}
	way = append(slices.Clone(way), at.name)
	if at == goal {
		return way
	}
	for _, n := range next[at] {
		if found := back(next, goal, n, way); found != nil {
			return found
		}
	}
	return nil
}

// overtaking warns of files that share the strict order of a destination with
// what comes live: a batch that was put together earlier is delivered later. A
// test that sends such a file and says what arrives shows that it is meant.
func (l *loader) overtaking() {
	for i := range l.plan.sources {
		box := &l.plan.sources[i]
		s := l.plan.bySource[box.Name]
		if box.Kind != "mailbox" || s.whole {
			continue
		}
		var shared, live []string
		for j := range l.plan.destinations {
			d := &l.plan.destinations[j]
			if from := l.liveInto(d.Queue); l.strict(d.Queue) && len(from) > 0 && s.leadsTo(d.Queue) && !l.shown(box.Name, d.Queue) {
				shared, live = append(shared, d.Queue), append(live, from...)
			}
		}
		if len(shared) > 0 {
			slices.Sort(live)
			s.node.Warnf("show in a test what is meant, one that sends such a file and names the destination; or give the files a destination of their own",
				"a batch of this mailbox shares the strict order of %s with what comes from %s: older messages can arrive behind newer ones",
				strings.Join(shared, ", "), strings.Join(slices.Compact(live), ", "))
		}
	}
}

// strict reports whether order: strict is written at the queue: somebody counts on it.
func (l *loader) strict(queue string) bool {
	return slices.ContainsFunc(l.plan.feeds, func(f *feed) bool {
		return slices.ContainsFunc(f.outputs, func(o *output) bool { return o.queue == queue && o.order.strict })
	})
}

// liveInto names the sources, other than mailboxes, whose messages reach a queue.
func (l *loader) liveInto(queue string) (out []string) {
	for i := range l.plan.sources {
		if s := &l.plan.sources[i]; s.Kind != "mailbox" && l.plan.bySource[s.Name].leadsTo(queue) {
			out = append(out, fmt.Sprintf("%q", s.Name))
		}
	}
	return out
}

// leadsTo reports whether a feed that takes from the source delivers to the
// queue, itself or through the feeds it hands to.
func (s *source) leadsTo(queue string) bool {
	for _, t := range s.takes {
		if t.feed.delivers(queue) {
			return true
		}
		for f := range t.feed.leadsTo {
			if f.delivers(queue) {
				return true
			}
		}
	}
	return false
}

// shown reports whether a test sends to the source and expects something of the queue.
func (l *loader) shown(source, queue string) bool {
	for _, t := range l.plan.Tests() {
		sends := slices.ContainsFunc(t.Sends, func(s SpecSend) bool { return s.Source == source })
		if sends && slices.ContainsFunc(t.Expect.Destinations(), func(d SpecDestination) bool { return d.Queue == queue }) {
			return true
		}
	}
	return false
}
