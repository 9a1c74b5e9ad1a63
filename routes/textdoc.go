package routes

import (
	"errors"
	"fmt"

	"github.com/spine-engine/spine-engine/internal/message"
)

// textDoc is what a template for JSON or plain text makes: it is delivered as it
// is, and nothing in it can be selected. It is used by pointer: documents are told
// apart by being the same one.
type textDoc struct{ b []byte }

var errText = fmt.Errorf("a text has no parts that a selector names: %w", message.ErrUnsupported)

var errNoSelectors = errors.New("what the template made is a text; selectors end before it")

func (d *textDoc) Format() message.Format                                     { return message.Text }
func (d *textDoc) Type() string                                               { return "" }
func (d *textDoc) Event() string                                              { return "" }
func (d *textDoc) ControlID() string                                          { return "" }
func (d *textDoc) Text(message.Selector) string                               { return "" }
func (d *textDoc) Presence(message.Selector) message.Presence                 { return message.Absent }
func (d *textDoc) List(message.Selector) []string                             { return nil }
func (d *textDoc) Expand(s message.Selector) ([]message.Selector, bool)       { return nil, false }
func (d *textDoc) Set(message.Selector, string) error                         { return errText }
func (d *textDoc) SetRaw(message.Selector, string) error                      { return errText }
func (d *textDoc) SetNull(message.Selector) error                             { return errText }
func (d *textDoc) Remove(message.Selector) (int, error)                       { return 0, errText }
func (d *textDoc) Copy(message.Doc, message.Selector, message.Selector) error { return errText }
func (d *textDoc) Clone() message.Doc                                         { return d }
func (d *textDoc) Edited() bool                                               { return true }
func (d *textDoc) Bytes() []byte                                              { return d.b }

// The ways a value reaches text show no content.

func (d *textDoc) String() string   { return fmt.Sprintf("text of %d bytes", len(d.b)) }
func (d *textDoc) GoString() string { return d.String() }
