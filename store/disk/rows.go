package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"runtime/debug"

	bolt "go.etcd.io/bbolt"

	"github.com/spine-engine/spine-engine/internal/message"
)

// The view's buckets. Every value ends with a CRC32C over key and value, for
// bbolt has no checksums on its data.
//
//	meta     "state"                                -> offset, totals
//	units    seq                                    -> kind, outcome, owner, copies, actions
//	ids      message id                             -> seq
//	queued   queue 0001 lane 0001 pos seq n         -> stopped, attempts, ref, queued
//	queues   queue 0001                             -> count
//	waiting  outcome, seq                           -> (messages that wait for a person)
//	aside    state, owner seq, seq, n               -> (copies held or dead-lettered)
//	bodies   name below bodies/                     -> seq of a record that refers to it
//	switches kind 0001 name 0001 lane 0001          -> a person's pause
var (
	bucketMeta     = []byte("meta")
	bucketUnits    = []byte("units")
	bucketIDs      = []byte("ids")
	bucketQueued   = []byte("queued")
	bucketQueues   = []byte("queues")
	bucketWaiting  = []byte("waiting")
	bucketAside    = []byte("aside")
	bucketBodies   = []byte("bodies")
	bucketSwitches = []byte("switches")

	allBuckets = [...][]byte{bucketMeta, bucketUnits, bucketIDs, bucketQueued, bucketQueues, bucketWaiting, bucketAside, bucketBodies,
		bucketSwitches}
)

// Where each bucket stands in allBuckets.
const (
	inMeta = iota
	inUnits
	inIDs
	inQueued
	inQueues
	inWaiting
	inAside
	inBodies
	inSwitches
)

// errView: the view is not what was written. It is made again at the next start.
var errView = errors.New("the view of the log is damaged")

// guarded turns a panic of bbolt, also one of its mapped file, into an error.
func guarded(fn func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(old)
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errView, r)
		}
	}()
	return fn()
}

func be64(v uint64) []byte     { return binary.BigEndian.AppendUint64(nil, v) }
func fromBE64(b []byte) uint64 { return binary.BigEndian.Uint64(b) }

// closeRow appends the sum to a value.
func closeRow(key, val []byte) []byte {
	return binary.LittleEndian.AppendUint32(val, rowSum(key, val))
}

func rowSum(key, val []byte) uint32 {
	return crc32.Update(checksum(key), castagnoli, val)
}

// openRow checks a value and gives a decoder over it.
func openRow(key, val []byte) (decoder, error) {
	n := len(val) - 4
	if n < 0 || binary.LittleEndian.Uint32(val[n:]) != rowSum(key, val[:n]) {
		return decoder{}, fmt.Errorf("%w: a row's checksum is wrong", errView)
	}
	return decoder{b: val[:n]}, nil
}

// appendName writes a name so that no other name is its prefix and order is kept:
// 00 becomes 00 FF, and 00 01 ends it.
func appendName(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		b = append(b, s[i])
		if s[i] == 0 {
			b = append(b, 0xFF)
		}
	}
	return append(b, 0, 1)
}

// cutName is the inverse of appendName.
func cutName(b []byte) (string, []byte, bool) {
	var out []byte
	for i := 0; i+1 < len(b); i++ {
		if b[i] != 0 {
			out = append(out, b[i])
			continue
		}
		if b[i+1] == 1 {
			return string(out), b[i+2:], true
		}
		out = append(out, 0)
		i++
	}
	return "", nil, false
}

const placeLen = 8 + 8 + 2

func appendPlace(b []byte, p place) []byte {
	b = binary.BigEndian.AppendUint64(b, p.pos)
	b = binary.BigEndian.AppendUint64(b, p.key.Seq)
	return binary.BigEndian.AppendUint16(b, p.key.N)
}

func parsePlace(b []byte) place {
	return place{binary.BigEndian.Uint64(b), message.Key{Seq: binary.BigEndian.Uint64(b[8:]), N: binary.BigEndian.Uint16(b[16:])}}
}

func lanePrefix(queue, lane string) []byte { return appendName(appendName(nil, queue), lane) }

func appendQueuedKey(b []byte, queue, lane string, p place) []byte {
	return appendPlace(appendName(appendName(b, queue), lane), p)
}

func queuedKey(queue, lane string, p place) []byte {
	return appendQueuedKey(make([]byte, 0, len(queue)+len(lane)+8+placeLen), queue, lane, p)
}

func (c *copyRow) writeQueued(e *encoder) {
	e.bool(c.stopped)
	e.uint(uint64(c.attempts))
	e.uint(c.ref)
	e.uint(uint64(c.queued))
}

func (c *copyRow) readQueued(key, val []byte) error {
	d, err := openRow(key, val)
	if err != nil {
		return err
	}
	c.stopped, c.attempts, c.ref, c.queued = d.bool(), int(d.uint()), d.uint(), int64(d.uint())
	return d.err
}

// loadQueued fills in what the lane's row says, false when there is none.
func loadQueued(tx *bolt.Tx, k message.Key, c *copyRow) (bool, error) {
	if c.was != message.Queued {
		return false, nil
	}
	key := queuedKey(c.queue, c.lane, place{c.wasPos, k})
	val := tx.Bucket(bucketQueued).Get(key)
	if val == nil {
		return false, nil
	}
	return true, c.readQueued(key, val)
}

// write writes a unit:
//
//	outcome u8 | seq-owner | copies: count, (state u8, pos-seq, ref-seq)... | actions: count, (record-seq)...
func (u *unit) write(e *encoder) {
	e.byte(byte(u.outcome))
	e.uint(u.seq - u.owner)
	e.uint(uint64(len(u.copies)))
	for i := range u.copies {
		e.byte(byte(u.copies[i].state))
		e.uint(u.copies[i].pos - u.seq)
		e.uint(u.copies[i].ref - u.seq)
	}
	e.uint(uint64(len(u.acts)))
	for _, a := range u.acts {
		e.uint(a - u.seq)
	}
}

func parseUnit(seq uint64, key, val []byte) (*unit, error) {
	d, err := openRow(key, val)
	if err != nil {
		return nil, err
	}
	u := &unit{seq: seq, outcome: message.Outcome(d.byte())}
	u.was, u.owner = u.outcome, seq-d.uint()
	u.copies = make([]copyRow, d.count(3))
	for i := range u.copies {
		c := &u.copies[i]
		c.state = message.CopyState(d.byte())
		c.pos, c.ref = seq+d.uint(), seq+d.uint()
		c.was, c.wasPos = c.state, c.pos
	}
	u.acts = make([]uint64, d.count(1))
	for i := range u.acts {
		u.acts[i] = seq + d.uint()
	}
	return u, d.err
}

func loadUnit(tx *bolt.Tx, seq uint64) (*unit, error) {
	key := be64(seq)
	val := tx.Bucket(bucketUnits).Get(key)
	if val == nil {
		return nil, nil
	}
	return parseUnit(seq, key, val)
}

// readCount reads a row of the queues.
func readCount(key, val []byte) (string, int, error) {
	d, err := openRow(key, val)
	if err != nil {
		return "", 0, err
	}
	name, _, ok := cutName(key)
	n := int(d.uint())
	if !ok || d.err != nil {
		return "", 0, errView
	}
	return name, n, nil
}
