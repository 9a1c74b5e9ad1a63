package hl7

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

const corpusDir = "../../shared/corpus/hl7/files"

// corpus gives every shared file by name; the test is skipped without them.
func corpus(t *testing.T) map[string][]byte {
	t.Helper()
	if _, err := os.Stat(corpusDir); errors.Is(err, fs.ErrNotExist) {
		t.Skip("skipped: the shared corpus of HL7 files is not here")
	}
	files := map[string][]byte{}
	err := filepath.WalkDir(corpusDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestCorpus: every file round trips, its messages are found, and each of them
// survives an edit, a clone and a reading of every leaf.
func TestCorpus(t *testing.T) {
	parsed, batches, refused := 0, 0, 0
	for name, b := range corpus(t) {
		if m, err := Parse(b); err == nil {
			parsed++
			if !bytes.Equal(m.Bytes(), b) {
				t.Errorf("%s: bytes differ", name)
			}
			editOne(t, name, m)
			continue
		}
		r := NewBatchReader(bytes.NewReader(b), 0)
		n := 0
		for {
			one, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
			if m, err := Parse(one); err == nil {
				n++
				editOne(t, name, m)
			}
		}
		if n > 0 {
			batches++
		} else {
			refused++
		}
	}
	t.Logf("%d files are a message, %d hold several, %d none that parses", parsed, batches, refused)
	if parsed < 300 {
		t.Errorf("only %d files parse", parsed)
	}
}

// editOne changes MSH-5 in a clone and compares all other segments.
func editOne(t *testing.T, name string, m *Message) {
	t.Helper()
	c := m.Clone()
	p := MustPath("MSH-5")
	if err := c.Set(p, "EDITED"); err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	again, err := Parse(c.Bytes())
	if err != nil || again.Len() != m.Len() || again.Get(p) != "EDITED" {
		t.Errorf("%s: after an edit: %v", name, err)
		return
	}
	for i := 1; i < m.Len(); i++ {
		if !bytes.Equal(again.content(i), m.content(i)) {
			t.Errorf("%s: segment %d changed", name, i+1)
		}
	}
	if m.Edited() {
		t.Errorf("%s: the original changed", name)
	}
}

// TestCorpusCut: a message cut anywhere gives an error or a shorter message.
func TestCorpusCut(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: cutting every file is slow")
	}
	for name, b := range corpus(t) {
		cut(t, name, b[:min(len(b), 2000)])
	}
}

// TestCut is the same with messages of our own.
func TestCut(t *testing.T) {
	for _, s := range append(seeds, oru()[:3000]) {
		cut(t, "a seed", []byte(s))
	}
}

func cut(t *testing.T, name string, b []byte) {
	t.Helper()
	last := MustPath("OBX(*)-5(*)")
	for n := range len(b) {
		part := b[:n:n]
		if m, err := Parse(part); err == nil {
			if !bytes.Equal(m.Bytes(), part) {
				t.Fatalf("%s cut at %d: bytes differ", name, n)
			}
			m.Count(last)
		}
		if _, err := ParseHeader(part); err != nil && n > 1000 && bytes.HasPrefix(part, []byte("MSH|^~")) {
			t.Fatalf("%s cut at %d: %v", name, n, err)
		}
		if _, err := ParseAck(part); err != nil && !errors.Is(err, ErrNoMSA) {
			t.Fatalf("%s cut at %d: %v", name, n, err)
		}
	}
}

// TestCorpusParts: the orders of every message are cut out whole, and each part
// is a message. Every order segment behind the first group is in just one of them.
func TestCorpusParts(t *testing.T) {
	n := 0
	for name, b := range corpus(t) {
		m, err := Parse(b)
		if err != nil {
			continue
		}
		groups, err := m.AnchorGroups([]string{"ORC", "OBR"})
		if err != nil {
			t.Fatal(err)
		}
		have := 0
		for _, a := range groups {
			part, err := m.Cut(a, MustPath("PID"))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if again, err := Parse(part.Bytes()); err != nil || again.Len() != part.Len() {
				t.Errorf("%s: a part does not parse again: %v", name, err)
			}
			have += part.Count(MustPath("OBR(*)"))
			n++
		}
		if want := m.Count(MustPath("OBR(*)")); have != want {
			t.Errorf("%s: %d OBR in the parts, %d in the message", name, have, want)
		}
		if m.Edited() {
			t.Errorf("%s: the message changed", name)
		}
	}
	t.Logf("%d parts", n)
}
