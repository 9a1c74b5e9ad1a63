package routes

import (
	"maps"
	"slices"
	"strings"

	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
)

// link is a feed that hands messages to another.
type link struct {
	from   *feed
	to     *conf.Node
	output *output
	gives  message.Format // of what is handed on
}

// linkFeeds connects feeds that hand on with those they hand to. A circle would
// never end and is a problem.
func (l *loader) linkFeeds() {
	byName := map[string]*feed{}
	for _, f := range l.plan.feeds {
		byName[f.name] = f
	}
	for _, k := range l.links {
		to := byName[k.to.Text()]
		_, elsewhere := l.feedNames[k.to.Text()]
		switch {
		case to == nil && elsewhere: // only_in another environment: nothing is handed on
			k.from.without(k.output)
		case to == nil:
			others := slices.DeleteFunc(slices.Sorted(maps.Keys(byName)), func(name string) bool { return name == k.from.name })
			k.to.Errorf(hint(k.to.Text(), others), "there is no feed %q", k.to.Text())
		case len(to.inbound) == 0:
			k.to.Errorf("add sources: { in: { feed: true } } to "+to.name, "the feed %q takes nothing from other feeds", to.name)
		default:
			if k.gives != to.orig.format {
				k.to.Errorf("declare format at the source of "+to.name+", or remake the message in transform", "the feed %q takes %s, and what is handed to it is %s", to.name, to.orig.format, k.gives)
			}
			k.output.feed, k.output.way = to, to.ways
			to.ways++
			k.from.leadsTo[to] = true
		}
	}
	for _, k := range l.links {
		if way := circle(k.from, k.output.feed, nil); way != nil {
			k.to.Errorf("end the circle", "the feeds hand messages round in a circle: %s", strings.Join(append([]string{k.from.name}, way...), " > "))
		}
	}
	for _, f := range l.plan.feeds {
		for _, to := range slices.Collect(maps.Keys(f.leadsTo)) {
			f.leadFurther(to)
		}
	}
}

func (f *feed) without(o *output) {
	f.outputs = slices.DeleteFunc(f.outputs, func(x *output) bool { return x == o })
}

// circle gives the names on a way from at back to start; nil when there is none.
func circle(start, at *feed, way []string) []string {
	if at == nil || slices.Contains(way, at.name) {
		return nil
	}
	way = append(slices.Clone(way), at.name)
	if at == start {
		return way
	}
	for _, o := range at.outputs {
		if found := circle(start, o.feed, way); found != nil {
			return found
		}
	}
	return nil
}

// leadFurther notes all that f reaches through to.
func (f *feed) leadFurther(to *feed) {
	for _, o := range to.outputs {
		if o.feed != nil && !f.leadsTo[o.feed] {
			f.leadsTo[o.feed] = true
			f.leadFurther(o.feed)
		}
	}
}
