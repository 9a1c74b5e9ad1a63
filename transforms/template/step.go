package template

import (
	"fmt"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
)

// Step renders a template and makes its result the message from here on.
type Step struct {
	Template *Template
	// Parse reads the result. Its errors hold no content.
	Parse func(b []byte) (message.Doc, error)
}

var _ transforms.Step = (*Step)(nil)

// Firm implements transforms.Firm.
func (*Step) Firm() {}

// Apply renders, parses and swaps. When it fails the message stays as it was.
func (s *Step) Apply(in *transforms.Input) error {
	b, err := s.Template.Render(in)
	if err != nil {
		return err
	}
	doc, err := s.Parse(b)
	if err != nil {
		return fmt.Errorf("%s: what the template makes cannot be read as %s: %w", s.Template.file, s.Template.format, err)
	}
	in.Become(doc)
	return nil
}
