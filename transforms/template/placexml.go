package template

import "strings"

// markup is where in an XML document a template stands.
type markup uint8

const (
	content markup = iota
	tag            // within < and >, not in an attribute's quotes
	double         // an attribute in "
	single         // an attribute in '
	comment
	cdata
	instruction
)

// xmlPlace follows XML 1.0 as far as it takes to know what a value stands in.
type xmlPlace struct{ m markup }

func (x *xmlPlace) state() any { return x.m }

func (x *xmlPlace) literal(s string) (int, string, string) {
	for i := 0; i < len(s); {
		switch x.m {
		case content:
			n := strings.IndexByte(s[i:], '<')
			if n < 0 {
				return 0, "", ""
			}
			i += n
			if strings.HasPrefix(s[i:], "<!DOCTYPE") || strings.HasPrefix(s[i:], "<!ENTITY") {
				return i, "document type declarations are not used here", "leave it out"
			}
			i += x.open(s[i:])
		case tag:
			switch s[i] {
			case '>':
				x.m = content
			case '"':
				x.m = double
			case '\'':
				x.m = single
			}
			i++
		default:
			closing, then := x.closing()
			n := strings.Index(s[i:], closing)
			if n < 0 {
				return 0, "", ""
			}
			i += n + len(closing)
			x.m = then
		}
	}
	return 0, "", ""
}

// open reads what begins with < and gives its length.
func (x *xmlPlace) open(s string) int {
	for _, o := range []struct {
		text string
		m    markup
	}{{"<!--", comment}, {"<![CDATA[", cdata}, {"<?", instruction}} {
		if strings.HasPrefix(s, o.text) {
			x.m = o.m
			return len(o.text)
		}
	}
	x.m = tag
	return 1
}

func (x *xmlPlace) closing() (text string, then markup) {
	switch x.m {
	case double:
		return `"`, tag
	case single:
		return "'", tag
	case comment:
		return "-->", content
	case cdata:
		return "]]>", content
	}
	return "?>", content
}

func (x *xmlPlace) value() (escape, string, string) {
	switch x.m {
	case content:
		return xmlText, "", ""
	case double, single:
		return xmlAttribute, "", ""
	}
	where := [...]string{tag: "within a tag, outside of quotes", comment: "within a comment",
		cdata: "within CDATA", instruction: "within a processing instruction"}[x.m]
	return nil, "a value cannot stand " + where, "values stand in the text of an element or in a quoted attribute"
}
