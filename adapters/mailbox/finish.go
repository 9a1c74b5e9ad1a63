package mailbox

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spine-engine/spine-engine/internal/message"
)

// finish carries the verdict out. It may be repeated.
func (s *source) finish(c *claim) error {
	v := c.verdict
	var err error
	switch {
	case v.failed != "":
		err = s.toQuarantine(c, v)
	case s.conf.delete && !v.keep:
		err = removeAt(s.inbox.claimed, c.file())
		s.env.Count("files_deleted", 1)
	default:
		err = s.toArchive(c, v)
	}
	if err != nil {
		return fmt.Errorf("mailbox folder %s: claim %s: %w", s.path, c.id, err)
	}
	s.env.Count("files_done", 1)
	return nil
}

// toQuarantine sets the file aside for a person, the reason beside it.
func (s *source) toQuarantine(c *claim, v *verdict) error {
	text := s.describe(c, append([]string{v.failed}, v.details...))
	if err := writeFile(s.inbox.quarantine, c.kept()+".reason", text); err != nil {
		return err
	}
	if err := renameAt(s.inbox.claimed, c.file(), s.inbox.quarantine, c.kept()); err != nil {
		return err
	}
	s.env.Count("files_quarantined", 1)
	s.env.Log.Warn().Str("source", s.env.Name).Str("claim", c.id).Str("why", v.failed).Msg("a mailbox file was quarantined")
	return errors.Join(fsync(s.inbox.quarantine), fsync(s.inbox.claimed))
}

// toArchive needs no sync: a file that a power cut brings back is read again
// under its old claim id, and the engine knows all its messages.
func (s *source) toArchive(c *claim, v *verdict) error {
	day, err := s.openDay(time.Now().UTC().Format(time.DateOnly))
	if err != nil {
		return err
	}
	defer unix.Close(day)
	if len(v.details) > 0 {
		if err := writeFile(day, c.kept()+".report", s.describe(c, v.details)); err != nil {
			return err
		}
	}
	if err := renameAt(s.inbox.claimed, c.file(), day, c.kept()); err != nil {
		return err
	}
	s.env.Count("files_archived", 1)
	return nil
}

func (s *source) openDay(day string) (int, error) {
	fd, _, err := openPrivate(s.inbox.dir, s.inbox.archive, day)
	return fd, err
}

// setAside writes a message that was rejected into the quarantine: its file goes
// on, and there is no sender to be told. Repeated after a crash, it writes the
// same file again.
func (s *source) setAside(c *claim, index int, b []byte, receipt message.Receipt) error {
	name := fmt.Sprintf("%s.%d.hl7", c.kept(), index)
	lines := append([]string{fmt.Sprintf("message %d of the file was rejected", index), "id: " + receipt.ID.String()}, reasons(receipt)...)
	err := writeFile(s.inbox.quarantine, name+".reason", s.describe(c, lines))
	if err == nil {
		err = writeFile(s.inbox.quarantine, name, b)
	}
	if err == nil {
		err = fsync(s.inbox.quarantine)
	}
	if err != nil {
		return fmt.Errorf("mailbox folder %s: quarantining message %d of claim %s: %w", s.path, index, c.id, err)
	}
	s.env.Count("messages_rejected", 1)
	return nil
}

// reasons spells the engine's refusal, which holds no content.
func reasons(receipt message.Receipt) []string {
	out := []string{"reply: " + oneLine(receipt.Reply.Code+" "+receipt.Reply.Text)}
	for _, e := range receipt.Reply.Errors {
		out = append(out, "error: "+oneLine(strings.Join([]string{e.Code, e.Location, e.Text}, " ")))
	}
	return out
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// describe is the text of a reason or report file.
func (s *source) describe(c *claim, lines []string) []byte {
	out := fmt.Appendf(nil, "%s\n", strings.Join(lines, "\n"))
	return fmt.Appendf(out, "source: %s\nclaim: %s\naccepted: %d\n", s.env.Name, c.id, c.accepted)
}
