package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spine-engine/spine-engine/hl7"
)

// compareFiles writes the stored messages into files and has the command explain
// them. Those that can stand in a batch go together, one file for each source: a
// process for each would take minutes.
func (x *explaining) compareFiles(ctx context.Context) error {
	batches := map[string][]*storedMessage{}
	var singles [][]*storedMessage
	for _, m := range x.stored {
		if inBatch(x.bodies[m.ID]) {
			batches[m.Source] = append(batches[m.Source], m)
		} else {
			singles = append(singles, []*storedMessage{m})
		}
	}
	for _, group := range batches {
		singles = append(singles, group)
	}
	for _, group := range singles {
		if err := x.compareFile(ctx, group); err != nil {
			return err
		}
	}
	return nil
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
			ok = bytes.HasPrefix(text, append(shown(c.body), '\n'))
		}
		if !ok {
			x.tally.bytesDiffer++
			x.fault(m, fmt.Sprintf("copy %d to %s of", i+1, c.Queue), []string{fmt.Sprint(len(c.body), " bytes")}, []string{"others"})
			return
		}
	}
}

func after(text, what []byte) ([]byte, bool) {
	_, rest, ok := bytes.Cut(text, what)
	return rest, ok
}
