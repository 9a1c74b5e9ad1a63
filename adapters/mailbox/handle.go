package mailbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"github.com/spine-engine/spine-engine/adapters"
)

// verdict is what is to become of a file.
type verdict struct {
	failed  string   // why it goes to quarantine; "" = it goes where after.ok says
	details []string // for the reason or report file; never content
	keep    bool     // archived even where after.ok deletes: bytes of it went nowhere
}

// handle brings one claimed file to its end, or says why it must be tried again.
func (s *source) handle(ctx context.Context, accept adapters.Accept, c *claim) error {
	if c.verdict == nil && c.begun >= maxBegun {
		c.verdict = &verdict{failed: "processing ended abnormally three times"}
	}
	var err error
	if c.verdict == nil {
		err = s.decide(ctx, accept, c)
	}
	if err == nil {
		err = s.finish(c)
	}
	if err != nil && s.gone(c) {
		s.env.Log.Warn().Err(err).Str("source", s.env.Name).Str("claim", c.id).Msg("a claimed file is no longer there")
		return nil
	}
	return err
}

// gone: after a reload another source of this process has the file, or a person
// took it away. There is nothing left to be tried.
func (s *source) gone(c *claim) bool {
	_, err := statAt(s.inbox.claimed, c.file())
	return errors.Is(err, unix.ENOENT)
}

// errPanicked: the count of tries is left as it is, as after a crash.
var errPanicked = errors.New("processing a file panicked")

// errReading marks faults of the file itself.
var errReading = errors.New("reading a claimed file")

// decide gives the file its verdict, or an error after which it is tried again.
func (s *source) decide(ctx context.Context, accept adapters.Accept, c *claim) error {
	if err := s.begin(c); err != nil {
		return err
	}
	v, err := s.process(ctx, accept, c)
	if errors.Is(err, errPanicked) {
		return err
	}
	if errors.Is(err, errReading) {
		if c.readFailures++; c.readFailures >= maxReadFailures {
			v, err = &verdict{failed: "the file cannot be read: " + err.Error()}, nil
		}
	} else {
		c.readFailures = 0
	}
	if err != nil {
		return errors.Join(err, s.ended(c))
	}
	c.verdict = v
	return nil
}

// process reads the file and hands its messages on. A panic, the engine's or
// our own, must not end the process.
func (s *source) process(ctx context.Context, accept adapters.Accept, c *claim) (v *verdict, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.env.Count("panics", 1)
			s.env.Log.Error().Str("source", s.env.Name).Str("claim", c.id).Str("kind", fmt.Sprintf("%T", p)).
				Bytes("stack", debug.Stack()).Msg("processing a mailbox file panicked")
			v, err = nil, errPanicked
		}
	}()
	r, v, err := s.openClaim(ctx, accept, c)
	if v != nil || err != nil {
		return v, err
	}
	defer r.file.Close()
	return r.run()
}

// openClaim opens the file for reading, never through a link and never waiting
// for the other end of a FIFO. A verdict says that it must not be read.
func (s *source) openClaim(ctx context.Context, accept adapters.Accept, c *claim) (*reading, *verdict, error) {
	fd, err := openAt(s.inbox.claimed, c.file(), unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENXIO) {
		return nil, &verdict{failed: "it is not a regular file"}, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errReading, err)
	}
	file := os.NewFile(uintptr(fd), "claim "+c.id)
	st, err := fstat(fd)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%w: %w", errReading, err), file.Close())
	}
	if why := s.cannotRead(c, &st); why != "" {
		return nil, &verdict{failed: why}, file.Close()
	}
	return &reading{source: s, ctx: ctx, accept: accept, claim: c, file: file, look: lookOf(&st)}, nil, nil
}

func (s *source) cannotRead(c *claim, st *unix.Stat_t) string {
	switch why := s.objectionTo(st); {
	case why != "":
		return why
	case markOf(st) != c.mark:
		return "the file was changed after it was claimed; messages of it may have been accepted before"
	case st.Size == 0:
		return "the file is empty"
	case st.Size > s.conf.maxFile:
		return fmt.Sprintf("the file has %d bytes where max_file allows %d", st.Size, s.conf.maxFile)
	}
	return ""
}
