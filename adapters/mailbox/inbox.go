package mailbox

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

const privateIn = ".spine"

// inbox is a folder that is read from, with its private subfolders held open.
type inbox struct {
	*folder
	box        *box
	claimed    int // descriptors
	archive    int
	quarantine int
}

func openInbox(path string, own *owners) (*inbox, error) {
	f, err := openFolder(path, privateIn)
	if err != nil {
		return nil, err
	}
	in := &inbox{folder: f, claimed: -1, archive: -1, quarantine: -1}
	for _, sub := range []struct {
		name string
		fd   *int
	}{{"claimed", &in.claimed}, {"archive", &in.archive}, {"quarantine", &in.quarantine}} {
		if *sub.fd, _, err = openPrivate(f.dir, f.priv, sub.name); err != nil {
			return nil, errors.Join(fmt.Errorf("mailbox folder %s: %w", path, err), in.close())
		}
	}
	if in.box, err = own.take(f); err != nil {
		return nil, errors.Join(err, in.close())
	}
	return in, nil
}

func (in *inbox) close() error {
	var err error
	for _, fd := range []int{in.claimed, in.archive, in.quarantine} {
		if fd >= 0 {
			err = errors.Join(err, unix.Close(fd))
		}
	}
	if in.box != nil {
		err = errors.Join(err, in.box.release())
	}
	return errors.Join(err, in.folder.close())
}
