package mllp

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/adapters/internal/nets"
	"github.com/spine-engine/spine-engine/internal/message"
)

// kilobyte is a frame of about 1 kB.
func kilobyte() string { return frame(adt("1") + strings.Repeat("NTE|1||0123456789\r", 43)) }

func benchListener(b *testing.B, yaml string) *running {
	e := newEngine(b)
	env := e.env()
	env.Log, env.Count = zerolog.Nop(), nil
	l, err := openListener(listenConf(b, yaml, nil), env)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	answer := aa()
	go func() {
		done <- l.Run(ctx, func(context.Context, *message.Envelope) (message.Receipt, error) { return answer, nil })
	}()
	b.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	return &running{engine: e, l: l}
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkListener: peers that wait for each answer. cpu-us/msg is of both
// sides together, for the peers run in the same process.
func BenchmarkListener(b *testing.B) {
	for _, conns := range []int{1, 16} {
		b.Run(fmt.Sprintf("connections=%d", conns), func(b *testing.B) {
			r := benchListener(b, anyPort)
			msg := []byte(kilobyte())
			var wg sync.WaitGroup
			b.ReportAllocs()
			b.SetBytes(int64(len(msg)))
			used := cpu()
			b.ResetTimer()
			for i := range conns {
				c := dialTCP(b, r.l.Addr())
				n := b.N / conns
				if i < b.N%conns {
					n++
				}
				wg.Go(func() {
					buf := make([]byte, 4<<10)
					for range n {
						c.Write(msg)
						for at := 0; at < 2 || buf[at-2] != 0x1C; {
							m, err := c.Read(buf[at:])
							if err != nil {
								b.Error(err)
								return
							}
							at += m
						}
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			b.ReportMetric(float64((cpu()-used).Microseconds())/float64(b.N), "cpu-us/msg")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}

// memConn is a peer without a network: what the listener itself costs.
type memConn struct {
	net.Conn
	msg  []byte
	left int
	at   int
}

func (m *memConn) Read(p []byte) (int, error) {
	if m.left == 0 {
		return 0, io.EOF
	}
	n := copy(p, m.msg[m.at:])
	if m.at += n; m.at == len(m.msg) {
		m.at = 0
		m.left--
	}
	return n, nil
}
func (m *memConn) Write(p []byte) (int, error)      { return len(p), nil }
func (m *memConn) Close() error                     { return nil }
func (m *memConn) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
func (m *memConn) SetDeadline(time.Time) error      { return nil }
func (m *memConn) SetReadDeadline(time.Time) error  { return nil }
func (m *memConn) SetWriteDeadline(time.Time) error { return nil }

// BenchmarkListenerAlone is the server side without sockets.
func BenchmarkListenerAlone(b *testing.B) {
	e := newEngine(b)
	env := e.env()
	env.Log, env.Count = zerolog.Nop(), nil
	l := newListener(listenConf(b, anyPort, nil), env, newPipes())
	answer := aa()
	b.ReportAllocs()
	b.SetBytes(int64(len(kilobyte())))
	used := cpu()
	c := newConn(l, &memConn{msg: []byte(kilobyte()), left: b.N}, nets.AddrOf(&memConn{}))
	c.serve(b.Context(), func(context.Context, *message.Envelope) (message.Receipt, error) { return answer, nil })
	b.ReportMetric(float64((cpu()-used).Microseconds())/float64(b.N), "cpu-us/msg")
}

func BenchmarkSender(b *testing.B) {
	r := benchListener(b, anyPort)
	cfg := connectConf(b, `{ connect: "`+r.l.Addr().String()+`" }`, nil)
	s := openSender(cfg, adapters.DestinationEnv{Name: "epr", Log: zerolog.Nop()})
	defer s.Close()
	d := &message.Delivery{Body: message.InMemory([]byte(strings.Trim(kilobyte(), "\x0B\x1C\r"))), ControlID: "1"}
	b.ReportAllocs()
	used := cpu()
	b.ResetTimer()
	for range b.N {
		if r, err := s.Send(b.Context(), d); err != nil || r.Code != "AA" {
			b.Fatal(r.Code, err)
		}
	}
	b.ReportMetric(float64((cpu()-used).Microseconds())/float64(b.N), "cpu-us/msg")
}

// BenchmarkIdle holds 2,000 connections that have each had one answer and
// reports what one costs the listener while nothing happens.
func BenchmarkIdle(b *testing.B) {
	const conns = 2000
	var lim syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim) != nil || lim.Cur < 2*conns+100 {
		b.Skip("the limit of open files is too low for 2,000 connections")
	}
	r := benchListener(b, `{ listen: "127.0.0.1:0", max_connections: 5000, max_connections_per_peer: 5000 }`)
	memory := func() float64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc + m.StackInuse)
	}
	before := memory()
	for range conns {
		c := dialTCP(b, r.l.Addr())
		send(b, c, kilobyte())
		answer(b, &oneByte{r: c})
	}
	b.ReportMetric((memory()-before)/conns, "B/connection")
	for range b.N {
	}
}
