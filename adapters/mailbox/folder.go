package mailbox

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// errMoved: the folder's path leads to another folder than the one held open.
var errMoved = errors.New("the folder was replaced since it was opened")

// folderID tells folders apart, however they are spelled.
type folderID struct{ dev, ino uint64 }

func idOf(st *unix.Stat_t) folderID { return folderID{uint64(st.Dev), st.Ino} }

// folder is a mailbox directory held open together with the engine's private
// folder in it.
type folder struct {
	path    string
	private string // name of the private folder
	dir     int    // descriptors
	priv    int
	id      folderID // of the private folder
}

// openFolder opens the mailbox at path, making it and its private folder where
// they are missing.
func openFolder(path, private string) (*folder, error) {
	if err := os.MkdirAll(path, 0o750); err != nil {
		return nil, fmt.Errorf("mailbox folder: %w", err)
	}
	dir, err := openMailbox(path)
	if err != nil {
		return nil, fmt.Errorf("mailbox folder %s: %w", path, err)
	}
	priv, st, err := openPrivate(dir, dir, private)
	if err != nil {
		unix.Close(dir)
		return nil, fmt.Errorf("mailbox folder %s: %w", path, err)
	}
	return &folder{path: path, private: private, dir: dir, priv: priv, id: idOf(&st)}, nil
}

// openMailbox opens the mailbox itself. The path is the project's own, so it may
// lead over links; nothing within the mailbox may.
func openMailbox(path string) (fd int, err error) {
	err = again(func() error {
		fd, err = unix.Open(path, dirFlags, 0)
		return err
	})
	return fd, err
}

// openPrivate opens the folder name in parent, making it where it is missing. It
// must be a real folder of ours that nobody else can enter, on the mailbox's
// file system: whoever may write into the mailbox could have put it there.
func openPrivate(mailbox, parent int, name string) (int, unix.Stat_t, error) {
	err := again(func() error { return unix.Mkdirat(parent, name, 0o700) })
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return -1, unix.Stat_t{}, fmt.Errorf("making the private folder %s: %w", name, err)
	}
	fd, err := openAt(parent, name, dirFlags, 0)
	if err != nil {
		return -1, unix.Stat_t{}, fmt.Errorf("private folder %s (it must be a folder, not a link): %w", name, err)
	}
	st, err := checkPrivate(mailbox, fd, name)
	if err != nil {
		unix.Close(fd)
	}
	return fd, st, err
}

func checkPrivate(mailbox, fd int, name string) (unix.Stat_t, error) {
	st, err := fstat(fd)
	if err != nil {
		return st, fmt.Errorf("private folder %s: %w", name, err)
	}
	box, err := fstat(mailbox)
	switch {
	case err != nil:
		return st, err
	case st.Dev != box.Dev || mountID(fd) != mountID(mailbox):
		return st, fmt.Errorf("private folder %s lies on another file system than the mailbox; files could not be moved in one step: unmount it", name)
	case int(st.Uid) != os.Geteuid():
		return st, fmt.Errorf("private folder %s belongs to user %d, not to the engine's user %d; give it to that user or remove it", name, st.Uid, os.Geteuid())
	case st.Mode&0o077 != 0:
		if err := unix.Fchmod(fd, 0o700); err != nil {
			return st, fmt.Errorf("private folder %s is open to others: %w", name, err)
		}
	}
	return st, nil
}

// check reports whether the path still leads to the folder held open. A folder
// that was moved away or unmounted would otherwise be served for ever, unseen.
func (f *folder) check() error {
	var st unix.Stat_t
	if err := again(func() error { return unix.Stat(f.path, &st) }); err != nil {
		return fmt.Errorf("mailbox folder %s: %w", f.path, err)
	}
	held, err := fstat(f.dir)
	if err != nil {
		return fmt.Errorf("mailbox folder %s: %w", f.path, err)
	}
	priv, err := statAt(f.dir, f.private)
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("mailbox folder %s: %w", f.path, err)
	}
	if idOf(&st) != idOf(&held) || err != nil || idOf(&priv) != f.id {
		return fmt.Errorf("mailbox folder %s: %w", f.path, errMoved)
	}
	return nil
}

func (f *folder) close() error { return errors.Join(unix.Close(f.priv), unix.Close(f.dir)) }
