package disk

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

const tmpExt = ".tmp"

// Spool writes r durably into a file of the store: under a temporary name,
// synced, renamed, and its folder synced. More than max bytes is an error.
func (s *Store) Spool(r io.Reader, max int64) (message.Body, error) {
	if err := s.usable(); err != nil {
		return message.Body{}, err
	}
	if err := s.space.check(); err != nil {
		return message.Body{}, err
	}
	now := s.o.Now().UTC()
	dir, err := s.bodyDay(now.Format(dayLayout))
	if err != nil {
		return message.Body{}, s.spoolFailed(err)
	}
	path := filepath.Join(dir, newName(now))
	f, err := writeBody(path+tmpExt, r, max)
	if err == nil {
		err = publish(path)
	}
	if err != nil {
		os.Remove(path + tmpExt)
		return message.Body{}, s.spoolFailed(err)
	}
	f.Path = path
	return message.InFile(f), nil
}

// Unspool removes the file of a spooled body that no record refers to.
func (s *Store) Unspool(b message.Body) error {
	f, ok := b.File()
	if !ok {
		return nil
	}
	if err := s.usable(); err != nil {
		return err
	}
	name, err := filepath.Rel(s.bodiesDir(), f.Path)
	if err != nil || !filepath.IsLocal(name) {
		return nil
	}
	known := true
	err = s.view.read(func(tx *bolt.Tx) error {
		known = tx.Bucket(bucketBodies).Get([]byte(name)) != nil
		return nil
	})
	if err := s.viewFailed(err); err != nil || known {
		return err
	}
	if err := os.Remove(f.Path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing a spooled body that no message refers to: %w", err)
	}
	return nil
}

// errSync: a sync failed, so what is on the disk is unknown.
var errSync = errors.New("sync failed")

// spoolFailed: a body that could not be written is refused and harms nothing;
// after a failed sync the whole store has failed.
func (s *Store) spoolFailed(err error) error {
	switch {
	case errors.Is(err, errSync):
		return s.fail(err)
	case errors.Is(err, unix.ENOSPC):
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	}
	return err
}

// bodyDay gives the folder of a day, whose name is durable.
func (s *Store) bodyDay(name string) (string, error) {
	s.dayMu.Lock()
	defer s.dayMu.Unlock()
	dir := filepath.Join(s.bodiesDir(), name)
	if s.dayMade == name {
		return dir, nil
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !os.IsExist(err) {
		return "", fmt.Errorf("making a folder for bodies: %w", err)
	}
	if err := syncDir(s.bodiesDir()); err != nil {
		return "", errors.Join(errSync, err)
	}
	s.dayMade = name
	return dir, nil
}

func newName(now time.Time) string {
	return ulid.MustNew(ulid.Timestamp(now), ulid.DefaultEntropy()).String()
}

// writeBody streams r into a new file and syncs it. An error of r comes back as
// it is; a sync error is the disk's.
func writeBody(path string, r io.Reader, max int64) (message.File, error) {
	fd, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return message.File{}, fmt.Errorf("spooling a body: %w", err)
	}
	defer fd.Close()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(fd, h), io.LimitReader(r, max+1))
	if err != nil {
		return message.File{}, fmt.Errorf("spooling a body after %d bytes: %w", n, err)
	}
	if n > max {
		return message.File{}, fmt.Errorf("the body has more than %d bytes; raise the limit or refuse such messages", max)
	}
	if err := fd.Sync(); err != nil {
		return message.File{}, fmt.Errorf("syncing a body of %d bytes: %w", n, errors.Join(errSync, err))
	}
	return message.File{Size: n, Sum: [sha256.Size]byte(h.Sum(nil))}, nil
}

// publish gives a synced body its name, durably.
func publish(path string) error {
	if err := os.Rename(path+tmpExt, path); err != nil {
		return fmt.Errorf("naming a body file: %w", err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return errors.Join(errSync, err)
	}
	return nil
}

// eachBody calls fn with the name (below bodies/) of every file there.
func (s *Store) eachBody(fn func(name string) error) error {
	days, err := os.ReadDir(s.bodiesDir())
	if err != nil {
		return err
	}
	for _, d := range days {
		files, err := os.ReadDir(filepath.Join(s.bodiesDir(), d.Name()))
		if err != nil {
			return err
		}
		for _, f := range files {
			if err := fn(filepath.Join(d.Name(), f.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropOrphans removes bodies that no record refers to: spooled for messages that
// were never stored. After damage they may belong to lost records, and are set
// aside instead.
func (s *Store) dropOrphans(damaged bool) error {
	var removed int
	err := s.view.read(func(tx *bolt.Tx) error {
		known := tx.Bucket(bucketBodies)
		return s.eachBody(func(name string) error {
			if known.Get([]byte(name)) != nil {
				return nil
			}
			removed++
			path := filepath.Join(s.bodiesDir(), name)
			if damaged && !strings.HasSuffix(name, tmpExt) {
				return os.Rename(path, filepath.Join(s.asideDir(), "body-"+filepath.Base(name)))
			}
			return os.Remove(path)
		})
	})
	if err == nil && removed > 0 {
		s.o.Log.Info().Int("files", removed).Bool("set_aside", damaged).Msg("removed spooled bodies that no message refers to")
	}
	return err
}

// verifyBody checks what a page of a lane hands out: that the record belongs to
// the lane, and the bytes of a body that lies in a file.
func verifyBody(d *message.Delivery, queue, lane string) error {
	if d.Queue != queue || d.Lane != lane {
		return fmt.Errorf("%w: copy %s belongs to another lane", errDamaged, d.Key)
	}
	b := d.Body
	if base, _, ok := b.Pieces(); ok {
		b = base
	}
	f, ok := b.File()
	if !ok {
		return nil
	}
	v, err := b.View()
	if err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	defer v.Close()
	return guardedDamage(func() error {
		h := sha256.New()
		if _, err := v.WriteTo(h); err != nil {
			return err
		}
		if [sha256.Size]byte(h.Sum(nil)) != f.Sum {
			return fmt.Errorf("%w: the file of copy %s has other bytes than were stored", errDamaged, d.Key)
		}
		return nil
	})
}

// guardedDamage is guarded for a mapped body file.
func guardedDamage(fn func() error) error {
	err := guarded(fn)
	if errors.Is(err, errView) {
		return fmt.Errorf("%w: a body file cannot be read", errDamaged)
	}
	return err
}
