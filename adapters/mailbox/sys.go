package mailbox

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Directory-relative calls on plain descriptors: a path is walked once, when the
// folder is opened, so nothing that happens to its parents afterwards can lead
// a read or write elsewhere.

const dirFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC

// again repeats a call that a signal interrupted.
func again(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func openAt(dir int, name string, flags int, mode uint32) (fd int, err error) {
	err = again(func() error {
		fd, err = unix.Openat(dir, name, flags|unix.O_CLOEXEC|unix.O_NOFOLLOW, mode)
		return err
	})
	return fd, err
}

func fsync(fd int) error { return again(func() error { return unix.Fsync(fd) }) }

func unlinkAt(dir int, name string) error {
	return again(func() error { return unix.Unlinkat(dir, name, 0) })
}

// removeAt is unlinkAt for a file that may be gone already.
func removeAt(dir int, name string) error {
	if err := unlinkAt(dir, name); err != nil && !errors.Is(err, unix.ENOENT) {
		return err
	}
	return nil
}

func renameAt(from int, name string, to int, newName string) error {
	return again(func() error { return unix.Renameat(from, name, to, newName) })
}

func statAt(dir int, name string) (st unix.Stat_t, err error) {
	err = again(func() error { return unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW) })
	return st, err
}

func fstat(fd int) (st unix.Stat_t, err error) {
	err = again(func() error { return unix.Fstat(fd, &st) })
	return st, err
}

func writeAll(fd int, b []byte) error {
	for len(b) > 0 {
		var n int
		err := again(func() (err error) { n, err = unix.Write(fd, b); return err })
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

func regular(st *unix.Stat_t) bool { return st.Mode&unix.S_IFMT == unix.S_IFREG }

// namesIn lists a folder. The descriptor itself is not read, so that its
// position does not matter.
func namesIn(dir int) ([]string, error) {
	fd, err := openAt(dir, ".", dirFlags, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "mailbox folder")
	defer f.Close()
	return f.Readdirnames(-1)
}

// moveNew renames without ever overwriting: EEXIST when the target is there.
// linked says that the file system knows no such rename, so that the name is
// made by a link and the old one removed.
func moveNew(from int, name string, to int, newName string, linked bool) error {
	if !linked {
		return again(func() error { return renameNew(from, name, to, newName) })
	}
	if err := again(func() error { return unix.Linkat(from, name, to, newName, 0) }); err != nil {
		return err
	}
	// The file is shown. Should this unlink fail, conclude tries it again.
	_ = unlinkAt(from, name)
	return nil
}

// probeMoves finds out in the private folder how files can be moved there
// without overwriting.
func probeMoves(dir int) (linked bool, err error) {
	if err := writeFile(dir, "probe", nil); err != nil {
		return false, err
	}
	defer removeAt(dir, "probe")
	defer removeAt(dir, "probed")
	if err := removeAt(dir, "probed"); err != nil {
		return false, err
	}
	for _, linked := range []bool{false, true} {
		if err = moveNew(dir, "probe", dir, "probed", linked); err == nil {
			return linked, nil
		}
	}
	return false, fmt.Errorf("this file system can neither rename without overwriting nor link: %w", err)
}

// writeFile writes a private file durably, in place of one of that name.
func writeFile(dir int, name string, data []byte) error {
	fd, err := openAt(dir, name, unix.O_CREAT|unix.O_WRONLY|unix.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = writeAll(fd, data)
	if err == nil {
		err = fsync(fd)
	}
	return errors.Join(err, unix.Close(fd))
}
