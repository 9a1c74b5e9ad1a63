package mllp

import (
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spine-engine/spine-engine/internal/message"
)

// frameCases are what peers send in practice, and what becomes of it.
var frameCases = []struct {
	name   string
	chunks []string
	bodies []string // handed to the engine
	answer []string // MSA-1 and MSA-2 of each answer
	counts map[string]int
}{
	{"one frame", []string{frame(adt("1"))}, []string{adt("1")}, []string{"AA 1"}, nil},
	{"two frames in one write", []string{frame(adt("1")) + frame(adt("2"))}, []string{adt("1"), adt("2")}, []string{"AA 1", "AA 2"}, nil},
	{"byte by byte", strings.Split(frame(adt("1")), ""), []string{adt("1")}, []string{"AA 1"}, nil},
	{"cut between FS and CR", []string{"\x0B" + adt("1") + "\x1C", "\r" + frame(adt("2"))}, []string{adt("1"), adt("2")}, []string{"AA 1", "AA 2"}, nil},
	{"FS without CR", []string{"\x0B" + adt("1") + "\x1C" + "\x0B" + adt("2") + "\x1C"}, []string{adt("1"), adt("2")}, []string{"AA 1", "AA 2"}, nil},
	{"FS CR LF and NULs between", []string{frame(adt("1")) + "\n\x00\x00", "\x00 \t" + frame(adt("2")) + "\r\n"}, []string{adt("1"), adt("2")}, []string{"AA 1", "AA 2"}, nil},
	{"line ends alone are no junk", []string{"\r\n", "\r\n", "\x00"}, nil, nil, map[string]int{"junk_bytes": 0}},
	{"junk before the start block", []string{"junk" + frame(adt("1"))}, []string{adt("1")}, []string{"AA 1"}, map[string]int{"junk_bytes": 4}},
	{"junk in a write of its own", []string{"ju", "nk", frame(adt("1"))}, []string{adt("1")}, []string{"AA 1"}, map[string]int{"junk_bytes": 4}},
	{"junk between frames", []string{frame(adt("1")) + "XX" + frame(adt("2"))}, []string{adt("1"), adt("2")}, []string{"AA 1", "AA 2"}, map[string]int{"junk_bytes": 2}},
	{"no frame at all", []string{adt("1")}, nil, nil, map[string]int{"unframed": 1, "junk_bytes": len(strings.NewReplacer("\r", "", " ", "").Replace(adt("1")))}},
	{"too much junk", []string{strings.Repeat("x", 70_000)}, nil, nil, map[string]int{"connections_closed": 1}},
	{"start block inside a frame", []string{"\x0Bhalf", frame(adt("1"))}, []string{adt("1")}, []string{"AA 1"}, map[string]int{"frames_dropped": 1}},
	{"end inside a frame", []string{"\x0B" + adt("1")[:80]}, nil, nil, map[string]int{"frames_cut": 1}},
	{"end inside the second frame", []string{frame(adt("1")) + "\x0BMSH|"}, []string{adt("1")}, []string{"AA 1"}, map[string]int{"frames_cut": 1}},
	{"a health check", nil, nil, nil, map[string]int{"connections": 1, "junk_bytes": 0, "frames_cut": 0}},
	{"HL7 in XML", []string{frame("<ADT_A01/>")}, []string{"<ADT_A01/>"}, []string{"AA "}, nil},
	{"no MSH", []string{frame("PID|1\r")}, []string{"PID|1\r"}, []string{"AA "}, nil},
	{"an empty frame", []string{frame("")}, []string{""}, []string{"AA "}, nil},
	{"a frame in two buffers", []string{frame(adt("1") + strings.Repeat("NTE|1||x\r", 20_000))}, []string{adt("1") + strings.Repeat("NTE|1||x\r", 20_000)}, []string{"AA 1"}, nil},
}

func TestFrames(t *testing.T) {
	for _, tc := range frameCases {
		t.Run("tcp/"+tc.name, func(t *testing.T) {
			r := serve(t, newEngine(t), anyPort, nil)
			c := dialTCP(t, r.l.Addr()).(*net.TCPConn)
			checkFrames(t, r, c, func() { c.CloseWrite() }, tc.chunks, tc.bodies, tc.answer, tc.counts)
		})
		t.Run("pieces/"+tc.name, func(t *testing.T) {
			p, e := newPipes(), newEngine(t)
			r := run(t, e, newListener(listenConf(t, anyPort, nil), e.env(), p))
			c := p.dial()
			checkFrames(t, r, c, nil, tc.chunks, tc.bodies, tc.answer, tc.counts)
		})
	}
}

// checkFrames writes the chunks, then ends, and compares what came of them.
func checkFrames(t *testing.T, r *running, c net.Conn, half func(), chunks, bodies, answers []string, want map[string]int) {
	t.Helper()
	read := make(chan []string, 1)
	ready := make(chan struct{})
	go func() {
		var out []string
		for len(out) < len(answers) {
			s, err := readFrame(c)
			if err != nil {
				break
			}
			out = append(out, msa(s))
		}
		close(ready)
		rest, _ := io.ReadAll(c)
		if len(rest) > 0 {
			out = append(out, "and more")
		}
		read <- out
	}()
	for _, s := range chunks {
		if _, err := io.WriteString(c, s); err != nil {
			break // closed by the listener; the counters tell whether it should have
		}
	}
	if half == nil {
		<-ready
		half = func() { c.Close() }
	}
	half()
	r.counts.wait("connections_closed", 1)
	got := <-read
	c.Close()
	if d := cmp.Diff(answers, got); d != "" {
		t.Errorf("answers (-want +got):\n%s", d)
	}
	if d := cmp.Diff(bodies, r.bodies()); d != "" {
		t.Errorf("bodies (-want +got):\n%s", d)
	}
	for what, n := range want {
		if got := r.counts.get(what); got != n {
			t.Errorf("%s = %d, want %d", what, got, n)
		}
	}
}

func TestEnvelope(t *testing.T) {
	r := serve(t, newEngine(t), anyPort, nil)
	c := dialTCP(t, r.l.Addr())
	for _, body := range []string{adt("1"), "<ADT_A01/>", "\xEF\xBB\xBF \n<x/>", "PID|1\r", ""} {
		send(t, c, frame(body))
		answer(t, c)
	}
	wantFormat := []message.Format{message.HL7, message.XML, message.XML, message.HL7, message.HL7}
	wantProblem := []string{"", "", "", "no MSH segment can be read", "the frame is empty"}
	for i, env := range r.envelopes() {
		if env.Source != "pas" || env.Remote != c.LocalAddr().String() || env.Origin != "" || env.ID != (message.ID{}) {
			t.Errorf("envelope %d: source %q remote %q origin %q id %s", i, env.Source, env.Remote, env.Origin, env.ID)
		}
		if env.Format != wantFormat[i] || env.Problem != wantProblem[i] {
			t.Errorf("envelope %d: format %s, problem %q", i, env.Format, env.Problem)
		}
		if env.Received.IsZero() || env.Received.Location().String() != "UTC" {
			t.Errorf("envelope %d: received %s", i, env.Received)
		}
		if b, ok := env.Body.Bytes(); !ok || cap(b) > len(b)+8 && cap(b) > len(b)*5/4 {
			t.Errorf("envelope %d: in memory %t, %d bytes in room for %d", i, ok, len(b), cap(b))
		}
	}
}

// A body that the engine keeps must not be a view of a buffer that is read into again.
func TestBodiesAreTheirOwn(t *testing.T) {
	r := serve(t, newEngine(t), anyPort, nil)
	c := dialTCP(t, r.l.Addr())
	var want []string
	for _, id := range []string{"first", "second", "third"} {
		want = append(want, adt(id))
		send(t, c, frame(adt(id)))
		answer(t, c)
	}
	if got := r.bodies(); !slices.Equal(got, want) {
		t.Errorf("bodies changed after they were handed over: %q", got)
	}
}
