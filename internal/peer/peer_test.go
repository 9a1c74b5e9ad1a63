package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
)

func message(id string) []byte {
	return []byte("MSH|^~\\&|PAS|RXX|LAB|RXX|20261122080000||ADT^A01|" + id + "|P|2.5\rPID|1\r")
}

func start(t *testing.T, answer func(hl7.Header, []byte) hl7.Ack) *Server {
	t.Helper()
	s := NewServer("127.0.0.1:0", answer)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

func dial(t *testing.T, s *Server) *Client {
	t.Helper()
	c, err := Dial(t.Context(), s.Address(), nil, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestServerAnswersAsItIsTold(t *testing.T) {
	rows := []struct {
		name   string
		answer func(hl7.Header, []byte) hl7.Ack
		want   string
	}{
		{"AA when nothing is said", nil, "AA"},
		{"AE", func(hl7.Header, []byte) hl7.Ack { return hl7.Ack{Code: "AE", Text: "no"} }, "AE"},
		{"by what came", func(h hl7.Header, body []byte) hl7.Ack {
			if h.ControlID == "1" && bytes.Equal(body, message("1")) {
				return hl7.Ack{Code: "CA"}
			}
			return hl7.Ack{Code: "AR"}
		}, "CA"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := start(t, row.answer)
			a, err := dial(t, s).Ask(message("1"))
			if err != nil || a.Code != row.want || a.ControlID != "1" {
				t.Errorf("answered %s to %s: %v, want %s", a.Code, a.ControlID, err, row.want)
			}
			if s.Count() != 1 {
				t.Errorf("counted %d messages", s.Count())
			}
		})
	}
}

func TestClientSendsAheadAndReadsInOrder(t *testing.T) {
	c := dial(t, start(t, nil))
	for i := range 20 {
		if err := c.Write(message(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 {
		if a, err := c.Answer(); err != nil || a.ControlID != fmt.Sprint(i) {
			t.Fatalf("answer %d is to %s: %v", i, a.ControlID, err)
		}
	}
}

func TestClientRefusesABodyThatBreaksTheFrame(t *testing.T) {
	c := dial(t, start(t, nil))
	if err := c.Write([]byte("MSH|^~\\&|\x1c")); !errors.Is(err, hl7.ErrFrameByte) {
		t.Errorf("got %v, want %v", err, hl7.ErrFrameByte)
	}
	if err := c.WriteRaw([]byte("junk \x0bMSH|^~\\&|cut\x0b" + string(message("7")) + "\x1c\r")); err != nil {
		t.Fatal(err)
	}
	if a, err := c.Answer(); err != nil || a.ControlID != "7" {
		t.Errorf("raw bytes were answered %s: %v", a.ControlID, err)
	}
}

// A peer that goes down and comes back has the same address.
func TestServerComesBackOnItsPort(t *testing.T) {
	s := start(t, nil)
	c := dial(t, s)
	if _, err := c.Ask(message("1")); err != nil {
		t.Fatal(err)
	}
	address := s.Address()
	s.Stop()
	if _, err := c.Ask(message("2")); err == nil {
		t.Error("a stopped peer answered on an old connection")
	}
	if conn, err := net.Dial("tcp", address); err == nil {
		conn.Close()
		t.Error("a stopped peer takes connections")
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if s.Address() != address {
		t.Errorf("came back on %s, was on %s", s.Address(), address)
	}
	if a, err := dial(t, s).Ask(message("3")); err != nil || a.Code != "AA" {
		t.Errorf("after coming back: %s, %v", a.Code, err)
	}
	if s.Count() != 2 {
		t.Errorf("counted %d messages, want 2", s.Count())
	}
}

// No code is no answer: the client's own time runs out.
func TestClientDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		s := NewServer("", func(hl7.Header, []byte) hl7.Ack { return hl7.Ack{} })
		done := make(chan struct{})
		go func() { s.talk(theirs, nil); close(done) }()
		c := &Client{conn: ours, frames: hl7.NewFrameReader(ours, hl7.FrameLimits{}), timeout: 5 * time.Second}
		began := time.Now()
		_, err := c.Send(message("1"))
		var late net.Error
		if !errors.As(err, &late) || !late.Timeout() || time.Since(began) != 5*time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		c.Close()
		<-done
	})
}

func TestDialGivesUp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	if c, err := Dial(t.Context(), address, nil, time.Second); err == nil {
		c.Close()
		t.Error("connected to a closed port")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if c, err := Dial(ctx, address, nil, time.Second); err == nil {
		c.Close()
		t.Error("connected after the context had ended")
	}
}
