package hl7

import (
	"strconv"
	"strings"
	"time"
)

// An Ack is an answer to be built. Texts are UTF-8 without escapes.
type Ack struct {
	Code   string // AA, AE, AR, CA, CE, CR (table 0008)
	Text   string // MSA-3
	Errors []AckError
	// NoZone leaves the zone out of MSH-7, for peers that refuse it.
	NoZone bool
}

// An AckError is one error of an answer (ERR segment).
type AckError struct {
	Location   string // a selector such as PID-3, or seg^seq^field[^rep^comp^sub]; may be empty
	Code       string // table 0357, such as 101
	Text       string // what the code means here
	Severity   string // E, W, I, F; "" = E
	Diagnostic string // ERR-7, 2.5 and later
	UserText   string // ERR-8, 2.5 and later
}

// BuildAck makes the answer to the message h belongs to (chapter 2, "Message
// acknowledgment" and MSA, ERR): sender and receiver change places as whole
// fields, MSH-2, MSH-11, MSH-12 and MSH-18 are copied, MSA-2 is MSH-10 byte for
// byte. Errors are written as ERR-1 before 2.5, with MSA-3, and as ERR-2 to
// ERR-4 since. controlID must be new and unique; it is the answer's MSH-10.
func BuildAck(h Header, a Ack, now time.Time, controlID string) []byte {
	w := newAckWriter(&h)
	layout := "20060102150405-0700"
	if a.NoZone {
		layout = "20060102150405"
	}
	msh := []string{"MSH", h.EncodingCharacters, h.ReceivingApplication, h.ReceivingFacility, h.SendingApplication, h.SendingFacility,
		now.Format(layout), "", w.messageType(), w.leaf(controlID), h.ProcessingID, h.Version, "", "", "", "", "", w.charset()}
	w.segment(msh)
	text := a.Text
	if text == "" && len(a.Errors) > 0 && !h.since(2, 5) {
		text = a.Errors[0].Text
	}
	w.segment([]string{"MSA", a.Code, h.ControlID, w.leaf(text)})
	if h.since(2, 5) {
		for _, e := range a.Errors {
			w.err25(e)
		}
	} else if len(a.Errors) > 0 {
		w.err1(a.Errors)
	}
	return w.out
}

type ackWriter struct {
	h   *Header
	d   Delimiters
	cs  charset
	out []byte
}

func newAckWriter(h *Header) *ackWriter {
	w := &ackWriter{h: h, d: h.Delimiters, cs: charset{name: "ASCII", ascii: true}}
	first, _ := part([]byte(h.Charset), h.Delimiters.Repetition, 1)
	if cs, ok := lookup(string(first)); ok && !cs.wide {
		w.cs = cs
	}
	return w
}

// charset is MSH-18 of the answer: as received, unless the answer, which is
// ASCII then, would belie it.
func (w *ackWriter) charset() string {
	if w.h.wide {
		return ""
	}
	return w.h.Charset
}

func (w *ackWriter) segment(fields []string) {
	for len(fields) > 1 && fields[len(fields)-1] == "" {
		fields = fields[:len(fields)-1]
	}
	w.out = append(append(w.out, strings.Join(fields, string(w.d.Field))...), '\r')
}

func (w *ackWriter) join(parts ...string) string {
	for len(parts) > 1 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return strings.Join(parts, string(w.d.Component))
}

// messageType: ACK without a known event, ACK^A01 before 2.4, ACK^A01^ACK since.
func (w *ackWriter) messageType() string {
	switch {
	case w.h.Event == "":
		return "ACK"
	case w.h.since(2, 4):
		return w.join("ACK", w.h.Event, "ACK")
	}
	return w.join("ACK", w.h.Event)
}

// leaf escapes and encodes a text of ours. What cannot be written is replaced
// by a question mark: an answer with a spoilt text is better than none.
func (w *ackWriter) leaf(text string) string {
	var out []byte
	for _, r := range text {
		er7, unfit := escape(nil, string(r), &w.d, false)
		if unfit == 0 {
			var n int
			if n = len(out); r < 0x80 {
				out = append(out, er7...)
				continue
			}
			if out, unfit = w.cs.appendEncoded(out, er7); unfit == 0 {
				continue
			}
			out = out[:n]
		}
		out = append(out, '?')
	}
	return string(out)
}

// err25 writes ERR as of 2.5: ERR||PID^1^3|101^text^HL70357|E.
func (w *ackWriter) err25(e AckError) {
	severity := e.Severity
	if severity == "" {
		severity = "E"
	}
	w.segment([]string{"ERR", "", w.join(location(e.Location)...), w.join(w.leaf(e.Code), w.leaf(e.Text), "HL70357"), w.leaf(severity),
		"", "", w.leaf(e.Diagnostic), w.leaf(e.UserText)})
}

// err1 writes ERR as of 2.4 and before: ERR|PID^1^3^101&text&HL70357~...
func (w *ackWriter) err1(errs []AckError) {
	var reps []string
	for _, e := range errs {
		at := append(location(e.Location), "", "", "")[:3]
		code := w.leaf(e.Code)
		if w.d.Subcomponent != 0 {
			code = strings.Join([]string{code, w.leaf(e.Text), "HL70357"}, string(w.d.Subcomponent))
		}
		reps = append(reps, strings.Join(append(at, code), string(w.d.Component)))
		if w.d.Repetition == 0 {
			break
		}
	}
	w.segment([]string{"ERR", strings.Join(reps, string(w.d.Repetition))})
}

// location gives ERL: segment, its occurrence, field, repetition, component, subcomponent.
func location(s string) []string {
	p, err := ParsePath(s)
	if err != nil {
		var parts []string
		for _, c := range strings.Split(s, "^") {
			parts = append(parts, strings.Map(plain, c))
		}
		return parts
	}
	num := func(n int) string {
		if n <= 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	seq, rep := p.p.seg.which, p.p.rep.which
	if seq == 0 && len(p.p.seg.conds) == 0 {
		seq = 1
	}
	if rep == 0 && p.p.comp > 0 && len(p.p.rep.conds) == 0 {
		rep = 1
	}
	out := []string{p.p.seg.id, num(seq), num(p.p.field), num(rep), num(p.p.comp), num(p.p.sub)}
	for out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

// plain keeps what a location is made of, so that it can hold no delimiter.
func plain(r rune) rune {
	if r < 0x80 && isAlnum(byte(r)) {
		return r
	}
	return -1
}

// AckPlan says which answers a message asks for, in the order in which they are
// sent: in original mode (MSH-15 and MSH-16 both empty) AA or AE; in enhanced
// mode CA or CE if MSH-15 asks for it, then AA or AE, as a message of its own,
// if MSH-16 does. An answer is never answered. ok: the message was accepted.
func AckPlan(h Header, ok bool) []string {
	var few [2]string // not on the heap where the caller only looks
	return ackPlan(few[:0], &h, ok)
}

func ackPlan(plan []string, h *Header, ok bool) []string {
	if h.Response || h.Type == "ACK" || h.Type == "MCF" {
		return nil
	}
	accept, app := "CA", "AA"
	if !ok {
		accept, app = "CE", "AE"
	}
	if h.AcceptAck == "" && h.ApplicationAck == "" {
		return append(plan, app)
	}
	if wanted(h.AcceptAck, ok) {
		plan = append(plan, accept)
	}
	if wanted(h.ApplicationAck, ok) {
		plan = append(plan, app)
	}
	if len(plan) == 0 {
		return nil
	}
	return plan
}

// wanted reads table 0155.
func wanted(condition string, ok bool) bool {
	return condition == "AL" || condition == "SU" && ok || condition == "ER" && !ok
}
