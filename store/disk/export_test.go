package disk

import (
	"errors"

	"github.com/spine-engine/spine-engine/store"
)

// Crash drops the store as the end of the process would: nothing more is
// written, whatever had not been is lost.
func (s *Store) Crash() {
	err := errors.Join(store.ErrFailed, errors.New("crashed for a test"))
	s.failed.Store(&err)
	s.closed.Store(true)
	s.w.close()
	close(s.stop)
	s.done.Wait()
	s.release()
}
