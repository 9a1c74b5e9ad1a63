package transforms

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spine-engine/spine-engine/internal/message"
)

// PadSpec is the step as a feed writes it:
//
//	pad: { at: PID-3(5=PI).1, to: 8, with: "0", side: left, too_long: hold }
type PadSpec struct {
	At      []message.Selector
	To      int    // characters, 1 to 1000
	With    string // one character; default 0 on the left, a blank on the right
	Side    string // left (the default), right
	TooLong string // hold (the default), keep, cut: takes off on the side that is padded
}

// Pad fills values to a length. Absent, empty and null values are left alone.
type Pad struct {
	at      []message.Selector
	to      int
	with    string
	right   bool
	tooLong int
}

// The choices of too_long, as indexes of their names.
const (
	holdLong = iota
	keepLong
	cutLong
)

// NewPad makes the step. The error is a *SpecError.
func NewPad(s PadSpec) (*Pad, error) {
	if err := needsTarget(s.At); err != nil {
		return nil, err
	}
	if s.To < 1 || s.To > 1000 {
		return nil, &SpecError{Key: "to", Text: "a length is 1 to 1000 characters"}
	}
	p := &Pad{at: s.At, to: s.To, with: s.With}
	side, err := choose("side", s.Side, "left", "right")
	if err != nil {
		return nil, err
	}
	if p.right = side == 1; p.with == "" {
		p.with = []string{"0", " "}[side]
	}
	if r, _ := utf8.DecodeRuneInString(p.with); utf8.RuneCountInString(p.with) != 1 || r < ' ' || r == utf8.RuneError {
		return nil, &SpecError{Key: "with", Text: "it is not one character", Hint: `write one, such as "0"`}
	}
	p.tooLong, err = choose("too_long", s.TooLong, "hold", "keep", "cut")
	return p, err
}

// Apply pads every value that is there.
func (p *Pad) Apply(in *Input) error {
	return eachValue(in.Doc, "pad", p.at, func(at message.Selector, text string) error {
		more := p.to - utf8.RuneCountInString(text)
		switch {
		case more == 0, more < 0 && p.tooLong == keepLong:
			return nil
		case more < 0 && p.tooLong == cutLong:
			return put(in.Doc, at, p.cut(text, -more))
		case more < 0:
			return fmt.Errorf("the value at %s has %d characters where pad makes %d; say too_long: keep or cut", at, p.to-more, p.to)
		}
		return put(in.Doc, at, p.fill(text, strings.Repeat(p.with, more)))
	})
}

func (p *Pad) fill(text, with string) string {
	if p.right {
		return text + with
	}
	return with + text
}

// cut takes n characters off the padded side: 00012345 to five is 12345.
func (p *Pad) cut(text string, n int) string {
	for range n {
		if p.right {
			_, size := utf8.DecodeLastRuneInString(text)
			text = text[:len(text)-size]
			continue
		}
		_, size := utf8.DecodeRuneInString(text)
		text = text[size:]
	}
	return text
}
