package transforms

import (
	"strings"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
)

// Parted is a document that can tell whether a node has parts below it, so that
// its text is a notation and no value. Who sets a changed notation as a value
// escapes the delimiters in it:
//
//	PID-5 = Test^Ann    upper case, set again:    TEST\S\ANN
type Parted interface {
	HasParts(s message.Selector) bool
}

// hasParts asks the document; for ER7 documents that cannot tell it looks for
// the parts itself. text is the node's text.
func hasParts(doc message.Doc, at message.Selector, text string) bool {
	if d, ok := doc.(Parted); ok {
		return d.HasParts(at)
	}
	p, ok := at.(hl7.Path)
	if !ok || !strings.ContainsAny(text, delimitersOf(doc)) {
		return false
	}
	below := []string{".2", ".1.2", "(#2)"}
	if p.Component() > 0 {
		below = []string{".2"}
	}
	for _, b := range below {
		part, err := hl7.ParsePath(p.String() + b)
		if err == nil && doc.Presence(part) != message.Absent {
			return true
		}
	}
	return false
}

func delimitersOf(doc message.Doc) string {
	p, err := hl7.ParsePath("MSH-2")
	if err != nil {
		return ""
	}
	return doc.Text(p)
}
