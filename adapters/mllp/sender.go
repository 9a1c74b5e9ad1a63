package mllp

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/message"
)

var errClosed = errors.New("the sender is closed")

// sender keeps up to cfg.connections links to one peer. A link is in use by one
// Send, or idle, or closed; it goes back to idle only after the answer to what
// it carried, so nothing is ever owed on an idle one.
type sender struct {
	cfg   *connectConfig
	env   adapters.DestinationEnv
	log   zerolog.Logger
	slots chan struct{} // one per Send under way

	mu     sync.Mutex
	idle   []*link // the last used at the end
	closed bool
}

func openSender(c *connectConfig, env adapters.DestinationEnv) *sender {
	if env.Count == nil {
		env.Count = func(string, int) {}
	}
	log := env.Log.With().Str("destination", env.Name).Stringer("peer", c.to).Logger()
	return &sender{cfg: c, env: env, log: log, slots: make(chan struct{}, c.connections)}
}

// Send writes the copy's body as one frame and waits for the answer to it. The
// reply's code is MSA-1 as the peer spelled it (a CA is a CA, whatever MSH-16
// asked for), or NoReply, WrongID or Unreadable. In all cases but an answer the
// connection is closed: a late answer must not meet the next message.
//
// A connection that the peer has closed while it was idle is made again, and the
// same bytes are sent once more: nothing says that they were read.
func (s *sender) Send(ctx context.Context, d *message.Delivery) (adapters.Reply, error) {
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return adapters.Reply{}, ctx.Err()
	}
	defer func() { <-s.slots }()
	view, err := d.Body.View()
	if err != nil {
		return adapters.Reply{}, fmt.Errorf("%s: %w", d, err)
	}
	defer view.Close() // unmapping what was only read
	if err := checkBytes(view.Runs); err != nil {
		return adapters.Reply{}, adapters.Permanent(fmt.Errorf("%s: %w", d, err))
	}
	return s.exchange(ctx, view, d)
}

func (s *sender) exchange(ctx context.Context, view message.View, d *message.Delivery) (adapters.Reply, error) {
	l, err := s.reuse()
	if err != nil {
		return adapters.Reply{}, err
	}
	if l != nil {
		reply, err := s.carry(ctx, l, view, d)
		if !errors.Is(err, errStale) {
			return reply, err
		}
		s.env.Count("reconnects", 1)
		s.log.Debug().Msg("the peer had closed the idle connection; connecting again")
	}
	if l, err = s.dial(ctx); err != nil {
		return adapters.Reply{}, err
	}
	return s.carry(ctx, l, view, d)
}

// carry uses a link once and decides whether it may live on.
func (s *sender) carry(ctx context.Context, l *link, view message.View, d *message.Delivery) (adapters.Reply, error) {
	// Ending ctx ends whatever the link waits for.
	release := context.AfterFunc(ctx, func() { l.conn.SetDeadline(longAgo) })
	x := exchange{link: l, ctx: ctx, timeout: s.cfg.replyTimeout, id: d.ControlID}
	reply, err := x.run(view, d.Body.Size())
	untouched := release()
	l.used = true
	if err == nil && x.answered && untouched && l.spent() {
		s.keep(l)
	} else {
		l.close()
	}
	s.tell(&x, reply, err)
	return reply, err
}

// tell counts and logs how an exchange went, without a word of it.
func (s *sender) tell(x *exchange, r adapters.Reply, err error) {
	if x.written {
		s.env.Count("sent", 1)
	}
	if x.foreign > 0 {
		s.env.Count("wrong_id", x.foreign)
		s.log.Warn().Int("answers", x.foreign).Bool("then_answered", x.answered).Msg("answers to other messages skipped: their MSA-2 is not our MSH-10")
	}
	switch {
	case x.answered:
		s.env.Count("answers", 1)
	case err != nil:
	case r.Code == adapters.NoReply:
		s.env.Count("no_reply", 1)
		s.log.Warn().Dur("waited", s.cfg.replyTimeout).Msg("no answer in time; the connection is closed")
	case r.Code == adapters.Unreadable:
		s.env.Count("unreadable", 1)
		s.log.Warn().Str("reason", x.fault).Int64("bytes", x.heard).Msg("the answer cannot be read; the connection is closed")
	}
}

// reuse takes an idle link that is fit for one more message, or nil.
func (s *sender) reuse() (*link, error) {
	for {
		l, err := s.pop()
		if l == nil || err != nil {
			return nil, err
		}
		switch l.state() {
		case linkQuiet:
			return l, nil
		case linkLate:
			s.env.Count("late_bytes", 1)
			s.log.Warn().Msg("bytes that nobody asked for, such as a late answer, on an idle connection; it is closed and made again")
		}
		l.close()
	}
}

func (s *sender) pop() (*link, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	n := len(s.idle)
	if n == 0 {
		return nil, nil
	}
	l := s.idle[n-1]
	s.idle = s.idle[:n-1]
	return l, nil
}

func (s *sender) keep(l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		l.close()
		return
	}
	s.idle = append(s.idle, l)
}

// Probe makes a connection, TLS included, and closes it.
func (s *sender) Probe(ctx context.Context) error {
	l, err := s.dial(ctx)
	if err != nil {
		return err
	}
	l.close()
	return nil
}

// Close ends idle connections at once, and those in use after their exchange.
func (s *sender) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, l := range s.idle {
		l.close()
	}
	s.idle = nil
	return nil
}
