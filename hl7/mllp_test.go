package hl7

import (
	"bytes"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func TestFrames(t *testing.T) {
	frame := func(s string) any { return []any{"frame", hexOf(s)} }
	junk := func(n int) any { return []any{"junk", float64(n)} }
	tests := []struct {
		name, in string
		want     []any
	}{
		{"one", "\x0bAB\x1c\r", []any{frame("AB")}},
		{"empty body", "\x0b\x1c\r", []any{frame("")}},
		{"two at once", "\x0bA\x1c\r\x0bB\x1c\r", []any{frame("A"), frame("B")}},
		{"end without cr", "\x0bA\x1c\x0bB\x1c", []any{frame("A"), frame("B")}},
		{"cr lf and nul between", "\x0bA\x1c\r\n\x00 \t\x0bB\x1c\r", []any{frame("A"), frame("B")}},
		{"junk before", "hi\r\x0bA\x1c\r", []any{junk(2), frame("A")}},
		{"mark before", "\xEF\xBB\xBF\x0bA\x1c\r", []any{junk(3), frame("A")}},
		{"never framed", "MSH|A\r\x1c\r", []any{junk(6), "eof"}},
		{"begun anew", "\x0bhalf\x0bA\x1c\r", []any{[]any{"error", "start block inside frame: 4 bytes dropped"}, frame("A")}},
		{"begun anew twice", "\x0bha\x0blf\x0bA\x1c\r", []any{[]any{"error", "start block inside frame: 4 bytes dropped"}, frame("A")}},
		{"cut", "\x0bA\x1c\r\x0bhalf", []any{frame("A"), "eof-error"}},
		{"cut at once", "\x0b", []any{"eof-error"}},
		{"nothing", "", []any{}},
		{"blank", "\r\n", []any{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for how, r := range map[string]io.Reader{
				"whole": strings.NewReader(tt.in), "bytewise": iotest.OneByteReader(strings.NewReader(tt.in)), "halves": iotest.HalfReader(strings.NewReader(tt.in)),
				"eof with data": iotest.DataErrReader(strings.NewReader(tt.in)),
			} {
				if got := frameEvents(NewFrameReader(r, FrameLimits{})); !reflect.DeepEqual(got, tt.want) {
					t.Errorf("%s: got %v, want %v", how, got, tt.want)
				}
			}
		})
	}
}

func hexOf(s string) string {
	const digits = "0123456789abcdef"
	var out []byte
	for i := range len(s) {
		out = append(out, digits[s[i]>>4], digits[s[i]&15])
	}
	return string(out)
}

func TestFrameLimits(t *testing.T) {
	in := "\x0b" + head + strings.Repeat("\rOBX|1", 20000) + "\x1c\r"
	_, err := NewFrameReader(strings.NewReader(in), FrameLimits{MaxFrame: 70000}).Next()
	var te *FrameTooLargeError
	if !errors.As(err, &te) || te.Limit != 70000 {
		t.Fatalf("got %v", err)
	}
	if h, err := ParseHeader(te.Head); err != nil || h.ControlID != "MSG42" {
		t.Errorf("the head does not give MSH: %v", err)
	}
	exactly := strings.Repeat("A", 100)
	if f, err := NewFrameReader(strings.NewReader("\x0b"+exactly+"\x1c"), FrameLimits{MaxFrame: 100}).Next(); err != nil || string(f.Body) != exactly {
		t.Errorf("a frame of exactly the limit: %v", err)
	}
	if _, err = NewFrameReader(strings.NewReader("\x0b"+exactly+"A\x1c"), FrameLimits{MaxFrame: 100}).Next(); !errors.As(err, &te) {
		t.Errorf("one byte more: %v", err)
	}
	var je *JunkError
	if _, err = NewFrameReader(strings.NewReader("MSH|xxxxxxxx"), FrameLimits{MaxJunk: 8}).Next(); !errors.As(err, &je) || !je.Unframed {
		t.Errorf("got %v", err)
	}
	if _, err = NewFrameReader(strings.NewReader(strings.Repeat("\r\n\x00", 99)+"\x0b\x1c"), FrameLimits{MaxJunk: 8}).Next(); err != nil {
		t.Errorf("blanks counted as junk: %v", err)
	}
}

func TestFrameHooks(t *testing.T) {
	started, unframed := 0, 0
	r := NewFrameReader(strings.NewReader("MSH|junk\x0bA\x0bB\x1c\r\x0bC\x1c"), FrameLimits{OnStart: func() { started++ }, OnUnframed: func() { unframed++ }})
	for range 2 {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if started != 3 || unframed != 1 {
		t.Errorf("started %d, unframed %d", started, unframed)
	}
}

func TestFrameReadErrors(t *testing.T) {
	broken := errors.New("broken wire")
	in := io.MultiReader(strings.NewReader("\x0bhalf"), iotest.ErrReader(broken))
	if _, err := NewFrameReader(in, FrameLimits{}).Next(); !errors.Is(err, broken) || errors.Is(err, ErrTruncatedFrame) || !strings.Contains(err.Error(), "4 bytes") {
		t.Errorf("inside: %v", err)
	}
	if _, err := NewFrameReader(iotest.ErrReader(broken), FrameLimits{}).Next(); err != broken {
		t.Errorf("between: %v", err)
	}
}

func TestFrameSpill(t *testing.T) {
	big := head + strings.Repeat("\rOBX|1|TX|||0123456789", 20000)
	in := "\x0bsmall\x1c\r\x0b" + big[:200000] + "\x0b" + big + "\x1c\r\x0bnext\x1c"
	r := NewFrameReader(iotest.HalfReader(strings.NewReader(in)), FrameLimits{})
	var spooled []*bytes.Buffer
	spill := func() (io.Writer, error) {
		spooled = append(spooled, new(bytes.Buffer))
		return spooled[len(spooled)-1], nil
	}
	buf := make([]byte, 0, 64)
	f, err := r.NextInto(buf, spill, 1000)
	if err != nil || f.Spilled || string(f.Body) != "small" || &f.Body[0] != &buf[:1][0] {
		t.Fatalf("small: %v %v", f, err)
	}
	f, err = r.NextInto(f.Body, spill, 1000)
	if err != nil || !f.Spilled || f.Size != int64(len(big)) || f.Dropped != 200000 || f.Restart != 1 {
		t.Fatalf("big: %v %v", f, err)
	}
	if len(spooled) != 2 || spooled[1].String() != big {
		t.Error("the last spill does not hold the body")
	}
	if h, err := ParseHeader(f.Body); err != nil || h.ControlID != "MSG42" || !strings.HasPrefix(big, string(f.Body)) {
		t.Errorf("the head kept is not the beginning: %v", err)
	}
	if f, err = r.NextInto(f.Body, spill, 1000); err != nil || string(f.Body) != "next" || f.Spilled {
		t.Errorf("next: %v %v", f, err)
	}
	full := errors.New("disk full")
	for name, s := range map[string]func() (io.Writer, error){
		"no writer":    func() (io.Writer, error) { return nil, full },
		"writer fails": func() (io.Writer, error) { return failing{full}, nil },
	} {
		if _, err := NewFrameReader(strings.NewReader(in[8:]), FrameLimits{}).NextInto(nil, s, 10); !errors.Is(err, full) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// counting notes every Write.
type counting struct {
	bytes.Buffer
	writes int
}

func (c *counting) Write(b []byte) (int, error) {
	c.writes++
	return c.Buffer.Write(b)
}

func TestWriteFrame(t *testing.T) {
	for _, n := range []int{0, 5, oneWrite, oneWrite + 1, 3 * oneWrite} {
		body := strings.Repeat("x", n)
		var w, from counting
		if err := WriteFrame(&w, []byte(body)); err != nil || w.String() != "\x0b"+body+"\x1c\r" {
			t.Errorf("%d bytes: %v", n, err)
		}
		if n <= oneWrite && w.writes != 1 {
			t.Errorf("%d bytes in %d writes", n, w.writes)
		}
		if err := WriteFrameFrom(&from, iotest.HalfReader(strings.NewReader(body))); err != nil || from.String() != w.String() {
			t.Errorf("%d bytes from a reader: %v", n, err)
		}
	}
	for _, bad := range []string{"a\x0bb", "a\x1cb"} {
		var w counting
		if err := WriteFrame(&w, []byte(bad)); !errors.Is(err, ErrFrameByte) || w.writes != 0 {
			t.Errorf("got %v after %d writes", err, w.writes)
		}
		if err := WriteFrameFrom(&w, strings.NewReader(bad)); !errors.Is(err, ErrFrameByte) {
			t.Errorf("got %v", err)
		}
	}
	gone := errors.New("gone")
	if err := WriteFrame(failing{gone}, nil); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
	if err := WriteFrameFrom(failing{gone}, strings.NewReader(strings.Repeat("x", 1<<17))); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
	if err := WriteFrameFrom(io.Discard, iotest.ErrReader(gone)); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
}

func TestFramesOverASocket(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	sent := make(chan error, 1)
	go func() {
		c, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			for range 3 {
				err = errors.Join(err, WriteFrame(c, []byte(sample)))
			}
			err = errors.Join(err, c.Close())
		}
		sent <- err
	}()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := NewFrameReader(c, FrameLimits{})
	for range 3 {
		if f, err := r.Next(); err != nil || string(f.Body) != sample {
			t.Errorf("%v %v", f, err)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("got %v", err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}
