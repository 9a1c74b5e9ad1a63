package hl7

import (
	"bytes"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Unfit says what Recode does with characters that the new character set lacks.
// The zero value refuses them.
type Unfit struct {
	Escape  bool   // write them \X..\, their UTF-8 bytes in hex
	Replace string // write this instead, such as ?
}

// Recode changes the character set in which the message is written, and MSH-18
// with it. A message that is ASCII and declares nothing stays as it is. Hex
// escapes keep their meaning. Errors: *CharsetError; *UnfitError, which names
// the first segment that does not fit. The message is then unchanged.
func (m *Message) Recode(name string, u Unfit) error {
	cs, err := byName(name)
	if err != nil {
		return err
	}
	if cs.utf16 {
		return &CharsetError{Name: name, Offset: -1, Text: "UTF-16 cannot travel in MLLP frames: its bytes hold block characters; cannot write"}
	}
	r := recoder{m: m, cs: cs, u: u}
	next := make(map[int][]byte)
	plain := true
	for i := range m.segs {
		b, err := r.segment(i)
		if err != nil {
			return err
		}
		if plain = plain && isASCII(b); !bytes.Equal(b, m.content(i)) {
			next[i] = b
		}
	}
	for i, b := range next {
		m.replace(i, b)
	}
	return m.declare(cs, plain)
}

// declare puts the character set in force and into MSH-18.
func (m *Message) declare(cs charset, plain bool) error {
	if cs.wide != m.cs.wide || cs.wide && cs.name != m.cs.name {
		m.private()
	}
	m.cs = cs
	if bytes.Contains(m.src[:m.segs[0].off], utf8BOM) && !m.noLead {
		m.private()
		m.noLead = true
	}
	msh18 := MustPath("MSH-18")
	if declared := m.Get(msh18); plain && declared == "" || strings.EqualFold(declared, cs.name) {
		return nil
	}
	return m.Set(msh18, cs.name)
}

type recoder struct {
	m  *Message
	cs charset
	u  Unfit
}

// segment gives segment i in the new character set; of a wide one, in UTF-8.
func (r *recoder) segment(i int) ([]byte, error) {
	b, m := r.m.content(i), r.m
	if isASCII(b) && !bytes.Contains(b, []byte{m.delims.Escape, 'X'}) {
		return b, nil
	}
	t := transcriber{from: &m.delims, to: &m.delims}
	if m.delims.Escape != 0 && !isHeader(b) {
		t.hex = r.hex
		b = t.run([]byte(m.decode(b)))
	} else {
		b = []byte(m.decode(b))
	}
	out, unfit := r.encode(b)
	if unfit > 0 {
		id := string(segmentID(b, m.delims.Field))
		return nil, &UnfitError{Selector: id + " (segment " + strconv.Itoa(i+1) + ")", Charset: r.cs.name, Characters: unfit}
	}
	return out, nil
}

// hex is the text of a hex escape in the old character set.
func (r *recoder) hex(digits []byte) string { return string(r.m.inner().appendHex(nil, digits)) }

// encode tries every character in the new set. What does not fit is escaped,
// replaced or counted.
func (r *recoder) encode(text []byte) (out []byte, unfit int) {
	for i, width := 0, 0; i < len(text); i += width {
		if width = 1; text[i] < 0x80 {
			out = append(out, text[i])
			continue
		}
		_, width = utf8.DecodeRune(text[i:])
		c, n := text[i:i+width], len(out)
		var ok bool
		if ok = r.fits(c); ok && r.cs.wide {
			out = append(out, c...)
		} else if ok {
			out, _ = r.cs.appendEncoded(out, c)
		}
		switch {
		case ok:
		case r.u.Escape && r.m.delims.Escape != 0:
			e := string(r.m.delims.Escape)
			out = append(out[:n], e+"X"+strings.ToUpper(hex.EncodeToString(c))+e...)
		case r.u.Replace != "" && isASCII([]byte(r.u.Replace)):
			var bad int
			out, bad = escape(out[:n], r.u.Replace, &r.m.delims, false)
			unfit += bad
		default:
			unfit++
		}
	}
	return out, unfit
}

func (r *recoder) fits(char []byte) bool {
	_, unfit := r.cs.appendEncoded(nil, char)
	return unfit == 0
}
