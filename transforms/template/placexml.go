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

// xmlPlace follows XML 1.0 as far as it takes to know what a value stands in, and
// how many elements are open.
type xmlPlace struct {
	at      xmlState
	closing bool // the tag began with </
	slash   bool // the character before, within a tag, was /
}

type xmlState struct {
	m    markup
	open int
}

func (x *xmlPlace) state() any { return x.at }

// unclosed says how many elements are open at the end; less than 0 when too many
// were closed.
func (x *xmlPlace) unclosed() int { return x.at.open }

func (x *xmlPlace) literal(s string) (int, string, string) {
	for i := 0; i < len(s); {
		switch x.at.m {
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
			x.within(s[i])
			i++
		default:
			closing, then := x.ends()
			n := strings.Index(s[i:], closing)
			if n < 0 {
				return 0, "", ""
			}
			i += n + len(closing)
			x.at.m = then
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
			x.at.m = o.m
			return len(o.text)
		}
	}
	x.at.m, x.slash = tag, false
	x.closing = strings.HasPrefix(s, "</")
	return 1
}

// within reads one character of a tag, outside of quotes:
//
//	<a>  one more is open     </a>  one less     <a/>  as many as before
func (x *xmlPlace) within(c byte) {
	switch {
	case c == '"':
		x.at.m = double
	case c == '\'':
		x.at.m = single
	case c != '>':
	case x.closing:
		x.at = xmlState{content, x.at.open - 1}
	case x.slash:
		x.at.m = content
	default:
		x.at = xmlState{content, x.at.open + 1}
	}
	x.slash = c == '/'
}

func (x *xmlPlace) ends() (text string, then markup) {
	switch x.at.m {
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
	switch x.at.m {
	case content:
		return xmlText, "", ""
	case double, single:
		return xmlAttribute, "", ""
	}
	where := [...]string{tag: "within a tag, outside of quotes", comment: "within a comment",
		cdata: "within CDATA", instruction: "within a processing instruction"}[x.at.m]
	return nil, "a value cannot stand " + where, "values stand in the text of an element or in a quoted attribute"
}
