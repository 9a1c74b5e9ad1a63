package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/spine-engine/spine-engine/hl7"
)

// singleFiles is how many messages of an example are explained as a file each, of
// those that made copies and of those that made none.
const singleFiles = 60

// compareFiles writes the stored messages into files and has the command explain
// them. All that can stand in a batch go together, one file for each source. Of the
// others, those without an end to their last segment, with other line ends or no
// messages at all, each needs a process of its own, so some are drawn.
func (x *explaining) compareFiles(ctx context.Context) error {
	batches := map[string][]*storedMessage{}
	var withCopies, without []*storedMessage
	for _, m := range x.stored {
		switch {
		case inBatch(x.bodies[m.ID]):
			batches[m.Source] = append(batches[m.Source], m)
		case len(m.Copies) > 0:
			withCopies = append(withCopies, m)
		default:
			without = append(without, m)
		}
	}
	for _, m := range slices.Concat(x.draw(withCopies), x.draw(without)) {
		if err := x.compareFile(ctx, []*storedMessage{m}); err != nil {
			return err
		}
	}
	for _, group := range batches {
		if err := x.compareFile(ctx, group); err != nil {
			return err
		}
	}
	return nil
}

// draw takes some by chance.
func (x *explaining) draw(from []*storedMessage) []*storedMessage {
	x.rng.Shuffle(len(from), func(i, j int) { from[i], from[j] = from[j], from[i] })
	return from[:min(len(from), x.countOr(singleFiles))]
}

// inBatch tells whether a reader of batches gives the message back as it is, with
// others behind it.
func inBatch(body []byte) bool {
	r := hl7.NewBatchReader(bytes.NewReader(slices.Concat(body, body)), 1<<30)
	for range 2 {
		m, err := r.Next()
		if err != nil || !bytes.Equal(m, body) {
			return false
		}
	}
	return bytes.HasPrefix(body, []byte("MSH|"))
}

func (x *explaining) compareFile(ctx context.Context, group []*storedMessage) error {
	file := filepath.Join(x.dir, "explain.hl7")
	var text []byte
	for _, m := range group {
		text = append(text, x.bodies[m.ID]...)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return err
	}
	at := []string{"explain", file, "--source", group[0].Source, "-C", x.copy.dir}
	out, status, err := x.engine.command(ctx, append(at, "--json")...)
	if err != nil || status != 0 {
		return fmt.Errorf("explain ended with status %d: %w", status, errOr(err))
	}
	all, err := readExplained(out)
	if err != nil {
		return err
	}
	if out, status, err = x.engine.command(ctx, append(at, "--show")...); err != nil || status != 0 {
		return fmt.Errorf("explain --show ended with status %d: %w", status, errOr(err))
	}
	texts := cutAnswers(out)
	if len(all) != len(group) || len(texts) != len(group) {
		return fmt.Errorf("a file of %d messages was explained as %d", len(group), len(all))
	}
	for i, m := range group {
		x.tally.files++
		x.tally.fileCopies += len(m.Copies)
		x.compareOne(m, &all[i], texts[i])
	}
	return nil
}

// compareOne compares a stored message with what explain says of its bytes, and
// shows of its copies.
func (x *explaining) compareOne(m *storedMessage, e *explainedFile, text []byte) {
	if stored, explained := m.fileLines(), e.lines(); !slices.Equal(stored, explained) {
		x.tally.fileDiffer++
		x.fault(m, "as a file", stored, explained)
		return
	}
	for i, c := range m.Copies {
		var ok bool
		head := fmt.Sprintf("\ncopy %d to %s: %s, %d bytes, control id ", i+1, c.Queue, c.State, c.Size)
		if text, ok = after(text, []byte(head)); ok {
			_, text, _ = bytes.Cut(text, []byte("\n")) // the id, and why it is held
			ok = bytes.HasPrefix(withoutIDs(text), append(withoutIDs(shown(c.body)), '\n'))
		}
		if !ok {
			x.tally.bytesDiffer++
			x.fault(m, fmt.Sprintf("copy %d to %s of", i+1, c.Queue), []string{fmt.Sprint(len(c.body), " bytes")}, []string{"others"})
			return
		}
	}
}

var uuids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// withoutIDs blanks out what a feed makes of the message's own id: a file has none.
func withoutIDs(text []byte) []byte { return uuids.ReplaceAll(text, []byte("uuid")) }

func after(text, what []byte) ([]byte, bool) {
	_, rest, ok := bytes.Cut(text, what)
	return rest, ok
}
