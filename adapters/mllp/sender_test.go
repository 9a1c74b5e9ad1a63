package mllp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/message"
)

// ack is an answer as a peer writes it.
func ack(code, id string) string {
	return `MSH|^~\&|EPR|RXX|SPINE|RXX|20260105101501||ACK^A01^ACK|a1|P|2.5.1` + "\rMSA|" + code + "|" + id + "|" + canary + " says so\r"
}

func delivery(id string) *message.Delivery {
	return &message.Delivery{Queue: "epr", Body: message.InMemory([]byte(adt(id))), ControlID: id}
}

// script is a peer that plays one function per connection, in order.
type script struct {
	t    *testing.T
	ln   net.Listener
	done chan struct{}
}

func play(t *testing.T, acts ...func(net.Conn)) *script {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &script{t: t, ln: ln, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		for _, act := range acts {
			c, err := ln.Accept()
			if err != nil {
				t.Errorf("the peer got no connection: %v", err)
				return
			}
			act(c)
		}
		ln.Close()
	}()
	t.Cleanup(func() { ln.Close(); <-s.done })
	return s
}

type fixture struct {
	*sender
	counts *counts
	log    *logBook
}

func openFor(t *testing.T, addr net.Addr, more string) *fixture {
	t.Helper()
	cfg := connectConf(t, `{ connect: "`+addr.String()+`"`+more+` }`, nil)
	return openWith(t, cfg)
}

func openWith(t *testing.T, cfg *connectConfig) *fixture {
	t.Helper()
	f := &fixture{counts: newCounts(), log: newLogBook(t)}
	d, err := cfg.Open(adapters.DestinationEnv{Name: "epr", Log: zerolog.New(f.log), Count: f.counts.count})
	if err != nil {
		t.Fatal(err)
	}
	f.sender = d.(*sender)
	t.Cleanup(func() { f.sender.Close() })
	return f
}

// hangUp waits until the other side closes.
func hangUp(c net.Conn) {
	io.Copy(io.Discard, c)
	c.Close()
}

// answering plays: read a frame, write what f makes of its control id; again
// until the other side closes.
func answering(t *testing.T, f func(id string) string) func(net.Conn) {
	return func(c net.Conn) {
		defer c.Close()
		br := &oneByte{r: c}
		for {
			s, err := readFrame(br)
			if err != nil {
				return
			}
			if s != adt(field(s, "MSH", 10)) {
				t.Errorf("the peer got %q", s)
			}
			io.WriteString(c, f(field(s, "MSH", 10)))
		}
	}
}

func TestReplies(t *testing.T) {
	long := strings.Repeat("\u00e9", 150)
	for _, tc := range []struct {
		name   string
		answer string // to message 7
		code   string
		text   string // a part of it
		kept   bool   // the connection is used again
	}{
		{"AA", frame(ack("AA", "7")), "AA", canary + " says so", true},
		{"AE", frame(ack("AE", "7")), "AE", canary, true},
		{"AR", frame(ack("AR", "7")), "AR", canary, true},
		{"CA is not AA", frame(ack("CA", "7")), "CA", canary, true},
		{"a line end behind", frame(ack("AA", "7")) + "\n", "AA", "", true},
		{"FS without CR", strings.TrimSuffix(frame(ack("AA", "7")), "\r"), "AA", "", true},
		{"text of an ERR", frame("MSH|^~\\&|A|B|C|D|2026||ACK|1|P|2.5\rMSA|AE|7\rERR||PID^1^3|101^" + canary + " missing^HL70357|E\r"), "AE", canary + " missing", true},
		{"a long text is cut between characters", frame("MSH|^~\\&|A|B|C|D|2026||ACK|1|P|2.4||||||UNICODE UTF-8\rMSA|AE|7|" + long + "\r"), "AE", long[:200], true},
		{"a response with MSA", frame("MSH|^~\\&|A|B|C|D|2026||RSP^K22|1|P|2.5\rMSA|AA|7\rQAK|1|OK\r"), "AA", "", true},
		{"other delimiters", frame("MSH:;~\\&:A:B:C:D:2026::ACK:1:P:2.2\rMSA:AA:7\r"), "AA", "", true},
		{"wrong id, then ours", frame(ack("AE", "6")) + frame(ack("AA", "7")), "AA", "", true},
		{"a commit block, then ours", frame("\x06") + frame(ack("AA", "7")), "AA", "", true},
		{"ours, then a late one", frame(ack("AA", "7")) + frame(ack("AE", "6")), "AA", "", false},
		{"ours, then the start of another", frame(ack("AA", "7")) + "\x0BMSH", "AA", "", false},
		{"ours, then junk", frame(ack("AA", "7")) + "x", "AA", "", false},
		{"junk, then ours", "x" + frame(ack("AA", "7")), "AA", "", true},
		{"no MSA", frame(adt("7")), adapters.Unreadable, "no MSA", false},
		{"empty", frame(""), adapters.Unreadable, "no MSA", false},
		{"an unknown code", frame(ack("OK", "7")), adapters.Unreadable, "0008", false},
		{"a commit block that says no", frame("\x15"), adapters.Unreadable, "15", false},
		{"not framed", ack("AA", "7"), adapters.Unreadable, "not framed", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			plays := []func(net.Conn){answering(t, func(id string) string {
				if id == "7" {
					return tc.answer
				}
				return frame(ack("AR", id))
			})}
			if !tc.kept {
				plays = append(plays, plays[0])
			}
			s := openFor(t, play(t, plays...).ln.Addr(), ", reply_timeout: 1h")
			r, err := s.Send(t.Context(), delivery("7"))
			if err != nil || r.Code != tc.code || !strings.Contains(r.Text, tc.text) || len(r.Text) > 200 {
				t.Fatalf("%q %q, %v", r.Code, r.Text, err)
			}
			// Whatever lies in the connection is not the answer to the next message.
			r, err = s.Send(t.Context(), delivery("8"))
			if err != nil || r.Code != "AR" {
				t.Errorf("next: %q %q, %v", r.Code, r.Text, err)
			}
			if want := map[bool]int{true: 1, false: 2}[tc.kept]; s.counts.get("connections") != want {
				t.Errorf("%d connections, want %d", s.counts.get("connections"), want)
			}
			s.Close()
		})
	}
}

func TestNoAnswerInTime(t *testing.T) {
	for _, tc := range []struct{ name, answer, code string }{
		{"nothing", "", adapters.NoReply},
		{"half an answer", frame(ack("AA", "7"))[:40], adapters.NoReply},
		{"only wrong ones", frame(ack("AA", "6")) + frame(ack("AA", "")), adapters.WrongID},
		{"a wrong one and half of ours", frame(ack("AA", "6")) + frame(ack("AA", "7"))[:40], adapters.WrongID},
		{"only a commit block", frame("\x06"), adapters.NoReply},
		{"junk", "what?", adapters.Unreadable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				peer, c := net.Pipe()
				go func() {
					readFrame(peer)
					io.WriteString(peer, tc.answer)
					hangUp(peer)
				}()
				l := newLink(c, c)
				x := exchange{link: l, ctx: t.Context(), timeout: 30 * time.Second, id: "7"}
				begin := time.Now()
				r, err := x.run(message.View{Runs: [][]byte{[]byte(adt("7"))}}, int64(len(adt("7"))))
				if err != nil || r.Code != tc.code || x.answered {
					t.Errorf("%q %q, %v", r.Code, r.Text, err)
				}
				if d := time.Since(begin); d != 30*time.Second {
					t.Errorf("waited %s", d)
				}
				l.close()
			})
		})
	}
}

// An answer that comes after its time is never taken for that of the next message.
func TestLateAnswer(t *testing.T) {
	late := make(chan net.Conn, 1)
	peer := play(t, func(c net.Conn) {
		readFrame(c)
		io.Copy(io.Discard, c) // until the sender gives up
		late <- c
	}, func(c net.Conn) {
		readFrame(c)
		old := <-late
		io.WriteString(old, frame(ack("AA", "7"))+frame(ack("AA", "8"))) // goes nowhere
		old.Close()
		io.WriteString(c, frame(ack("AE", "8")))
		hangUp(c)
	})
	cfg := connectConf(t, `{ connect: "`+peer.ln.Addr().String()+`" }`, nil)
	cfg.SetReplyTimeout(20 * time.Millisecond)
	s := openWith(t, cfg)
	if r, err := s.Send(t.Context(), delivery("7")); err != nil || r.Code != adapters.NoReply {
		t.Fatalf("%q %q, %v", r.Code, r.Text, err)
	}
	cfg.SetReplyTimeout(time.Hour)
	if r, err := s.Send(t.Context(), delivery("8")); err != nil || r.Code != "AE" {
		t.Errorf("next: %q %q, %v", r.Code, r.Text, err)
	}
	if s.counts.get("no_reply") != 1 || s.counts.get("connections") != 2 {
		t.Errorf("counts %v", s.counts.n)
	}
	s.Close()
}

func TestPeerCloses(t *testing.T) {
	for _, tc := range []struct{ name, answer, code string }{
		{"without an answer", "", ""},
		{"inside the answer", frame(ack("AA", "7"))[:40], ""},
		{"behind an answer to another", frame(ack("AA", "6")), adapters.WrongID},
		{"behind an answer without a frame", "xx", adapters.Unreadable},
		{"behind its answer", frame(ack("AA", "7")), "AA"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			peer := play(t, func(c net.Conn) {
				readFrame(c)
				io.WriteString(c, tc.answer)
				c.Close()
			})
			s := openFor(t, peer.ln.Addr(), "")
			r, err := s.Send(t.Context(), delivery("7"))
			if r.Code != tc.code || (err != nil) != (tc.code == "") || adapters.IsPermanent(err) {
				t.Errorf("%q, %v", r.Code, err)
			}
		})
	}
}

// untilState waits for what the network brings to an idle link.
func untilState(s *fixture, want linkState) {
	for {
		s.mu.Lock()
		got := s.idle[0].state()
		s.mu.Unlock()
		if got == want {
			return
		}
		runtime.Gosched()
	}
}

func TestIdleConnection(t *testing.T) {
	answerOnce := func(c net.Conn) {
		s, _ := readFrame(c)
		io.WriteString(c, frame(ack("AA", field(s, "MSH", 10))))
	}
	t.Run("closed by the peer", func(t *testing.T) {
		peer := play(t, func(c net.Conn) { answerOnce(c); c.Close() }, func(c net.Conn) { answerOnce(c); hangUp(c) })
		s := openFor(t, peer.ln.Addr(), "")
		s.Send(t.Context(), delivery("1"))
		untilState(s, linkGone)
		if r, err := s.Send(t.Context(), delivery("2")); r.Code != "AA" || err != nil {
			t.Errorf("%q, %v", r.Code, err)
		}
		if s.counts.get("sent") != 2 || s.counts.get("connections") != 2 {
			t.Errorf("counts %v", s.counts.n)
		}
		s.Close()
	})
	t.Run("closed by the peer while the next message is under way", func(t *testing.T) {
		peer := play(t, func(c net.Conn) {
			answerOnce(c)
			c.Read(make([]byte, 1)) // it has begun to come
			c.Close()
		}, func(c net.Conn) { answerOnce(c); hangUp(c) })
		s := openFor(t, peer.ln.Addr(), "")
		s.Send(t.Context(), delivery("1"))
		if r, err := s.Send(t.Context(), delivery("2")); r.Code != "AA" || err != nil {
			t.Errorf("%q, %v", r.Code, err)
		}
		if s.counts.get("reconnects") != 1 {
			t.Errorf("counts %v", s.counts.n)
		}
		s.Close()
	})
	t.Run("sent again once only", func(t *testing.T) {
		begin := func(c net.Conn) { c.Read(make([]byte, 1)); c.Close() }
		peer := play(t, func(c net.Conn) { answerOnce(c); begin(c) }, begin)
		s := openFor(t, peer.ln.Addr(), "")
		s.Send(t.Context(), delivery("1"))
		if r, err := s.Send(t.Context(), delivery("2")); err == nil || errors.Is(err, errStale) {
			t.Errorf("%q, %v", r.Code, err)
		}
	})
	t.Run("with a late answer in it", func(t *testing.T) {
		peer := play(t, func(c net.Conn) {
			answerOnce(c)
			io.WriteString(c, frame(ack("AA", "2"))) // would fit the next message
			hangUp(c)
		}, func(c net.Conn) {
			readFrame(c)
			io.WriteString(c, frame(ack("AE", "2")))
			hangUp(c)
		})
		s := openFor(t, peer.ln.Addr(), "")
		s.Send(t.Context(), delivery("1"))
		if len(s.idle) == 1 {
			untilState(s, linkLate)
		}
		if r, err := s.Send(t.Context(), delivery("2")); r.Code != "AE" || err != nil {
			t.Errorf("%q, %v", r.Code, err)
		}
		s.Close()
	})
}

func TestSendErrors(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := ln.Addr()
	ln.Close()
	t.Run("nobody there", func(t *testing.T) {
		s := openFor(t, nobody, "")
		_, err := s.Send(t.Context(), delivery("1"))
		if err == nil || adapters.IsPermanent(err) || !strings.Contains(err.Error(), nobody.String()) {
			t.Errorf("error %v", err)
		}
		if err := s.Probe(t.Context()); err == nil {
			t.Error("Probe finds somebody")
		}
		if s.counts.get("connect_failed") != 2 {
			t.Errorf("counts %v", s.counts.n)
		}
	})
	for _, b := range []string{"\x0B", "\x1C"} {
		t.Run(fmt.Sprintf("byte %X in the body", b), func(t *testing.T) {
			s := openFor(t, nobody, "")
			body := message.Compose(message.InMemory([]byte(adt("1"))), []message.Piece{{Length: 100}, {Literal: []byte(canary + b)}})
			_, err := s.Send(t.Context(), &message.Delivery{Body: body, ControlID: "1"})
			if !adapters.IsPermanent(err) || !strings.Contains(err.Error(), "byte 106") || strings.Contains(err.Error(), canary) {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Run("after Close", func(t *testing.T) {
		s := openFor(t, nobody, "")
		s.Close()
		if _, err := s.Send(t.Context(), delivery("1")); !errors.Is(err, errClosed) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("the context ends while waiting", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		peer := play(t, func(c net.Conn) { readFrame(c); cancel(); hangUp(c) })
		s := openFor(t, peer.ln.Addr(), "")
		if _, err := s.Send(ctx, delivery("1")); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		if len(s.idle) != 0 {
			t.Error("a connection that is owed an answer was kept")
		}
	})
	t.Run("the context ends while all connections are in use", func(t *testing.T) {
		s := openFor(t, nobody, "")
		s.slots <- struct{}{}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Send(ctx, delivery("1")); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

func TestProbe(t *testing.T) {
	peer := play(t, hangUp)
	if err := openFor(t, peer.ln.Addr(), "").Probe(t.Context()); err != nil {
		t.Error(err)
	}
	<-peer.done // it saw us come and go
}

func TestLargeMessages(t *testing.T) {
	pad := bytes.Repeat([]byte("NTE|1||0123456789\r"), 200_000)
	whole := append([]byte(adt("7")), pad...)
	for _, tc := range []struct {
		name string
		body message.Body
	}{
		{"one run", message.InMemory(whole)},
		{"many runs", message.Compose(message.InMemory(whole), cutUp(len(whole), 50_000))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			peer := play(t, func(c net.Conn) {
				s, err := readFrame(&oneByte{r: c})
				if s != string(whole) {
					t.Errorf("the peer got %d bytes, %v; want %d", len(s), err, len(whole))
				}
				io.WriteString(c, frame(ack("AA", "7")))
				hangUp(c)
			})
			s := openFor(t, peer.ln.Addr(), "")
			if r, err := s.Send(t.Context(), &message.Delivery{Body: tc.body, ControlID: "7"}); r.Code != "AA" || err != nil {
				t.Errorf("%q, %v", r.Code, err)
			}
			s.Close()
		})
	}
}

func cutUp(size, step int) (ps []message.Piece) {
	for at := 0; at < size; at += step {
		ps = append(ps, message.Piece{Offset: int64(at), Length: int64(min(step, size-at))})
	}
	return ps
}

// cutOff is a connection that the peer has cut while we were writing.
type cutOff struct {
	net.Conn
	said *strings.Reader
}

func (c cutOff) Write(b []byte) (int, error)      { return len(b) / 2, syscall.EPIPE }
func (c cutOff) Read(b []byte) (int, error)       { return c.said.Read(b) }
func (c cutOff) SetReadDeadline(time.Time) error  { return nil }
func (c cutOff) SetWriteDeadline(time.Time) error { return nil }

// A peer that refuses a large message early says why before it cuts us off.
func TestLastWord(t *testing.T) {
	for _, tc := range []struct {
		said, code string
		used       bool
		want       error
	}{
		{frame(ack("AR", "7")), "AR", false, nil},
		{frame(ack("AR", "6")), "", false, syscall.EPIPE},
		{"", "", false, syscall.EPIPE},
		{"", "", true, errStale},
	} {
		c := cutOff{said: strings.NewReader(tc.said)}
		l := newLink(c, c)
		l.used = tc.used
		x := exchange{link: l, ctx: t.Context(), timeout: time.Minute, id: "7"}
		r, err := x.run(message.View{Runs: [][]byte{[]byte(adt("7"))}}, 250)
		if r.Code != tc.code || !errors.Is(err, tc.want) {
			t.Errorf("%q: %q, %v", tc.said, r.Code, err)
		}
	}
}

func TestRefusedWhileWriting(t *testing.T) {
	r := serve(t, newEngine(t), `{ listen: "127.0.0.1:0", max_message: 64KiB }`, nil)
	s := openFor(t, r.l.Addr(), "")
	body := []byte(adt("7") + strings.Repeat("NTE|1||0123456789\r", 400_000))
	got, err := s.Send(t.Context(), &message.Delivery{Body: message.InMemory(body), ControlID: "7"})
	if got.Code != "AR" || err != nil {
		t.Errorf("%q %q, %v", got.Code, got.Text, err)
	}
}

// Sender and listener together, with as many messages at a time as there are connections.
func TestConnections(t *testing.T) {
	e := newEngine(t)
	all := make(chan struct{}, 4)
	release := make(chan struct{})
	e.decide = func(*message.Envelope) (message.Receipt, error) {
		all <- struct{}{}
		<-release
		return aa(), nil
	}
	r := serve(t, e, anyPort, nil)
	s := openFor(t, r.l.Addr(), ", connections: 4")
	errs := make(chan error, 8)
	for i := range 8 {
		go func() {
			reply, err := s.Send(t.Context(), delivery(fmt.Sprint(i)))
			if err == nil && reply.Code != "AA" {
				err = errors.New(reply.Code)
			}
			errs <- err
		}()
	}
	for range 4 {
		<-all // four are in hand at once
	}
	if n := e.counts.get("connections"); n != 4 {
		t.Errorf("%d connections", n)
	}
	close(release)
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	s.Close()
	r.counts.wait("connections_closed", 4)
	if n := e.counts.get("connections"); n != 4 {
		t.Errorf("%d connections", n)
	}
}
