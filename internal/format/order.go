package format

import (
	"slices"
)

// shape says in which order the keys of a mapping are written, and what shape the
// values below them have. A shape without keys leaves the order alone.
type shape struct {
	keys  []string
	below map[string]*shape
	each  *shape // of all other values of a mapping, and of the items of a list
}

// shapeOf finds out what a file is: a feed has a feed's name, and spine.yaml what
// only the engine has. Other files, such as values, keep their order.
func shapeOf(root *node) *shape {
	var keys []string
	for _, e := range root.entries {
		keys = append(keys, e.key.text)
	}
	switch {
	case slices.Contains(keys, "feed"):
		return feedShape()
	case slices.Contains(keys, "spine"):
		return engineShape()
	}
	return &shape{}
}

// arrange puts keys in order: those that the shape names first, the others behind
// them in the order they were in. The items of lists never move.
func arrange(n *node, sh *shape) {
	if sh == nil || n.kind == scalar {
		return
	}
	if n.kind == mapping && len(sh.keys) > 0 {
		rank := func(e *entry) int {
			if i := slices.Index(sh.keys, e.key.text); i >= 0 {
				return i
			}
			return len(sh.keys)
		}
		slices.SortStableFunc(n.entries, func(a, b *entry) int { return rank(a) - rank(b) })
	}
	for _, e := range n.entries {
		next := sh.each
		if e.key != nil && sh.below[e.key.text] != nil {
			next = sh.below[e.key.text]
		}
		arrange(e.value, next)
	}
}

func ordered(keys ...string) *shape { return &shape{keys: keys} }

func listOf(sh *shape) *shape { return &shape{each: sh} }

// wires are the keys that say what something is connected by, and by what.
func wires() []string { return []string{"listener", "peer", "feed", "mllp", "http", "mailbox", "mesh"} }

// common are the shapes of keys that stand in several places.
func common() map[string]*shape {
	return map[string]*shape{
		"charset":    ordered("use_msh18", "override", "otherwise", "unknown", "as", "unfit"),
		"ack":        ordered("when", "to", "by", "within", "late", "otherwise", "unparsable", "reply", "then"),
		"duplicates": ordered("key", "window"),
		"retry":      ordered("first", "factor", "cap", "jitter", "give_up_after", "then"),
		"order":      ordered("per", "on_merge"),
		"pause":      listOf(ordered("weekly", "reason")),
		"mailbox":    ordered("dir", "name", "files", "ready", "batch", "after"),
	}
}

func engineShape() *shape {
	listener := &shape{keys: append(wires(), "only_in", "charset", "ack", "duplicates", "unmatched"), below: common()}
	return &shape{
		keys: []string{"spine", "description", "environment", "store", "admin", "listeners", "peers", "limits", "reload"},
		below: map[string]*shape{
			"store":     ordered("dir", "min_free"),
			"admin":     ordered("listen", "socket"),
			"listeners": listOf(listener),
			"peers":     listOf(&shape{keys: append(wires(), queueKeys()...), below: common()}),
			"limits":    ordered("in_memory", "parse", "in_flight_bytes"),
		},
	}
}

func queueKeys() []string {
	return []string{"was", "retired", "only_in", "charset", "order", "reply", "retry", "rate", "pause", "alert"}
}

func feedShape() *shape {
	source := &shape{keys: append(wires(), "when", "only_in", "format", "namespaces", "charset", "ack", "duplicates", "unmatched", "expect"), below: common()}
	destination := slices.Concat([]string{"to", "peer", "feed", "when", "mllp", "http", "mailbox", "mesh"}, queueKeys()[:4], []string{"transform", "emit"}, queueKeys()[4:])
	steps := stepShape()
	below := common()
	below["transform"] = steps
	test := &shape{keys: []string{"name", "environment", "now", "for", "send", "peers", "expect"}, below: map[string]*shape{
		"send": ordered("to", "file", "files", "text", "name", "at", "every", "remote"),
		"expect": ordered("ack", "outcome", "held", "rejected", "dropped", "unrouted", "quarantined", "duplicate", "delivered",
			"dead_lettered", "held_copies", "expired", "stopped", "queued", "attempts", "arrived", "warnings"),
	}}
	return &shape{
		keys: []string{"spine", "feed", "description", "owner", "only_in", "sources", "tables", "steps", "let", "accept", "validate", "split",
			"transform", "deliver", "unrouted", "alert", "tests"},
		below: map[string]*shape{
			"sources":   listOf(source),
			"tables":    listOf(ordered("csv", "key", "from", "refresh", "rows")),
			"steps":     listOf(steps),
			"accept":    listOf(ordered("name", "require", "otherwise", "if", "then")),
			"validate":  listOf(ordered("name", "at", "rule", "form", "from", "to", "min", "max", "pattern", "one_of", "table", "require", "if_absent", "if_null", "if_bad")),
			"split":     ordered("group", "at", "keep", "id"),
			"transform": steps,
			"deliver":   listOf(&shape{keys: destination, below: below}),
			"tests":     listOf(test),
		},
	}
}

// stepShape is a list of steps. Steps within steps are left as they are, a level is
// enough to be read.
func stepShape() *shape {
	return listOf(&shape{below: map[string]*shape{
		"copy":   ordered("from", "to", "if_none"),
		"move":   ordered("from", "to", "if_none"),
		"map":    ordered("at", "table", "from", "put", "unmapped", "if_none"),
		"tidy":   ordered("at", "as", "if_bad", "if_none"),
		"date":   ordered("at", "from", "zone", "shift", "as", "to", "if_bad"),
		"when":   ordered("if", "do"),
		"each":   ordered("in", "group", "as", "do"),
		"insert": ordered("segment", "before", "after", "at_end_of", "set", "if_none"),
		"reject": ordered("ack", "code", "at", "text", "http"),
	}})
}
