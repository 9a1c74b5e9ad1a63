package lanes

import (
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
)

const (
	maxLoads  = 8   // loads under way, all lanes together
	leastPage = 16  // copies, unless MaxLoaded is very small
	mostPage  = 256 // unless two batches are more
	loadFirst = time.Second
	loadCap   = time.Minute
)

// pageSize is how many copies a load asks for: many for a few lanes, few for many.
// A lane is served from its page in turn with the others in memory, and goes to
// the end of those that want one when it is used up.
func (q *Queue) pageSize() int {
	p := &q.policy
	n := p.MaxLoaded / (4 * max(1, len(q.all)))
	n = min(max(n, leastPage, 2*p.Batch), max(mostPage, 2*p.Batch))
	return max(1, min(n, p.MaxLoaded/2))
}

// wants reports whether the lane wants a page: half of the last one is used up,
// or, when the next copy did not fit beside the others, all of it.
func (q *Queue) wants(l *lane) bool {
	if l.page != nil || !l.more() || l.resting(q.v) {
		return false
	}
	n := l.copies.len()
	return n == 0 || !l.tight && n <= q.pageSize()/2
}

// loads asks for pages while there is room, in the order in which lanes came to
// want one.
func (q *Queue) loads() {
	q.starved = false
	if q.pause {
		return
	}
	for q.loading < maxLoads {
		l := q.hungry.front()
		if l == nil {
			return
		}
		if l.gone || !q.wants(l) || l.loadAt > q.v {
			q.hungry.pop()
			continue
		}
		n := q.room(q.pageSize())
		if n == 0 {
			q.starved = true
			return
		}
		q.hungry.pop()
		q.load(l, n)
	}
}

func (q *Queue) load(l *lane, n int) {
	l.page = &page{limit: n, asked: l.tail, full: l.disk > n}
	q.loading++
	q.reserved += n
	q.actions = append(q.actions, Load{l.name, l.loaded, n})
}

// room is how many copies may be loaded, at most want, or 0: rather than asking
// for a copy or two whenever as many have left, it waits for the room of a small
// page. Lanes that wait give up what they hold in memory for it.
func (q *Queue) room(want int) int {
	least := min(want, leastPage)
	for q.free() < least || q.bytes >= q.policy.MaxBytes {
		if !q.evict() {
			return 0
		}
	}
	return min(want, q.free())
}

func (q *Queue) free() int { return q.ordinary() - q.count - q.reserved }

// rest keeps the memory of a lane that waits small, and its copies at hand for
// whoever needs the room more.
func (q *Queue) rest(l *lane) {
	if q.pageOut(l, q.few()); l.copies.len() == 0 {
		return
	}
	for range min(2, q.resting.n) { // so that the ring holds no lanes of long ago
		if o := q.resting.pop(); q.evictable(o) {
			q.resting.push(o)
		}
	}
	q.resting.push(l)
}

func (q *Queue) evictable(l *lane) bool {
	return !l.gone && l.page == nil && l.copies.len() > 0 && l.resting(q.v)
}

// evict drops what one waiting lane holds, and reports whether there was one.
func (q *Queue) evict() bool {
	for l := q.resting.pop(); l != nil; l = q.resting.pop() {
		if q.evictable(l) {
			q.pageOut(l, 0)
			return true
		}
	}
	return false
}

// pageOut keeps the first n copies in memory; the rest is on disk anyway. While a
// page is under way nothing goes: it would leave a gap.
func (q *Queue) pageOut(l *lane, n int) {
	if l.copies.len() <= n || l.page != nil || l.sent > 0 {
		return
	}
	q.adopt(l)
	for _, d := range l.copies.cut(n) {
		q.release(d)
		l.disk++
	}
	l.loaded = l.done
	if n > 0 {
		l.loaded = cursorOf(l.copies.at(n - 1))
	}
}

// Loaded answers a Load with the copies that the store gave, or with its error;
// then the lane asks again after a while.
func (q *Queue) Loaded(now time.Time, name string, ds []*message.Delivery, err error) {
	q.tick(now)
	l := q.lanes[name]
	if l == nil || l.page == nil {
		return
	}
	p := l.page
	l.page = nil
	q.loading--
	q.reserved -= p.limit
	if err != nil {
		l.loadAt = q.in(Backoff{First: loadFirst, Cap: loadCap, Factor: 2}.base(l.misses))
		l.misses++
		q.putAway(p)
	} else {
		l.loadAt, l.misses = 0, 0
		q.unpack(l, p, ds)
	}
	q.place(l)
}

// unpack appends a page to the lane. What a person did to its copies after it was
// read wins over what it says.
func (q *Queue) unpack(l *lane, p *page, ds []*message.Delivery) {
	whole := true
	for i, d := range ds {
		at := cursorOf(d)
		if !l.loaded.Before(at) {
			continue
		}
		news, changed := p.amend[at]
		if changed && news == nil {
			l.loaded = at
			continue
		}
		if changed {
			d = news
		}
		if i >= p.limit || !q.fits(l, d) {
			whole = false
			break
		}
		q.append(l, d)
	}
	l.tight = !whole
	l.tail = later(l.tail, l.loaded)
	if whole && (len(ds) == 0 || !cursorOf(ds[len(ds)-1]).Before(p.asked)) {
		l.loaded = later(l.loaded, p.asked)
	}
	q.catchUp(l, p)
	q.reconcile(l)
}

// fits reports whether a loaded copy may stay. One always may, however large.
func (q *Queue) fits(l *lane, d *message.Delivery) bool {
	return l.copies.len() == 0 || q.bytes+d.Body.Footprint() <= q.policy.MaxBytes
}

func (q *Queue) append(l *lane, d *message.Delivery) {
	q.hold(d)
	l.copies.push(d)
	l.loaded = cursorOf(d)
	l.disk = max(l.disk-1, 0)
}

// catchUp appends what was announced while the page was under way, if the page
// reached so far.
func (q *Queue) catchUp(l *lane, p *page) {
	reached := !l.loaded.Before(p.asked)
	q.putAway(p)
	for _, d := range p.side {
		if reached && l.loaded.Before(cursorOf(d)) {
			q.append(l, d)
		}
	}
	if !l.more() {
		l.disk = 0
	}
}

// reconcile forgets a head that the store does not know any more.
func (q *Queue) reconcile(l *lane) {
	if l.sent > 0 || !l.head.known || l.loaded.Before(l.head.at) {
		return
	}
	if l.copies.len() == 0 || cursorOf(l.copies.at(0)) != l.head.at {
		l.head = head{}
	}
}

// aside keeps a copy that was announced while a page is under way, if the page is
// expected to be the last and there is room.
func (q *Queue) aside(l *lane, d *message.Delivery) {
	p := l.page
	if p.full || q.free() <= 0 || q.bytes+d.Body.Footprint() > q.policy.MaxBytes {
		p.full = true
		return
	}
	q.hold(d)
	p.side = append(p.side, d)
}

func (q *Queue) removeAside(l *lane, at Cursor) {
	p := l.page
	for i, d := range p.side {
		if cursorOf(d) == at {
			q.release(d)
			p.side = append(p.side[:i], p.side[i+1:]...)
			return
		}
	}
}

// putAway takes what stood aside out of the count.
func (q *Queue) putAway(p *page) {
	for _, d := range p.side {
		q.release(d)
	}
}

// note remembers what happened to a copy since the page was asked for.
func (p *page) note(at Cursor, d *message.Delivery) {
	if p.amend == nil {
		p.amend = map[Cursor]*message.Delivery{}
	}
	p.amend[at] = d
}
