package routes

import (
	"fmt"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
)

// headSize is how much of an unreadable body is searched for an MSH.
const headSize = 64 << 10

// unreadable sets bytes aside of which no message can be made, and refuses them
// wherever there is somebody to tell.
func (r *run) unreadable(why string) {
	at := message.Place{}
	if r.source != nil {
		at = r.source.place
	}
	r.whole(message.Quarantined, at, why)
	h, err := hl7.ParseHeader(head(r.env))
	if err != nil {
		r.d.Reply = r.refusal(r.source.unparsable)
		return
	}
	r.d.Type, r.d.Event, r.d.ControlID = h.Type, h.Event, h.ControlID
	code := r.source.unparsable
	if code == "" {
		code = "AR" // a sender that can be answered is told
	}
	r.d.Reply = r.refusal(plannedCode(h, code))
}

func (r *run) refusal(code string) message.Reply {
	if code == "" {
		return message.Reply{}
	}
	const text = "the message cannot be read and was set aside"
	return message.Reply{Code: code, Text: text, Errors: []message.ReplyError{{Code: "207", Text: text, Severity: "E"}}}
}

// head gives the first bytes of the body, nil when it cannot be viewed.
func head(env *message.Envelope) []byte {
	v, err := env.Body.View()
	if err != nil {
		return nil
	}
	defer v.Close()
	var out []byte
	for _, b := range v.Runs {
		out = append(out, b[:min(len(b), headSize-len(out))]...)
	}
	return out
}

// tooLarge holds a message that is never parsed; its header may still be read.
func (r *run) tooLarge() {
	limit := r.plan.Settings.Limits.Parse
	r.whole(message.Held, r.source.place, fmt.Sprintf("its %d bytes are above limits.parse (%d), so no rule can look into it", r.env.Body.Size(), limit))
	if h, err := hl7.ParseHeader(head(r.env)); err == nil {
		r.d.Type, r.d.Event, r.d.ControlID = h.Type, h.Event, h.ControlID
	}
	r.d.Reply = stored(r.env)
}

// stored is the answer to a message that was not parsed and is held all the
// same. It runs after panics too, so it survives one of its own.
func stored(env *message.Envelope) (reply message.Reply) {
	reply.Code = "AA"
	defer func() { _ = recover() }() // the code is already in place
	if h, err := hl7.ParseHeader(head(env)); err == nil {
		reply.Code = plannedCode(h, "AA")
	}
	return reply
}

// plannedCode turns an original-mode code (AA, AE, AR) into the one that the
// message asked for: the same, its accept form (CA, CE, CR), or none.
func plannedCode(h hl7.Header, code string) string {
	plan := hl7.AckPlan(h, code == "AA")
	switch {
	case len(plan) == 0:
		return ""
	case plan[0][0] == 'C':
		return "C" + code[1:]
	case h.AcceptAck == "" && h.ApplicationAck == "":
		return code
	}
	return "" // only an application acknowledgement was asked for
}

// acknowledge answers the sender of a message that was decided.
func (r *run) acknowledge() {
	if r.orig == nil {
		r.d.Reply = stored(r.env)
		return
	}
	reply := message.Reply{Code: "AA"}
	if r.d.Outcome == message.Rejected {
		reply = r.reject
	}
	if d, ok := r.orig.(*hl7doc.Doc); ok {
		reply.Code = plannedCode(r.headerOf(d), reply.Code)
	}
	if r.d.Outcome == message.Quarantined {
		reply.Code = ""
	}
	if reply.Code == "" { // no acknowledgement is due; a status for a sender by HTTP still is
		reply = message.Reply{HTTP: reply.HTTP}
	}
	if a := r.source.answer; a != nil && reply.Code != "" && r.d.Outcome != message.Rejected {
		r.answer(a, &reply)
	}
	r.d.Reply = reply
}

// headerOf reads of a parsed message what AckPlan asks for.
func (r *run) headerOf(d *hl7doc.Doc) hl7.Header {
	return hl7.Header{
		Type: r.d.Type, Response: d.M.IsResponse(),
		AcceptAck: d.Text(r.plan.header[0]), ApplicationAck: d.Text(r.plan.header[1]),
	}
}
