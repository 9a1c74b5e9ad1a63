package routes

import (
	"strconv"
	"strings"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
)

// set reads { SELECTOR: value, ... }.
func (f *feed) set(n, ifNone *conf.Node) *transforms.Set {
	s := &transforms.Set{IfNone: readIfNone(ifNone)}
	fields := n.Fields()
	if n.IsMap() && len(fields) == 0 {
		n.Errorf("write { MSH-3: SPINE }", "nothing to set")
	}
	for _, e := range fields {
		f.assign(s, e.Name, e.Key, e.Node)
	}
	return s
}

// assign reads one target. Parts ({ 1: ADT, 2: A31 }) become targets of their own.
func (f *feed) assign(s *transforms.Set, at *conf.Node, target string, v *conf.Node) {
	switch {
	case v.IsMap() && (v.Get("raw") != nil || v.Get("copy") != nil):
		f.special(s, at, target, v)
		return
	case v.IsMap():
		if f.cur.format != message.HL7 {
			v.Errorf("write a path for each", "parts by number are for HL7")
			return
		}
		for _, part := range v.Fields() {
			if n, err := strconv.Atoi(part.Key); err != nil || n < 1 {
				part.Name.Errorf("write { 1: ADT, 2: A31 }, { raw: ... } or { copy: SELECTOR }", "%q is no number of a part", part.Key)
				continue
			}
			f.assign(s, at, target+joint(target)+part.Key, part.Node)
		}
		return
	}
	sel := f.settable(at, target)
	val := f.value(v)
	if sel == nil || val == nil {
		return
	}
	if c, ok := val.(transforms.Constant); ok {
		checkDelimiters(v, sel, string(c))
	}
	s.Assignments = append(s.Assignments, transforms.Assignment{At: sel, Value: val})
}

// joint: parts of a segment are fields, parts of anything deeper components.
func joint(target string) string {
	if p, err := hl7.ParsePath(target); err == nil && p.DeepestLevel() == hl7.SegmentLevel {
		return "-"
	}
	return "."
}

func (f *feed) special(s *transforms.Set, at *conf.Node, target string, v *conf.Node) {
	m := v.Map("set step", "raw", "copy")
	sel := f.settable(at, target)
	a := transforms.Assignment{At: sel}
	switch {
	case m["raw"] != nil && m["copy"] != nil:
		m["copy"].Errorf("keep one of the two", "raw and copy exclude each other")
		return
	case m["raw"] != nil:
		a.Raw = f.value(m["raw"])
	default:
		a.From = f.cur.of(m["copy"])
	}
	if sel != nil && (a.Raw != nil || a.From != nil) {
		s.Assignments = append(s.Assignments, a)
	}
}

func (f *feed) settable(at *conf.Node, target string) message.Selector {
	sel := f.cur.at(at, target)
	p, ok := sel.(hl7.Path)
	switch {
	case !ok:
		return sel // of XML, or relative to an item
	case p.DeepestLevel() == hl7.SegmentLevel:
		at.Errorf("name a field: "+p.Segment()+"-1", "a whole segment cannot be set to a text")
		return nil
	case p.Segment() == "MSH" && p.Field() <= 2:
		at.Errorf("", "%s cannot be set: it declares the delimiters of the message", sel)
		return nil
	case p.Segment() == "MSH" && (p.Field() == 15 || p.Field() == 16):
		f.asksCA = true
	}
	return sel
}

// checkDelimiters: everyone writes MSH-9: ADT^A31 once, and gets ADT\S\A31.
func checkDelimiters(n *conf.Node, sel message.Selector, text string) {
	p, ok := sel.(hl7.Path)
	if !ok || p.DeepestLevel() > hl7.RepetitionLevel || !strings.ContainsAny(text, "^~") {
		return
	}
	n.Errorf("write { 1: ..., 2: ... } for parts, { raw: ... } for ER7 as it is, or an expression for a text that holds them",
		"the text for %s holds delimiters, which set would escape", sel)
}
