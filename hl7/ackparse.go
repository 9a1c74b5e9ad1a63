package hl7

import (
	"bytes"
	"fmt"
)

// An AckReply is an answer as received. Its printed form shows the code only.
type AckReply struct {
	Code      string // MSA-1 as it stands
	ControlID string // MSA-2 byte for byte: compare it with Message.ControlID
	Text      string // MSA-3, unescaped
	Sequence  string // MSA-4, the expected sequence number
	Errors    []AckError
	Type      string // MSH-9.1 of the answer: ACK, ADR, RSP, ...
}

// ParseAck reads any message that carries MSA, wherever it stands in it, with
// the answer's own delimiters. It is lenient: block characters may be left
// over, MSH may be broken or missing. Without MSA the error is ErrNoMSA.
func ParseAck(b []byte) (AckReply, error) {
	if m, err := Parse(b); err == nil {
		return m.reply()
	}
	m, ok := salvage(b)
	if !ok {
		return AckReply{}, fmt.Errorf("hl7: the answer of %d bytes: %w", len(b), ErrNoMSA)
	}
	return m.reply()
}

// salvage makes a message of the segments behind an MSH that does not parse,
// or of a bare MSA.
func salvage(b []byte) (*Message, bool) {
	d := StandardDelimiters()
	if h, err := ParseHeader(b); err == nil {
		d = h.Delimiters
	}
	m := &Message{orig: b, src: b, end: len(b), delims: d, cs: utf8Charset()}
	for at := 0; at < len(b); {
		n := bytes.IndexAny(b[at:], "\r\n\x0B\x1C")
		if n < 0 {
			n = len(b) - at
		}
		if line := b[at : at+n]; len(line) > 3 && string(line[:3]) == "MSA" && delimiterOK(line[3]) && len(m.segs) == 0 {
			m.delims.Field = line[3]
		}
		m.segs = append(m.segs, m.line(at, at+n, min(at+n+1, len(b))))
		at += n + 1
	}
	return m, len(m.segs) > 0
}

func (m *Message) reply() (AckReply, error) {
	var r AckReply
	found := false
	for i := range m.segs {
		switch {
		case !found && m.is(i, "MSA"):
			found = true
			r.Code = string(m.leafAt(i, 1, 0))
			r.ControlID = string(m.leafAt(i, 2, 0))
			r.Text = m.text(m.leafAt(i, 3, 0))
			r.Sequence = string(m.leafAt(i, 4, 0))
		case m.is(i, "ERR"):
			r.Errors = m.appendErrors(r.Errors, i)
		case m.is(i, "MSH"):
			r.Type = string(m.leafAt(i, 9, 1))
		}
	}
	if !found {
		return r, fmt.Errorf("hl7: the answer of %d segments: %w", len(m.segs), ErrNoMSA)
	}
	return r, nil
}

// leafAt gives component c of field n of segment i, or the whole field for c = 0.
func (m *Message) leafAt(i, n, c int) []byte {
	f, _ := field(m.content(i), m.delims.Field, n)
	if c == 0 {
		return f
	}
	f, _ = part(f, m.delims.Repetition, 1)
	b, _ := m.delims.leaf(f, c, 0)
	return b
}

// appendErrors reads one ERR: ERR-2 to ERR-8 of 2.5, or the repetitions of ERR-1.
func (m *Message) appendErrors(errs []AckError, i int) []AckError {
	get := func(n, c int) string { return m.text(m.leafAt(i, n, c)) }
	if code := get(3, 1); code != "" || get(4, 0) != "" {
		return append(errs, AckError{Location: get(2, 0), Code: code, Text: get(3, 2), Severity: get(4, 0), Diagnostic: get(7, 0), UserText: get(8, 0)})
	}
	one := m.leafAt(i, 1, 0)
	for n := 1; len(one) > 0; n++ {
		rep, ok := part(one, m.delims.Repetition, n)
		if !ok {
			break
		}
		code, _ := m.delims.leaf(rep, 4, 1)
		text, _ := m.delims.leaf(rep, 4, 2)
		errs = append(errs, AckError{Location: string(m.firstComponents(rep, 3)), Code: m.text(code), Text: m.text(text)})
	}
	return errs
}

// firstComponents cuts a repetition behind its n-th component; empty ones at the end go.
func (m *Message) firstComponents(rep []byte, n int) []byte {
	end := 0
	for k := range n {
		c, ok := part(rep[end:], m.delims.Component, 1)
		if !ok || end > len(rep) {
			break
		}
		if end += len(c); end == len(rep) || k == n-1 {
			break
		}
		end++
	}
	return bytes.TrimRight(rep[:end], string(m.delims.Component))
}
