package transforms

import (
	"strings"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
)

// hasParts tells whether a node of an ER7 document has parts below it, so that its
// text is a notation and no value. Who sets a changed notation as a value escapes
// the delimiters in it:
//
//	PID-5 = Test^Ann    upper case, set again:    TEST\S\ANN
//
// text is the node's text. Without a delimiter in it there is nothing to ask. With
// one the node is copied, as it stands, to a field of its own in a clone: whatever
// kind of selector found it, there its parts can be looked for.
func hasParts(doc message.Doc, at message.Selector, text string) bool {
	if doc.Format() != message.HL7 || strings.IndexFunc(text, punctuation) < 0 {
		return false
	}
	if !strings.ContainsAny(text, doc.Text(fixed("MSH-2"))) {
		return false
	}
	c := doc.Clone()
	if err := c.Copy(doc, at, fixed("ZZ9-1")); err != nil {
		return true // it does not even fit into a field: it is no value
	}
	for _, part := range []string{"ZZ9-1.2", "ZZ9-1.1.2", "ZZ9-1(#2)"} {
		if c.Presence(fixed(part)) != message.Absent {
			return true
		}
	}
	return false
}

// punctuation tells what can be a delimiter.
func punctuation(r rune) bool {
	return r > ' ' && r < 0x7F && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
}

// fixed compiles a selector that is known to be one.
func fixed(s string) hl7.Path {
	p, err := hl7.ParsePath(s)
	if err != nil {
		return hl7.Path{} // selects nothing
	}
	return p
}
