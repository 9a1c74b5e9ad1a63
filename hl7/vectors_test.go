package hl7

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

const vectorFile = "../../shared/corpus/hl7/vectors.json"

type vector struct {
	ID, Kind      string
	Input         json.RawMessage
	Op, Expect    json.RawMessage
	input, op, ex string
}

// TestVectors runs the shared vectors where they are; the tables in the other
// tests of this package cover the same rules with messages of our own.
func TestVectors(t *testing.T) {
	raw, err := os.ReadFile(vectorFile)
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("skipped: the shared vectors are not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		_ = json.Unmarshal(v.Input, &v.input)
		_ = json.Unmarshal(v.Op, &v.op)
		_ = json.Unmarshal(v.Expect, &v.ex)
		t.Run(v.ID, func(t *testing.T) {
			run, ok := vectorKinds[v.Kind]
			if !ok {
				t.Fatalf("unknown kind %s", v.Kind)
			}
			run(t, v)
		})
	}
}

var vectorKinds = map[string]func(*testing.T, vector){
	"get": vectorGet, "get-error": vectorError, "set": vectorSet, "set-error": vectorSet,
	"charset": vectorCharset, "charset-error": vectorCharset, "batch": vectorBatch,
	"ack": vectorAck, "ackplan": vectorPlan, "mllp": vectorFrames,
	"unescape": func(t *testing.T, v vector) {
		if got := UnescapeText(v.input, delims(v.op)); got != v.ex {
			t.Errorf("got %q, want %q", got, v.ex)
		}
	},
	"escape": func(t *testing.T, v vector) {
		got, err := EscapeText(v.input, delims(v.op))
		if err != nil || got != v.ex {
			t.Errorf("got %q, %v, want %q", got, err, v.ex)
		}
	},
}

func delims(msh2 string) Delimiters {
	d := Delimiters{Field: '|'}
	d.assign([]byte(msh2))
	return d
}

func vectorGet(t *testing.T, v vector) {
	m, err := Parse(exact(v.input))
	if err != nil {
		t.Fatal(err)
	}
	p := MustPath(v.op)
	var list []string
	if json.Unmarshal(v.Expect, &list) == nil && list != nil {
		if got := m.List(p); !reflect.DeepEqual(got, list) {
			t.Errorf("got %q, want %q", got, list)
		}
		return
	}
	if absent := string(v.Expect) == "null"; absent != (m.State(p) == Absent) {
		t.Errorf("state %v, want absent: %v", m.State(p), absent)
	}
	if got := m.Get(p); got != v.ex {
		t.Errorf("got %q, want %q", got, v.ex)
	}
}

func vectorError(t *testing.T, v vector) {
	_, err := ParsePath(v.op)
	if err == nil {
		_, err = Parse(exact(v.input))
	}
	if err == nil || !strings.Contains(err.Error(), v.ex) {
		t.Errorf("got %v, want %q", err, v.ex)
	}
}

func vectorSet(t *testing.T, v vector) {
	var op []string
	if err := json.Unmarshal(v.Op, &op); err != nil {
		t.Fatal(err)
	}
	m, err := Parse(exact(v.input))
	if err != nil {
		t.Fatal(err)
	}
	err = m.Set(MustPath(op[0]), op[1])
	if v.Kind == "set-error" {
		if err == nil || !strings.Contains(err.Error(), v.ex) {
			t.Errorf("got %v, want %q", err, v.ex)
		}
		return
	}
	if err != nil || string(m.Bytes()) != v.ex {
		t.Errorf("got %q, %v, want %q", m.Bytes(), err, v.ex)
	}
}

func vectorCharset(t *testing.T, v vector) {
	b, err := hex.DecodeString(v.input)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse(b)
	if v.Kind == "charset-error" {
		var ce *CharsetError
		if !errors.As(err, &ce) || ce.Text+" "+ce.Name != v.ex {
			t.Errorf("got %v, want %q", err, v.ex)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Get(MustPath(v.op)); got != v.ex {
		t.Errorf("got %q, want %q", got, v.ex)
	}
}

func vectorBatch(t *testing.T, v vector) {
	var want [2][]string
	if err := json.Unmarshal(v.Expect, &want); err != nil {
		t.Fatal(err)
	}
	r := NewBatchReader(strings.NewReader(v.input), 0)
	got := [2][]string{{}, {}}
	for {
		b, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got[0] = append(got[0], string(b))
	}
	for _, f := range r.Report().Findings {
		got[1] = append(got[1], f.Text)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func vectorAck(t *testing.T, v vector) {
	var op []any
	if err := json.Unmarshal(v.Op, &op); err != nil {
		t.Fatal(err)
	}
	h, err := ParseHeader([]byte(v.input))
	if err != nil {
		t.Fatal(err)
	}
	a := Ack{Code: op[0].(string), Text: op[1].(string), NoZone: true}
	if e, ok := op[2].([]any); ok {
		a.Errors = []AckError{{Location: e[0].(string), Code: e[1].(string), Text: e[2].(string)}}
	}
	if got := string(BuildAck(h, a, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), "ACK1")); got != v.ex {
		t.Errorf("got %q\nwant %q", got, v.ex)
	}
}

func vectorPlan(t *testing.T, v vector) {
	var want []string
	if err := json.Unmarshal(v.Expect, &want); err != nil {
		t.Fatal(err)
	}
	h, err := ParseHeader([]byte(v.input))
	if err != nil {
		t.Fatal(err)
	}
	got := AckPlan(h, string(v.Op) == "true")
	if len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func vectorFrames(t *testing.T, v vector) {
	var chunks []string
	if err := json.Unmarshal(v.Input, &chunks); err != nil {
		t.Fatal(err)
	}
	var readers []io.Reader
	for _, c := range chunks {
		b, err := hex.DecodeString(c)
		if err != nil {
			t.Fatal(err)
		}
		readers = append(readers, bytes.NewReader(b))
	}
	var want any
	if err := json.Unmarshal(v.Expect, &want); err != nil {
		t.Fatal(err)
	}
	got := frameEvents(NewFrameReader(io.MultiReader(readers...), FrameLimits{}))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// frameEvents spells what a FrameReader gives as the vectors do.
func frameEvents(r *FrameReader) any {
	out := []any{}
	for {
		f, err := r.Next()
		if f.Junk > 0 {
			out = append(out, []any{"junk", float64(f.Junk)})
		}
		if f.Dropped > 0 {
			out = append(out, []any{"error", "start block inside frame: " + itoa(f.Dropped) + " bytes dropped"})
		}
		switch {
		case errors.Is(err, ErrTruncatedFrame):
			return append(out, "eof-error")
		case err == io.EOF:
			if f.Junk > 0 {
				out = append(out, "eof")
			}
			return out
		case err != nil:
			return append(out, err.Error())
		}
		out = append(out, []any{"frame", hex.EncodeToString(f.Body)})
	}
}

func itoa(n int64) string { b, _ := json.Marshal(n); return string(b) }

// exact gives bytes whose slice has no room behind them.
func exact(s string) []byte {
	b := []byte(s)
	return b[:len(b):len(b)]
}
