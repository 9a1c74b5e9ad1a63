package message

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func bodies(t *testing.T) map[string]Body {
	whole := "MSH|SECRET|PID"
	path := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(path, []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	file := InFile(File{Path: path, Size: int64(len(whole)), Sum: sha256.Sum256([]byte(whole))})
	pieces := []Piece{{Offset: 0, Length: 4}, {Literal: []byte("SECRET")}, {Offset: 10, Length: 4}}
	return map[string]Body{
		"in memory":            InMemory([]byte(whole)),
		"in a file":            file,
		"composed over memory": Compose(InMemory([]byte("MSH|public|PID")), pieces),
		"composed over a file": Compose(file, pieces),
	}
}

func TestBodiesReadAlike(t *testing.T) {
	for name, b := range bodies(t) {
		got, err := b.ReadAll()
		sum, err2 := b.Sum()
		if err != nil || err2 != nil || string(got) != "MSH|SECRET|PID" || b.Size() != 14 || sum != sha256.Sum256(got) {
			t.Errorf("%s: %d bytes, size %d: %v %v", name, len(got), b.Size(), err, err2)
		}
	}
}

func TestNoContentIsPrinted(t *testing.T) {
	for name, b := range bodies(t) {
		e := &Envelope{Source: "pas", Body: b}
		j, err := json.Marshal(map[string]any{"body": b, "envelope": e})
		if err != nil {
			t.Fatal(err)
		}
		d := &Delivery{Queue: "q", Body: b}
		out := fmt.Sprintf("%v %+v %#v %s %q %x %v %+v %v %+v %s", b, b, b, b, b, b, e, e, d, d, j)
		if strings.Contains(out, "SECRET") || strings.Contains(out, fmt.Sprintf("%x", "SECRET")) {
			t.Errorf("%s: content came out: %s", name, out)
		}
	}
}

func TestDamagedBodies(t *testing.T) {
	path := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]Body{
		"file cut":            InFile(File{Path: path, Size: 100}),
		"file gone":           InFile(File{Path: path + "x", Size: 5}),
		"piece beyond base":   Compose(InMemory([]byte("abc")), []Piece{{Offset: 2, Length: 5}}),
		"piece before base":   Compose(InMemory([]byte("abc")), []Piece{{Offset: -1, Length: 1}}),
		"composed, file gone": Compose(InFile(File{Path: path + "x", Size: 5}), []Piece{{Length: 5}}),
	} {
		if _, err := b.View(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if v, err := InFile(File{Path: path, Size: 5}).View(); err != nil || v.Close() != nil {
		t.Errorf("a whole one: %v", err)
	}
}

func TestKeys(t *testing.T) {
	for _, s := range []string{"", "1", "1.", ".1", "1.70000", "a.b", "-1.0", "1.0.0"} {
		if _, err := ParseKey(s); err == nil {
			t.Errorf("%q was taken for a key", s)
		}
	}
	k := Key{Seq: 4711, N: 3}
	if got, err := ParseKey(k.String()); err != nil || got != k {
		t.Errorf("%v %v", got, err)
	}
}

func TestNames(t *testing.T) {
	for o := Routed; o <= Duplicate; o++ {
		if got, ok := ParseOutcome(o.String()); !ok || got != o {
			t.Errorf("outcome %d: %s", o, o)
		}
	}
	for s := Queued; s <= Discarded; s++ {
		if got, ok := ParseCopyState(s.String()); !ok || got != s {
			t.Errorf("state %d: %s", s, s)
		}
	}
	if _, ok := ParseOutcome("lost"); ok {
		t.Error("lost is no outcome")
	}
}

// A feed's own answer is made of a message: no verb prints it.
func TestReplyHidesItsBody(t *testing.T) {
	receipt := Receipt{Reply: Reply{Code: "AA", Body: "ZQXPATIENT"}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if out := fmt.Sprintf(verb, receipt) + fmt.Sprintf(verb, receipt.Reply) + fmt.Sprintf(verb, &receipt.Reply); strings.Contains(out, "ZQX") || strings.Contains(out, "5a5158") {
			t.Errorf("%s: %s", verb, out)
		}
	}
}
