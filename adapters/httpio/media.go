package httpio

import (
	"mime"
	"slices"
	"strings"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Media types of HL7 v2 in ER7 (HL7 over HTTP, section 2.4, in the spellings of its
// drafts) and of XML.
var (
	typesER7 = []string{"application/hl7-v2", "application/hl7-v2+er7", "x-application/hl7-v2+er7"}
	typesXML = []string{"application/xml", "text/xml", "application/hl7-v2+xml", "x-application/hl7-v2+xml"}
)

// taken is what a 415 answer names.
const taken = "application/hl7-v2, x-application/hl7-v2+er7, application/xml, text/xml, application/hl7-v2+xml"

// media is a Content-Type that was understood.
type media struct {
	name    string // lower case, without parameters
	charset string // as sent; "" when absent or not a name
	format  message.Format
}

// parseMedia reads a Content-Type; false for one that is none or is not taken.
func parseMedia(header string) (media, bool) {
	name, params, err := mime.ParseMediaType(header)
	if err != nil {
		return media{}, false
	}
	m := media{name: name}
	if c := params["charset"]; isCharset(c) {
		m.charset = c
	}
	switch {
	case slices.Contains(typesER7, name):
		m.format = message.HL7
	case slices.Contains(typesXML, name):
		m.format = message.XML
	default:
		return media{}, false
	}
	return m, true
}

// answer is the Content-Type of an acknowledgement: the one it came with.
func (m media) answer() string {
	switch {
	case m.format == message.XML:
		return "application/xml; charset=utf-8"
	case m.charset != "":
		return m.name + "; charset=" + m.charset
	}
	return m.name
}

// isCharset takes names as IANA registers them, so that what is echoed is harmless.
func isCharset(s string) bool {
	return s != "" && len(s) <= 40 && !strings.ContainsFunc(s, func(r rune) bool {
		return !isAlnum(r) && !strings.ContainsRune("-._:", r)
	})
}

// isER7 reports whether an answer calls itself HL7 in ER7.
func isER7(contentType string) bool {
	m, ok := parseMedia(contentType)
	return ok && m.format == message.HL7
}
