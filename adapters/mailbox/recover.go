package mailbox

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Recover ends what a former process left half done: batches whose manifest is
// whole are shown to their end, and everything of theirs is reported; all other
// private files are removed, for nothing of them was shown.
func (d *destination) Recover(ctx context.Context) ([]message.Key, func() error, error) {
	none := func() error { return nil }
	if err := d.begin(ctx); err != nil {
		return nil, none, err
	}
	defer d.end()
	batches, err := d.recoverAll()
	if err != nil {
		return nil, none, err
	}
	var keys []message.Key
	for _, b := range batches {
		for _, e := range b.entries {
			if !e.withdrawn {
				keys = append(keys, e.key)
			}
		}
	}
	folder, box := d.folder, d.box
	return keys, func() error { return d.settleRecovered(folder, box, batches) }, nil
}

func (d *destination) settleRecovered(f *folder, b *box, batches []*batch) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || d.folder != f {
		return nil
	}
	if err := b.enter(context.Background()); err != nil {
		return err
	}
	defer b.leave()
	var err error
	for _, done := range batches {
		err = errors.Join(err, d.forget(done))
	}
	return err
}

// recoverAll works on the manifests that are not this process's own. It may be
// repeated after an error.
func (d *destination) recoverAll() ([]*batch, error) {
	names, err := namesIn(d.folder.priv)
	if err != nil {
		return nil, fmt.Errorf("mailbox folder %s: %w", d.path, err)
	}
	slices.Sort(names) // batches in the order in which they were made
	var batches []*batch
	keep := map[string]bool{}
	for id := range d.box.out.unsettled {
		keep[id] = true
	}
	for _, name := range names {
		id, isManifest := strings.CutSuffix(name, manifestExt)
		if !isManifest || keep[id] {
			continue
		}
		b, err := d.recoverBatch(id)
		if err != nil {
			return nil, fmt.Errorf("mailbox folder %s: batch %s: %w", d.path, id, err)
		}
		if b != nil {
			batches = append(batches, b)
			keep[id] = true
		}
	}
	if err := errors.Join(fsync(d.folder.dir), fsync(d.folder.priv)); err != nil {
		return nil, fmt.Errorf("mailbox folder %s: %w", d.path, err)
	}
	return batches, d.sweep(names, keep)
}

// recoverBatch shows the rest of a batch; nil when its manifest is torn.
func (d *destination) recoverBatch(id string) (*batch, error) {
	data, err := readPrivate(d.folder.priv, id+manifestExt)
	if err != nil {
		return nil, err
	}
	b, err := decodeManifest(id, data)
	if errors.Is(err, errTorn) {
		return nil, removeAt(d.folder.priv, id+manifestExt)
	}
	if err != nil {
		return nil, err
	}
	for i := range b.entries {
		if err := d.recoverEntry(b, i); err != nil {
			return nil, fmt.Errorf("copy %s: %w", b.entries[i].key, err)
		}
	}
	return b, nil
}

func (d *destination) recoverEntry(b *batch, i int) error {
	st, err := statAt(d.folder.priv, b.temp(i))
	switch {
	case errors.Is(err, unix.ENOENT):
		_, err = statAt(d.folder.priv, b.withdrawn(i))
		b.entries[i].withdrawn = err == nil
		if errors.Is(err, unix.ENOENT) {
			return nil // shown
		}
		return err
	case err != nil:
		return err
	case st.Nlink > 1: // shown by a link (moveNew), only its first name is left over
		return unlinkAt(d.folder.priv, b.temp(i))
	case st.Size != b.entries[i].size: // the disk did not keep what it had promised
		d.env.Log.Error().Str("destination", d.env.Name).Stringer("copy", b.entries[i].key).Int64("bytes", st.Size).
			Int64("announced", b.entries[i].size).Msg("a synced file has lost bytes; the copy is sent again; check the disk")
		return d.withdraw(b, i)
	}
	return d.showRecovered(b, i)
}

func (d *destination) showRecovered(b *batch, i int) error {
	e := b.entries[i]
	ext := path.Ext(e.name)
	stem := strings.TrimSuffix(e.name, ext)
	for try := range maxAttempts {
		name := e.name
		if try > 0 {
			name = stem + apart(e.key, try+1) + ext
		}
		err := moveNew(d.folder.priv, b.temp(i), d.folder.dir, name, d.linked)
		if !errors.Is(err, unix.EEXIST) {
			return err
		}
	}
	return fmt.Errorf("no free file name after %d tries; empty the mailbox", maxAttempts)
}

// sweep removes files of batches that were never announced.
func (d *destination) sweep(names []string, keep map[string]bool) error {
	for _, name := range names {
		id, _, _ := strings.Cut(name, ".")
		ext := path.Ext(name)
		if keep[id] || ext != tempExt && ext != withdrawnExt {
			continue
		}
		if err := removeAt(d.folder.priv, name); err != nil {
			return fmt.Errorf("mailbox folder %s: %w", d.path, err)
		}
	}
	return nil
}

// maxManifest is more than 4096 copies with the longest names take.
const maxManifest = 8 << 20

func readPrivate(dir int, name string) ([]byte, error) {
	fd, err := openAt(dir, name, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	st, err := fstat(fd)
	if err != nil {
		return nil, err
	}
	if !regular(&st) || st.Size > maxManifest {
		return nil, fmt.Errorf("not a private file of the engine (%d bytes)", st.Size)
	}
	data := make([]byte, st.Size)
	for n := 0; n < len(data); {
		var m int
		err := again(func() (err error) { m, err = unix.Pread(fd, data[n:], int64(n)); return err })
		if err != nil {
			return nil, err
		}
		if m == 0 {
			return data[:n], nil
		}
		n += m
	}
	return data, nil
}
