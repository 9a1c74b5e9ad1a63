package hl7

import (
	"errors"
	"fmt"
)

// Errors a caller decides by. They are wrapped; use errors.Is.
var (
	// ErrNoMatch: a path with a condition, or into a group, found nothing to edit.
	ErrNoMatch = errors.New("nothing matches the selector")
	// ErrNotSettable: MSH-1 and MSH-2 (and those of FHS, BHS) fix the grammar of the message.
	ErrNotSettable = errors.New("MSH-1/2 not settable")
	// ErrGap: the segment occurrence or repetition to be set is not the next one.
	ErrGap = errors.New("gap")
	// ErrNoMSA: an answer holds no MSA segment.
	ErrNoMSA = errors.New("no MSA segment")
)

// A ParseError says why bytes are not a message. It never holds them.
type ParseError struct {
	Offset  int    // bytes from the start of the input
	Segment int    // number of the segment, from 1; 0 when none was reached
	Text    string // what is wrong
	Hint    string // how to mend it; may be empty
}

func (e *ParseError) Error() string {
	s := fmt.Sprintf("hl7: %s (byte %d", e.Text, e.Offset)
	if e.Segment > 0 {
		s += fmt.Sprintf(", segment %d", e.Segment)
	}
	return withHint(s+")", e.Hint)
}

// A PathError says why a text is not a selector.
type PathError struct {
	Input  string // the selector as written
	Offset int    // bytes into Input
	Text   string // what is wrong
	Hint   string // how to write it; may be empty
}

func (e *PathError) Error() string {
	return withHint(fmt.Sprintf("hl7: bad path %q at character %d: %s", e.Input, e.Offset+1, e.Text), e.Hint)
}

// A SetError says why an edit was refused; the message is unchanged.
// Unwrap gives ErrNoMatch, ErrNotSettable or ErrGap where one of them applies.
type SetError struct {
	Selector string
	Text     string
	Hint     string
	Err      error // may be nil
}

func (e *SetError) Error() string {
	return withHint(fmt.Sprintf("hl7: cannot set %s: %s", e.Selector, e.Text), e.Hint)
}

// Unwrap gives the sentinel, if any.
func (e *SetError) Unwrap() error { return e.Err }

// An UnfitError says that a text cannot be written in the message's character
// set, or not with its delimiters. It holds neither the text nor a part of it.
type UnfitError struct {
	Selector   string
	Charset    string
	Characters int    // how many characters do not fit
	Reason     string // empty: the character set lacks them
}

func (e *UnfitError) Error() string {
	if e.Reason != "" {
		return fmt.Sprintf("hl7: the text for %s does not fit: %s", e.Selector, e.Reason)
	}
	return fmt.Sprintf("hl7: %d characters of the text for %s do not exist in the character set %s; set another one or replace them",
		e.Characters, e.Selector, e.Charset)
}

// A CharsetError says that a character set is not known, or cannot be used as
// asked. The name is not part of Error because MSH-18 is message content.
type CharsetError struct {
	Name   string // as found in MSH-18 or as given
	Offset int    // of MSH-18 in the input; -1 when the name was given by the caller
	Text   string
}

func (e *CharsetError) Error() string {
	if e.Offset < 0 {
		return fmt.Sprintf("hl7: %s %q; use a name of HL7 table 0211, such as UNICODE UTF-8 or 8859/1", e.Text, e.Name)
	}
	return fmt.Sprintf("hl7: %s in MSH-18 (byte %d, %d characters); declare an override for this sender", e.Text, e.Offset, len(e.Name))
}

func withHint(s, hint string) string {
	if hint == "" {
		return s
	}
	return s + "; " + hint
}
