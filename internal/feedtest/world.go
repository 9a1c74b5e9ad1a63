package feedtest

import (
	"encoding/binary"
	"hash/fnv"
	"slices"
	"time"

	"github.com/spine-engine/spine-engine/internal/lanes"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/internal/schedule"
	"github.com/spine-engine/spine-engine/routes"
)

// begin is when a test's clock starts unless it says so: a Monday morning.
var begin = time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)

const (
	longest   = 14 * 24 * time.Hour // simulated, where trying never ends
	margin    = 24 * time.Hour      // beyond the time at which trying ends
	mostSends = 200_000             // of one test
)

// world is what one test plays in: a clock, the queues with their peers, and a
// record of everything that happened.
type world struct {
	plan   *routes.Plan
	test   *routes.Test
	decide func(*message.Envelope, time.Time) *message.Decision
	feeds  []string // whose copies are sent; nil = all

	now      time.Time
	agenda   []arrival // what is still to be sent, in order
	last     time.Time // when the last of it is sent
	answers  answers   // sends under way
	queues   []*queue  // those with copies, in the order of the project
	seq      uint64
	sends    int
	exceeded bool

	sent    []*sent
	origins map[string]*sent
	copies  []*record // in the order they were queued
	byKey   map[message.Key]*record
	landed  int // copies delivered so far
}

// sent is a message that was sent, and what was decided.
type sent struct {
	number    int // from 1
	at        time.Time
	decision  *message.Decision
	duplicate bool // a repeat: the decision is the first one's, nothing was added
}

// record is what became of one copy.
type record struct {
	d        *message.Delivery
	of       *sent
	state    message.CopyState
	stopped  bool
	attempts int
	reason   string
	order    int // of its delivery, from 1
}

func newWorld(p *routes.Plan, t *routes.Test) *world {
	w := &world{plan: p, test: t, decide: p.Decide, origins: map[string]*sent{}, byKey: map[message.Key]*record{}}
	w.feeds = played(p, t)
	w.now = t.Now
	if w.now.IsZero() && len(t.Sends) > 0 {
		w.now = t.Sends[0].At
	}
	if w.now.IsZero() {
		w.now = begin
	}
	w.agenda = agenda(t, w.now)
	if n := len(w.agenda); n > 0 {
		w.last = w.agenda[n-1].at
	}
	return w
}

// played gives the feeds whose copies are sent: the test's own, those it hands
// messages to, and those it names. Others that share the listener have tests of
// their own, and would use up the scripts of peers. Naming a peer alone means
// whoever sends to it.
func played(p *routes.Plan, t *routes.Test) []string {
	feeds := p.Reaches(t.Feed)
	for _, d := range t.Expect.Destinations() {
		if d.Feed == "" {
			return nil
		}
		feeds = append(feeds, d.Feed)
	}
	return feeds
}

// run lets time pass until nothing is left to happen.
func (w *world) run() {
	for {
		at, ok := w.next()
		if !ok || at.After(w.end()) || w.hopeless() || w.exceeded {
			return
		}
		w.now = at
		for len(w.answers) > 0 && !w.answers[0].at.After(at) {
			a := w.answers.pop()
			a.queue.lanes.Done(at, a.lane, a.results)
			a.queue.touched = true
		}
		for len(w.agenda) > 0 && !w.agenda[0].at.After(at) {
			a := w.agenda[0]
			w.agenda = w.agenda[1:]
			w.accept(a)
		}
		for _, q := range w.queues {
			if q.touched || !q.wake.IsZero() && !q.wake.After(at) {
				w.step(q)
			}
		}
	}
}

// next is when something happens next; false when nothing does.
func (w *world) next() (at time.Time, ok bool) {
	sooner := func(t time.Time) {
		if !t.IsZero() && (!ok || t.Before(at)) {
			at, ok = t, true
		}
	}
	if len(w.agenda) > 0 {
		sooner(w.agenda[0].at)
	}
	if len(w.answers) > 0 {
		sooner(w.answers[0].at)
	}
	for _, q := range w.queues {
		if q.open > 0 {
			sooner(q.wake)
		}
	}
	return at, ok
}

// end is until when the test runs at the latest.
func (w *world) end() time.Time {
	if w.test.For > 0 {
		return w.last.Add(w.test.For)
	}
	most := time.Duration(0)
	for _, q := range w.queues {
		if g := q.policy.GiveUpAfter; g > 0 {
			most = max(most, g+margin)
		} else {
			most = max(most, longest)
		}
	}
	return w.last.Add(most)
}

// hopeless: all is sent, and every queue that still tries will go on so for ever.
func (w *world) hopeless() bool {
	if w.test.For > 0 || len(w.agenda) > 0 || len(w.answers) > 0 {
		return false
	}
	return !slices.ContainsFunc(w.queues, func(q *queue) bool { return q.open > 0 && !q.wake.IsZero() && !q.hopeless() })
}

// queue gives the queue of a name, made when its first copy comes.
func (w *world) queue(name string) *queue {
	for _, q := range w.queues {
		if q.name == name {
			return q
		}
	}
	i := slices.IndexFunc(w.plan.Destinations(), func(d routes.Destination) bool { return d.Queue == name })
	if i < 0 {
		return nil
	}
	d := &w.plan.Destinations()[i]
	q := &queue{name: name, rank: i, windows: d.Policy.Pause, policy: d.Policy.Retry, pages: map[string][]*record{},
		lanes: lanes.New(schedule.Policy(*d), seed(w.test, name)), peer: newPeer(d, w.test.Peers[name])}
	at, _ := slices.BinarySearchFunc(w.queues, q.rank, func(q *queue, rank int) int { return q.rank - rank })
	w.queues = slices.Insert(w.queues, at, q)
	return q
}

// seed is another one for every test and queue, and always the same.
func seed(t *routes.Test, queue string) uint64 {
	h := fnv.New64a()
	for _, s := range []string{t.Feed, t.Name, queue} {
		h.Write([]byte(s)) // a hash never fails
		h.Write([]byte{0})
	}
	return h.Sum64()
}

// id is the next message id: its time is the clock's, the rest counts up.
func (w *world) id() (id message.ID) {
	_ = id.SetTime(uint64(w.now.UnixMilli())) // fails in the year 10889
	binary.BigEndian.PutUint64(id[8:], uint64(len(w.sent)+1))
	return id
}
