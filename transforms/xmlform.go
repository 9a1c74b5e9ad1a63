package transforms

import (
	"fmt"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
)

// ToXML turns an HL7 message into an XML document by position: see
// hl7.Message.ToXML. The steps behind it work on that document.
type ToXML struct {
	Parse func([]byte) (message.Doc, error) // makes the XML document
}

// Firm implements Firm.
func (*ToXML) Firm() {}

// Apply makes the XML document the message.
func (x *ToXML) Apply(in *Input) error {
	d, ok := in.Doc.(*hl7doc.Doc)
	if !ok {
		return fmt.Errorf("to_xml needs an hl7 message, and this is %s", in.Doc.Format())
	}
	doc, err := x.Parse(d.M.ToXML())
	if err != nil {
		return fmt.Errorf("to_xml: the document made is not read: %w", err)
	}
	in.Become(doc)
	return nil
}

// FromXML turns XML in the form of ToXML into an HL7 message. Namespaces, the
// root's name and white space between elements mean nothing.
type FromXML struct{}

// Firm implements Firm.
func (FromXML) Firm() {}

// Apply makes the HL7 message the message.
func (FromXML) Apply(in *Input) error {
	x, ok := in.Doc.(interface{ Bytes() []byte })
	if !ok || in.Doc.Format() != message.XML {
		return fmt.Errorf("from_xml needs an xml document, and this is %s", in.Doc.Format())
	}
	m, err := hl7.FromXML(x.Bytes())
	if err != nil {
		return fmt.Errorf("from_xml: %w", err)
	}
	in.Become(&hl7doc.Doc{M: m})
	return nil
}
