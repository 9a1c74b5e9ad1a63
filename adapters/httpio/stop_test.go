package httpio

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/spine-engine/spine-engine/internal/message"
)

// hanging is an engine whose first accept waits.
func hanging(t testing.TB) (e *engine, entered, leave chan struct{}) {
	e = newEngine(t)
	entered, leave = make(chan struct{}), make(chan struct{})
	e.decide = func(*message.Envelope) (message.Receipt, error) {
		close(entered)
		<-leave
		return aa(), nil
	}
	return e, entered, leave
}

func TestStopAnswersWhatIsInHand(t *testing.T) {
	files := keys(t)
	for _, tc := range []struct{ name, yaml string }{
		{"HTTP/1.1", anyPort},
		{"HTTP/2", `{ listen: "127.0.0.1:0", tls: { ` + serverTLS + ` } }`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, entered, leave := hanging(t)
			r := serve(t, e, tc.yaml, files)
			idle := dialTCP(t, r.s.Addr()) // and has not said a word
			client := caller(t, trust(t, files["ca"]))
			done := later(t, client, r.url())
			<-entered
			r.counts.wait("connections", 2)
			stopped := make(chan struct{})
			go func() { r.stop(); close(stopped) }()
			if b, _ := io.ReadAll(idle); len(b) != 0 {
				t.Errorf("told %q", b)
			}
			if c, err := net.Dial("tcp", r.s.Addr().String()); err == nil {
				io.ReadAll(c) // it may have stood in the queue of the port
				c.Close()
			}
			select {
			case <-stopped:
				t.Error("stopped while a request was in hand")
			default:
			}
			close(leave)
			if a := <-done; a.status != 200 || msa(a.body) != "AA 1" {
				t.Errorf("%d %q", a.status, a.body)
			}
			<-stopped
			if n := len(e.envelopes()); n != 1 {
				t.Errorf("%d messages handed over", n)
			}
		})
	}
}

// A request that reaches a stopping listener is told to come again.
func TestStopRefusesNewRequests(t *testing.T) {
	e, entered, leave := hanging(t)
	r := serve(t, e, anyPort, nil)
	done := later(t, caller(t, nil), r.url())
	<-entered
	r.s.stop()
	w := &recorder{header: http.Header{}}
	req, _ := http.NewRequest("POST", r.url(), unread{t})
	req.RemoteAddr = "127.0.0.1:5"
	r.s.ServeHTTP(w, req)
	if w.status != 503 || w.header.Get("Retry-After") == "" {
		t.Errorf("status %d", w.status)
	}
	close(leave)
	<-done
}

// A body that is still arriving when the listener stops may arrive.
func TestStopLetsABodyArrive(t *testing.T) {
	e := newEngine(t)
	r := serve(t, e, anyPort, nil)
	c := dialTCP(t, r.s.Addr())
	whole := adt("1")
	fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/hl7-v2\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(whole))
	b := make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))
	if _, err := io.ReadFull(c, b); err != nil { // the body is being read now
		t.Fatal(err)
	}
	go r.stop()
	if c, err := net.Dial("tcp", r.s.Addr().String()); err == nil {
		io.ReadAll(c)
		c.Close()
	}
	io.WriteString(c, whole)
	if b, _ := io.ReadAll(c); !strings.HasPrefix(string(b), "HTTP/1.1 200 ") {
		t.Errorf("answered %q", b)
	}
	r.stop()
}

// Close without a Run gives the port back; Close during one cuts what hangs.
func TestClose(t *testing.T) {
	src, err := listenConf(t, anyPort, nil).Open(newEngine(t).env())
	if err != nil {
		t.Fatal(err)
	}
	s := src.(*source)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if err := s.Run(t.Context(), nil); err != nil {
		t.Errorf("Run after Close: %v", err)
	}

	r := serve(t, newEngine(t), anyPort, nil)
	c := dialTCP(t, r.s.Addr())
	io.WriteString(c, "POST / HTTP/1.1\r\n")
	r.counts.wait("connections", 1)
	r.s.Close()
	if b, _ := io.ReadAll(c); len(b) != 0 {
		t.Errorf("told %q", b)
	}
}

func TestBindErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, err = listenConf(t, `{ listen: "`+taken.Addr().String()+`" }`, nil).Open(newEngine(t).env())
	for _, want := range []string{"http listener cannot bind " + taken.Addr().String(), "ss -ltnp"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

type broken struct{ net.Listener }

func (broken) Accept() (net.Conn, error) { return nil, errors.New("broken") }

func TestListenerFault(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := newEngine(t)
	s := newSource(listenConf(t, anyPort, nil), e.env(), broken{ln})
	if err := s.Run(t.Context(), e.accept); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("Run: %v", err)
	}
}
