package nets

import (
	"net/netip"
	"sync"
	"time"
)

const (
	quietFor   = time.Minute
	quietPeers = 1024 // remembered at most, however many addresses a scan comes from
)

// Quiet keeps a log readable while somebody knocks a thousand times a second:
// one line a minute for each peer and matter, telling how many it stands for.
type Quiet struct {
	mu     sync.Mutex
	said   map[matter]*tally
	forgot time.Time // when it was last looked for what has gone quiet
}

type matter struct {
	peer netip.Addr
	what string
}

type tally struct {
	at      time.Time
	skipped int
}

// NewQuiet has said nothing yet.
func NewQuiet() *Quiet { return &Quiet{said: map[matter]*tally{}} }

// Speak reports whether a line is due now, and how many were left out since the
// last one.
func (q *Quiet) Speak(peer netip.Addr, what string, now time.Time) (skipped int, due bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	m := matter{peer, what}
	t := q.said[m]
	if t != nil && now.Sub(t.at) < quietFor {
		t.skipped++
		return 0, false
	}
	if t == nil {
		if len(q.said) >= quietPeers && !q.forget(now) {
			return 0, false
		}
		t = &tally{}
		q.said[m] = t
	}
	skipped, t.skipped, t.at = t.skipped, 0, now
	return skipped, true
}

// forget drops what has gone quiet, once a second at most; false when there is
// still no room.
func (q *Quiet) forget(now time.Time) bool {
	if now.Sub(q.forgot) < time.Second {
		return false
	}
	q.forgot = now
	for m, t := range q.said {
		if now.Sub(t.at) >= quietFor {
			delete(q.said, m)
		}
	}
	return len(q.said) < quietPeers
}
