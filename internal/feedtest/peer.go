package feedtest

import (
	"container/heap"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/lanes"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
)

// peer is the other side of a queue. It follows its script; the last entry repeats.
type peer struct {
	script  []routes.SpecAnswer
	at      int // entry
	used    int // how often
	done    string
	replies bool          // it answers; a mailbox does not
	after   time.Duration // how long an answer is waited for
	limit   int           // the greatest number of retries in the reply table
	arrived []string      // control ids
}

// replyAfter is the adapters' own default.
const replyAfter = 30 * time.Second

// How the adapters put these into words.
var (
	errRefused = errors.New("connection refused")
	errNoFile  = errors.New("the file cannot be written")
	errClosed  = errors.New("waiting for the answer: the peer closed the connection without an answer")
)

func newPeer(d *routes.Destination, script []routes.SpecAnswer) *peer {
	p := &peer{script: script, done: doneCode(d.Policy.Reply), replies: d.Config.Traits().NeedsReply, after: d.Policy.ReplyAfter}
	if p.after <= 0 {
		p.after = replyAfter
	}
	for _, r := range d.Policy.Reply {
		p.limit = max(p.limit, r.Retries)
	}
	if len(p.script) == 0 {
		p.script = []routes.SpecAnswer{{Times: 1}}
	}
	return p
}

// doneCode is the reply that the table says is done.
func doneCode(table map[string]routes.Rule) string {
	usual := []string{"AA", adapters.Written, "200", "201", "202", "204", "CA"}
	for _, c := range append(usual, slices.Sorted(maps.Keys(table))...) {
		switch {
		case table[c].Do != routes.DoDone:
		case len(c) == 3 && c[1:] == "xx":
			return c[:1] + "00"
		case c == "other":
			return "200"
		default:
			return c
		}
	}
	if r, ok := table["2xx"]; ok && r.Do == routes.DoDone {
		return "200"
	}
	return adapters.Written
}

func (p *peer) next() *routes.SpecAnswer {
	if p.used >= p.script[p.at].Times && p.at < len(p.script)-1 {
		p.at, p.used = p.at+1, 0
	}
	p.used++
	return &p.script[p.at]
}

// repeats reports whether the script will not change any more.
func (p *peer) repeats() bool { return p.at == len(p.script)-1 }

// answer is what an adapter would report of one copy, and how long it took. A
// late answer is thrown away with its connection.
func (p *peer) answer(d *message.Delivery) (r lanes.Result, took time.Duration) {
	a := p.next()
	r, took = lanes.Result{Key: d.Key}, a.Wait
	if a.Kind == routes.AnswerRefuse {
		r.Err = errRefused
		if !p.replies {
			r.Err = errNoFile
		}
		return r, took
	}
	p.arrived = append(p.arrived, d.ControlID)
	switch {
	case a.Kind == routes.AnswerNothing, p.replies && a.Wait > p.after:
		r.Code, took = adapters.NoReply, p.after
	case a.Kind == routes.AnswerWrongID:
		r.Code, took = adapters.WrongID, p.after // ours may still come
	case a.Kind == routes.AnswerClose:
		r.Err = errClosed
	case a.Code != "":
		r.Code = a.Code
	default:
		r.Code = p.done
	}
	return r, took
}

// send plays a send: the copies one after the other, up to the first that fails.
func (w *world) send(q *queue, s lanes.Send) {
	under := &underway{queue: q, lane: s.Lane, at: w.now, order: w.sends}
	for _, d := range s.Deliveries {
		w.sends++
		q.vain++
		r, took := q.peer.answer(d)
		under.results = append(under.results, r)
		under.at = under.at.Add(took)
		if r.Err != nil || len(s.Deliveries) > 1 && r.Code != q.peer.done {
			break
		}
	}
	w.exceeded = w.sends >= mostSends
	heap.Push(&w.answers, under)
}

// underway is a send whose answer comes at a time.
type underway struct {
	queue   *queue
	lane    string
	at      time.Time
	order   int // among those of one instant
	results []lanes.Result
}

// answers are sends under way, the next answer first.
type answers []*underway

func (a answers) Len() int { return len(a) }
func (a answers) Less(i, j int) bool {
	if !a[i].at.Equal(a[j].at) {
		return a[i].at.Before(a[j].at)
	}
	return a[i].order < a[j].order
}
func (a answers) Swap(i, j int) { a[i], a[j] = a[j], a[i] }

// Push and Pop are container/heap's.
func (a *answers) Push(x any) { *a = append(*a, x.(*underway)) }

// Pop as above.
func (a *answers) Pop() any {
	n := len(*a) - 1
	x := (*a)[n]
	*a = (*a)[:n]
	return x
}

func (a *answers) pop() *underway { return heap.Pop(a).(*underway) }
