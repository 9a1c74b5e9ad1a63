package transforms

import "github.com/spine-engine/spine-engine/internal/message"

// Keep removes everything but what is listed: an allow-list. What the sender
// adds next year does not pass. The header of the format always stays.
type Keep struct{ At []message.Selector }

// Firm implements Firm.
func (*Keep) Firm() {}

// Apply keeps.
func (k *Keep) Apply(in *Input) error {
	w, err := walker(in.Doc, "keep")
	if err != nil {
		return err
	}
	return w.Keep(k.At)
}
