package routes

import (
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
)

// xmlStep reads to_xml and from_xml, which have nothing to set: to_xml: positional.
func (f *feed) xmlStep(key conf.Field) transforms.Step {
	key.Node.OneOf("positional", "positional")
	from, to := message.HL7, message.XML
	if key.Key == "from_xml" {
		from, to = to, from
	}
	if f.cur.format != from {
		key.Name.Errorf("leave it out", "%s needs %s, and the message is %s here", key.Key, from, f.cur.format)
		return nil
	}
	next := dialect{format: to}
	f.become(next)
	if to == message.HL7 {
		return transforms.FromXML{}
	}
	return &transforms.ToXML{Parse: next.parseXML}
}
