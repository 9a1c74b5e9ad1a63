package disk

import (
	"slices"

	"github.com/spine-engine/spine-engine/internal/message"
)

// What decisions have come to hold since the head's first layout stands behind
// its deliveries, where programs that know only that layout do not look:
//
//	tag u8 | length | content        as often as needed, up to the head's end
//
// What says nothing is not written. A tag that is not known is skipped.
const (
	tagFindings = 1 // count, then: part, number, findings (rule, text)...
	tagReply    = 2 // status, content type, body
)

func (e *encoder) later(d *message.Decision) {
	said := func(p message.Part) bool { return p.Number != 0 || len(p.Findings) > 0 }
	if slices.ContainsFunc(d.Parts, said) {
		e.tagged(tagFindings, func() { e.findings(d.Parts, said) })
	}
	if r := &d.Reply; r.HTTP != 0 || r.Body != "" || r.Type != "" {
		e.tagged(tagReply, func() {
			e.uint(uint64(r.HTTP))
			e.string(r.Type)
			e.string(r.Body)
		})
	}
}

// tagged writes tag, length and what write writes.
func (e *encoder) tagged(tag byte, write func()) {
	e.byte(tag)
	at := len(e.b)
	write()
	content := slices.Clone(e.b[at:])
	e.b = e.b[:at]
	e.uint(uint64(len(content)))
	e.raw(content)
}

func (e *encoder) findings(ps []message.Part, said func(message.Part) bool) {
	n := 0
	for _, p := range ps {
		if said(p) {
			n++
		}
	}
	e.uint(uint64(n))
	for i, p := range ps {
		if !said(p) {
			continue
		}
		e.uint(uint64(i))
		e.uint(uint64(p.Number))
		e.uint(uint64(len(p.Findings)))
		for _, f := range p.Findings {
			e.place(f.Rule)
			e.string(f.Text)
		}
	}
}

func (d *decoder) later(v *message.Decision) {
	for d.err == nil && len(d.b) > 0 {
		tag, n := d.byte(), d.count(1)
		rest := d.b[min(n, len(d.b)):]
		d.b = d.raw(n)
		switch tag {
		case tagFindings:
			d.findings(v.Parts)
		case tagReply:
			v.Reply.HTTP, v.Reply.Type, v.Reply.Body = int(d.uint()), d.string(), d.string()
		}
		if d.err == nil {
			d.b = rest
		}
	}
}

func (d *decoder) findings(ps []message.Part) {
	for range d.count(3) {
		i := d.uint()
		if d.err != nil || i >= uint64(len(ps)) {
			d.fail()
			return
		}
		ps[i].Number = int(d.uint())
		if n := d.count(3); n > 0 {
			ps[i].Findings = make([]message.Finding, n)
		}
		for k := range ps[i].Findings {
			ps[i].Findings[k] = message.Finding{Rule: d.place(), Text: d.string()}
		}
	}
}
