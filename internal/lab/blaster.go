package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"time"
)

// blaster is a running cheap sender.
type blaster struct {
	cmd  *exec.Cmd
	pace io.WriteCloser // nil = not paced
	out  bytes.Buffer
	errs bytes.Buffer
}

// blastOptions say what the cheap sender does.
type blastOptions struct {
	to       string
	length   time.Duration
	messages int
	size     int
	first    int
	paced    bool
}

func (l *lab) blast(ctx context.Context, o blastOptions) (*blaster, error) {
	args := []string{"_send", "-to", o.to, "-seed", strconv.FormatInt(l.seed, 10), "-first", strconv.Itoa(o.first),
		"-messages", strconv.Itoa(o.messages), "-paced=" + strconv.FormatBool(o.paced)}
	if o.length > 0 {
		args = append(args, "-for", o.length.String())
	}
	if o.size > 0 {
		args = append(args, "-size", strconv.Itoa(o.size))
	}
	cmd, err := self(ctx, args...)
	if err != nil {
		return nil, err
	}
	b := &blaster{cmd: cmd}
	cmd.Stdout, cmd.Stderr = &b.out, &b.errs
	cmd.SysProcAttr = dieWithParent()
	if o.paced {
		if b.pace, err = cmd.StdinPipe(); err != nil {
			return nil, err
		}
	}
	return b, cmd.Start()
}

// allow lets the sender go on to message number n.
func (b *blaster) allow(n int) error {
	var buf [8]byte
	binary.LittleEndian.PutUint64(buf[:], uint64(n))
	_, err := b.pace.Write(buf[:])
	return err
}

// wait gives the sender's own account. A paced sender is told to end first.
func (b *blaster) wait() (s sent, err error) {
	if b.pace != nil {
		if err := b.pace.Close(); err != nil {
			return s, err
		}
	}
	if err := b.cmd.Wait(); err != nil {
		return s, fmt.Errorf("the sender failed: %w: %s", err, bytes.TrimSpace(b.errs.Bytes()))
	}
	if err := json.Unmarshal(b.out.Bytes(), &s); err != nil {
		return s, fmt.Errorf("the sender's account: %w", err)
	}
	s.CPU = (b.cmd.ProcessState.UserTime() + b.cmd.ProcessState.SystemTime()).Seconds()
	if s.Refused > 0 {
		return s, fmt.Errorf("%d of %d messages were refused", s.Refused, s.Refused+s.Acked)
	}
	return s, nil
}

// abandon ends a sender whose account nobody wants.
func (b *blaster) abandon() {
	_ = b.cmd.Process.Kill() // it may have ended
	_ = b.cmd.Wait()
}

// blastAll runs the cheap sender to its end.
func (l *lab) blastAll(ctx context.Context, o blastOptions) (sent, error) {
	b, err := l.blast(ctx, o)
	if err != nil {
		return sent{}, err
	}
	return b.wait()
}

// flow measures a paced stream: done tells how many messages have come out at the
// far end, and the sender is kept at most window ahead of that.
type flow struct {
	window int
	warm   time.Duration
	length time.Duration
	done   func() (int, error)
}

// run gives the rate at the far end, messages per second, without the warm-up.
func (f *flow) run(ctx context.Context, b *blaster) (float64, error) {
	base, err := f.done()
	if err != nil {
		return 0, err
	}
	if err := b.allow(f.window); err != nil {
		return 0, err
	}
	began := time.Now()
	var from time.Time
	first, last := 0, 0
	for ctx.Err() == nil {
		n, err := f.done()
		if err != nil {
			return 0, err
		}
		n -= base
		now := time.Now()
		if from.IsZero() && now.Sub(began) >= f.warm {
			from, first = now, n
		}
		if !from.IsZero() && now.Sub(from) >= f.length {
			return float64(n-first) / now.Sub(from).Seconds(), nil
		}
		if n != last {
			if err := b.allow(n + f.window); err != nil {
				return 0, err
			}
			last = n
		}
		time.Sleep(5 * time.Millisecond)
	}
	return 0, ctx.Err()
}
