package disk

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

// TestFirstLayout opens a log that was written before parts had numbers and
// findings and replies had bodies: two messages, one of them released, and a
// resent copy.
func TestFirstLayout(t *testing.T) {
	dir := t.TempDir()
	b, err := os.ReadFile("testdata/log-first-layout.seg")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "log"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "log", "00000000000000000000.seg"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, Options{})
	defer s.Close()
	rec, err := s.Get(message.ID{1})
	if err != nil {
		t.Fatal(err)
	}
	if rec.Outcome != message.Routed || rec.Control != "M000001" || rec.Reply.Code != "AA" || len(rec.Reply.Errors) != 1 || rec.Reply.HTTP != 0 || rec.Reply.Body != "" {
		t.Errorf("record %+v", rec)
	}
	if len(rec.Parts) != 1 || rec.Parts[0].Reason != "as the rule says" || rec.Parts[0].Number != 0 || rec.Parts[0].Findings != nil {
		t.Errorf("parts %+v", rec.Parts)
	}
	var states []string
	for _, c := range rec.Copies {
		states = append(states, c.Queue+" "+c.State.String())
	}
	if diff := cmp.Diff([]string{"lab delivered", "gp queued", "lab queued"}, states); diff != "" {
		t.Error(diff)
	}
	if body, err := rec.Copies[1].Body.ReadAll(); err != nil || !bytes.HasPrefix(body, []byte(`MSH|^~\&|SPINE|RXY|`)) {
		t.Errorf("edited copy %q, %v", body, err)
	}
	released, err := s.Get(message.ID{2})
	if err != nil || released.Outcome != message.Routed || len(released.Copies) != 2 || released.Actions[0].Person != (store.Person{Name: "ann", Reason: "seen"}) {
		t.Errorf("released %+v, %v", released, err)
	}
}

// TestUnknownTag reads a head that a newer program has added to.
func TestUnknownTag(t *testing.T) {
	d := testDecision(1)
	d.Reply.HTTP, d.Parts[0].Number = 202, 4
	e := newEncoder("bodies")
	e.later(d)
	known := bytes.Clone(e.b[frameHeader:])
	for name, b := range map[string][]byte{"before": append([]byte{99, 2, 'x', 'y'}, known...), "behind": append(bytes.Clone(known), 99, 0)} {
		got := message.Decision{Parts: make([]message.Part, len(d.Parts))}
		dec := decoder{b: b}
		dec.later(&got)
		if dec.err != nil || got.Reply.HTTP != 202 || got.Parts[0].Number != 4 {
			t.Errorf("%s: %+v, %v", name, got, dec.err)
		}
	}
	for name, b := range map[string][]byte{"cut": known[:len(known)-1], "a part that is none": {tagFindings, 4, 1, 9, 1, 0}} {
		dec := decoder{b: b}
		if dec.later(&message.Decision{Parts: make([]message.Part, 1)}); dec.err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
