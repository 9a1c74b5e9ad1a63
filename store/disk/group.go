package disk

import (
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

// group is what one sync makes durable together.
type group struct {
	s       *Store
	now     time.Time
	buf     []byte // frames not written yet
	rs      []*request
	evs     []event
	commits []store.Commit
	origins map[originKey]firstSeen // of the group, not durable yet
}

// take adds a request. An action is a group of its own, because it depends on
// what everything before it has done.
func (g *group) take(r *request) {
	if r.prepare == nil {
		g.add(r)
		return
	}
	g.finish()
	if r.err = g.s.usableByWriter(); r.err == nil {
		r.err = r.prepare(r)
	}
	if r.err != nil {
		r.done <- struct{}{}
		return
	}
	if r.ev.act != nil {
		g.add(r)
	} else { // of a batch each is a record of its own
		for _, b := range r.batch {
			g.add(b)
		}
		g.rs = append(g.rs, r)
	}
	g.finish()
}

// add frames a record at the log's end, unless its origin is known.
func (g *group) add(r *request) {
	g.rs = append(g.rs, r)
	if r.err = g.begin(); r.err != nil {
		return
	}
	if r.ev.origin != (originKey{}) && g.isKnown(r) {
		return
	}
	g.frame(&r.ev, r.enc, r.sum)
	if r.ev.d != nil {
		setKeys(r.ev.d, r.ev.seq)
		r.commit.Queued = queuedOf(r.ev.d)
	}
	if r.ev.act != nil {
		placeActed(r)
	}
	if len(r.commit.Queued)+len(r.commit.Removed) > 0 {
		g.commits = append(g.commits, r.commit)
	}
	if len(g.buf) >= groupMax {
		g.flush()
	}
}

// begin starts a group: a full segment is closed before its first record.
func (g *group) begin() error {
	if err := g.s.usableByWriter(); err != nil {
		return err
	}
	if len(g.evs) > 0 {
		return nil
	}
	g.now = g.s.o.Now()
	if err := g.s.log.rollIfDue(g.now); err != nil {
		return g.s.fail(err)
	}
	return nil
}

// isKnown answers a request whose origin was stored before, or is in hand: that
// one is released with this group, when its twin is durable.
func (g *group) isKnown(r *request) bool {
	if f, ok := g.origins[r.ev.origin]; ok {
		r.dup = f.seq
		return true
	}
	f, ok, err := g.s.origins.known(r.ev.origin, r.hit, r.isHit, r.gen, g.now)
	if err != nil {
		r.err = g.s.viewFailed(err)
		return true
	}
	if ok {
		r.dup = f.seq
		return true
	}
	g.origins[r.ev.origin] = firstSeen{g.s.log.end + uint64(len(g.buf)), nanos(r.ev.stored)}
	return false
}

// frame seals a record at its place and lines it up for writing.
func (g *group) frame(ev *event, enc *encoder, sum uint32) {
	ev.seq = g.s.log.end + uint64(len(g.buf))
	ev.end = ev.seq + uint64(len(enc.b))
	seal(enc.b, ev.typ, ev.seq, sum)
	g.buf = append(g.buf, enc.b...)
	g.evs = append(g.evs, *ev)
}

// note adds attempts as a record of the group.
func (g *group) note(fs []message.Finished) {
	if g.begin() != nil {
		return
	}
	enc := newEncoder(g.s.bodiesDir())
	defer enc.free()
	enc.finished(fs)
	ev := event{typ: recNoted, fs: fs}
	g.frame(&ev, enc, checksum(enc.b[frameHeader:]))
}

func (g *group) flush() {
	if g.s.failed.Load() != nil || len(g.buf) == 0 {
		return
	}
	if err := g.s.log.append(g.buf); err != nil {
		g.s.fail(err)
	}
	g.buf = g.buf[:0]
}

// finish makes the group durable, tells the observer and releases the callers.
func (g *group) finish() {
	if len(g.evs) > 0 {
		g.flush()
		if g.s.failed.Load() == nil {
			g.commit()
		}
	}
	err := g.s.usableByWriter()
	for _, r := range g.rs {
		if r.err == nil {
			r.err = err
		}
		r.done <- struct{}{}
	}
	g.reset()
}

func (g *group) commit() {
	s := g.s
	if err := s.log.sync(); err != nil {
		s.fail(err)
		return
	}
	if err := s.view.apply(g.evs); err != nil {
		s.viewFailed(err)
		return
	}
	s.origins.note(g.origins, s.log.end)
	if len(g.commits) > 0 {
		s.o.Observer(g.commits)
	}
	s.boundView()
}

// boundView asks for the view to be written when the delta is full, and waits
// for it when it is far beyond.
func (s *Store) boundView() {
	s.view.mu.RLock()
	n, bytes := s.view.active.records, s.view.active.bytes
	s.view.mu.RUnlock()
	if n < s.o.ViewEvery && bytes < viewBytes {
		return
	}
	select {
	case s.full <- struct{}{}:
	default:
	}
	if n >= 2*s.o.ViewEvery {
		if err := s.view.flush(); err != nil {
			s.viewFailed(err)
		}
	}
}

// viewBytes bounds how much log a start reads again for the view.
const viewBytes = 128 << 20

func (g *group) reset() {
	clear(g.rs)
	clear(g.evs)
	clear(g.origins)
	g.rs, g.evs = g.rs[:0], g.evs[:0]
	g.commits = nil // the observer may keep it
	if cap(g.buf) > groupMax {
		g.buf = nil
	}
	g.buf = g.buf[:0]
}

// usableByWriter is usable without "closed": what was queued before Close is
// still written.
func (s *Store) usableByWriter() error {
	if p := s.failed.Load(); p != nil {
		return *p
	}
	return nil
}

func queuedOf(d *message.Decision) []*message.Delivery {
	out := make([]*message.Delivery, 0, len(d.Deliveries))
	for i := range d.Deliveries {
		if d.Deliveries[i].State == message.Queued {
			out = append(out, &d.Deliveries[i])
		}
	}
	return out
}

// placeActed tells the copies an action queues where they stand.
func placeActed(r *request) {
	switch act := r.ev.act; {
	case act.what == didReprocess:
		act.place(r.ev.seq)
	case act.made != nil:
		setKeys(act.made, r.ev.seq)
		r.commit.Queued = queuedOf(act.made)
	case act.what == didRequeue:
		for _, d := range r.commit.Queued {
			d.Pos = r.ev.seq
		}
	}
}
