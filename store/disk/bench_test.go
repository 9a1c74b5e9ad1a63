package disk

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

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
}
