package storetest

import (
	"fmt"
	"slices"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

// model is the store as a map and a slice.
type model struct {
	msgs    []*mMessage // oldest first
	copies  map[message.Key]*mCopy
	origins map[string]message.Receipt
	paused  map[store.Subject]bool
}

type mMessage struct {
	id      message.ID
	env     *message.Envelope
	raw     string
	first   *message.Decision
	last    *message.Decision // in force
	outcome message.Outcome
	copies  []*mCopy
	actions []store.Action // without times
}

type mCopy struct {
	of *mMessage
	message.Delivery
	bytes string
	code  string
	tries []int // what Attempts may be: a note may or may not have been written
	held  bool  // when it was made

	slot    *store.Slot // nil = as the record says
	repeats message.Key
}

func newModel() *model {
	return &model{copies: map[message.Key]*mCopy{}, origins: map[string]message.Receipt{}, paused: map[store.Subject]bool{}}
}

func (m *model) append(d *message.Decision, rec message.Receipt, raw string, bytes []string) {
	mm := &mMessage{id: d.Envelope.ID, env: d.Envelope, raw: raw, first: d, last: d, outcome: d.Outcome}
	m.msgs = append(m.msgs, mm)
	m.add(mm, d, bytes)
	if d.Envelope.Origin != "" {
		m.origins[d.Envelope.Origin] = rec
	}
}

// add takes the copies of a record in.
func (m *model) add(mm *mMessage, d *message.Decision, bytes []string) {
	for i := range d.Deliveries {
		c := &mCopy{of: mm, Delivery: d.Deliveries[i], bytes: bytes[i], tries: []int{d.Deliveries[i].Attempts},
			held: d.Deliveries[i].State == message.CopyHeld}
		mm.copies = append(mm.copies, c)
		m.copies[c.Key] = c
	}
}

// replace lets old copies go and new ones come.
func (m *model) replace(mm *mMessage, rep store.Replacement, seq uint64, bytes []string) {
	was := map[message.Key]mCopy{}
	for _, o := range rep.Old {
		c := m.copies[o.Key]
		was[o.Key] = *c
		if c.State != message.Queued {
			c.tries = []int{0}
		}
		c.State, c.Stopped, c.Reason, c.code = o.State, false, o.Reason, ""
	}
	mm.actions = append(mm.actions, store.Action{What: "reprocess", Person: person})
	if rep.New == nil {
		return
	}
	m.add(mm, rep.New, bytes)
	for i := range rep.In {
		c, old := m.copies[message.Key{Seq: seq, N: uint16(i)}], was[rep.Old[rep.In[i].Of].Key]
		c.slot, c.repeats, c.Pos = &rep.In[i].Slot, old.Key, old.Pos
		if old.State == message.Queued {
			c.Queued = old.Queued
		}
	}
}

// finish says what a new state does: nothing to a copy no longer queued, unless
// it was delivered.
func (m *model) finish(f message.Finished) {
	c := m.copies[f.Key]
	if c.State != message.Queued && f.State != message.Delivered {
		return
	}
	if c.State == message.Delivered {
		return
	}
	c.State, c.code, c.Reason, c.tries = f.State, f.Code, f.Reason, []int{f.Attempts}
	c.Stopped = f.Stopped && f.State == message.Queued
}

func (m *model) note(f message.Finished) {
	if c := m.copies[f.Key]; c.State == message.Queued {
		c.tries = append(c.tries, f.Attempts)
	}
}

// lane gives the queued copies of a lane in order.
func (m *model) lane(queue, lane string) []*mCopy {
	var out []*mCopy
	for _, c := range m.copies {
		if c.State == message.Queued && c.Queue == queue && c.Lane == lane {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b *mCopy) int { return order(&a.Delivery, &b.Delivery) })
	return out
}

func order(a, b *message.Delivery) int {
	for _, p := range [][2]uint64{{a.Pos, b.Pos}, {a.Key.Seq, b.Key.Seq}, {uint64(a.Key.N), uint64(b.Key.N)}} {
		if p[0] != p[1] {
			if p[0] < p[1] {
				return -1
			}
			return 1
		}
	}
	return 0
}

// lanes gives the lanes of a queue.
func (m *model) lanes(queue string) map[string]store.Lane {
	out := map[string]store.Lane{}
	for _, c := range m.copies {
		if c.State == message.Queued && c.Queue == queue {
			l := out[c.Lane]
			out[c.Lane] = store.Lane{Name: c.Lane, Count: l.Count + 1, Last: max(l.Last, c.Pos)}
		}
	}
	return out
}

// queues sums up the queues. The oldest copy is the first in the journal's order,
// whatever clocks say.
func (m *model) queues() map[string]store.Queue {
	out := map[string]store.Queue{}
	first := map[string]*mCopy{}
	for _, c := range m.copies {
		if c.State != message.Queued {
			continue
		}
		if f := first[c.Queue]; f == nil || order(&c.Delivery, &f.Delivery) < 0 {
			first[c.Queue] = c
		}
		out[c.Queue] = store.Queue{Name: c.Queue, Queued: out[c.Queue].Queued + 1, Oldest: first[c.Queue].Queued}
	}
	return out
}

func (m *model) totals() store.Totals {
	t := store.Totals{Messages: map[message.Outcome]int{}, Copies: map[message.CopyState]int{}}
	for _, mm := range m.msgs {
		t.Messages[mm.outcome]++
	}
	for _, c := range m.copies {
		t.Copies[c.State]++
	}
	return t
}

// list answers a query the long way.
func (m *model) list(q store.Query) []message.ID {
	if q.Limit == 0 {
		q.Limit = 100
	}
	older := q.Before == message.ID{}
	var out []message.ID
	for i := len(m.msgs) - 1; i >= 0 && len(out) < q.Limit; i-- {
		mm := m.msgs[i]
		if older && mm.fits(q) {
			out = append(out, mm.id)
		}
		older = older || mm.id == q.Before
	}
	return out
}

func (mm *mMessage) fits(q store.Query) bool {
	feed := slices.ContainsFunc(mm.last.Parts, func(p message.Part) bool { return p.Feed == q.Feed })
	state := slices.ContainsFunc(mm.copies, func(c *mCopy) bool { return c.State == q.Copy })
	queue := slices.ContainsFunc(mm.copies, func(c *mCopy) bool { return c.Queue == q.Queue })
	return (q.Outcome == 0 || mm.outcome == q.Outcome) && (q.Copy == 0 || state) && (q.Feed == "" || feed) &&
		(q.Queue == "" || queue) && (q.Source == "" || mm.env.Source == q.Source) && !mm.env.Received.Before(q.Since)
}

func (c *mCopy) String() string { return fmt.Sprintf("%s %s", c.Delivery.String(), c.State) }
