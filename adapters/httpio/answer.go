package httpio

import (
	"cmp"
	"crypto/rand"
	"encoding/xml"
	"net/http"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
)

// answer spells the engine's answer to a message that is stored.
func (x *exchange) answer(f message.Format, r message.Receipt) {
	body, ctype := x.spell(r.ID.String(), r.Reply)
	x.w.Header().Set("Spine-Message-Id", r.ID.String())
	if r.Duplicate {
		x.w.Header().Set("Spine-Duplicate", "true")
	}
	status := statusOf(f, r)
	if body == nil && status >= 400 {
		body, ctype = []byte(cmp.Or(r.Reply.Text, "the message is stored, but was not accepted")+"\n"), "text/plain; charset=utf-8"
	}
	x.write(status, ctype, body)
}

// statusOf is the status of a stored message's answer; see the table in doc.go.
func statusOf(f message.Format, r message.Receipt) int {
	refused := r.Outcome == message.Rejected
	switch r.Reply.Code {
	case "AE", "AR", "CE", "CR":
		refused = true
	}
	switch {
	case r.Reply.HTTP >= 200 && r.Reply.HTTP <= 599:
		return r.Reply.HTTP
	case r.Outcome == message.Quarantined:
		return http.StatusBadRequest
	case !refused:
		return http.StatusOK
	case f == message.HL7 && r.Reply.Code != "" && r.Reply.Body == "":
		return http.StatusOK // the acknowledgement says it
	}
	return http.StatusUnprocessableEntity
}

// spell gives body and Content-Type of an answer; no body when none is due.
func (x *exchange) spell(id string, r message.Reply) ([]byte, string) {
	switch {
	case r.Body != "":
		return []byte(r.Body), x.typeOf(r)
	case x.media.format == message.XML:
		return spellXML(id, r), x.media.answer()
	case r.Code == "":
		return nil, ""
	}
	return x.spellER7(r), x.media.answer()
}

// typeOf is the type of a body that the feed wrote.
func (x *exchange) typeOf(r message.Reply) string {
	switch {
	case r.Type != "":
		return r.Type
	case x.media.format == message.XML:
		return "application/xml; charset=utf-8"
	}
	return "text/plain; charset=utf-8"
}

func (x *exchange) spellER7(r message.Reply) []byte {
	h := x.header
	if h == nil { // MSH|^~\&|||||time||ACK|id|P|2.5.1
		h = &hl7.Header{Delimiters: hl7.StandardDelimiters(), EncodingCharacters: `^~\&`, ProcessingID: "P", Version: "2.5.1"}
	}
	ack := hl7.Ack{Code: r.Code, Text: r.Text}
	for _, e := range r.Errors {
		ack.Errors = append(ack.Errors, hl7.AckError{Location: e.Location, Code: e.Code, Text: e.Text, Severity: e.Severity})
	}
	now := time.Now()
	return hl7.BuildAck(*h, ack, now, newControlID(now))
}

// newControlID is the front of a ULID: 10 characters of time and 10 of chance.
// MSH-10 has 20 characters before version 2.7.
func newControlID(now time.Time) string {
	id, _ := ulid.New(ulid.Timestamp(now), rand.Reader) // fails after the year 10889
	return id.String()[:20]
}

// errorCode is the code of a refusal that asks to come again, in the mode that
// the message asks for.
func (x *exchange) errorCode() string {
	if x.media.format == message.XML {
		return "AE"
	}
	if x.header == nil {
		return ""
	}
	if plan := hl7.AckPlan(*x.header, false); len(plan) > 0 {
		return plan[0]
	}
	return ""
}

// acknowledgement is the answer to XML where the feed declares none:
//
//	<acknowledgement code="AA" message="01K..."/>
type acknowledgement struct {
	XMLName xml.Name   `xml:"acknowledgement"`
	Code    string     `xml:"code,attr,omitempty"`
	Message string     `xml:"message,attr,omitempty"`
	Text    string     `xml:"text,omitempty"`
	Errors  []xmlError `xml:"error"`
}

type xmlError struct {
	Code     string `xml:"code,attr,omitempty"`
	At       string `xml:"at,attr,omitempty"`
	Severity string `xml:"severity,attr,omitempty"`
	Text     string `xml:",chardata"`
}

func spellXML(id string, r message.Reply) []byte {
	a := acknowledgement{Code: r.Code, Message: id, Text: r.Text}
	for _, e := range r.Errors {
		a.Errors = append(a.Errors, xmlError{Code: e.Code, At: e.Location, Severity: e.Severity, Text: e.Text})
	}
	out, err := xml.Marshal(a)
	if err != nil { // texts alone cannot make it fail
		return nil
	}
	return append(out, '\n')
}
