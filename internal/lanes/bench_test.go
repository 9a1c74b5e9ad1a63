package lanes_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/spine-engine/spine-engine/internal/lanes"
	"github.com/spine-engine/spine-engine/internal/message"
)

// carrier answers every action of a queue at once, with a store in memory.
type carrier struct {
	q     *lanes.Queue
	now   time.Time
	store map[string][]*message.Delivery // by lane, in order
	done  int
	loads int
	code  string
}

func (c *carrier) run() {
	for {
		actions, wake := c.q.Next(c.now)
		if len(actions) == 0 {
			if wake.IsZero() {
				return
			}
			c.now = wake
			continue
		}
		for _, a := range actions {
			c.do(a)
		}
	}
}

func (c *carrier) do(a lanes.Action) {
	c.now = c.now.Add(time.Microsecond)
	switch a := a.(type) {
	case lanes.Send:
		rs := make([]lanes.Result, len(a.Deliveries))
		for i, d := range a.Deliveries {
			rs[i] = lanes.Result{Key: d.Key, Code: c.code}
		}
		c.q.Done(c.now, a.Lane, rs)
	case lanes.Load:
		c.loads++
		ds := c.store[a.Lane]
		for len(ds) > 0 && !a.After.Before(lanes.Cursor{Pos: ds[0].Pos, Key: ds[0].Key}) {
			ds = ds[1:]
		}
		c.store[a.Lane] = ds
		c.q.Loaded(c.now, a.Lane, ds[:min(len(ds), a.Limit)], nil)
	case lanes.Finish:
		c.done += len(a.Finished)
	}
}

// BenchmarkStrict is a strict queue at full flow: one copy announced, sent,
// answered and recorded per operation.
func BenchmarkStrict(b *testing.B) {
	for _, give := range []time.Duration{0, 24 * time.Hour} {
		b.Run("give_up_after_"+give.String(), func(b *testing.B) {
			p := lanes.Policy{Reply: table, Retry: lanes.Backoff{GiveUpAfter: give, Then: lanes.DeadLetter}}
			c := &carrier{q: lanes.New(p, 1), now: start, code: "AA"}
			b.ReportAllocs()
			for i := range b.N {
				seq := uint64(i + 1)
				c.q.Added(c.now, []*message.Delivery{{Key: message.Key{Seq: seq}, Pos: seq, Queue: "epr", Queued: c.now}})
				c.run()
			}
			if c.done != b.N || c.loads != 0 {
				b.Fatalf("%d of %d done, %d loads", c.done, b.N, c.loads)
			}
		})
	}
}

// BenchmarkLanes is a backlog of 27,000 lanes with 100 copies each, restored from
// the store and worked off by 4 sends at a time; the time is per copy.
func BenchmarkLanes(b *testing.B) {
	const width, depth = 27_000, 100
	p := lanes.Policy{Reply: table, Concurrency: 4, Retry: lanes.Backoff{GiveUpAfter: 24 * time.Hour, Then: lanes.DeadLetter}}
	copies := make([]message.Delivery, width*depth)
	names := make([]string, width)
	for i := range copies {
		name := &names[i%width]
		if *name == "" {
			*name = strconv.Itoa(i)
		}
		copies[i] = message.Delivery{Key: message.Key{Seq: uint64(i + 1)}, Pos: uint64(i + 1), Queue: "lims", Lane: *name, Queued: start}
	}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		c := &carrier{q: lanes.New(p, 1), now: start, code: "AA", store: map[string][]*message.Delivery{}}
		var known []lanes.Lane
		for i := range copies {
			c.store[copies[i].Lane] = append(c.store[copies[i].Lane], &copies[i])
		}
		for _, name := range names {
			ds := c.store[name]
			known = append(known, lanes.Lane{Name: name, Count: len(ds), Last: ds[len(ds)-1].Pos})
		}
		b.StartTimer()
		c.q.Restore(known)
		c.run()
		if c.done != len(copies) {
			b.Fatalf("%d of %d done", c.done, len(copies))
		}
		b.ReportMetric(float64(c.loads)/float64(len(copies)), "loads/copy")
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(copies)), "ns/copy")
}

// BenchmarkWaiting is the cost of one failure and its retry while 27,000 lanes
// wait: what an event costs must not depend on how many lanes there are.
func BenchmarkWaiting(b *testing.B) {
	for _, width := range []int{27, 27_000} {
		b.Run(strconv.Itoa(width), func(b *testing.B) {
			p := lanes.Policy{Reply: table, Concurrency: 4, MaxLoaded: 4096, Retry: lanes.Backoff{First: time.Second, Cap: time.Minute, Jitter: 0.2}}
			c := &carrier{q: lanes.New(p, 1), now: start, code: "AE", store: map[string][]*message.Delivery{}}
			for i := range width {
				d := &message.Delivery{Key: message.Key{Seq: uint64(i + 1)}, Pos: uint64(i + 1), Queue: "lims", Lane: strconv.Itoa(i), Queued: start}
				c.store[d.Lane] = []*message.Delivery{d}
				c.q.Added(c.now, []*message.Delivery{d})
			}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				actions, wake := c.q.Next(c.now)
				for _, a := range actions {
					c.do(a)
				}
				if len(actions) == 0 {
					c.now = wake
				}
			}
		})
	}
}
