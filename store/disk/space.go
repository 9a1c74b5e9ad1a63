package disk

import (
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spine-engine/spine-engine/store"
)

// spaceEvery is how long one look at the disk's free space counts.
const spaceEvery = 250 * time.Millisecond

// space answers whether the disk has room for more, without asking the kernel
// for every message.
type space struct {
	dir   string
	floor int64
	now   func() time.Time
	next  atomic.Int64 // when to look again, ns
	free  atomic.Int64 // bytes at the last look
}

// check returns ErrFull below the floor.
func (s *space) check() error {
	if s.floor <= 0 {
		return nil
	}
	now := s.now().UnixNano()
	next := s.next.Load()
	late := now >= next || next-now > int64(spaceEvery) // the clock was set back
	if late && s.next.CompareAndSwap(next, now+int64(spaceEvery)) {
		var st unix.Statfs_t
		if err := unix.Statfs(s.dir, &st); err != nil {
			s.next.Store(0)
			return fmt.Errorf("asking for the free space of the store's disk: %w", err)
		}
		s.free.Store(int64(st.Bavail) * st.Bsize)
	}
	if free := s.free.Load(); free < s.floor {
		return fmt.Errorf("%w: %d MiB are free and %d MiB must stay free; make room and it resumes by itself", store.ErrFull, free>>20, s.floor>>20)
	}
	return nil
}
