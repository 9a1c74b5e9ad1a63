package hl7

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestBatch(t *testing.T) {
	const a, b = "MSH|^~\\&|A\rPID|1\r", "MSH:*!@%:B\rPID:2\r"
	lf := func(s string) string { return strings.ReplaceAll(s, "\r", "\n") }
	tests := []struct {
		name, in string
		want     []string
		findings string
		batches  int
	}{
		{"whole envelope", "FHS|^~\\&\rBHS|^~\\&\r" + a + b + "BTS|2\rFTS|1\r", []string{a, b}, "", 1},
		{"two batches", "FHS|^~\\&\rBHS|^~\\&\r" + a + "BTS|1\rBHS|^~\\&\r" + b + "BTS|1\rFTS|2\r", []string{a, b}, "", 2},
		{"no envelope", a + b, []string{a, b}, "", 0},
		{"lf", lf(a + b), []string{a, b}, "", 0},
		{"crlf", strings.ReplaceAll(a+b, "\r", "\r\n"), []string{a, b}, "", 0},
		{"each its own", a + lf(b) + a, []string{a, b, a}, "", 0},
		{"no last terminator", strings.TrimSuffix(a+b, "\r"), []string{a, b}, "", 0},
		{"header without fields", "FHS|^~\\&||||||\r" + a, []string{a}, "", 0},
		{"wrong counts", "BHS|^~\\&\r" + a + "BTS|9\rFTS|3\r", []string{a}, "BTS-1 says 9, batch has 1; FTS-1 says 3, file has 1", 1},
		{"empty counts", "BHS|^~\\&\r" + a + "BTS\rFTS||x\r", []string{a}, "", 1},
		{"count with more behind", "BHS|^~\\&\r" + a + "BTS|1|text\r", []string{a}, "", 1},
		{"count that is none", "BHS|^~\\&\r" + a + "BTS|one\r", []string{a}, "BTS-1 is not a number", 1},
		{"text outside", "hello\r" + a + "BTS|1\rnoise\rnoise\r" + b, []string{a, b}, "text outside a message: 6 bytes skipped; text outside a message: 6 bytes skipped; text outside a message: 6 bytes skipped", 0},
		{"letters inside a field", "MSH|^~\\&|A\rNTE|1||MSH|x\rNTE|2||BTS|9\r", []string{"MSH|^~\\&|A\rNTE|1||MSH|x\rNTE|2||BTS|9\r"}, "", 0},
		{"line that begins with MSH only", "MSH|^~\\&|A\rMSHORT\r", []string{"MSH|^~\\&|A\rMSHORT\r"}, "", 0},
		{"lf as data", "MSH|^~\\&|A\rNTE|1||x\ny\r" + b, []string{"MSH|^~\\&|A\rNTE|1||x\ny\r", b}, "", 0},
		{"lf before a message", strings.TrimSuffix(a, "\r") + "\n" + b, []string{a, b}, "", 0},
		{"framed", "\x0b" + a + "\x1c\r\x0b" + b + "\x1c\r", []string{a, b}, "", 0},
		{"mark and blank lines", "\xEF\xBB\xBF\r\n\r\n" + a + "\r\n" + b, []string{a, b}, "", 0},
		{"file ends with ctrl-z", a + "\x1a", []string{a}, "", 0},
		{"utf-16", "F\x00H\x00S\x00|\x00^\x00~\x00\\\x00&\x00\r\x00M\x00S\x00H\x00|\x00^\x00~\x00\\\x00&\x00\r\x00", []string{"MSH|^~\\&\r"}, "", 0},
		{"nothing", "", nil, "", 0},
		{"envelope only", "FHS|^~\\&\rFTS|0\r", nil, "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for how, r := range map[string]io.Reader{"whole": strings.NewReader(tt.in), "bytewise": iotest.OneByteReader(strings.NewReader(tt.in))} {
				br := NewBatchReader(r, 0)
				got, err := readBatch(br)
				if err != nil || !slices.Equal(got, tt.want) {
					t.Errorf("%s: got %q, %v, want %q", how, got, err, tt.want)
				}
				var findings []string
				for _, f := range br.Report().Findings {
					findings = append(findings, f.Text)
				}
				rep := br.Report()
				if f := strings.Join(findings, "; "); f != tt.findings || rep.Batches != tt.batches || rep.Messages != len(tt.want) {
					t.Errorf("%s: findings %q, %d batches, %d messages", how, f, rep.Batches, rep.Messages)
				}
			}
		})
	}
}

func readBatch(r *BatchReader) (out []string, err error) {
	for {
		b, err := r.Next()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, string(b))
	}
}

func TestBatchFindingsSayWhere(t *testing.T) {
	in := "MSH|^~\\&|A\rBTS|7\r"
	r := NewBatchReader(strings.NewReader(in), 0)
	if _, err := readBatch(r); err != nil {
		t.Fatal(err)
	}
	if f := r.Report().Findings; len(f) != 1 || in[f[0].Offset:f[0].Offset+3] != "BTS" {
		t.Errorf("got %v", f)
	}
}

func TestBatchGoesOnAfterALargeMessage(t *testing.T) {
	big := head + strings.Repeat("\rOBX|1|TX|||0123456789", 50000) + "\r"
	endless := head + "\rOBX|1|ED|||" + strings.Repeat("A", 1<<20) + "\r"
	in := sample + big + sample + endless + sample
	r := NewBatchReader(strings.NewReader(in), 10000)
	large := 0
	var got []string
	for {
		b, err := r.Next()
		if err == io.EOF {
			break
		}
		var te *MessageTooLargeError
		if errors.As(err, &te) {
			large++
			if h, err := ParseHeader(te.Head); err != nil || h.ControlID != "MSG42" || !strings.HasPrefix(in[te.Offset:], "MSH") {
				t.Errorf("head: %v", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(b))
	}
	if large != 2 || !slices.Equal(got, []string{sample, sample, sample}) || r.Report().TooLarge != 2 {
		t.Errorf("%d too large, %d messages", large, len(got))
	}
}

func TestBatchReadError(t *testing.T) {
	broken := errors.New("broken disk")
	r := NewBatchReader(io.MultiReader(strings.NewReader(sample), iotest.ErrReader(broken)), 0)
	if _, err := r.Next(); !errors.Is(err, broken) {
		t.Errorf("a message that may be cut was given: %v", err)
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("after the error: %v", err)
	}
	if _, err := NewBatchReader(iotest.ErrReader(broken), 0).Next(); !errors.Is(err, broken) {
		t.Errorf("at once: %v", err)
	}
}
