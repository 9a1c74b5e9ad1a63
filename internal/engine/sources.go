package engine

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
)

// source is one running source.
type source struct {
	name   string
	key    string // of its configuration: equal = need not be reopened
	claims []string
	src    adapters.Source
	log    zerolog.Logger
	cancel context.CancelFunc
	done   chan struct{} // nil until started
}

func (e *Engine) openSource(s routes.Source, limits routes.Limits) (*source, error) {
	log := e.log.With().Str("source", s.Name).Logger()
	src, err := s.Config.Open(adapters.SourceEnv{
		Name: s.Name, Project: e.project, Log: log, InMemory: limits.InMemory,
		Spool: func(r io.Reader, max int64) (message.Body, error) { return e.store.Spool(r, max) },
		Count: e.metrics.counter("source", s.Name),
	})
	if err != nil {
		return nil, fmt.Errorf("%s: source %s: %w", s.Place, s.Name, err)
	}
	return &source{name: s.Name, key: s.Config.Key(), claims: s.Config.Claims(), src: src, log: log,
		cancel: func() {}}, nil
}

// start runs the source until cancel; one that ends by itself or panics is
// started again after a pause.
func (s *source) start(accept adapters.Accept) {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel, s.done = cancel, make(chan struct{})
	go func() {
		defer close(s.done)
		defer closeIt(s.src, s.log)
		pause := time.Second
		for ctx.Err() == nil {
			begun := time.Now()
			if err := s.run(ctx, accept); err != nil && ctx.Err() == nil {
				s.log.Error().Err(err).Dur("again_in", pause).Msg("source ended")
			}
			if time.Since(begun) > time.Minute {
				pause = time.Second
			}
			sleep(ctx, pause)
			pause = min(2*pause, time.Minute)
		}
	}()
}

// run turns a panic of the adapter into an error. The stack names functions
// only; the panic's value could hold content and is left out.
func (s *source) run(ctx context.Context, accept adapters.Accept) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error().Str("panic", fmt.Sprintf("%T", p)).Bytes("stack", stackWithoutArguments(debug.Stack())).Msg("source panicked")
			err = fmt.Errorf("panic in the adapter (%T)", p)
		}
	}()
	return s.src.Run(ctx, accept)
}

func (s *source) wait(ctx context.Context) {
	if s.done == nil {
		closeIt(s.src, s.log)
		return
	}
	select {
	case <-s.done:
	case <-ctx.Done():
		s.log.Warn().Msg("source did not stop in time; what it had not acknowledged will be sent again")
	}
}

func closeIt(v any, log zerolog.Logger) {
	if c, ok := v.(io.Closer); ok {
		if err := c.Close(); err != nil {
			log.Debug().Err(err).Msg("closing")
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
