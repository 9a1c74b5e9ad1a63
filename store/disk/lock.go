package disk

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spine-engine/spine-engine/store"
)

// holder is what the lock file says about who has the store open.
type holder struct {
	PID     int       `json:"pid"`
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
}

const lockRetry = 20 * time.Millisecond

// takeLock locks the store's folder for this process, waiting up to wait. The
// kernel lets go of the lock when the process ends, however it ends.
func takeLock(dir, command string, now time.Time, wait time.Duration) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the store's lock file: %w", err)
	}
	if err := flock(f, wait); err != nil {
		defer f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, lockedBy(f)
		}
		return nil, fmt.Errorf("locking the store: %w", err)
	}
	if err := sayHolder(f, holder{PID: os.Getpid(), Command: command, Since: now.UTC().Truncate(time.Second)}); err != nil {
		f.Close()
		return nil, fmt.Errorf("writing the store's lock file: %w", err)
	}
	return f, nil
}

func flock(f *os.File, wait time.Duration) error {
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return err
		}
		if wait <= 0 {
			return err
		}
		select {
		case <-deadline.C:
			return err
		case <-time.After(lockRetry):
		}
	}
}

func sayHolder(f *os.File, h holder) error {
	b, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt(append(b, '\n'), 0)
	return err
}

func lockedBy(f *os.File) error {
	var h holder
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 4<<10))
	if err != nil || json.Unmarshal(b, &h) != nil {
		return fmt.Errorf("%w by another process; end it or use its socket", store.ErrLocked)
	}
	return fmt.Errorf("%w by process %d (%s) since %s; end it or use its socket", store.ErrLocked, h.PID, h.Command, h.Since.Format(time.RFC3339))
}
