package main

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/spine-engine/spine-engine/internal/peer"
)

// startLimit is from the start of the process to the first acknowledgement.
const startLimit = time.Second

// starting fills a store and measures the start, after a clean stop and after a
// kill under load. The listener knows duplicates, so that their index is read too.
func (s *speed) starting(ctx context.Context) error {
	if s.fill == 0 {
		s.skip("the start on a full store: -fill 0")
		return nil
	}
	p, err := s.project("start", nobody(), "", duplicates)
	if err != nil {
		return err
	}
	e := s.engine(p)
	if err := e.up(ctx); err != nil {
		return err
	}
	defer func() { e.kill() }()
	began := time.Now()
	messages, err := s.fillStore(ctx, e, p)
	if err != nil {
		return err
	}
	bytes, err := folderSize(filepath.Join(p.dir, "store"))
	if err != nil {
		return err
	}
	s.note("filled a store with %d messages, %d MiB on disk, in %s", messages, bytes>>20, time.Since(began).Round(time.Second))
	var clean, killed sample
	for i := range s.roundsOr(5) {
		if _, err := e.stop(); err != nil {
			return err
		}
		took, err := s.firstAck(ctx, e, 2*i)
		if err != nil {
			return err
		}
		clean = append(clean, ms(took))
		if took, err = s.afterKill(ctx, e, 2*i+1); err != nil {
			return err
		}
		killed = append(killed, ms(took))
	}
	s.check(clean.median() < ms(startLimit), "start to first acknowledgement after a clean stop, ms: %s", clean)
	s.check(killed.median() < ms(startLimit), "start to first acknowledgement after a kill under load, ms: %s", killed)
	return nil
}

// fillStore sends until the store's folder has the size asked for.
func (s *speed) fillStore(ctx context.Context, e *engine, p project) (int, error) {
	messages := 0
	for {
		n, err := folderSize(filepath.Join(p.dir, "store"))
		if err != nil || n >= s.fill {
			return messages, err
		}
		r, err := s.blastAll(ctx, blastOptions{to: p.listen, messages: 100_000, first: messages})
		if err != nil {
			return messages, err
		}
		messages += r.Acked
	}
}

func folderSize(dir string) (int64, error) {
	var n int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		st, err := d.Info()
		if err == nil {
			n += st.Size()
		}
		return err
	})
	return n, err
}

// firstAck starts the engine and sends one message as soon as anything listens.
func (s *speed) firstAck(ctx context.Context, e *engine, n int) (time.Duration, error) {
	began := time.Now()
	if err := e.start(); err != nil {
		return 0, err
	}
	g := generator{prefix: 'F', seed: s.seed, size: 1000}
	var c *peer.Client
	err := eventually(ctx, readyWithin, time.Millisecond, func() (ok bool, err error) {
		c, err = peer.Dial(ctx, e.listen, nil, 10*time.Second)
		return err == nil, err
	})
	if err != nil {
		return 0, fmt.Errorf("%w; the engine's log ends:\n%s", err, e.tail())
	}
	defer c.Close()
	a, err := c.Ask(g.body(0, n))
	if err == nil && a.Code != "AA" {
		err = fmt.Errorf("the first message was answered %s", a.Code)
	}
	return time.Since(began), err
}

// afterKill kills the engine while messages pour in, then measures its start.
func (s *speed) afterKill(ctx context.Context, e *engine, n int) (time.Duration, error) {
	b, err := s.blast(ctx, blastOptions{to: e.listen})
	if err != nil {
		return 0, err
	}
	time.Sleep(500*time.Millisecond + time.Duration(s.rng.Int64N(int64(time.Second))))
	e.kill()
	b.abandon()
	return s.firstAck(ctx, e, n)
}
