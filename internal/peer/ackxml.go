package peer

import "encoding/xml"

// acknowledgement is the answer to XML:
//
//	<acknowledgement code="AE"><text>not today</text></acknowledgement>
type acknowledgement struct {
	XMLName xml.Name `xml:"acknowledgement"`
	Code    string   `xml:"code,attr,omitempty"`
	Text    string   `xml:"text,omitempty"`
}

func ackXML(a Act) []byte {
	out, err := xml.Marshal(acknowledgement{Code: a.code(), Text: a.Text})
	if err != nil { // texts alone cannot make it fail
		return nil
	}
	return append(out, '\n')
}

func (p *Posted) readXML() {
	var a acknowledgement
	if xml.Unmarshal(p.Body, &a) == nil {
		p.Code, p.Text = a.Code, a.Text
	}
}
