package mllp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/adapters/internal/nets"
)

// listener takes connections on one port. Each is served by one goroutine, which
// Run waits for.
type listener struct {
	cfg    *listenConfig
	env    adapters.SourceEnv
	log    zerolog.Logger
	ln     net.Listener
	door   *nets.Door
	quiet  *nets.Quiet
	pool   sync.Pool // *scratch
	memory budget    // bytes of frames that are still arriving

	wg       sync.WaitGroup
	mu       sync.Mutex
	conns    map[*conn]struct{}
	stopping bool
}

func openListener(c *listenConfig, env adapters.SourceEnv) (*listener, error) {
	ln, err := nets.Bind("mllp", c.at, c.keepalive)
	if err != nil {
		return nil, err
	}
	return newListener(c, env, ln), nil
}

func newListener(c *listenConfig, env adapters.SourceEnv, ln net.Listener) *listener {
	if env.Count == nil {
		env.Count = func(string, int) {}
	}
	if env.Spool == nil {
		env.InMemory = c.maxMessage
	} else if env.InMemory <= 0 {
		env.InMemory = defaultInMemory
	}
	l := &listener{
		cfg: c, env: env, ln: ln, log: env.Log.With().Str("listener", env.Name).Logger(),
		door: nets.NewDoor(c.allow, c.maxConns, c.maxPerPeer), quiet: nets.NewQuiet(), conns: map[*conn]struct{}{},
	}
	l.memory.left.Store(frameMemory)
	l.pool.New = func() any { return newScratch(c.maxMessage) }
	return l
}

// Addr is the bound address, with the real port when any free one was asked for.
func (l *listener) Addr() net.Addr { return l.ln.Addr() }

// Close gives the port back and ends what is still connected. After Run it has
// nothing left to do.
func (l *listener) Close() error {
	l.stop()
	return nil
}

// Run serves until ctx ends: then it takes no more connections, lets each finish
// the frame it has begun to receive, answers it, closes, and returns.
func (l *listener) Run(ctx context.Context, accept adapters.Accept) error {
	release := context.AfterFunc(ctx, l.stop)
	defer release()
	l.log.Info().Stringer("address", l.Addr()).Bool("tls", l.cfg.tls != nil).Msg("mllp listener takes connections")
	err := l.acceptAll(ctx, accept)
	l.stop()
	l.wg.Wait()
	l.log.Info().Stringer("address", l.Addr()).Msg("mllp listener has stopped")
	return err
}

func (l *listener) acceptAll(ctx context.Context, accept adapters.Accept) error {
	var wait time.Duration
	for {
		nc, err := l.ln.Accept()
		switch {
		case err == nil:
			wait = 0
			l.admit(ctx, nc, accept)
		case ctx.Err() != nil || l.isStopping():
			return nil
		case !passing(err):
			return fmt.Errorf("mllp listener %s stopped taking connections: %w", l.Addr(), err)
		default:
			wait = min(max(2*wait, 5*time.Millisecond), time.Second)
			l.log.Warn().Err(err).Dur("wait", wait).Msg("cannot take a connection; trying again (is the limit of open files reached?)")
			pause(ctx, wait)
		}
	}
}

// passing tells faults of one connection or moment from faults of the listener.
func passing(err error) bool {
	for _, e := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.ECONNABORTED, syscall.ECONNRESET, syscall.EINTR, syscall.EPROTO, syscall.EPERM} {
		if errors.Is(err, e) {
			return true
		}
	}
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// admit starts the goroutine of a welcome connection and closes any other at once.
func (l *listener) admit(ctx context.Context, nc net.Conn, accept adapters.Accept) {
	ip := nets.AddrOf(nc)
	if v := l.door.Enter(ip); v != nets.Welcome {
		l.refuse(nc, ip, v)
		return
	}
	c := newConn(l, nc, ip)
	if !l.remember(c) {
		l.door.Leave(ip)
		nc.Close()
		return
	}
	l.env.Count("connections", 1)
	// What is in hand when ctx ends is finished, not cut short.
	work := context.WithoutCancel(ctx)
	l.wg.Go(func() {
		defer l.door.Leave(ip)
		defer l.env.Count("connections_closed", 1)
		defer l.forget(c)
		c.serve(work, accept)
	})
}

func (l *listener) refuse(nc net.Conn, ip netip.Addr, v nets.Verdict) {
	nc.Close()
	counter := "refused_limit"
	if v == nets.Foreign {
		counter = "refused_address"
	}
	l.env.Count(counter, 1)
	l.warn(ip, counter, func(e *zerolog.Event) { e.Stringer("reason", v).Msg("connection refused") })
}

// warn logs at most once a minute for each peer and matter.
func (l *listener) warn(ip netip.Addr, what string, say func(*zerolog.Event)) {
	skipped, due := l.quiet.Speak(ip, what, time.Now())
	if !due {
		return
	}
	e := l.log.Warn().Stringer("peer", ip)
	if skipped > 0 {
		e = e.Int("left_out", skipped)
	}
	say(e)
}

// remember is false when the listener is stopping.
func (l *listener) remember(c *conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopping {
		return false
	}
	l.conns[c] = struct{}{}
	return true
}

func (l *listener) forget(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
}

func (l *listener) isStopping() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stopping
}

func (l *listener) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopping {
		return
	}
	l.stopping = true
	l.ln.Close() // its only error is that it is closed
	for c := range l.conns {
		c.wire.stop()
	}
}
