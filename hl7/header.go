package hl7

import (
	"bytes"
	"strconv"
)

// A Header is MSH alone: what an acknowledgement needs. The strings are the
// bytes of the fields as they stand, escapes and character set included.
type Header struct {
	Delimiters           Delimiters
	EncodingCharacters   string // MSH-2
	SendingApplication   string // MSH-3, whole
	SendingFacility      string // MSH-4, whole
	ReceivingApplication string // MSH-5, whole
	ReceivingFacility    string // MSH-6, whole
	DateTime             string // MSH-7
	Type                 string // MSH-9.1
	Event                string // MSH-9.2
	Structure            string // MSH-9.3
	ControlID            string // MSH-10
	ProcessingID         string // MSH-11, whole
	Version              string // MSH-12, whole
	SequenceNumber       string // MSH-13
	Continuation         string // MSH-14
	AcceptAck            string // MSH-15: AL, NE, ER, SU or empty
	ApplicationAck       string // MSH-16, the same
	Charset              string // MSH-18, whole
	Response             bool   // MSA follows: an answer, not to be acknowledged

	// wide: the bytes are not an extension of ASCII (UTF-16, GB 18030, ...)
	wide bool
}

// ParseHeader reads MSH leniently: bytes may stand before it, the rest may be
// cut or broken, MSH-2 may be wrong. It fails only where no MSH can be found.
func ParseHeader(b []byte) (Header, error) {
	var h Header
	if cs, ok := detectUTF16(b); ok {
		n := min(len(b), headSize) &^ 1
		plain, err := cs.enc.NewDecoder().Bytes(b[:n])
		if err != nil {
			return h, &ParseError{Text: "no MSH: UTF-16 that cannot be decoded"}
		}
		b, h.wide = plain, true
	}
	at := findMSH(b)
	if at < 0 || len(b) < at+4 || !delimiterOK(b[at+3]) {
		return h, &ParseError{Text: "no MSH with a field separator", Hint: "a message begins with MSH"}
	}
	line := b[at:]
	if i := bytes.IndexAny(line, "\r\n\x1C"); i >= 0 {
		h.Response = answers(line[i:], line[3])
		line = line[:i]
	}
	d, _, err := readDelimiters(line, at)
	if err != nil {
		d = StandardDelimiters()
		d.Field = line[3]
	}
	h.Delimiters = d
	h.read(line)
	return h, nil
}

// findMSH finds MSH at the start of a line.
func findMSH(b []byte) int {
	for at := 0; ; at += 3 {
		i := bytes.Index(b[at:], []byte("MSH"))
		if i < 0 {
			return -1
		}
		if at += i; at == 0 || b[at-1] <= ' ' || b[at-1] == utf8BOM[2] {
			return at
		}
	}
}

// answers looks for MSA among the first segments behind MSH; only SFT, ERR and
// the like may stand before it.
func answers(b []byte, sep byte) bool {
	for range 8 {
		b = bytes.TrimLeft(b, "\r\n")
		if len(b) > 3 && string(b[:3]) == "MSA" && b[3] == sep {
			return true
		}
		i := bytes.IndexAny(b, "\r\n")
		if i < 0 {
			return false
		}
		b = b[i:]
	}
	return false
}

func (h *Header) read(line []byte) {
	d := &h.Delimiters
	get := func(n int) string {
		f, _ := field(line, d.Field, n)
		return string(f)
	}
	h.EncodingCharacters = get(2)
	h.SendingApplication, h.SendingFacility = get(3), get(4)
	h.ReceivingApplication, h.ReceivingFacility = get(5), get(6)
	h.DateTime, h.ControlID, h.ProcessingID, h.Version = get(7), get(10), get(11), get(12)
	h.SequenceNumber, h.Continuation = get(13), get(14)
	h.AcceptAck, h.ApplicationAck, h.Charset = get(15), get(16), get(18)
	kind := get(9)
	for n, at := range []*string{&h.Type, &h.Event, &h.Structure} {
		c, _ := part([]byte(kind), d.Component, n+1)
		*at = string(c)
	}
}

// since tells whether MSH-12.1 is at least major.minor. What is no version
// number counts as older than any.
func (h *Header) since(major, minor int) bool {
	v, _ := part([]byte(h.Version), h.Delimiters.Component, 1)
	a, rest, _ := bytes.Cut(v, []byte("."))
	b, _, _ := bytes.Cut(rest, []byte("."))
	hi, err := strconv.Atoi(string(a))
	if err != nil {
		return false
	}
	lo, err := strconv.Atoi(string(b))
	if err != nil {
		lo = 0
	}
	return hi > major || hi == major && lo >= minor
}
