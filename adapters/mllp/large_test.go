package mllp

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/spine-engine/spine-engine/internal/message"
)

func bigBody(id string, n int) string {
	return adt(id) + "OBX|1|ED|X||" + strings.Repeat("QUJD", n/4) + "\r"
}

func TestLargeBodies(t *testing.T) {
	for _, tc := range []struct {
		name    string
		size    int
		spooled int
	}{
		{"in the lent buffer", 10 << 10, 0},
		{"beyond the lent buffer", 500 << 10, 0},
		{"just beyond memory", 1 << 20, 1},
		{"far beyond memory", 9 << 20, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := serve(t, newEngine(t), anyPort, nil)
			c := dialTCP(t, r.l.Addr())
			for _, id := range []string{"1", "2"} {
				send(t, c, frame(bigBody(id, tc.size)))
				if a := answer(t, c); msa(a) != "AA "+id {
					t.Fatalf("answer %q", a)
				}
			}
			if r.engine.spooled != 2*tc.spooled || r.voided != 0 {
				t.Errorf("%d spooled, %d voided", r.engine.spooled, r.voided)
			}
			for i, b := range r.bodies() {
				if b != bigBody(string("12"[i]), tc.size) {
					t.Errorf("body %d of %d bytes differs", i, len(b))
				}
			}
		})
	}
}

// Where memory for arriving frames is used up, smaller ones go to the spool too.
func TestFrameMemoryIsBounded(t *testing.T) {
	r := serve(t, newEngine(t), anyPort, nil)
	if !r.l.memory.take(frameMemory - 100) {
		t.Fatal("no memory")
	}
	c := dialTCP(t, r.l.Addr())
	send(t, c, frame(bigBody("1", 300<<10)))
	answer(t, c)
	r.l.memory.give(frameMemory - 100)
	if r.engine.spooled != 1 || r.bodies()[0] != bigBody("1", 300<<10) {
		t.Errorf("%d spooled", r.engine.spooled)
	}
}

func TestSpoolFails(t *testing.T) {
	for _, tc := range []struct {
		name, body, want string
	}{
		{"with MSH", bigBody("1", 3<<20), "AE 1"},
		{"acknowledgement", "MSH|^~\\&|A|B|C|D|2026||ACK|1|P|2.4\rMSA|AA|7\r" + strings.Repeat("ERR|x\r", 400_000), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEngine(t)
			e.spoolErr = errors.New("no space left on device")
			r := serve(t, e, anyPort, nil)
			c := dialTCP(t, r.l.Addr())
			send(t, c, frame(tc.body))
			if tc.want != "" {
				if a := answer(t, c); msa(a) != tc.want || !strings.Contains(a, "207^not stored, send again") {
					t.Errorf("answer %q", a)
				}
			}
			send(t, c, frame(adt("2"))) // the connection is as it was
			if a := answer(t, c); msa(a) != "AA 2" {
				t.Errorf("answer %q", a)
			}
			if n := len(r.envelopes()); n != 1 {
				t.Errorf("%d handed over", n)
			}
		})
	}
}

// What was spooled of a frame that never ended is void.
func TestSpoolIsAbandoned(t *testing.T) {
	for _, tc := range []struct {
		name, more string
		whole      int
	}{
		{"the connection ends", "", 0},
		{"the sender begins anew, small", frame(adt("1")), 1},
		{"the sender begins anew, large", frame(bigBody("1", 3<<20)), 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := serve(t, newEngine(t), anyPort, nil)
			c := dialTCP(t, r.l.Addr())
			send(t, c, "\x0B"+bigBody("0", 3<<20))
			send(t, c, tc.more)
			if tc.more != "" {
				answer(t, c)
			}
			c.Close()
			r.counts.wait("connections_closed", 1)
			r.stop()
			if r.voided != 1 || len(r.envelopes()) != tc.whole {
				t.Errorf("%d voided, %d handed over", r.voided, len(r.envelopes()))
			}
		})
	}
}

func TestSpoolPanics(t *testing.T) {
	e := newEngine(t)
	env := e.env()
	env.Spool = func(r io.Reader, _ int64) (message.Body, error) {
		io.CopyN(io.Discard, r, 10)
		panic(canary)
	}
	c := &collector{env: env, memory: &budget{}, max: 1 << 20}
	for range 3 {
		if n, err := c.Write(make([]byte, 100)); n != 100 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	if _, err := c.finish(); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("finish: %v", err)
	}
}
