package mailbox

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/spine-engine/spine-engine/adapters"
)

// source empties one mailbox directory, one file after the other: the order of
// files is the order of messages.
type source struct {
	conf sourceConfig
	env  adapters.SourceEnv
	path string
	// watch gives a hint whenever something appears in the folder. Only polling
	// is relied on; nil = no hints.
	watch func(path string) (hints <-chan struct{}, stop func(), err error)

	mu     sync.Mutex // held by Run, so that Close waits for it
	inbox  *inbox
	closed bool

	loaded   bool
	unsynced bool                // the claims' moves are not known to be durable
	claims   []*claim            // in hand, in order
	sights   map[string]sighting // files that are not ready yet, by name
	refused  map[refusal]bool    // what has been reported and is still there
}

const (
	firstBackoff = time.Second
	lastBackoff  = 30 * time.Second
	// gather lets the rest of a burst of files arrive before a hint is followed.
	gather = 20 * time.Millisecond
)

// Run reads until ctx ends; the message in hand is finished. A file that was
// begun stays claimed and goes on at the next start. Faults of the folder are
// waited out, so Run returns an error only after Close.
func (s *source) Run(ctx context.Context, accept adapters.Accept) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errSourceClosed
	}
	hints, stop := s.startWatch()
	defer func() { stop() }()
	var backoff time.Duration
	for ctx.Err() == nil {
		moved, err := s.pass(ctx, accept)
		if moved {
			stop()
			hints, stop = s.startWatch()
		}
		if err == nil || ctx.Err() != nil {
			backoff = 0
			s.wait(ctx, s.conf.poll, hints)
			continue
		}
		backoff = min(max(2*backoff, firstBackoff), lastBackoff)
		s.env.Count("backoffs", 1)
		s.env.Log.Warn().Err(err).Str("source", s.env.Name).Dur("retry_in", backoff).Msg("mailbox source waits")
		s.wait(ctx, backoff, nil)
	}
	return nil
}

var errSourceClosed = errors.New("the mailbox source is closed")

// Close gives the folder up, after Run has returned.
func (s *source) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return s.inbox.close()
}

func (s *source) wait(ctx context.Context, d time.Duration, hints <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-hints:
		timer.Reset(min(d, gather))
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
	}
}

// pass processes everything that is ready, oldest first. moved says that the
// folder is another one than at the last pass.
func (s *source) pass(ctx context.Context, accept adapters.Accept) (moved bool, err error) {
	if moved, err = s.follow(); err != nil {
		return moved, err
	}
	// Another source of this process may still be finishing in the folder
	// (reload); what it leaves claimed is read only now.
	if err := s.inbox.box.enter(ctx); err != nil {
		return moved, err
	}
	defer s.inbox.box.leave()
	if err := s.load(); err != nil {
		return moved, err
	}
	for ctx.Err() == nil {
		if err := s.work(ctx, accept); err != nil {
			return moved, err
		}
		ready, err := s.scan(time.Now())
		if err != nil || len(ready) == 0 {
			return moved, err
		}
		if err := s.claim(ready); err != nil {
			return moved, err
		}
	}
	return moved, ctx.Err()
}

// work processes what is claimed, in order. What fails stays at the head.
func (s *source) work(ctx context.Context, accept adapters.Accept) error {
	if err := s.syncClaims(); err != nil {
		return err
	}
	for len(s.claims) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.handle(ctx, accept, s.claims[0]); err != nil {
			return err
		}
		s.claims = s.claims[1:]
	}
	return nil
}

// follow keeps to the folder that the path leads to.
func (s *source) follow() (moved bool, err error) {
	err = s.inbox.check()
	if !errors.Is(err, errMoved) {
		return false, err
	}
	in, err := openInbox(s.path, s.conf.owners)
	if err != nil {
		return false, err
	}
	s.env.Log.Warn().Str("source", s.env.Name).Str("folder", s.path).Msg("mailbox folder was replaced; going on in the one that is there now")
	old := s.inbox
	s.inbox, s.loaded, s.claims, s.sights = in, false, nil, nil
	return true, old.close()
}
