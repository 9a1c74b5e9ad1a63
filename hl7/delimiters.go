package hl7

import "bytes"

// Delimiters are the characters that MSH-1 and MSH-2 declare (chapter 2,
// "Message delimiters"). A zero byte means that the message declares none: the
// level, or escaping, does not exist in it.
type Delimiters struct {
	Field        byte // MSH-1, usually |
	Component    byte // ^
	Repetition   byte // ~
	Escape       byte // \
	Subcomponent byte // &
	Truncation   byte // #, from version 2.7
}

// StandardDelimiters are |^~\& without a truncation character.
func StandardDelimiters() Delimiters {
	return Delimiters{Field: '|', Component: '^', Repetition: '~', Escape: '\\', Subcomponent: '&'}
}

// readDelimiters reads MSH-1 and MSH-2 from a line that begins with a segment id.
//
//	MSH|^~\&#|...
//	   3 4   9      MSH-2 = b[4:end], end = the next MSH-1 or the end of the line
//
// off is where b stands in the input, for errors.
func readDelimiters(b []byte, off int) (d Delimiters, warning string, err error) {
	if len(b) < 4 || !delimiterOK(b[3]) {
		return d, "", &ParseError{Offset: off + 3, Segment: 1, Text: "bad field separator",
			Hint: "MSH-1 is the fourth character and may not be a letter, a digit, a space or a control character"}
	}
	d.Field = b[3]
	chars := encodingCharacters(b)
	if chars, warning, err = usable(chars, off+4); err != nil {
		return d, "", err
	}
	d.assign(chars)
	if string(chars) == "^~&" {
		// By position & would be the escape character. Senders that leave the
		// backslash out mean the subcomponent separator.
		d.Escape, d.Subcomponent = 0, '&'
		warning = "MSH-2 declares no escape character: ^~& is read as component, repetition, subcomponent"
	}
	return d, warning, d.distinct(off + 3)
}

// encodingCharacters gives MSH-2 as it stands; it is never unescaped or split.
func encodingCharacters(b []byte) []byte {
	rest := b[4:]
	for i, c := range rest {
		if c == b[3] || c == '\r' || c == '\n' {
			return rest[:i]
		}
	}
	return rest
}

// usable checks MSH-2 character by character and mends a doubled escape.
func usable(chars []byte, off int) ([]byte, string, error) {
	bad := func(text, hint string) ([]byte, string, error) {
		return nil, "", &ParseError{Offset: off, Segment: 1, Text: text, Hint: hint}
	}
	if len(chars) == 0 {
		return bad("MSH-2 is empty", `it declares the delimiters, usually ^~\&`)
	}
	for i, c := range chars {
		switch {
		case c >= 0x80:
			return bad("non-ASCII delimiter in MSH-2", "ask the sender for ASCII delimiters")
		case !delimiterOK(c):
			return nil, "", &ParseError{Offset: off + i, Segment: 1, Text: "alphanumeric delimiter, space or control character in MSH-2",
				Hint: `MSH-2 is usually ^~\&`}
		}
	}
	if single := collapseEscape(chars); len(single) < len(chars) {
		return single, "MSH-2 holds its escape character twice: read as one", nil
	}
	if len(chars) > 5 {
		return bad("MSH-2 has more than 5 characters", `MSH-2 is usually ^~\&`)
	}
	return chars, "", nil
}

// collapseEscape reads ^~\\& (source code pasted as data) as ^~\&, if that
// gives four or five different characters; otherwise it returns its input.
func collapseEscape(chars []byte) []byte {
	if len(chars) < 5 || len(chars) > 6 || chars[2] != chars[3] {
		return chars
	}
	single := append(append(make([]byte, 0, 5), chars[:3]...), chars[4:]...)
	for i, c := range single {
		if bytes.IndexByte(single[i+1:], c) >= 0 {
			return chars
		}
	}
	return single
}

func (d *Delimiters) assign(chars []byte) {
	for i, at := range []*byte{&d.Component, &d.Repetition, &d.Escape, &d.Subcomponent, &d.Truncation} {
		if i < len(chars) {
			*at = chars[i]
		}
	}
}

func (d *Delimiters) distinct(off int) error {
	all := [...]byte{d.Field, d.Component, d.Repetition, d.Escape, d.Subcomponent, d.Truncation}
	for i, c := range all {
		if c != 0 && bytes.IndexByte(all[i+1:], c) >= 0 {
			return &ParseError{Offset: off, Segment: 1, Text: "duplicate delimiters in MSH-1 and MSH-2", Hint: "delimiters must differ"}
		}
	}
	return nil
}

func delimiterOK(c byte) bool { return c > ' ' && c < 0x7F && !isAlnum(c) }

func isAlnum(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
}

// hasParts tells whether a node is more than a leaf.
func (d *Delimiters) hasParts(b []byte) bool {
	return bytes.IndexByte(b, d.Component) >= 0 ||
		d.Repetition != 0 && bytes.IndexByte(b, d.Repetition) >= 0 ||
		d.Subcomponent != 0 && bytes.IndexByte(b, d.Subcomponent) >= 0
}
