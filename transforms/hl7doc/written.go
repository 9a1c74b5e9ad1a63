package hl7doc

import "github.com/spine-engine/spine-engine/hl7"

// Edited reports whether Bytes differ from what was parsed.
func (d *Doc) Edited() bool { return d.M.Edited() }

// Bytes gives the message in ER7.
func (d *Doc) Bytes() []byte { return d.M.Bytes() }

// Spans gives the message as runs of the bytes that were parsed, and of new ones.
func (d *Doc) Spans(yield func(hl7.Span) bool) { d.M.Spans(yield) }
