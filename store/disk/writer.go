package disk

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

const (
	noteDelay = time.Second // how long news of attempts may wait for a group to go with
	noteMax   = 8 << 10     // attempts that go by themselves at once
	groupMax  = 4 << 20     // bytes of one write
)

// request is one record on its way to the log. It is pooled.
type request struct {
	ev  event
	enc *encoder
	sum uint32 // of the payload

	hit   firstSeen // what the origin's files said, as of gen
	isHit bool
	gen   uint64

	prepare func(*request) error // of an action: checks the state and encodes, in its turn
	commit  store.Commit
	batch   []*request // records that prepare has made instead of one
	of      int        // which of the caller's this record is

	dup  uint64 // sequence of the first message of the same origin
	err  error
	done chan struct{}
}

var requests = sync.Pool{New: func() any { return &request{done: make(chan struct{}, 1)} }}

// finishEncoding computes the payload's sum, in the caller's goroutine.
func (r *request) finishEncoding(typ recordType) error {
	n := len(r.enc.b) - frameHeader
	if r.enc.err != nil {
		return r.enc.err
	}
	if n > maxRecord {
		return fmt.Errorf("%w: %d bytes, where the log takes %d; spool large bodies", store.ErrTooLarge, n, maxRecord)
	}
	r.ev.typ, r.ev.bodies = typ, r.enc.files
	r.sum = checksum(r.enc.b[frameHeader:])
	return nil
}

func (r *request) free() {
	if r.enc != nil {
		r.enc.free()
	}
	*r = request{done: r.done}
	requests.Put(r)
}

// writer is the queue in front of the one goroutine that writes.
type writer struct {
	mu     sync.Mutex
	queue  []*request
	spare  []*request
	notes  map[message.Key]message.Finished
	closed bool
	wake   chan struct{}
	due    bool // notes have waited long enough; only the writer's goroutine uses it
	last   int  // size of the last group, likewise
}

// gather lets the callers that the last group has released run once more before
// the next is taken, so that they join it instead of waiting for a sync each of
// their own. It waits for nobody: it only steps aside.
func (w *writer) gather() {
	for range 3 {
		w.mu.Lock()
		n := len(w.queue)
		w.mu.Unlock()
		if n >= w.last {
			return
		}
		runtime.Gosched()
	}
}

func (w *writer) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// push queues a request; the caller then waits for r.done.
func (w *writer) push(r *request) error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return store.ErrClosed
	}
	w.queue = append(w.queue, r)
	first := len(w.queue) == 1
	w.mu.Unlock()
	if first {
		w.poke()
	}
	return nil
}

// note keeps the newest attempt of each copy.
func (w *writer) note(fs []message.Finished) {
	w.mu.Lock()
	if w.notes == nil {
		w.notes = map[message.Key]message.Finished{}
	}
	first := len(w.notes) == 0
	for _, f := range fs {
		f.State = message.Queued
		w.notes[f.Key] = f
	}
	many := len(w.notes) >= noteMax
	w.mu.Unlock()
	if first || many {
		w.poke()
	}
}

func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.poke()
}

// take waits for something to write: requests, or notes that are due. more is
// false once the writer is closed and everything was taken.
func (w *writer) take(failed bool) (rs []*request, notes []message.Finished, more bool) {
	var timer <-chan time.Time
	for {
		w.gather()
		w.mu.Lock()
		many := len(w.notes) >= noteMax
		if len(w.queue) > 0 || w.closed || (len(w.notes) > 0 && (w.due || many)) {
			rs, w.queue, w.spare = w.queue, w.spare[:0], w.queue
			notes, w.due = w.takeNotes(), false
			more, w.last = !w.closed || len(rs) > 0, len(rs)
			w.mu.Unlock()
			return rs, notes, more
		}
		if timer == nil && len(w.notes) > 0 && !failed {
			timer = time.After(noteDelay)
		}
		w.mu.Unlock()
		select {
		case <-w.wake:
		case <-timer:
			w.due = true
		}
	}
}

func (w *writer) takeNotes() []message.Finished {
	if len(w.notes) == 0 {
		return nil
	}
	out := make([]message.Finished, 0, len(w.notes))
	for _, f := range w.notes {
		out = append(out, f)
	}
	clear(w.notes)
	return out
}

// write is the writer's goroutine: one group after the other until Close.
func (s *Store) write() {
	g := group{s: s, origins: map[originKey]firstSeen{}}
	for more := true; more; {
		var rs []*request
		var notes []message.Finished
		rs, notes, more = s.w.take(s.failed.Load() != nil)
		if len(notes) > 0 {
			g.note(notes)
		}
		for _, r := range rs {
			g.take(r)
		}
		g.finish()
	}
}

// do sends a request through the writer and waits until it is durable.
func (s *Store) do(r *request) error {
	if err := s.w.push(r); err != nil {
		return err
	}
	<-r.done
	return r.err
}

// Append stores a decision, all of it in one record.
//
// ctx counts until the record is queued for writing. From then on it will be
// written, so Append says what became of it, which takes one or two syncs.
func (s *Store) Append(ctx context.Context, d *message.Decision) (message.Receipt, error) {
	if err := s.mayAppend(ctx, d); err != nil {
		return message.Receipt{}, err
	}
	r := requests.Get().(*request)
	defer r.free()
	r.ev.d, r.ev.stored, r.ev.origin = d, s.o.Now(), keyOfOrigin(d.Envelope.Origin)
	if r.ev.origin != (originKey{}) {
		var err error
		if r.hit, r.isHit, r.gen, err = s.origins.files(r.ev.origin); err != nil {
			return message.Receipt{}, s.viewFailed(err)
		}
	}
	r.enc = newEncoder(s.bodiesDir())
	prepareDeliveries(d, r.ev.stored)
	r.enc.accepted(d, r.ev.stored)
	if err := r.finishEncoding(recAccepted); err != nil {
		return message.Receipt{}, err
	}
	if err := s.do(r); err != nil {
		return message.Receipt{}, err
	}
	if r.dup != 0 {
		return s.firstReceipt(r.dup)
	}
	return message.Receipt{ID: d.Envelope.ID, Seq: r.ev.seq, Outcome: d.Outcome, Reply: d.Reply}, nil
}

func (s *Store) mayAppend(ctx context.Context, d *message.Decision) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.usable(); err != nil {
		return err
	}
	if err := checkDecision(d); err != nil {
		return err
	}
	return s.space.check()
}

func checkDecision(d *message.Decision) error {
	switch {
	case d.Envelope == nil:
		return fmt.Errorf("a decision without an envelope cannot be stored")
	case d.Outcome < message.Routed || d.Outcome > message.Quarantined:
		return fmt.Errorf("%s cannot be stored with the outcome %s", d.Envelope, d.Outcome)
	case len(d.Deliveries) > 1<<16:
		return fmt.Errorf("%w: %s has %d copies where at most %d go in", store.ErrTooLarge, d.Envelope, len(d.Deliveries), 1<<16)
	}
	for i := range d.Deliveries {
		if st := d.Deliveries[i].State; st != 0 && st != message.Queued && st != message.CopyHeld {
			return fmt.Errorf("%s has a copy that begins as %s", d.Envelope, st)
		}
	}
	return nil
}

// prepareDeliveries fills in what the caller may leave out.
func prepareDeliveries(d *message.Decision, now time.Time) {
	for i := range d.Deliveries {
		v := &d.Deliveries[i]
		v.Message = d.Envelope.ID
		setDefault(&v.State, message.Queued)
		if v.Queued.IsZero() {
			v.Queued = now
		}
	}
}

// setKeys gives the copies of a record their keys and first places.
func setKeys(d *message.Decision, seq uint64) {
	for i := range d.Deliveries {
		d.Deliveries[i].Key = message.Key{Seq: seq, N: uint16(i)}
		d.Deliveries[i].Pos = seq
	}
}

// firstReceipt reads the receipt of the first message of an origin, which is
// durable by now.
func (s *Store) firstReceipt(seq uint64) (message.Receipt, error) {
	_, payload, err := s.log.readHead(seq)
	if err != nil {
		return message.Receipt{}, fmt.Errorf("reading the receipt of a known message: %w", err)
	}
	dec := decoder{b: payload, bodies: s.bodiesDir(), heads: true}
	d, _, err := dec.accepted()
	if err != nil {
		return message.Receipt{}, fmt.Errorf("reading the receipt of a known message: %w", err)
	}
	return message.Receipt{ID: d.Envelope.ID, Seq: seq, Outcome: d.Outcome, Reply: d.Reply, Duplicate: true}, nil
}

// Finish records new states of copies durably, in one record.
func (s *Store) Finish(ctx context.Context, fs []message.Finished) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.usable(); err != nil || len(fs) == 0 {
		return err
	}
	return s.finishRecord(fs, nil)
}

func (s *Store) finishRecord(fs, removed []message.Finished) error {
	r := requests.Get().(*request)
	defer r.free()
	r.ev.fs, r.commit.Removed = fs, removed
	r.enc = newEncoder(s.bodiesDir())
	r.enc.finished(fs)
	if err := r.finishEncoding(recFinished); err != nil {
		return err
	}
	return s.do(r)
}

// Note records attempts some time soon; it does not wait.
func (s *Store) Note(fs []message.Finished) {
	if len(fs) > 0 && s.usable() == nil {
		s.w.note(fs)
	}
}

// damagedCopy is the news that a copy cannot be read.
func damagedCopy(w *waitingCopy, queue, lane string) message.Finished {
	return message.Finished{Key: w.key, Pos: w.pos, Queue: queue, Lane: lane, State: message.CopyHeld,
		Attempts: w.row.attempts, Reason: fmt.Sprintf("the stored bytes at offset %d are damaged", w.key.Seq)}
}

// setAside holds copies whose bytes are damaged.
func (s *Store) setAside(bad []message.Finished) error {
	for i := range bad {
		bad[i].At = s.o.Now()
		s.o.Log.Error().Stringer("copy", bad[i].Key).Str("queue", bad[i].Queue).Msg("the stored bytes of a copy are damaged; it is held and its lane goes on")
	}
	return s.finishRecord(bad, bad)
}
