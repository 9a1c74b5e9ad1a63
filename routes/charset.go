package routes

import (
	"fmt"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
)

// charset is in what character set a destination gets its copies.
type charset struct {
	as    string
	unfit hl7.Unfit
	place message.Place
}

// readUnfit reads { as: 8859/1, unfit: hold | escape | { replace: "?" } }.
func readUnfit(n *conf.Node) *charset {
	if !n.Present() {
		return nil
	}
	m := n.Map("charset of a destination", "as", "unfit")
	c := &charset{as: charsetName(m["as"]), place: n.Place()}
	switch u := m["unfit"]; {
	case m["as"] == nil && n.IsMap():
		n.Errorf("write { as: 8859/1, unfit: hold }", "the character set is not named")
	case u.IsMap():
		r := u.Map("unfit", "replace")["replace"]
		if c.unfit.Replace = r.Text(); len(c.unfit.Replace) != 1 {
			u.Errorf(`write { replace: "?" }`, "one character that every character set has is wanted")
		}
	default:
		c.unfit.Escape = u.OneOf("hold", "hold", "escape") == "escape"
	}
	return c
}

// recode writes a copy in the destination's character set. The document is one
// of this copy's own.
func (c *charset) recode(doc message.Doc) error {
	d, ok := doc.(*hl7doc.Doc)
	if !ok {
		return fmt.Errorf("charset is for HL7 messages, and this copy is %s", doc.Format())
	}
	return d.M.Recode(c.as, c.unfit)
}
