package disk

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sys/unix"

	"github.com/spine-engine/spine-engine/internal/message"
)

// benchDecision is a message of 1 kB with one untouched copy.
func benchDecision(n uint64, origin bool) *message.Decision {
	body := message.InMemory(make([]byte, 1000))
	now := time.Now()
	d := &message.Decision{
		Envelope: &message.Envelope{ID: ulid.MustNew(ulid.Timestamp(now), ulid.DefaultEntropy()), Received: now, Source: "pas", Remote: "10.0.0.1:4711", Body: body},
		Outcome:  message.Routed, Type: "ADT", Event: "A01", ControlID: "M0000001",
		Parts: []message.Part{{Feed: "adt", Outcome: message.Routed, Rule: message.Place{File: "feeds/adt.yaml", Line: 12}, Copies: 1}},
		Reply: message.Reply{Code: "AA"},
		Deliveries: []message.Delivery{{Queue: "adt/lab", Feed: "adt", Lane: fmt.Sprint(n % 500), Body: body,
			ControlID: "M0000001", Queued: now, State: message.Queued}},
	}
	if origin {
		d.Envelope.Origin = fmt.Sprintf("file:%d:1", n)
	}
	return d
}

// BenchmarkDecision is the cost of making what the other benchmarks store.
func BenchmarkDecision(b *testing.B) {
	cpu := cpuTime(b)
	for i := range b.N {
		benchDecision(uint64(i), false)
	}
	b.ReportMetric(float64((cpuTime(b)-cpu).Nanoseconds())/float64(b.N), "cpu-ns/msg")
}

func BenchmarkAppend16(b *testing.B) { benchmarkAppend(b, 16, false, false) }

func BenchmarkAppend16Origins(b *testing.B) { benchmarkAppend(b, 16, true, false) }

func BenchmarkAppendFinish(b *testing.B) { benchmarkAppend(b, 16, false, true) }

func benchmarkAppend(b *testing.B, callers int, origins, finish bool) {
	s, err := Open(b.TempDir(), Options{MinFree: -1})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var n atomic.Uint64
	var wg sync.WaitGroup
	cpu := cpuTime(b)
	b.ResetTimer()
	for range callers {
		wg.Go(func() {
			var fs []message.Finished
			for {
				i := n.Add(1)
				if i > uint64(b.N) {
					break
				}
				d := benchDecision(i, origins)
				if _, err := s.Append(context.Background(), d); err != nil {
					b.Error(err)
					return
				}
				v := &d.Deliveries[0]
				if finish {
					fs = append(fs, message.Finished{Key: v.Key, Pos: v.Pos, Queue: v.Queue, Lane: v.Lane, State: message.Delivered, At: v.Queued, Attempts: 1, Code: "AA"})
				}
				if len(fs) == 64 {
					if err := s.Finish(context.Background(), fs); err != nil {
						b.Error(err)
						return
					}
					fs = fs[:0]
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
	b.ReportMetric(float64((cpuTime(b)-cpu).Nanoseconds())/float64(b.N), "cpu-ns/msg")
	b.ReportMetric(anonMiB(b), "anon-MiB")
}

// anonMiB is the ordinary memory of this process, without mapped files.
func anonMiB(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "RssAnon:")
	var kb float64
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		b.Fatal(err)
	}
	return kb / 1024
}

// cpuTime is what this process has used, in user and kernel.
func cpuTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkOpen1GB measures opening a store of 1 GB that was not closed: from the
// call to the answer whether anything is queued.
func BenchmarkOpen1GB(b *testing.B) {
	if testing.Short() {
		b.Skip("skipped with -short: opening a store of 1 GB")
	}
	dir := b.TempDir()
	s, err := Open(dir, Options{MinFree: -1})
	if err != nil {
		b.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for i := uint64(0); s.log.size*4 > int64(s.view.offset()); i++ {
				d := benchDecision(i, false)
				if i%4 == 0 {
					d.Envelope.Origin = d.Envelope.ID.String()
				}
				if _, err := s.Append(context.Background(), d); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	s.Crash()
	b.ResetTimer()
	for range b.N {
		s, err := Open(dir, Options{MinFree: -1})
		if err != nil {
			b.Fatal(err)
		}
		if qs, err := s.Queues(); err != nil || len(qs) != 1 {
			b.Fatal(qs, err)
		}
		s.Crash()
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/open")
}

// BenchmarkView measures what the view costs per message: delta and file, for
// messages whose copies are delivered in the same second, or stay queued.
func BenchmarkView(b *testing.B) {
	for _, delivered := range []bool{true, false} {
		b.Run(fmt.Sprintf("delivered=%v", delivered), func(b *testing.B) {
			v, err := openView(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			defer v.close()
			seq := uint64(segmentHeader)
			const window = 10_000
			for n := 0; n < b.N; n += window {
				b.StopTimer()
				evs := benchEvents(&seq, window, delivered)
				b.StartTimer()
				for i := 0; i < len(evs); i += 16 {
					if err := v.apply(evs[i:min(i+16, len(evs))]); err != nil {
						b.Fatal(err)
					}
				}
				if err := v.flush(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func benchEvents(seq *uint64, n int, delivered bool) []event {
	var evs []event
	var fs []message.Finished
	for i := range n {
		d := benchDecision(uint64(i), false)
		setKeys(d, *seq)
		evs = append(evs, event{seq: *seq, end: *seq + 1300, typ: recAccepted, d: d})
		*seq += 1300
		v := &d.Deliveries[0]
		fs = append(fs, message.Finished{Key: v.Key, Pos: v.Pos, Queue: v.Queue, Lane: v.Lane, State: message.Delivered, Attempts: 1})
		if delivered && len(fs) == 64 {
			evs = append(evs, event{seq: *seq, end: *seq + 2000, typ: recFinished, fs: fs})
			*seq += 2000
			fs = nil
		}
	}
	return evs
}
