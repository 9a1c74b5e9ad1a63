package mllp

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
)

func isClosed(t *testing.T, c net.Conn) {
	t.Helper()
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read %d bytes, %v; want a closed connection", n, err)
	}
}

func TestAllowFrom(t *testing.T) {
	for _, tc := range []struct {
		allow string
		in    bool
	}{
		{`["127.0.0.0/8"]`, true}, {`["127.0.0.1"]`, true}, {`["::ffff:127.0.0.1"]`, true}, {`"10.0.0.0/8"`, false},
		{`["10.0.0.0/8", "127.0.0.1/32"]`, true}, {`["::1/128"]`, false},
	} {
		t.Run(tc.allow, func(t *testing.T) {
			r := serve(t, newEngine(t), `{ listen: "127.0.0.1:0", allow_from: `+tc.allow+` }`, nil)
			c := dialTCP(t, r.l.Addr())
			if !tc.in {
				isClosed(t, c)
				r.counts.wait("refused_address", 1)
				return
			}
			send(t, c, frame(adt("1")))
			answer(t, c)
		})
	}
}

func TestRefusalsAreLoggedOnce(t *testing.T) {
	r := serve(t, newEngine(t), `{ listen: "127.0.0.1:0", allow_from: ["10.0.0.0/8"] }`, nil)
	for range 20 {
		isClosed(t, dialTCP(t, r.l.Addr()))
	}
	r.counts.wait("refused_address", 20)
	r.stop()
	if n := strings.Count(r.log.String(), "connection refused"); n != 1 {
		t.Errorf("%d lines in the log", n)
	}
}

func TestConnectionLimits(t *testing.T) {
	for _, tc := range []struct{ name, yaml string }{
		{"in all", `{ listen: "127.0.0.1:0", max_connections: 2 }`},
		{"per peer", `{ listen: "127.0.0.1:0", max_connections_per_peer: 2 }`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := serve(t, newEngine(t), tc.yaml, nil)
			a, b := dialTCP(t, r.l.Addr()), dialTCP(t, r.l.Addr())
			for i, c := range []net.Conn{a, b} {
				send(t, c, frame(adt(fmt.Sprint(i))))
				answer(t, c)
			}
			isClosed(t, dialTCP(t, r.l.Addr()))
			r.counts.wait("refused_limit", 1)
			a.Close() // makes room
			r.counts.wait("connections_closed", 1)
			c := dialTCP(t, r.l.Addr())
			send(t, c, frame(adt("3")))
			answer(t, c)
		})
	}
}

func TestTooLarge(t *testing.T) {
	long := strings.Repeat("NTE|1||"+canary+"\r", 200)
	for _, tc := range []struct{ name, body, want string }{
		{"original mode", adt("1") + long, "AR 1"},
		{"enhanced mode", adtWith("1", "|||AL|NE") + long, "CR 1"},
		{"no answer wanted", adtWith("1", "|||NE|NE") + long, ""},
		{"no MSH", "PID|1\r" + long, ""},
		{"without end", adt("1") + strings.Repeat(long, 100), "AR 1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := serve(t, newEngine(t), `{ listen: "127.0.0.1:0", max_message: 1KiB }`, nil)
			c := dialTCP(t, r.l.Addr())
			send(t, c, frame(tc.body))
			if tc.want != "" {
				if a := answer(t, c); msa(a) != tc.want || !strings.Contains(a, "104^message is larger than 1024 bytes") {
					t.Errorf("answer %q", a)
				}
			}
			if s, err := readFrame(c); err == nil || s != "" {
				t.Errorf("the connection goes on: %q", s)
			}
			c.Close()
			r.counts.wait("connections_closed", 1)
			if r.counts.get("frames_too_large") != 1 || len(r.envelopes()) != 0 {
				t.Errorf("%d too large, %d handed over", r.counts.get("frames_too_large"), len(r.envelopes()))
			}
		})
	}
}

// ticks writes one byte each period until the connection is closed.
func ticks(c net.Conn, b byte, every time.Duration) (sent int) {
	for {
		<-time.After(every)
		if _, err := c.Write([]byte{b}); err != nil {
			return sent
		}
		sent++
	}
}

// bubble runs a listener over pipes where time is the test's.
func bubble(t *testing.T, yaml string, f func(p *pipes, r *running)) {
	bubbleWith(t, func() *listenConfig { return listenConf(t, yaml, nil) }, f)
}

func bubbleWith(t *testing.T, conf func() *listenConfig, f func(p *pipes, r *running)) {
	synctest.Test(t, func(t *testing.T) {
		p, e := newPipes(), newEngine(t)
		r := run(t, e, newListener(conf(), e.env(), p))
		f(p, r)
		r.stop()
		if n := e.counts.get("connections") - e.counts.get("connections_closed"); n != 0 {
			t.Errorf("%d connections are left", n)
		}
	}) // the bubble fails the test if any goroutine is left
}

func TestSlowloris(t *testing.T) {
	for _, tc := range []struct{ name, begin string }{
		{"a byte every nine seconds", "\x0B"},
		{"behind a whole frame", frame(adt("1")) + "\x0BMSH"},
		{"starting again and again", "\x0Bx\x0B"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, `{ listen: "127.0.0.1:0", frame_timeout: 30s }`, func(p *pipes, r *running) {
				c := p.dial()
				go io.Copy(io.Discard, c)
				begin := time.Now()
				send(t, c, tc.begin)
				if n := ticks(c, 'x', 9*time.Second); n != 3 {
					t.Errorf("%d bytes taken, want 3", n)
				}
				if d := time.Since(begin); d < 30*time.Second || d > 40*time.Second {
					t.Errorf("closed after %s", d)
				}
				if r.counts.get("frames_late") != 1 {
					t.Errorf("frames_late = %d", r.counts.get("frames_late"))
				}
				c.Close()
			})
		})
	}
}

func TestFrameTimeoutIsNotOfTheEngine(t *testing.T) {
	bubble(t, `{ listen: "127.0.0.1:0", frame_timeout: 30s }`, func(p *pipes, r *running) {
		r.engine.decide = func(*message.Envelope) (message.Receipt, error) {
			<-time.After(time.Hour) // a slow disk is not the sender's fault
			return aa(), nil
		}
		c := p.dial()
		send(t, c, frame(adt("1"))+frame(adt("2"))[:50])
		answer(t, c)
		<-time.After(20 * time.Second)
		send(t, c, frame(adt("2"))[50:])
		if a := answer(t, c); msa(a) != "AA 2" {
			t.Errorf("answer %q", a)
		}
		c.Close()
	})
}

func TestIdle(t *testing.T) {
	t.Run("off", func(t *testing.T) {
		bubble(t, anyPort, func(p *pipes, r *running) {
			c := p.dial()
			for _, id := range []string{"1", "2", "3"} {
				send(t, c, frame(adt(id)))
				answer(t, c)
				<-time.After(100 * time.Hour)
			}
			send(t, c, frame(adt("4"))[:20])
			<-time.After(10 * time.Second)
			send(t, c, frame(adt("4"))[20:]+"\n")
			answer(t, c)
			<-time.After(100 * time.Hour) // the deadline of that frame is over and gone
			send(t, c, frame(adt("5")))
			answer(t, c)
			c.Close()
		})
	})
	t.Run("on", func(t *testing.T) {
		bubble(t, `{ listen: "127.0.0.1:0", idle_timeout: 5m }`, func(p *pipes, r *running) {
			c := p.dial()
			send(t, c, frame(adt("1")))
			answer(t, c)
			begin := time.Now()
			isClosed(t, c)
			if d := time.Since(begin); d != 5*time.Minute {
				t.Errorf("closed after %s", d)
			}
			c.Close()
			if s := r.log.String(); strings.Contains(s, `"warn"`) {
				t.Errorf("an idle connection is no reason to warn: %s", s)
			}
		})
	})
}

func TestPeersThatDoNotFrame(t *testing.T) {
	t.Run("HL7 without a start block is told at once and closed", func(t *testing.T) {
		bubble(t, anyPort, func(p *pipes, r *running) {
			c := p.dial()
			send(t, c, adt("1"))
			synctest.Wait()
			if r.counts.get("unframed") != 1 || !strings.Contains(r.log.String(), "does not frame") {
				t.Errorf("unframed = %d, log %s", r.counts.get("unframed"), r.log)
			}
			begin := time.Now()
			isClosed(t, c)
			if d := time.Since(begin); d != 30*time.Second {
				t.Errorf("closed after %s", d)
			}
			c.Close()
		})
	})
	t.Run("anything else is told after five seconds and kept", func(t *testing.T) {
		bubble(t, anyPort, func(p *pipes, r *running) {
			c := p.dial()
			send(t, c, "hello")
			<-time.After(4 * time.Second)
			if r.counts.get("unframed") != 0 {
				t.Error("told too early")
			}
			<-time.After(2 * time.Second)
			if r.counts.get("unframed") != 1 {
				t.Errorf("unframed = %d", r.counts.get("unframed"))
			}
			<-time.After(time.Hour)
			send(t, c, frame(adt("1")))
			answer(t, c)
			c.Close()
		})
	})
}

// A peer that reads none of its answers is closed, and holds nobody up.
func TestPeerThatReadsNothing(t *testing.T) {
	bubble(t, anyPort, func(p *pipes, r *running) {
		c := p.dial()
		begin := time.Now()
		send(t, c, frame(adt("1")))
		r.counts.wait("answer_failed", 1)
		if d := time.Since(begin); d < 30*time.Second || d > time.Minute {
			t.Errorf("closed after %s", d)
		}
		c.Close()
	})
}
