package lanes

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Policy says how one queue is worked. Fields that are zero or out of range take
// the default named beside them; New and SetPolicy never fail.
type Policy struct {
	Batch       int             // copies in one Send, at most; 1
	Concurrency int             // Sends at the same time, over different lanes; 1
	Reply       map[string]Rule // by code; see Rule. Must not be changed afterwards
	Retry       Backoff
	Rate        float64 // copies sent per second; 0 = no limit
	MaxLoaded   int     // copies in memory, all lanes together; 4096
	MaxBytes    int64   // bytes of bodies in memory; 64 MiB. A page may exceed it by one body
}

// Do is what is done with a copy after an answer.
type Do uint8

// What can be done with a copy. Retry is the zero value: what nobody has decided
// is tried again.
const (
	Retry      Do = iota // try again after a wait
	Done                 // delivered
	DeadLetter           // set aside as given up; its lane goes on
	Hold                 // set aside for a person; its lane goes on
	Stop                 // stays at the head; its lane waits for a person
	Expire               // set aside as too old to be of use; its lane goes on
)

var doNames = [...]string{"retry", "done", "dead_letter", "hold", "stop", "expire"}

// String is the word of the feed language.
func (d Do) String() string {
	if int(d) < len(doNames) {
		return doNames[d]
	}
	return "unknown"
}

// Then is what follows when trying has come to its end: DeadLetter, Hold, Stop or
// Expire. Anything else is taken as Stop, which loses nothing and keeps order.
type Then = Do

// Rule is a row of the reply table. The row of an answer is found by its exact
// code, then by its class ("4xx" for "404"), then under "other". What is no
// answer (none, wrong_id, unreadable) never falls to a class or to other: it is
// tried again unless it has a row of its own. A code without any row is tried
// again, but "written", a mailbox's own word, is done.
type Rule struct {
	Do      Do
	Retries int           // with Retry: answers of this code that are followed by another try of the copy; <= 0 = no limit of its own
	Then    Then          // with Retry: after them
	Place   message.Place // where the row is written
}

// Backoff is how the waits between tries grow: First, First*Factor,
// First*Factor*Factor ... to Cap, each varied by a share of Jitter up or down,
// never above Cap and never shorter than the copy's wait before.
type Backoff struct {
	First       time.Duration // 1 s
	Cap         time.Duration // 5 min, or First if that is longer
	Factor      float64       // 2; 1 = always First
	Jitter      float64       // 0.2 = 20 % up or down; 0 = none, at most 1
	GiveUpAfter time.Duration // counted from Delivery.Queued; 0 = never
	Then        Then          // what happens then
}

const (
	defaultLoaded = 4096
	defaultBytes  = 64 << 20
	defaultFirst  = time.Second
	defaultCap    = 5 * time.Minute
)

func (p Policy) withDefaults() Policy {
	p.Batch = max(p.Batch, 1)
	p.Concurrency = max(p.Concurrency, 1)
	p.Retry = p.Retry.withDefaults()
	if p.MaxLoaded <= 0 {
		p.MaxLoaded = defaultLoaded
	}
	p.MaxLoaded = max(p.MaxLoaded, 2*p.Batch)
	if p.MaxBytes <= 0 {
		p.MaxBytes = defaultBytes
	}
	if !(p.Rate > 0) || math.IsInf(p.Rate, 1) {
		p.Rate = 0
	}
	return p
}

func (b Backoff) withDefaults() Backoff {
	if b.First <= 0 {
		b.First = defaultFirst
	}
	if b.Cap <= 0 {
		b.Cap = defaultCap
	}
	b.Cap = max(b.Cap, b.First)
	if !(b.Factor >= 1) {
		b.Factor = 2
	}
	if !(b.Jitter > 0) {
		b.Jitter = 0
	}
	b.Jitter = min(b.Jitter, 1)
	return b
}

// base is the wait after step failures in a row before this one, without jitter.
// It is computed in floating point throughout: a wait cut to whole seconds at
// each step might never grow.
func (b Backoff) base(step int) time.Duration {
	d := float64(b.First) * math.Pow(b.Factor, float64(step))
	if !(d < float64(b.Cap)) {
		return b.Cap
	}
	return time.Duration(d)
}

// wait is the next wait of a copy whose last one was before.
func (b Backoff) wait(step int, before time.Duration, rnd *rand.Rand) time.Duration {
	d := b.base(step)
	if b.Jitter > 0 {
		d = time.Duration(float64(d) * (1 + b.Jitter*(2*rnd.Float64()-1)))
	}
	return max(min(d, b.Cap), min(before, b.Cap))
}

// Codes of what is no answer; the adapters' words.
const (
	codeNone       = "none"
	codeWrongID    = "wrong_id"
	codeUnreadable = "unreadable"
	codeWritten    = "written"
)

// rule finds the row for a result that is not an error.
func (p *Policy) rule(code string) Rule {
	if r, ok := p.Reply[code]; ok {
		return r
	}
	switch code {
	case codeNone, codeWrongID, codeUnreadable, "":
		return Rule{}
	case codeWritten:
		return Rule{Do: Done}
	}
	if c := code[0]; c >= '0' && c <= '9' {
		if r, ok := p.Reply[string(c)+"xx"]; ok {
			return r
		}
	}
	return p.Reply["other"]
}
