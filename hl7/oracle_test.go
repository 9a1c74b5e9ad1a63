package hl7

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const oracleFile = "../../shared/corpus/hl7/oracle/hapi-leaves.jsonl.gz"

// oracleLine is what another parser read in one segment: "3(2).4.1" -> text.
type oracleLine struct {
	File   string
	Msg, N int
	Seg    string
	Leaves map[string]json.RawMessage // long values are hashes
}

// TestOracle compares every leaf of the corpus with what an independent parser
// read. Values with an escape character are left out: there the other one drops
// characters, see the tests of UnescapeText.
func TestOracle(t *testing.T) {
	f, err := os.Open(oracleFile)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("skipped: the shared oracle of leaves is not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	same, differ := 0, 0
	messages := map[string][]*Message{}
	for d := json.NewDecoder(z); ; {
		var l oracleLine
		if err := d.Decode(&l); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if _, ok := messages[l.File]; !ok {
			messages[l.File] = messagesOf(t, filepath.Join(corpusDir, l.File))
		}
		if l.Msg > len(messages[l.File]) {
			continue
		}
		s, d := compareLeaves(t, messages[l.File][l.Msg-1], l)
		same, differ = same+s, differ+d
	}
	t.Logf("%d leaves are the same, %d differ", same, differ)
	// The five are in messages that declare ^~\\&: the other parser takes the
	// second \ for the subcomponent separator.
	if same < 300000 || differ > 5 {
		t.Errorf("%d leaves are the same, %d differ", same, differ)
	}
}

func messagesOf(t *testing.T, path string) (out []*Message) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	r := NewBatchReader(bytes.NewReader(b), 0)
	for {
		one, err := r.Next()
		if err != nil {
			return out
		}
		if m, err := Parse(one); err == nil {
			out = append(out, m)
		} else {
			return out // the numbers would no longer match
		}
	}
}

var leafName = regexp.MustCompile(`^(\d+)\((\d+)\)\.(.*)$`)

func compareLeaves(t *testing.T, m *Message, l oracleLine) (same, differ int) {
	for name, raw := range l.Leaves {
		var want string
		if json.Unmarshal(raw, &want) != nil {
			continue
		}
		part := leafName.FindStringSubmatch(name)
		p, err := ParsePath(l.Seg + "(#" + itoa(int64(l.N)) + ")-" + part[1] + "(#" + part[2] + ")." + part[3])
		if err != nil || bytes.IndexByte(m.Raw(p), m.Delimiters().Escape) >= 0 {
			continue
		}
		if got := m.Get(p); strings.TrimSpace(got) == strings.TrimSpace(want) {
			same++
		} else {
			differ++
			t.Logf("%s message %d, %s: %d bytes, %d expected", l.File, l.Msg, p, len(got), len(want))
		}
	}
	return same, differ
}
