package mllp

import (
	"io"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
)

func TestStopAnswersWhatIsInHand(t *testing.T) {
	e := newEngine(t)
	entered, leave := make(chan struct{}), make(chan struct{})
	e.decide = func(*message.Envelope) (message.Receipt, error) {
		close(entered)
		<-leave
		return aa(), nil
	}
	r := serve(t, e, anyPort, nil)
	idle, busy := dialTCP(t, r.l.Addr()), dialTCP(t, r.l.Addr())
	send(t, busy, frame(adt("1"))+frame(adt("2"))) // the second has come, but is not in hand
	<-entered
	r.counts.wait("connections", 2)
	stopped := make(chan struct{})
	go func() { r.stop(); close(stopped) }()
	isClosed(t, idle)
	if c, err := net.Dial("tcp", r.l.Addr().String()); err == nil {
		isClosed(t, c) // it may have stood in the queue of the port
	}
	close(leave)
	if a := answer(t, busy); msa(a) != "AA 1" {
		t.Errorf("answer %q", a)
	}
	if s, err := readFrame(busy); err != io.EOF || s != "" {
		t.Errorf("behind the answer: %q, %v", s, err)
	}
	busy.Close()
	<-stopped
	if n := len(e.envelopes()); n != 1 {
		t.Errorf("%d messages handed over", n)
	}
}

func TestStopLetsAFrameBecomeWhole(t *testing.T) {
	for _, tc := range []struct {
		name   string
		finish time.Duration
		want   string
	}{{"in time", 4 * time.Second, "AA 1"}, {"too late", 6 * time.Second, ""}} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, anyPort, func(p *pipes, r *running) {
				c := p.dial()
				whole := frame(adt("1"))
				send(t, c, whole[:100])
				synctest.Wait()
				go r.stop()
				<-time.After(tc.finish)
				_, err := io.WriteString(c, whole[100:])
				if (err == nil) != (tc.want != "") {
					t.Fatalf("write: %v", err)
				}
				if tc.want != "" {
					if a := answer(t, c); msa(a) != tc.want {
						t.Errorf("answer %q", a)
					}
				}
				c.Close()
			})
		})
	}
}

func TestStopDoesNotWaitForTheIdle(t *testing.T) {
	bubble(t, anyPort, func(p *pipes, r *running) {
		silent, spoken := p.dial(), p.dial()
		send(t, spoken, frame(adt("1")))
		answer(t, spoken)
		synctest.Wait()
		begin := time.Now()
		r.stop()
		if d := time.Since(begin); d != 0 {
			t.Errorf("stopped after %s", d)
		}
		silent.Close()
		spoken.Close()
	})
}

// The last answer survives though the peer has sent more than we will read:
// closing at once would reset the connection.
func TestLastAnswerIsNotReset(t *testing.T) {
	e := newEngine(t)
	entered, leave := make(chan struct{}), make(chan struct{})
	e.decide = func(*message.Envelope) (message.Receipt, error) {
		close(entered)
		<-leave
		return aa(), nil
	}
	r := serve(t, e, anyPort, nil)
	c := dialTCP(t, r.l.Addr())
	send(t, c, frame(adt("1"))+frame(strings.Repeat(adt("2"), 1000)))
	<-entered
	go r.stop()
	for !r.l.isStopping() {
		runtime.Gosched()
	}
	close(leave)
	answer(t, c)
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("behind the answer: %d bytes, %v; want a clean end", n, err)
	}
	c.Close()
}

func TestCloseWithoutRun(t *testing.T) {
	src, err := listenConf(t, anyPort, nil).Open(newEngine(t).env())
	if err != nil {
		t.Fatal(err)
	}
	l := src.(*listener)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", l.Addr().String()) // the port is free again
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if err := l.Run(t.Context(), nil); err != nil {
		t.Errorf("Run after Close: %v", err)
	}
}

func TestBindErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, tc := range []struct {
		name, listen string
		want         []string
	}{
		{"in use", taken.Addr().String(), []string{taken.Addr().String(), "address already in use", "ss -ltnp"}},
		{"not ours", "192.0.2.1:2575", []string{"192.0.2.1:2575", "no address 192.0.2.1"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := listenConf(t, `{ listen: "`+tc.listen+`" }`, nil).Open(newEngine(t).env())
			for _, want := range tc.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q in it", err, want)
				}
			}
		})
	}
}

// flaky is a listener that fails in ways that pass, and at last for good.
type flaky struct {
	*pipes
	faults []error
}

func (f *flaky) Accept() (net.Conn, error) {
	if len(f.faults) == 0 {
		return f.pipes.Accept()
	}
	err := f.faults[0]
	f.faults = f.faults[1:]
	return nil, &net.OpError{Op: "accept", Err: err}
}

func TestAcceptFaults(t *testing.T) {
	t.Run("passing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, e := newPipes(), newEngine(t)
			faults := []error{syscall.EMFILE, syscall.EMFILE, syscall.ECONNABORTED}
			r := run(t, e, newListener(listenConf(t, anyPort, nil), e.env(), &flaky{p, faults}))
			begin := time.Now()
			c := p.dial()
			if d := time.Since(begin); d != (5+10+20)*time.Millisecond {
				t.Errorf("tried again after %s", d)
			}
			send(t, c, frame(adt("1")))
			answer(t, c)
			c.Close()
			r.stop()
		})
	})
	t.Run("for good", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e := newEngine(t)
			l := newListener(listenConf(t, anyPort, nil), e.env(), &flaky{newPipes(), []error{syscall.EINVAL}})
			if err := l.Run(t.Context(), e.accept); err == nil || !strings.Contains(err.Error(), "2575") {
				t.Errorf("Run: %v", err)
			}
		})
	})
	t.Run("stopping does not wait for the next try", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e := newEngine(t)
			var faults []error
			for range 50 {
				faults = append(faults, syscall.EMFILE)
			}
			r := run(t, e, newListener(listenConf(t, anyPort, nil), e.env(), &flaky{newPipes(), faults}))
			<-time.After(10*time.Second + time.Millisecond)
			begin := time.Now()
			r.stop()
			if d := time.Since(begin); d != 0 {
				t.Errorf("stopped after %s", d)
			}
		})
	})
}
