package disk

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sort"
	"sync"
	"time"

	"github.com/spine-engine/spine-engine/store"
)

// maxOpen bounds the sealed segments that are kept open for reading.
const maxOpen = 32

// journal is the log: segments, the one that is written, and readers. Only the
// writer goroutine (or Open, before it) calls append, sync and roll.
type journal struct {
	dir  string
	size int64
	age  time.Duration

	mu   sync.RWMutex // guards segs and open; the writer alone changes segs
	segs []segment
	open map[uint64]*os.File
	w    *os.File // the last segment
	end  uint64   // offset of the next record

	room  int64 // size of the last segment's file, zeros behind its records included
	zeros []byte
}

// ahead is how many zero bytes stand behind the records of the segment that is
// written. A sync of bytes that are in place already needs no entry in the file
// system's own journal, and so does not wait for other files' syncs.
const ahead = 1 << 20

// append writes frames at the log's end. They are not durable before sync.
func (j *journal) append(b []byte) error {
	last := len(j.segs) - 1
	at := int64(j.end - j.segs[last].base)
	if _, err := j.w.WriteAt(b, at); err != nil {
		return fmt.Errorf("writing %d bytes to the log: %w", len(b), err)
	}
	j.end += uint64(len(b))
	if at += int64(len(b)); at > j.room && j.zeros != nil {
		j.makeRoom(at)
	}
	j.mu.Lock()
	j.segs[last].end = j.end
	j.mu.Unlock()
	return nil
}

// makeRoom writes zeros from an offset of the file on. Without room on the disk
// the segment goes on without; records still find their place or fail by themselves.
func (j *journal) makeRoom(at int64) {
	if _, err := j.w.WriteAt(j.zeros, at); err != nil {
		j.zeros = nil
		j.room = math.MaxInt64
		return
	}
	j.room = at + int64(len(j.zeros))
}

func (j *journal) sync() error {
	if err := fdatasync(j.w); err != nil {
		return fmt.Errorf("syncing the log: %w", err)
	}
	return nil
}

// rollIfDue starts a new segment when the present one is full or old.
func (j *journal) rollIfDue(now time.Time) error {
	s := &j.segs[len(j.segs)-1]
	full := int64(j.end-s.base) >= j.size
	old := now.Sub(s.created) >= j.age && j.end > s.base+segmentHeader
	if !full && !old {
		return nil
	}
	return j.roll(j.end, now)
}

// roll starts the segment at base, which may lie behind the log's end.
func (j *journal) roll(base uint64, now time.Time) error {
	s, f, err := createSegment(j.dir, base, now)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.w != nil {
		j.trim()
		j.keep(j.segs[len(j.segs)-1].base, j.w)
	}
	j.segs, j.w, j.end = append(j.segs, s), f, s.end
	j.room, j.zeros = segmentHeader, make([]byte, min(ahead, j.size))
	return nil
}

// trim cuts the zeros behind the last record off. It only saves space: readers
// and the next start do not mind them.
func (j *journal) trim() {
	j.w.Truncate(int64(j.end - j.segs[len(j.segs)-1].base))
}

// keep holds f open for readers, closing another when there are too many.
func (j *journal) keep(base uint64, f *os.File) {
	if len(j.open) >= maxOpen {
		for k, old := range j.open {
			old.Close() // a reader in the middle of a read keeps it alive
			delete(j.open, k)
			break
		}
	}
	j.open[base] = f
}

// find gives the segment that holds offset seq and a file to read it from.
func (j *journal) find(seq uint64) (segment, *os.File, error) {
	j.mu.RLock()
	i := sort.Search(len(j.segs), func(i int) bool { return j.segs[i].base > seq }) - 1
	if i < 0 || seq >= j.segs[i].end {
		j.mu.RUnlock()
		return segment{}, nil, fmt.Errorf("%w: the log has no offset %d", errDamaged, seq)
	}
	s := j.segs[i]
	f := j.open[s.base]
	if i == len(j.segs)-1 {
		f = j.w
	}
	j.mu.RUnlock()
	if f != nil {
		return s, f, nil
	}
	return j.reopen(s)
}

func (j *journal) reopen(s segment) (segment, *os.File, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if f := j.open[s.base]; f != nil {
		return s, f, nil
	}
	if j.open == nil {
		return s, nil, store.ErrClosed
	}
	f, err := os.Open(s.path)
	if errors.Is(err, os.ErrNotExist) {
		return s, nil, fmt.Errorf("%w: segment %s is missing", errDamaged, s.path)
	}
	if err != nil {
		return s, nil, fmt.Errorf("reading the log: %w", err)
	}
	j.keep(s.base, f)
	return s, f, nil
}

// readAt fills as much of b as the segment holds from offset seq.
func (j *journal) readAt(b []byte, seq uint64) (int, error) {
	for {
		s, f, err := j.find(seq)
		if err != nil {
			return 0, err
		}
		if left := s.end - seq; uint64(len(b)) > left {
			b = b[:left]
		}
		n, err := f.ReadAt(b, int64(seq-s.base))
		switch {
		case err == nil || (errors.Is(err, io.EOF) && n > 0):
			return n, nil
		case errors.Is(err, os.ErrClosed): // closed between find and read
			continue
		case errors.Is(err, io.EOF):
			return 0, fmt.Errorf("%w: the log ends before offset %d", errDamaged, seq)
		}
		return 0, fmt.Errorf("reading the log at offset %d: %w", seq, err)
	}
}

// guess is read in one go: most records fit.
const guess = 4 << 10

// read gives the type and payload of the record at seq, verified.
func (j *journal) read(seq uint64) (recordType, []byte, error) {
	b := make([]byte, guess)
	n, err := j.readAt(b, seq)
	if err != nil {
		return 0, nil, err
	}
	h, err := parseHead(b[:n], seq)
	if err != nil {
		return 0, nil, err
	}
	if b, err = j.extend(b[:n], seq, frameHeader+h.length); err != nil {
		return 0, nil, err
	}
	return h.typ, b[frameHeader:], h.verify(b, seq)
}

// extend gives the first want bytes of the record at seq, of which b was read.
func (j *journal) extend(b []byte, seq uint64, want int) ([]byte, error) {
	if len(b) >= want {
		return b[:want:want], nil
	}
	whole := make([]byte, want)
	n := copy(whole, b)
	m, err := j.readAt(whole[n:], seq+uint64(n))
	if err != nil {
		return nil, err
	}
	if n+m < want {
		return nil, fmt.Errorf("%w: the record at offset %d is cut short", errDamaged, seq)
	}
	return whole, nil
}

// readHead gives the start of an accepted record's payload that holds its head,
// whose own sum the decoder checks; a record of another type comes whole.
func (j *journal) readHead(seq uint64) (recordType, []byte, error) {
	b := make([]byte, guess/4)
	n, err := j.readAt(b, seq)
	if err != nil {
		return 0, nil, err
	}
	h, err := parseHead(b[:n], seq)
	if err != nil {
		return 0, nil, err
	}
	if h.typ != recAccepted || n < frameHeader+8 {
		return j.read(seq)
	}
	want := frameHeader + 8 + headLength(b[frameHeader:])
	if want > frameHeader+h.length {
		return 0, nil, fmt.Errorf("%w: the head of the record at offset %d is longer than the record", errDamaged, seq)
	}
	b, err = j.extend(b[:n], seq, want)
	if err != nil {
		return 0, nil, err
	}
	return h.typ, b[frameHeader:], nil
}

func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, f := range j.open {
		f.Close()
	}
	j.open = nil
	if j.w == nil {
		return nil
	}
	return j.w.Close()
}
