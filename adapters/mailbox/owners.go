package mailbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

const ownerFile = "owner"

// owners are the mailboxes this process has open, by private folder. A reload
// opens a changed source or destination before it closes the old one, so both
// must share what is held and what is in doubt; another process is refused.
type owners struct {
	mu    sync.Mutex
	boxes map[folderID]*box
}

func newOwners() *owners { return &owners{boxes: map[folderID]*box{}} }

// box is one private folder in use by this process.
type box struct {
	owners *owners
	id     folderID
	refs   int
	lock   int           // descriptor of the owner file
	turn   chan struct{} // one at a time works in the folder
	out    outState      // guarded by turn
}

// take makes this process the owner of the folder, or adds to its use of it.
func (o *owners) take(f *folder) (*box, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if b := o.boxes[f.id]; b != nil {
		b.refs++
		return b, nil
	}
	lock, err := lockOwner(f.priv)
	if err != nil {
		return nil, fmt.Errorf("mailbox folder %s: %w", f.path, err)
	}
	b := &box{owners: o, id: f.id, refs: 1, lock: lock, turn: make(chan struct{}, 1), out: newOutState()}
	o.boxes[f.id] = b
	return b, nil
}

// release gives the use back; the last one gives up the ownership.
func (b *box) release() error {
	b.owners.mu.Lock()
	defer b.owners.mu.Unlock()
	if b.refs--; b.refs > 0 {
		return nil
	}
	delete(b.owners.boxes, b.id)
	return unix.Close(b.lock)
}

// enter waits for the folder; leave lets the next one in.
func (b *box) enter(ctx context.Context) error {
	select {
	case b.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *box) leave() { <-b.turn }

// lockOwner locks the owner file and writes into it who has it, for the error of
// the next one. The lock goes with the process, however it ends.
func lockOwner(priv int) (int, error) {
	fd, err := openAt(priv, ownerFile, unix.O_CREAT|unix.O_RDWR, 0o600)
	if err != nil {
		return -1, fmt.Errorf("owner file: %w", err)
	}
	err = again(func() error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
	if err == nil {
		err = signOwner(fd)
	} else if errors.Is(err, unix.EWOULDBLOCK) {
		err = fmt.Errorf("in use by %s; stop it, or give this engine a folder of its own", ownerIn(fd))
	} else {
		err = fmt.Errorf("owner file cannot be locked on this file system: %w", err)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func signOwner(fd int) error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	if err := unix.Ftruncate(fd, 0); err != nil {
		return fmt.Errorf("owner file: %w", err)
	}
	_, err = unix.Pwrite(fd, fmt.Appendf(nil, "process %d on %s\n", os.Getpid(), host), 0)
	if err != nil {
		return fmt.Errorf("owner file: %w", err)
	}
	return nil
}

func ownerIn(fd int) string {
	text := make([]byte, 200)
	n, err := unix.Pread(fd, text, 0)
	if err != nil || n == 0 {
		return "another process"
	}
	return strings.TrimSpace(string(text[:n]))
}
