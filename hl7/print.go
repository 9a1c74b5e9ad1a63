package hl7

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// Nothing in this file shows content: a message, or a piece of one, that ends
// up in a log line or an error gives away its size and no more. Format covers
// every verb of package fmt, so that %x or %#v is no way around String.

// String gives the number of segments and the size.
func (m *Message) String() string {
	if m == nil {
		return "hl7.Message(nil)"
	}
	return fmt.Sprintf("hl7.Message(%d segments, %d bytes)", len(m.segs), m.Size())
}

// GoString is String.
func (m *Message) GoString() string { return m.String() }

// Format writes String whatever the verb.
func (m *Message) Format(s fmt.State, _ rune) { put(s, m.String()) }

// MarshalJSON gives the number of segments and the size.
func (m *Message) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]int{"segments": len(m.segs), "bytes": m.Size()})
}

// LogValue is String.
func (m *Message) LogValue() slog.Value { return slog.StringValue(m.String()) }

// String gives the state and the size.
func (n Node) String() string {
	if n.m == nil {
		return "hl7.Node(absent)"
	}
	return fmt.Sprintf("hl7.Node(%s, %d bytes)", n.State(), len(n.raw))
}

// Format writes String whatever the verb.
func (n Node) Format(s fmt.State, _ rune) { put(s, n.String()) }

// String gives id, occurrence and size.
func (g Segment) String() string {
	return fmt.Sprintf("hl7.Segment(%s #%d, %d bytes)", g.ID, g.Occurrence, len(g.Raw))
}

// Format writes String whatever the verb.
func (g Segment) Format(s fmt.State, _ rune) { put(s, g.String()) }

// String gives the place and the size.
func (p Span) String() string {
	if !p.Original {
		return fmt.Sprintf("hl7.Span(%d bytes made)", p.Length)
	}
	return fmt.Sprintf("hl7.Span(original %d+%d)", p.Offset, p.Length)
}

// Format writes String whatever the verb.
func (p Span) Format(s fmt.State, _ rune) { put(s, p.String()) }

// String gives the size.
func (f Frame) String() string { return fmt.Sprintf("hl7.Frame(%d bytes)", f.Size) }

// Format writes String whatever the verb.
func (f Frame) Format(s fmt.State, _ rune) { put(s, f.String()) }

// String gives the length of the control id.
func (h Header) String() string {
	return fmt.Sprintf("hl7.Header(control id of %d bytes)", len(h.ControlID))
}

// Format writes String whatever the verb.
func (h Header) Format(s fmt.State, _ rune) { put(s, h.String()) }

// String gives the number of errors.
func (r AckReply) String() string { return fmt.Sprintf("hl7.AckReply(%d errors)", len(r.Errors)) }

// Format writes String whatever the verb.
func (r AckReply) Format(s fmt.State, _ rune) { put(s, r.String()) }

// put has no one to tell of a failed write: fmt swallows it too.
func put(s fmt.State, text string) { _, _ = io.WriteString(s, text) }
