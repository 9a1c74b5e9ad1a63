package mllp

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/adapters/internal/nets"
	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
)

// pieces is a connection whose bytes arrive in pieces of any size, then end.
type pieces struct {
	memConn
	data []byte
	rng  *rand.Rand
	out  bytes.Buffer
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.data) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.data[:1+p.rng.IntN(len(p.data))])
	p.data = p.data[n:]
	return n, nil
}

func (p *pieces) Write(b []byte) (int, error) { return p.out.Write(b) }

// deframe is MLLP at its plainest: what a listener must have taken from data.
func deframe(data []byte, max int) (bodies []string) {
	in, body := false, []byte{}
	for _, c := range data {
		switch {
		case c == 0x0B:
			in, body = true, body[:0]
		case !in:
		case c == 0x1C:
			in, bodies = false, append(bodies, string(body))
		case len(body) == max:
			return bodies // too large: the connection ends
		default:
			body = append(body, c)
		}
	}
	return bodies
}

// FuzzListener: whatever comes, in whatever pieces, the engine gets the bodies
// of the frames in order, each is answered once, and nothing panics.
func FuzzListener(f *testing.F) {
	for _, tc := range frameCases {
		if s := strings.Join(tc.chunks, ""); len(s) < 4<<10 {
			f.Add([]byte(s), uint64(1))
		}
	}
	f.Add([]byte(frame(strings.Repeat("x", 1024))+frame(strings.Repeat("x", 1025))+frame("y")), uint64(7))
	cfg := listenConf(f, `{ listen: "127.0.0.1:0", max_message: 1KiB }`, nil)
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		if len(data) > hl7.DefaultMaxJunk {
			return
		}
		e := newEngine(t)
		e.inMemory = 100
		env := e.env()
		env.Log = zerolog.Nop()
		l := newListener(cfg, env, newPipes())
		p := &pieces{data: data, rng: rand.New(rand.NewPCG(seed, 1))}
		c := newConn(l, p, nets.AddrOf(p))
		c.serve(t.Context(), func(ctx context.Context, env *message.Envelope) (message.Receipt, error) { return e.accept(ctx, env) })
		want := deframe(data, 1024)
		if got := e.bodies(); !slices.Equal(got, want) {
			t.Errorf("bodies %q, want %q", got, want)
		}
		due := len(want) + min(e.counts.get("frames_too_large"), 1)
		if n := bytes.Count(p.out.Bytes(), []byte("\x1C\r")); n != len(want) && n != due {
			t.Errorf("%d answers for %d frames", n, len(want))
		}
		if e.counts.get("panics") != 0 || l.memory.left.Load() != frameMemory {
			t.Errorf("%d panics, %d bytes kept", e.counts.get("panics"), frameMemory-l.memory.left.Load())
		}
	})
}

// FuzzJudge: only an answer with our id and a code of table 0008 counts.
func FuzzJudge(f *testing.F) {
	for _, s := range []string{ack("AA", "7"), ack("AA", "8"), ack("XX", "7"), adt("7"), "", "\x06", "\x15", "MSA|AA|7", "MSH:;~\\&:A\rMSA:CA:7\r"} {
		f.Add([]byte(s), "7")
	}
	f.Fuzz(func(t *testing.T, body []byte, id string) {
		x := exchange{id: id}
		r, done := x.judge(body)
		if len(r.Text) > maxText {
			t.Errorf("text of %d bytes", len(r.Text))
		}
		if !x.answered {
			return
		}
		if !done || len(r.Code) != 2 || !bytes.Contains(body, []byte("MSA")) || !bytes.Contains(body, []byte(id)) {
			t.Errorf("%q taken for an answer to %q", body, id)
		}
	})
}
