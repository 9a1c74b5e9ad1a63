package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// openView opens the view and brings it and the origins up to the log's end,
// repairing the log on the way. A view that cannot be used is made again. It
// says whether the log had lost bytes.
func (s *Store) openView() (damaged bool, err error) {
	if _, err := os.Stat(filepath.Join(s.viewDir(), rebuildMark)); err == nil {
		if err := dropView(s.viewDir()); err != nil {
			return false, err
		}
	}
	least := uint64(0) // offsets below were in use, even if the log has lost them
	for range 3 {
		s.view, err = openView(s.viewDir())
		if err == nil {
			s.view.delivery = s.readDelivery
			least = max(least, s.view.active.to, s.origins.to)
			damaged, err = s.replay(least)
		}
		if !errors.Is(err, errView) {
			return damaged, err
		}
		s.o.Log.Warn().Err(err).Msg("making the view again from the log")
		if err := s.resetView(); err != nil {
			return false, err
		}
	}
	return damaged, err
}

func (s *Store) resetView() error {
	if s.view != nil {
		s.view.close() // it is damaged and goes anyway
		s.view = nil
	}
	return dropView(s.viewDir())
}

// replayer is one pass over the log at start.
type replayer struct {
	s       *Store
	from    uint64 // nothing before is needed
	evs     []event
	origins map[originKey]firstSeen
	end     uint64 // of the log's last record
	next    uint64 // where new records may begin; end unless bytes were lost there
	records int
	lost    int // records, as far as can be told
	bytes   uint64
}

// replay reads the log from where view and origins are, and makes the log ready
// for appending. least is the lowest offset new records may take.
func (s *Store) replay(least uint64) (damaged bool, err error) {
	begun := time.Now()
	if err := s.dropEmpty(); err != nil {
		return false, err
	}
	if err := s.dropAhead(); err != nil {
		return false, err
	}
	r := replayer{s: s, from: min(s.view.active.to, s.origins.to), origins: map[originKey]firstSeen{}}
	for i := range s.log.segs {
		last := i == len(s.log.segs)-1
		if s.log.segs[i].end < r.from && !last {
			continue
		}
		if err := r.segment(&s.log.segs[i], last); err != nil {
			return false, err
		}
	}
	if err := r.apply(); err != nil {
		return false, err
	}
	if err := s.beginWriting(max(r.next, least), r.next == r.end && r.end >= least); err != nil {
		return false, err
	}
	s.sayReplayed(&r, time.Since(begun))
	return r.bytes > 0, s.flush(false)
}

// dropAhead asks for a new view when the log has lost what the view knows.
func (s *Store) dropAhead() error {
	end := uint64(0)
	if n := len(s.log.segs); n > 0 {
		end = s.log.segs[n-1].end
	}
	if s.origins.to > end {
		if err := s.origins.forget(); err != nil {
			return err
		}
	}
	if to := s.view.active.to; to > end {
		return fmt.Errorf("%w: it knows offset %d and the log ends at %d", errView, to, end)
	}
	return nil
}

// dropEmpty removes last segments whose making was cut short, before any record.
func (s *Store) dropEmpty() error {
	for n := len(s.log.segs); n > 0 && s.log.segs[n-1].end < s.log.segs[n-1].base+segmentHeader; n-- {
		if err := os.Remove(s.log.segs[n-1].path); err != nil {
			return err
		}
		s.log.segs = s.log.segs[:n-1]
	}
	return nil
}

// beginWriting opens the last segment for appending, or a new one at offset next
// when the last one must stay as it is.
func (s *Store) beginWriting(next uint64, clean bool) error {
	n := len(s.log.segs)
	if n == 0 || !clean {
		return s.log.roll(next, s.o.Now())
	}
	f, err := os.OpenFile(s.log.segs[n-1].path, os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return err
	}
	s.log.w, s.log.end = f, next
	s.log.room, s.log.zeros = st.Size(), make([]byte, min(ahead, s.log.size))
	return nil
}

func (s *Store) sayReplayed(r *replayer, took time.Duration) {
	ev, say := s.o.Log.Info(), "the store is open"
	if r.bytes > 0 {
		ev, say = s.o.Log.Error(), "the store is open; damaged bytes of its log were set aside"
		ev = ev.Uint64("lost_bytes", r.bytes).Int("lost_records_at_least", r.lost)
	}
	ev.Int("replayed", r.records).Uint64("offset", r.end).Dur("took", took).Msg(say)
}

// segment reads one segment from where the pass is needed.
func (r *replayer) segment(seg *segment, last bool) error {
	f, err := os.OpenFile(seg.path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	sc := scanner{f: f, seg: *seg}
	at := max(r.from, seg.base+segmentHeader)
	r.end, r.next = at, at
	for at < seg.end {
		h, payload, err := sc.frame(at)
		switch {
		case err == nil:
			end := at + frameHeader + uint64(h.length)
			if err := r.record(h.typ, at, end, payload); err != nil {
				return err
			}
			at = end
		case errors.Is(err, errDamaged) && sc.zeros(at):
			seg.end, sc.seg.end = at, at // room that was made and not used
		case errors.Is(err, errDamaged):
			if at, err = r.damaged(&sc, at, last); err != nil {
				return err
			}
		default:
			return err
		}
		r.end, r.next = at, at
	}
	if sc.seg.end != seg.end { // a torn tail was cut off
		r.end, r.next = sc.seg.end, seg.end
		seg.end = sc.seg.end
	}
	return nil
}

// damaged deals with bytes that are no record: it copies them aside and goes on
// behind them. At the log's end they are cut off.
func (r *replayer) damaged(sc *scanner, at uint64, last bool) (uint64, error) {
	end := sc.seg.end
	next, found, err := sc.resync(at + 1)
	if err != nil {
		return 0, err
	}
	if !found {
		next = end
	}
	if err := r.setAside(sc, at, next); err != nil {
		return 0, err
	}
	if !found && last {
		if err := sc.f.Truncate(int64(at - sc.seg.base)); err != nil {
			return 0, err
		}
		if err := sc.f.Sync(); err != nil {
			return 0, err
		}
		sc.seg.end = at
	}
	return next, nil
}

// setAside keeps a copy of damaged bytes and counts what they held.
func (r *replayer) setAside(sc *scanner, from, to uint64) error {
	r.bytes += sc.trimmed(from, to) - from
	r.lost += max(1, sc.heads(from, to))
	path := filepath.Join(r.s.asideDir(), fmt.Sprintf("log-%020d-%d.bin", from, to-from))
	if _, err := os.Stat(path); err == nil {
		return nil // found by an earlier start
	}
	if err := sc.copyOut(path, from, to); err != nil {
		return fmt.Errorf("setting %d damaged bytes of the log aside: %w", to-from, err)
	}
	r.s.o.Log.Error().Uint64("offset", from).Uint64("bytes", to-from).Str("file", path).Msg("set damaged bytes of the log aside")
	return syncDir(r.s.asideDir())
}

// record lines a record up for view and origins.
func (r *replayer) record(typ recordType, seq, end uint64, payload []byte) error {
	r.records++
	ev := event{seq: seq, end: end, typ: typ}
	d := decoder{b: payload, bodies: r.s.bodiesDir(), heads: true}
	var err error
	switch typ {
	case recAccepted:
		ev.d, ev.stored, err = d.accepted()
	case recFinished, recNoted:
		ev.fs, err = d.finished()
	case recAction:
		ev.act, err = d.action()
	case recSwitch:
		ev.sw, err = d.pause()
	}
	if err != nil { // its checksum is right, so this program cannot read it
		return fmt.Errorf("%w: record at offset %d: %w", errNewer, seq, err)
	}
	ev.bodies = d.files
	if ev.d != nil {
		if k := keyOfOrigin(ev.d.Envelope.Origin); k != (originKey{}) && seq >= r.s.origins.to {
			r.origins[k] = firstSeen{seq, nanos(ev.stored)}
		}
	}
	r.evs = append(r.evs, ev)
	if len(r.evs) >= 512 {
		return r.apply()
	}
	return nil
}

func (r *replayer) apply() error {
	if len(r.evs) == 0 {
		return nil
	}
	s := r.s
	if err := s.view.apply(r.evs); err != nil {
		return err
	}
	s.origins.note(r.origins, r.evs[len(r.evs)-1].end)
	clear(r.origins)
	clear(r.evs)
	r.evs = r.evs[:0]
	if s.view.active.records >= s.o.ViewEvery {
		if err := s.view.flush(); err != nil {
			return err
		}
	}
	if s.origins.due() {
		return s.origins.flush()
	}
	return nil
}
