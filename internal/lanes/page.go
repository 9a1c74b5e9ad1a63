package lanes

import "time"

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
