package peer

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Act is what a scripted peer does with one message. The zero Act answers AA.
type Act struct {
	Wait    time.Duration // before anything else
	Reply   string        // the code it answers with; "" = AA
	WrongID bool          // the answer names another message in MSA-2
	Text    string        // MSA-3 of the answer
	Status  int           // over HTTP: the status; 0 = what the code asks for
	Nothing bool          // no answer; the connection stays open
	Close   bool          // the message is taken and the connection closed without an answer
	Refuse  bool          // a new connection is closed as soon as it is made; one that is open, when a message comes
}

// Codes are the answers a peer can give (table 0008).
func Codes() []string { return []string{"AA", "AE", "AR", "CA", "CE", "CR"} }

// Check says what is wrong with an act.
func (a Act) Check() error {
	if a.Reply != "" && !slices.Contains(Codes(), a.Reply) {
		return fmt.Errorf("the answer %q is not one of %s", a.Reply, strings.Join(Codes(), ", "))
	}
	if a.Status != 0 && (a.Status < 200 || a.Status > 599) {
		return fmt.Errorf("the status %d is not one from 200 to 599", a.Status)
	}
	silent := 0
	for _, s := range []bool{a.Nothing, a.Close, a.Refuse} {
		if s {
			silent++
		}
	}
	if silent > 1 || silent == 1 && (a.Reply != "" || a.WrongID || a.Status != 0) {
		return fmt.Errorf("an act answers, or does one of nothing, close, refuse; this one does several")
	}
	return nil
}

// code is MSA-1 of the answer.
func (a Act) code() string {
	if a.Reply == "" {
		return "AA"
	}
	return a.Reply
}

// said is the act in a word, for people.
func (a Act) said() string {
	switch {
	case a.Refuse:
		return "refused"
	case a.Close:
		return "closed"
	case a.Nothing:
		return "nothing"
	case a.WrongID:
		return a.code() + " to another message"
	}
	return a.code()
}

// Script gives the acts of a peer in turn, one for each message over all its
// connections; the last one repeats. It is safe for several goroutines.
type Script struct {
	mu   sync.Mutex
	acts []Act
	next int
}

// NewScript makes a script; no acts at all answer AA for ever.
func NewScript(acts ...Act) *Script { return &Script{acts: acts} }

// Next is the act for the message that has come.
func (s *Script) Next() Act {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.take()
}

func (s *Script) take() Act {
	if len(s.acts) == 0 {
		return Act{}
	}
	a := s.acts[min(s.next, len(s.acts)-1)]
	s.next++
	return a
}

// refuses reports whether the next act refuses, and if so uses it up.
func (s *Script) refuses() (Act, bool) {
	if s == nil {
		return Act{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.acts) == 0 || !s.acts[min(s.next, len(s.acts)-1)].Refuse {
		return Act{}, false
	}
	return s.take(), true
}

// Seen is one message that a peer was sent, or one connection that it refused. Its
// body is content: it is for whoever sent it or asked for it.
type Seen struct {
	At        time.Time
	Remote    string
	ControlID string // MSH-10; "" when there is no MSH
	Type      string // MSH-9.1
	Event     string // MSH-9.2
	Size      int
	Answered  string // AA, ..., closed, nothing, refused
	Body      []byte
}
