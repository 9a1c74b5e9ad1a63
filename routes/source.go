package routes

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes/internal/expr"
	"github.com/spine-engine/spine-engine/transforms"
)

// source is what Decide knows of a Source.
type source struct {
	name       string
	node       *conf.Node
	place      message.Place
	dialect    dialect
	parse      hl7.Options
	answer     *answer         // what the source's sender gets; nil = the plain acknowledgement
	unparsable string          // AR, AE, or "" for none
	unmatched  transforms.Stop // no feed wanted it
	duplicates time.Duration
	key        *expr.Program // of duplicates; nil = the default key
	keyEnv     *expr.Env
	takes      []take // in the order of the feeds
	named      bool   // by a feed of another environment
	whole      bool   // a mailbox that does not cut files into messages
}

// take is one feed's claim on a source.
type take struct {
	feed *feed
	when *condition // nil = always
}

var sourceKeys = []string{"charset", "ack", "unmatched", "duplicates", "when", "format", "namespaces", "expect", "only_in"}

// kindOf finds the one adapter kind among the keys of n and gives its node, and all keys.
func (l *loader) kindOf(n *conf.Node, what string, others ...string) (kind string, node *conf.Node, m map[string]*conf.Node) {
	kinds := slices.Sorted(maps.Keys(l.kinds))
	m = n.Map(what, append(slices.Clone(kinds), others...)...)
	for _, k := range kinds {
		switch {
		case m[k] == nil:
		case kind != "":
			m[k].Errorf("keep one of them", "a %s is one of %s", what, strings.Join(kinds, ", "))
		default:
			kind, node = k, m[k]
		}
	}
	if kind == "" && n.IsMap() && len(m) == len(n.Fields()) { // else an unknown key is its kind
		n.Errorf("write "+strings.Join(l.kindsFor(what), ": {...} or ")+": {...}", "this %s does not say what it is", what)
	}
	return kind, node, m
}

// kindsFor lists the kinds that can be a source, or those that can be a destination.
func (l *loader) kindsFor(what string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(l.kinds)), func(k string) bool {
		return what == "source" && l.kinds[k].Source == nil || what != "source" && l.kinds[k].Destination == nil
	})
}

// listener reads one entry of spine.yaml's listeners.
func (l *loader) listener(f conf.Field) {
	if !checkName(f.Name, "listener", f.Key) {
		return
	}
	if w := f.Node.Get("when"); w.Present() {
		w.Errorf("write it in the feed's source", "each feed says for itself what it takes from a listener")
	}
	l.listeners[f.Key] = l.source(f.Key, f.Name, f.Node) // nil after a problem
}

// source reads a listener, or a source that a feed has for itself.
func (l *loader) source(name string, at, n *conf.Node) *source {
	kind, node, m := l.kindOf(n, "source", sourceKeys...)
	if kind == "" {
		return nil
	}
	if l.kinds[kind].Source == nil {
		node.Errorf("", "%s only delivers; it cannot be a source", kind)
		return nil
	}
	notYet(m, "expect", "only_in")
	s := &source{name: name, node: at, place: at.Place(), dialect: readFormat(m["format"], m["namespaces"])}
	if s.dialect.format == message.HL7 {
		l.charset(s, n, m["charset"])
	} else if c := m["charset"]; c.Present() {
		c.Errorf("leave it out", "XML says for itself in which character set it is")
	}
	l.acknowledge(s, m["ack"])
	s.unmatchedBy(m["unmatched"])
	l.duplicates(s, kind, m["duplicates"])
	s.whole = node.Get("batch").Get("split").Source() == "false"
	config := l.kinds[kind].Source(node)
	l.plan.sources = append(l.plan.sources, Source{Name: name, Kind: kind, Config: config, Place: s.place, Duplicates: s.duplicates})
	l.plan.bySource[name] = s
	return s
}

func (l *loader) charset(s *source, parent, n *conf.Node) {
	if !n.Present() {
		parent.Errorf("add charset: { use_msh18: true, otherwise: windows-1252 }", "the character set is not declared")
		return
	}
	m := n.Map("charset", "use_msh18", "otherwise", "override", "unknown")
	s.parse.UseMSH18 = m["use_msh18"].Bool(true)
	s.parse.Otherwise = charsetName(m["otherwise"])
	s.parse.Override = charsetName(m["override"])
	s.parse.IgnoreUnknownCharset = m["unknown"].OneOf("refuse", "refuse", "otherwise") == "otherwise"
	if n.IsMap() && m["otherwise"] == nil && m["override"] == nil {
		n.Errorf("add otherwise: windows-1252", "which character set holds where MSH-18 says nothing is not declared")
	}
}

func charsetName(n *conf.Node) string {
	if !n.Present() {
		return ""
	}
	s := n.Text()
	if !hl7.KnownCharset(s) {
		n.Errorf("write UTF-8, windows-1252, 8859/1, ... (HL7 table 0211)", "the character set %q is not known", s)
	}
	return s
}

func (l *loader) acknowledge(s *source, n *conf.Node) {
	m := n.Map("ack", "when", "unparsable", "to", "by", "within", "late", "otherwise", "reply", "then")
	notYet(m, "to", "by", "within", "late", "otherwise", "then")
	s.answer = l.readAnswer(s, m["reply"])
	if w := m["when"]; w.Present() && w.Text() != "stored" {
		if t := w.Text(); t == "delivered" || t == "replied" {
			w.Errorf("write when: stored", "acknowledging when %s is not supported by this version yet", t)
		} else {
			w.OneOf("stored", "stored", "delivered", "replied")
		}
	}
	s.unparsable = m["unparsable"].OneOf("AR", "AR", "AE", "none")
	if s.unparsable == "none" {
		s.unparsable = ""
	}
}

// unmatchedBy reads what becomes of messages that no feed wants: hold, reject,
// or drop with a reason.
func (s *source) unmatchedBy(n *conf.Node) {
	const reason = "no feed takes it"
	s.unmatched = transforms.Stop{Outcome: message.Held, Reason: reason, Place: s.place}
	switch {
	case !n.Present():
		return
	case n.IsText() && n.Source() == "drop":
		n.Errorf(`write unmatched: { drop: "why" }`, "a drop needs a reason")
	case n.IsText():
		if n.OneOf("hold", "hold", "reject") == "reject" {
			s.unmatched = transforms.Stop{Outcome: message.Rejected, Reason: reason, Reply: message.Reply{Code: "AR", Text: reason,
				Errors: []message.ReplyError{{Location: "MSH-9", Code: "200", Text: reason}}}}
		}
	default:
		s.unmatched = s.dialect.outcome(n, "unmatched", "hold", "drop", "reject")
	}
	s.unmatched.Place = n.Place()
}

// duplicates reads how repeats are recognised.
func (l *loader) duplicates(s *source, kind string, n *conf.Node) {
	if !n.Present() {
		return
	}
	if kind == "mailbox" {
		n.Errorf("leave it out", "a mailbox knows its repeats by its own claims")
		return
	}
	m := n.Map("duplicates", "window", "key")
	if m["window"] == nil && n.IsMap() {
		n.Errorf("add window: 7d", "duplicates needs a window")
	}
	s.duplicates = m["window"].Duration(0)
	if m["window"].Present() && s.duplicates < time.Minute {
		m["window"].Errorf("write 7d", "repeats come minutes to days later")
	}
	if k := m["key"]; k.Present() {
		s.keyEnv = l.exprEnv(k, nil, s.dialect.both)
		s.key = compileExpr(s.keyEnv, k, expr.Text)
	}
}
