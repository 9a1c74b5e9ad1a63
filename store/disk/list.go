package disk

import (
	"bytes"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

const (
	listLimit = 100
	listChunk = 256 // messages looked at in one transaction
	// sinceSlack is how far a message's time of arrival may lie behind that of an
	// older one; a list with Since reads no further.
	sinceSlack = 24 * time.Hour
)

// candidate is a message that the view cannot rule out.
type candidate struct {
	unit   *unit
	states map[message.CopyState]int
	copies int
}

// List gives messages, newest first. The view says which to look at; time,
// source, feed and queue are read from the heads of their records.
func (s *Store) List(q store.Query) ([]store.Entry, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	setDefault(&q.Limit, listLimit)
	before := ^uint64(0)
	if q.Before != (message.ID{}) {
		var err error
		if before, err = s.seqOf(q.Before); err != nil {
			return nil, err
		}
	}
	var out []store.Entry
	for len(out) < q.Limit && before > 0 {
		found, next, err := s.candidates(q, before)
		if err != nil {
			return nil, s.viewFailed(err)
		}
		for i := range found {
			e, keep, stop, err := s.listed(q, &found[i])
			if err != nil {
				return nil, err
			}
			if keep {
				out = append(out, e)
			}
			if stop || len(out) == q.Limit {
				return out, nil
			}
		}
		before = next
	}
	return out, nil
}

// candidates looks at the next messages before a sequence. It returns the
// sequence to go on from, 0 at the end.
func (s *Store) candidates(q store.Query, before uint64) (found []candidate, next uint64, err error) {
	err = s.view.read(func(tx *bolt.Tx) error {
		seqs := older(tx, q, before)
		for _, seq := range seqs {
			c, err := loadCandidate(tx, seq)
			if err != nil {
				return err
			}
			if c.unit != nil && c.fits(q) {
				found = append(found, c)
			}
		}
		if len(seqs) == listChunk {
			next = seqs[len(seqs)-1]
		}
		return nil
	})
	return found, next, err
}

// older gives the sequences of records before one, newest first, from the
// narrowest index there is.
func older(tx *bolt.Tx, q store.Query, before uint64) []uint64 {
	bucket, prefix := bucketUnits, []byte(nil)
	switch {
	case waits(q.Outcome):
		bucket, prefix = bucketWaiting, []byte{byte(q.Outcome)}
	case aside(q.Copy):
		bucket, prefix = bucketAside, []byte{byte(q.Copy)}
	}
	c := tx.Bucket(bucket).Cursor()
	seek := append(slices.Clone(prefix), be64(before)...)
	key, _ := c.Seek(seek)
	if key == nil {
		key, _ = c.Last()
	}
	for key != nil && bytes.Compare(key, seek) >= 0 {
		key, _ = c.Prev()
	}
	var out []uint64
	for ; key != nil && bytes.HasPrefix(key, prefix) && len(out) < listChunk; key, _ = c.Prev() {
		seq := fromBE64(key[len(prefix):])
		if n := len(out); n == 0 || out[n-1] != seq {
			out = append(out, seq)
		}
	}
	return out
}

// loadCandidate reads a message and counts its copies by state, those of people's
// actions included. The unit is nil when the record is no message.
func loadCandidate(tx *bolt.Tx, seq uint64) (candidate, error) {
	u, err := loadUnit(tx, seq)
	if err != nil || u == nil || !u.isMessage() {
		return candidate{}, err
	}
	c := candidate{unit: u, states: map[message.CopyState]int{}}
	c.count(u)
	for _, at := range u.acts {
		more, err := loadUnit(tx, at)
		if err != nil {
			return c, err
		}
		if more != nil {
			c.count(more)
		}
	}
	return c, nil
}

func (c *candidate) count(u *unit) {
	c.copies += len(u.copies)
	for i := range u.copies {
		c.states[u.copies[i].state]++
	}
}

func (c *candidate) fits(q store.Query) bool {
	return (q.Outcome == 0 || c.unit.outcome == q.Outcome) && (q.Copy == 0 || c.states[q.Copy] > 0)
}

// listed reads a candidate's line and says whether it is wanted, and whether all
// older ones are too old. A record whose bytes are damaged is listed by its
// sequence alone, when nothing is asked that only its bytes could answer.
func (s *Store) listed(q store.Query, c *candidate) (e store.Entry, keep, stop bool, err error) {
	first, last, queues, err := s.heads(c.unit)
	if err != nil {
		if err = ignoreDamage(err); err != nil {
			return e, false, false, err
		}
		e = store.Entry{Seq: c.unit.seq, Outcome: c.unit.outcome, Reason: "the stored bytes are damaged", Copies: c.copies, States: c.states}
		return e, q.Feed == "" && q.Source == "" && q.Queue == "" && q.Since.IsZero(), false, nil
	}
	e = entryOf(c.unit, first.d.Envelope, first.size, last)
	e.Copies, e.States = c.copies, c.states
	keep = (q.Source == "" || e.Source == q.Source) &&
		(q.Feed == "" || e.Feed == q.Feed || hasFeed(last, q.Feed)) &&
		(q.Queue == "" || slices.Contains(queues, q.Queue)) &&
		!e.Received.Before(q.Since)
	return e, keep, e.Received.Before(q.Since.Add(-sinceSlack)) && !q.Since.IsZero(), nil
}

func hasFeed(d *message.Decision, feed string) bool {
	return slices.ContainsFunc(d.Parts, func(p message.Part) bool { return p.Feed == feed })
}

// headOf is the head of an accepted record.
type headOf struct {
	d    *message.Decision
	size int64
}

// heads reads a message's head, the decision in force, and the queues of all its
// copies.
func (s *Store) heads(u *unit) (first headOf, last *message.Decision, queues []string, err error) {
	_, payload, err := s.log.readHead(u.seq)
	if err != nil {
		return first, nil, nil, err
	}
	dec := decoder{b: payload, bodies: s.bodiesDir(), heads: true}
	if first.d, _, err = dec.accepted(); err != nil {
		return first, nil, nil, err
	}
	first.size, last = dec.size, first.d
	made := []*message.Decision{first.d}
	for _, at := range u.acts {
		a, err := s.readAction(at)
		if err != nil {
			return first, nil, nil, err
		}
		if a.made != nil {
			made = append(made, a.made)
		}
		if a.what == didRelease {
			last = a.made
		}
	}
	for _, d := range made {
		for i := range d.Deliveries {
			queues = append(queues, d.Deliveries[i].Queue)
		}
	}
	return first, last, queues, nil
}
