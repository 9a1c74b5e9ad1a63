package message

import (
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"
)

// ID identifies a message for its whole life. It is given at arrival and sorts
// roughly by time; order itself is the journal's sequence, never the ID.
type ID = ulid.ULID

// Format is the syntax of a body.
type Format uint8

// The formats a source can bring, and what only a template makes.
const (
	HL7 Format = iota // HL7 v2 ER7
	XML
	Text
)

func (f Format) String() string {
	switch f {
	case XML:
		return "xml"
	case Text:
		return "text"
	}
	return "hl7"
}

// Envelope is a message as it arrived, with the transport's facts about it.
type Envelope struct {
	ID       ID        // given by the engine when the source hands it over
	Received time.Time // UTC
	Source   string    // the listener's name, or feed/source
	Origin   string    // the source's own key of this message; "" when it has none
	Format   Format
	Remote   string // address of the sending socket, "" for files
	File     string // name of the file it came in, as the sender called it
	Index    int    // number of the message within that file, from 1
	Body     Body
	Problem  string // why the source could make no message of these bytes; never content
}

// String gives id and size, never content.
func (e *Envelope) String() string {
	return fmt.Sprintf("message %s from %s (%d bytes)", e.ID, e.Source, e.Body.Size())
}
