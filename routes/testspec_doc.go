package routes

import (
	"bytes"
	"slices"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
)

// ReadCopy parses a copy that was made of a message of the source, for those who
// look into it: tests, comparisons. b are its bytes.
func (p *Plan) ReadCopy(source string, d *message.Delivery, b []byte) (message.Doc, error) {
	if FormatOf(b) == message.XML {
		return dialect{format: message.XML}.parseXML(b)
	}
	var o hl7.Options
	if s := p.bySource[source]; s != nil {
		o = s.parse
	}
	if c := p.charsetOf(d); c != nil {
		o.Override = c.as
	}
	return hl7doc.Parse(b, o)
}

// charsetOf is what a destination declares; nil when copies keep their own.
func (p *Plan) charsetOf(d *message.Delivery) *charset {
	for _, f := range p.feeds {
		for _, o := range f.outputs {
			if f.name == d.Feed && o.queue == d.Queue && o.charset != nil {
				return o.charset
			}
		}
	}
	return nil
}

// FormatOf tells XML from ER7 by the first character behind a byte order mark
// and white space, as a mailbox does.
func FormatOf(b []byte) message.Format {
	for _, bom := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} {
		b = bytes.TrimPrefix(b, []byte(bom))
	}
	if b = bytes.TrimLeft(b, "\x00 \t\r\n"); len(b) > 0 && b[0] == '<' {
		return message.XML
	}
	return message.HL7
}

// Reaches gives the feeds whose work follows from what the feed takes: itself
// and those it hands messages to.
func (p *Plan) Reaches(feed string) []string {
	out := []string{feed}
	for _, f := range p.feeds {
		if f.name != feed {
			continue
		}
		for to := range f.leadsTo {
			out = append(out, to.name)
		}
	}
	slices.Sort(out[1:])
	return out
}
