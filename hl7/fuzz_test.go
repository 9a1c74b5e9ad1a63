package hl7

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

var seeds = []string{
	sample, small, adt, head, "", "MSH", "MSH|^~&|A\rPID|1||x\r", "MSH:*!@%#:A\nPID:1::a*b\n", head + "\rNTE|1||x\ny\r\nPID|1\n", "\xEF\xBB\xBF" + head,
	head + "||||||8859/1\rPID|1||\xe9\\XE9\\\r", head + "||||||~ISO IR87\rPID|1||\x1b$B;3\x1b(B\r", "M\x00S\x00H\x00|\x00^\x00~\x00\\\x00&\x00\r\x00",
	head + "\rPID|1||a\nPID\r", "MSH|!|\r0\n00", "\x0b" + head + "\r\x1c\r", head + "\r\xff\xfe|",
}

// FuzzParse: what parses keeps its bytes, its segments are in order within
// them, and reading anything of it is safe.
func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	paths := []Path{MustPath("MSH-9.2"), MustPath("PID-3(*).4.2"), MustPath("OBX(3=x)(*)-5"), MustPath("OBR(*)/NTE(*)-3"), MustPath("OBX>NTE-3(#2)")}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseWith(b, Options{UseMSH18: true, JoinBrokenLines: len(b)%2 == 1})
		if err != nil {
			return
		}
		if !m.Edited() && !bytes.Equal(m.Bytes(), b) {
			t.Fatal("unedited bytes differ")
		}
		if len(m.Bytes()) != m.Size() {
			t.Fatal("size")
		}
		for _, p := range paths {
			for n := range m.All(p) {
				if s := n.Text(); !utf8.ValidString(s) {
					t.Fatalf("text of %s is not UTF-8 in %s", p, m.Charset())
				}
			}
		}
		m.Normalize()
		if again, err := Parse(m.Bytes()); err == nil && again.Len() != m.Len() && !m.cs.wide {
			t.Fatalf("normalized: %d segments, were %d", again.Len(), m.Len())
		}
	})
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"PID-3(4=NHS&5=NH)(#2).1.2", "OBR[2]/OBX(*)-5", `OBX(3.1="a\"b")>NTE-3`, "PID-5-1", "PID-3(1)", "PID-0"} {
		f.Add(s)
	}
	m := parse(f, sample)
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePath(s)
		if err != nil {
			var pe *PathError
			if !errors.As(err, &pe) || pe.Offset < 0 || pe.Offset > len(s) {
				t.Fatalf("%v", err)
			}
			return
		}
		again, err := ParsePath(p.String())
		if err != nil || again.String() != p.String() {
			t.Fatalf("%q reads back as %q, %v", p, again, err)
		}
		if got, want := again.DeepestLevel(), p.DeepestLevel(); got != want || m.Get(p) != m.Get(again) {
			t.Fatal("the canonical form selects something else")
		}
	})
}

// FuzzSet: whatever text is set, the message read again has the same segments
// and the same text there, and the other fields are as before.
func FuzzSet(f *testing.F) {
	for _, s := range seeds {
		for _, p := range []string{"PID-3(#2).4.2", "NTE-3", "ZPI-7", "MSH-5", "OBX(*)-5"} {
			f.Add([]byte(s), p, "a|b^c~d\\e&f\rg\nh\x0b\x1cé")
		}
	}
	kept := MustPath("EVN-2")
	f.Fuzz(func(t *testing.T, b []byte, path, text string) {
		m, err := Parse(b)
		p, perr := ParsePath(path)
		if err != nil || perr != nil || p.Segment() == "MSH" && (p.Field() == 18 || p.Field() < 3) || p.Segment() == "EVN" || p.HasCondition() || p.Field() > 500 || p.Component() > 500 || p.Subcomponent() > 500 {
			return
		}
		before := m.Get(kept)
		wasASCII := isASCII(b)
		if err := m.Set(p, text); err != nil {
			if m.Edited() {
				t.Fatal("refused but edited")
			}
			return
		}
		if wasASCII && m.Charset() == "UNICODE UTF-8" && bytes.ContainsAny(m.Bytes(), "\x1b") {
			return // text that looks like ISO 2022 escapes in a message that declares them
		}
		again, err := Parse(m.Bytes())
		if err != nil {
			t.Fatalf("does not parse again: %v", err)
		}
		if again.Len() != m.Len() {
			t.Fatalf("%d segments, were %d", again.Len(), m.Len())
		}
		if again.Get(kept) != before {
			t.Fatal("another field changed")
		}
		if m.State(p) != Absent && again.Charset() == m.Charset() && again.Get(p) != m.Get(p) {
			t.Fatal("reads otherwise when parsed again")
		}
		if got := again.Get(p); m.State(p) != Absent && again.Charset() == m.Charset() && got != text {
			t.Fatalf("got %q, set %q", got, text)
		}
	})
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{`\F\`, `\X0D\`, `C:\x`, "a|b^c~d\\e&f#", "\r\n\x0b\x1c", `\.br\`} {
		f.Add(s, `^~\&#`)
		f.Add(s, `*!@%`)
	}
	f.Fuzz(func(t *testing.T, text, msh2 string) {
		d, _, err := readDelimiters([]byte("MSH|"+msh2+"|"), 0)
		if err != nil {
			return
		}
		UnescapeText(text, d)
		er7, err := EscapeText(text, d)
		if err != nil {
			return
		}
		for i := range len(er7) {
			if c := er7[i]; c < 0x20 || c != d.Escape && d.letter(c) != 0 {
				t.Fatalf("byte %02x is left in %q", c, er7)
			}
		}
		if utf8.ValidString(text) && UnescapeText(er7, d) != text {
			t.Fatalf("%q comes back as %q", text, UnescapeText(er7, d))
		}
	})
}

// FuzzBatch: the same messages however the file arrives, and each begins with MSH.
func FuzzBatch(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s), 200)
		f.Add([]byte("FHS|^~\\&\rBHS|^~\\&\r"+s+s+"BTS|2\rFTS|1\r"), 2000)
	}
	f.Fuzz(func(t *testing.T, b []byte, limit int) {
		read := func(r io.Reader) (out []string) {
			br := NewBatchReader(r, int64(limit))
			for range len(b) + 2 {
				msg, err := br.Next()
				if err == io.EOF {
					return out
				}
				if err == nil && (len(msg) < 4 || string(msg[:3]) != "MSH" || msg[len(msg)-1] != '\r') {
					t.Fatalf("not a message: %q", msg)
				}
				out = append(out, string(msg))
			}
			t.Fatal("no end")
			return nil
		}
		if got, want := read(iotest.OneByteReader(bytes.NewReader(b))), read(bytes.NewReader(b)); strings.Join(got, "\x00") != strings.Join(want, "\x00") {
			t.Fatalf("bytewise %q, whole %q", got, want)
		}
	})
}

// FuzzFrame: any bytes give the same frames however they arrive; a body without
// block characters comes back whole.
func FuzzFrame(f *testing.F) {
	for _, s := range []string{"\x0bA\x1c\r\x0bB\x1c\r", "junk\x0bA\x0bB\x1c", "\x0b", "MSH|\x1c\r", "\x00\x0b\x1c\x1c\r"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l := FrameLimits{MaxFrame: 64, MaxJunk: 32}
		whole := frameEvents(NewFrameReader(bytes.NewReader(b), l))
		if got := frameEvents(NewFrameReader(iotest.OneByteReader(bytes.NewReader(b)), l)); !equalEvents(got, whole) {
			t.Fatalf("bytewise %v, whole %v", got, whole)
		}
		var w bytes.Buffer
		if err := WriteFrame(&w, b); err != nil {
			if !errors.Is(err, ErrFrameByte) {
				t.Fatal(err)
			}
			return
		}
		if fr, err := NewFrameReader(&w, FrameLimits{}).Next(); err != nil || !bytes.Equal(fr.Body, b) {
			t.Fatalf("%v %v", fr, err)
		}
	})
}

func equalEvents(a, b any) bool {
	x, y := a.([]any), b.([]any)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if toString(x[i]) != toString(y[i]) {
			return false
		}
	}
	return true
}

func toString(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return itoa(int64(v))
	case []any:
		var s []string
		for _, e := range v {
			s = append(s, toString(e))
		}
		return strings.Join(s, " ")
	}
	return "?"
}
