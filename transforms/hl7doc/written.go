package hl7doc

// Edited reports whether Bytes differ from what was parsed.
func (d *Doc) Edited() bool { return d.M.Edited() }

// Bytes gives the message in ER7.
func (d *Doc) Bytes() []byte { return d.M.Bytes() }
