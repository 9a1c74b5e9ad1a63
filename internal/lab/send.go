package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// sent is what a run of the cheap sender says on its standard output.
type sent struct {
	Acked   int     `json:"acked"`
	Refused int     `json:"refused"`
	Seconds float64 `json:"seconds"` // from the first connection's start to the last answer
	Median  float64 `json:"p50_ms"`
	P99     float64 `json:"p99_ms"`
	CPU     float64 `json:"-"` // seconds of processor that the sender took
}

func (s sent) rate() float64 { return ratio(float64(s.Acked), s.Seconds) }

// sendMain is the cheap sender of the measurements, a process of its own: one
// frame per connection built beforehand, in which only the digits of the control
// id change; one message in flight per connection; of an answer only "MSA|AA|"
// and the control id are looked at.
//
// With -paced it sends message number n only when a number above n has come on its
// standard input (8 bytes, little endian).
func sendMain(args []string) error {
	f := flag.NewFlagSet("_send", flag.ContinueOnError)
	b := &blast{}
	f.StringVar(&b.to, "to", "", "address")
	f.IntVar(&b.connections, "connections", connections, "")
	f.IntVar(&b.most, "messages", 0, "in all; 0 = until the time is over")
	f.DurationVar(&b.length, "for", time.Hour, "how long")
	f.IntVar(&b.size, "size", 1000, "bytes of a message")
	f.Int64Var(&b.seed, "seed", 1, "")
	f.IntVar(&b.first, "first", 0, "number of the first message of each connection")
	f.BoolVar(&b.paced, "paced", false, "wait for numbers on standard input")
	if err := f.Parse(args); err != nil {
		return err
	}
	out, err := b.run()
	return errors.Join(err, json.NewEncoder(os.Stdout).Encode(out))
}

// blast is one run of the cheap sender.
type blast struct {
	to                             string
	connections, most, size, first int
	length                         time.Duration
	seed                           int64
	paced                          bool

	until   time.Time
	issued  atomic.Int64
	refused atomic.Int64
	mu      sync.Mutex
	allowed int64
	more    *sync.Cond
}

func (b *blast) run() (sent, error) {
	b.more = sync.NewCond(&b.mu)
	if b.paced {
		go b.readPace()
	}
	began := time.Now()
	b.until = began.Add(b.length)
	times := make([][]time.Duration, b.connections)
	errs := make([]error, b.connections)
	var wg sync.WaitGroup
	for n := range b.connections {
		wg.Go(func() { times[n], errs[n] = b.connection(n) })
	}
	wg.Wait()
	took := time.Since(began)
	all := slices.Concat(times...)
	slices.Sort(all)
	out := sent{Acked: len(all), Refused: int(b.refused.Load()), Seconds: took.Seconds()}
	if len(all) > 0 {
		out.Median, out.P99 = ms(all[len(all)/2]), ms(all[len(all)*99/100])
	}
	return out, errors.Join(errs...)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (b *blast) readPace() {
	var buf [8]byte
	for {
		_, err := io.ReadFull(os.Stdin, buf[:])
		b.mu.Lock()
		if err != nil { // the one who paces has gone: nothing more may be sent
			b.until = time.Now()
			b.mu.Unlock()
			b.more.Broadcast()
			return
		}
		b.allowed = int64(binary.LittleEndian.Uint64(buf[:]))
		b.mu.Unlock()
		b.more.Broadcast()
	}
}

// ticket waits until one more message may be sent; false = no more.
func (b *blast) ticket() bool {
	n := b.issued.Add(1)
	if b.most > 0 && n > int64(b.most) {
		return false
	}
	if !b.paced {
		return time.Now().Before(b.until)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for n > b.allowed && time.Now().Before(b.until) {
		b.more.Wait()
	}
	return time.Now().Before(b.until)
}

func (b *blast) connection(n int) ([]time.Duration, error) {
	conn, err := net.Dial("tcp", b.to)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	g := generator{prefix: 'M', seed: b.seed, size: b.size}
	frame := append(append([]byte{0x0b}, g.body(n, 0)...), 0x1c, '\r')
	digits := frame[bytes.Index(frame, []byte(g.id(n, 0)))+4:][:9]
	want := []byte("MSA|AA|" + g.id(n, 0))
	r := bufio.NewReaderSize(conn, 64<<10)
	var times []time.Duration
	for i := b.first; b.ticket(); i++ {
		putDigits(digits, i)
		copy(want[len(want)-9:], digits)
		at := time.Now()
		ok, err := exchange(conn, r, frame, want)
		if err != nil {
			return times, fmt.Errorf("connection %d after %d messages: %w", n, len(times), err)
		}
		if !ok {
			b.refused.Add(1)
			continue
		}
		times = append(times, time.Since(at))
	}
	return times, nil
}

func exchange(conn net.Conn, r *bufio.Reader, frame, want []byte) (bool, error) {
	if _, err := conn.Write(frame); err != nil {
		return false, err
	}
	answer, err := r.ReadSlice(0x1c)
	if err != nil {
		return false, err
	}
	ok := bytes.Contains(answer, want)
	_, err = r.Discard(1)
	return ok, err
}

// putDigits writes n in nine digits.
func putDigits(b []byte, n int) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
}
