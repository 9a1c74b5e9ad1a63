package routes

import (
	"regexp"
	"strings"

	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
)

// delivered reads { DESTINATION: [ copy, copy ] }.
func (r *testReader) delivered(n *conf.Node) *SpecDelivered {
	if !n.Present() {
		return nil
	}
	out := &SpecDelivered{Place: n.Place()}
	for _, f := range n.Fields() {
		d, _ := r.destination(f.Name, f.Key)
		to := SpecDeliveries{SpecDestination: d}
		for _, c := range f.Node.Items() {
			to.Copies = append(to.Copies, r.copyOf(c))
		}
		out.To = append(out.To, to)
	}
	return out
}

// copyOf reads { SELECTOR: value, same_as: FILE, file_name: NAME, lines: 4 }.
func (r *testReader) copyOf(n *conf.Node) SpecCopy {
	c := SpecCopy{Place: n.Place(), Lines: -1}
	if !n.IsMap() {
		n.Errorf(`write { MSH-3: SPINE }, { same_as: messages/... } or {} for any copy`, "a copy is a mapping of what is expected of it")
		return c
	}
	for _, f := range n.Fields() {
		switch f.Key {
		case "same_as":
			c.SameAs = r.sameAs(f.Node)
		case "file_name":
			c.Name = optional(f.Node)
		case "lines":
			c.Lines = f.Node.Int(0, 0, 10_000_000)
		default:
			c.Fields = append(c.Fields, r.field(f))
		}
	}
	return c
}

// sameAs reads the name of a file. That it is not there yet is no error: test
// --update writes it, and until then the test fails.
func (r *testReader) sameAs(n *conf.Node) *SpecFile {
	f := &SpecFile{Place: n.Place(), Path: n.Text()}
	b, err := r.f.loader.read(f.Path)
	switch {
	case err == nil:
		f.Body = b
	case err.Error() == "there is no such file":
		f.Missing = true
		n.Warnf("write it, or let spine-engine test --update write it", "%s: %v", f.Path, err)
	case n.IsText():
		n.Errorf("files of tests are usually in messages/", "%s: %v", f.Path, err)
	}
	return f
}

func (r *testReader) field(f conf.Field) SpecField {
	out := SpecField{Place: f.Name.Place(), Text: f.Key, Want: readTestValue(f.Node)}
	out.At = r.selector(f.Name, f.Key)
	switch s := out.At; {
	case s == nil:
	case s.IsList() && out.Want.Kind == ValueText:
		f.Node.Errorf("write a list: [ ... ]", "%s is a list", s)
	case !s.IsList() && out.Want.Kind == ValueList:
		f.Node.Errorf("name all of them, as in OBX(*)-5", "%s is one value", s)
	}
	return out
}

// selector compiles a selector of HL7 v2. Of a path into XML it only finds out
// whether it is one: what was delivered has a format when the test is run.
func (r *testReader) selector(n *conf.Node, text string) message.Selector {
	if !looksXPath(text) && (r.f.orig.format == message.HL7 || looksLikeHL7(text)) {
		return dialect{}.at(n, text)
	}
	dialect{format: message.XML, namespaces: r.f.prefixes()}.at(n, text)
	return nil
}

// looksXPath: no selector of HL7 v2 begins so, or holds these.
func looksXPath(s string) bool {
	return strings.HasPrefix(s, "/") || strings.HasPrefix(s, ".") || strings.HasPrefix(s, "@") || strings.Contains(s, "::") || strings.Contains(s, "()")
}

func optional(n *conf.Node) *SpecValue {
	if !n.Present() {
		return nil
	}
	v := readTestValue(n)
	return &v
}

// readTestValue reads a text, a list, { is_null: true }, { absent: true },
// { present: true } or { matches: PATTERN }.
func readTestValue(n *conf.Node) SpecValue {
	switch {
	case n.IsText():
		return SpecValue{Text: n.Text()}
	case n.IsList():
		return SpecValue{Kind: ValueList, List: n.Texts()}
	}
	m := n.Map("expected value", "is_null", "absent", "present", "matches")
	if len(m) != 1 {
		if n.IsMap() && len(n.Fields()) != 1 {
			n.Errorf("write a text, { is_null: true }, { absent: true }, { present: true } or { matches: PATTERN }", "an expected value is one thing")
		}
		return SpecValue{}
	}
	for k, kind := range map[string]ValueKind{"is_null": ValueNull, "absent": ValueAbsent, "present": ValuePresent} {
		if m[k].Present() {
			if !m[k].Bool(true) {
				m[k].Errorf("say what it is instead", "what a value is not is not written")
			}
			return SpecValue{Kind: kind}
		}
	}
	re, err := regexp.Compile(m["matches"].Text())
	if err != nil {
		m["matches"].Errorf("patterns are RE2: no look-around, no back references", "%s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return SpecValue{Kind: ValueMatches, Pattern: re}
}
