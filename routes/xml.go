package routes

import (
	"errors"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/internal/xmldoc"
)

func (d dialect) xmlSelector(text string) (message.Selector, error) {
	return xmldoc.Compile(text, xmldoc.SelectorOptions{Namespaces: d.namespaces, Items: d.items})
}

func (d dialect) parseXML(b []byte) (message.Doc, error) {
	doc, err := xmldoc.Parse(b, xmldoc.Options{Namespaces: d.namespaces})
	if err != nil {
		return nil, err
	}
	return doc, nil
}

// xmlFault takes apart what a selector of XML has wrong.
func xmlFault(err error) (offset int, text, hint string, ok bool) {
	var x *xmldoc.SelectorError
	if !errors.As(err, &x) {
		return 0, "", "", false
	}
	return x.Offset, x.Text, x.Hint, true
}

// unread is why a document could not be read to its end where a rule asked: what
// was decided by it does not hold.
func unread(doc message.Doc) error {
	if x, ok := doc.(*xmldoc.Doc); ok {
		return x.Err()
	}
	return nil
}
