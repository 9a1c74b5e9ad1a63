package lanes

import (
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
)

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
