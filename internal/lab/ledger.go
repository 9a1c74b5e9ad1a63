package main

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
)

// fate is all that the laboratory knows of one message it sent.
type fate struct {
	sent  int // times
	acked bool
	box   int      // times in the mailbox
	peer  int      // times at the peer
	names []string // in the mailbox
	value string   // MSH-5 as it arrived in the mailbox
}

// ledger is the memory of a run. It lies outside of everything that is killed.
type ledger struct {
	gen    generator
	mu     sync.Mutex
	conns  []([]fate)
	order  [][]int // per connection: numbers by first arrival at the peer
	faults []string
	acks   int
}

func newLedger(gen generator, conns int) *ledger {
	return &ledger{gen: gen, conns: make([][]fate, conns), order: make([][]int, conns)}
}

// of gives the fate of a message, making room for it. mu is held.
func (l *ledger) of(conn, seq int) *fate {
	for len(l.conns[conn]) <= seq {
		l.conns[conn] = append(l.conns[conn], fate{})
	}
	return &l.conns[conn][seq]
}

func (l *ledger) sent(conn, seq int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of(conn, seq).sent++
}

func (l *ledger) acked(conn, seq int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of(conn, seq).acked = true
	l.acks++
}

func (l *ledger) ackCount() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acks
}

// inBox notes a file of the mailbox; receivers are the MSH-5 it may have.
func (l *ledger) inBox(name string, data []byte, receivers ...string) {
	conn, seq, ok := l.gen.parseID(controlID(data))
	l.mu.Lock()
	defer l.mu.Unlock()
	if !ok || conn >= len(l.conns) || seq >= len(l.conns[conn]) {
		l.fault("the mailbox holds a message that nobody sent (%d bytes)", len(data))
		return
	}
	f := l.of(conn, seq)
	f.box++
	f.names = append(f.names, name)
	if f.value, ok = l.matches(data, conn, seq, receivers); !ok {
		l.fault("the mailbox holds message %s with other bytes (%d)", l.gen.id(conn, seq), len(data))
	}
}

// atPeer notes an arrival at the peer; receivers are the MSH-5 it may have.
func (l *ledger) atPeer(data []byte, receivers ...string) {
	conn, seq, ok := l.gen.parseID(controlID(data))
	l.mu.Lock()
	defer l.mu.Unlock()
	if !ok || conn >= len(l.conns) || seq >= len(l.conns[conn]) {
		l.fault("the peer got a message that nobody sent (%d bytes)", len(data))
		return
	}
	f := l.of(conn, seq)
	if f.peer++; f.peer == 1 {
		l.order[conn] = append(l.order[conn], seq)
	}
	if _, ok := l.matches(data, conn, seq, receivers); !ok {
		l.fault("the peer got message %s with other bytes (%d)", l.gen.id(conn, seq), len(data))
	}
}

func (l *ledger) matches(data []byte, conn, seq int, receivers []string) (string, bool) {
	for _, r := range receivers {
		if bytes.Equal(data, l.gen.with(r, conn, seq)) {
			return r, true
		}
	}
	return "", false
}

// fault notes what must never be. mu is held.
func (l *ledger) fault(format string, args ...any) {
	if len(l.faults) < 100 {
		l.faults = append(l.faults, fmt.Sprintf(format, args...))
	}
}

// verdict is the count over all messages.
type verdict struct {
	sent, acked, resent       int
	inBox, boxRepeats, boxOff int // acked and in the mailbox; further times; acked and not there
	atPeer, peerRepeats       int
	peerOff, disorder         int
	otherName                 int // repeats under another name
	most                      int // times that one message was in the mailbox
	unackedInBox              int
}

func (l *ledger) verdict() verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	var v verdict
	for conn := range l.conns {
		for i := range l.conns[conn] {
			v.add(&l.conns[conn][i])
		}
		if !slices.IsSorted(l.order[conn]) {
			v.disorder++
		}
	}
	return v
}

func (v *verdict) add(f *fate) {
	if f.sent > 0 {
		v.sent++
		v.resent += f.sent - 1
	}
	v.boxRepeats += max(0, f.box-1)
	v.most = max(v.most, f.box)
	v.peerRepeats += max(0, f.peer-1)
	for _, name := range f.names[min(1, len(f.names)):] {
		if name != f.names[0] {
			v.otherName++
		}
	}
	if !f.acked {
		if f.box > 0 {
			v.unackedInBox++
		}
		return
	}
	v.acked++
	if f.box > 0 {
		v.inBox++
	} else {
		v.boxOff++
	}
	if f.peer > 0 {
		v.atPeer++
	} else {
		v.peerOff++
	}
}

// faultList is what must never be, at most a few of them.
func (l *ledger) faultList() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.faults[:min(5, len(l.faults))])
}
