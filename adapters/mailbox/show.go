package mailbox

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// announce makes the manifest durable. Where the temporary files have left no
// room for it, half of them give theirs back, so that a nearly full disk still
// takes what it can.
func (d *destination) announce(s *sending) {
	for fresh := s.fresh(); len(fresh) > 0; fresh = s.fresh() {
		err := d.writeManifest(s.batch, fresh)
		if err == nil {
			d.box.out.unsettled[s.batch.id] = s.batch
			return
		}
		err = fmt.Errorf("mailbox folder %s: announcing a batch of %d: %w", d.path, len(fresh), err)
		if takeBackErr := d.takeBack(s.batch); takeBackErr != nil {
			s.failFresh(errors.Join(err, takeBackErr))
			d.box.out.doubt = &doubt{batch: s.batch, copies: len(fresh)}
			d.box.out.unsettled[s.batch.id] = s.batch
			return
		}
		keep := 0
		if noSpace(err) {
			keep = len(fresh) / 2
		}
		d.removeTemps(s.batch, fresh[keep:])
		s.failFrom(slices.Index(s.copies, fresh[keep]), err)
	}
}

// writeManifest: the temporary files and their names must be durable before the
// manifest, or a power cut could leave one whose files are missing, which means
// "shown".
func (d *destination) writeManifest(b *batch, fresh []*outgoing) error {
	if err := d.nameAll(b, fresh); err != nil {
		return err
	}
	if err := fsync(d.folder.priv); err != nil {
		return err
	}
	if err := writeFile(d.folder.priv, b.manifest(), b.encode()); err != nil {
		return err
	}
	return fsync(d.folder.priv)
}

// takeBack removes a manifest that may or may not have been written. It goes
// before its files do: with it and without them, a batch was shown.
func (d *destination) takeBack(b *batch) error {
	return errors.Join(removeAt(d.folder.priv, b.manifest()), fsync(d.folder.priv))
}

// nameAll decides every copy's name before the manifest is written, so that
// recovery shows it under the same one.
func (d *destination) nameAll(b *batch, fresh []*outgoing) error {
	used := make(map[string]bool, len(fresh))
	b.entries = make([]entry, 0, len(fresh))
	for _, c := range fresh {
		if err := d.nameOne(c, used); err != nil {
			return err
		}
		used[c.name] = true
		b.entries = append(b.entries, entry{key: c.Key, msg: c.Message, size: c.Body.Size(), name: c.name})
	}
	return nil
}

func (d *destination) nameOne(c *outgoing, used map[string]bool) error {
	recent := &d.box.out.recent
	for ; c.try < maxAttempts; c.try++ {
		c.name = fileName(c.Delivery, c.xml, c.try)
		if used[c.name] || c.Name == "" && c.try == 0 && recent.taken(c.Message, c.Key) {
			continue
		}
		_, err := statAt(d.folder.dir, c.name)
		if errors.Is(err, unix.ENOENT) {
			recent.add(c.Message, c.Key)
			return nil
		}
		if err != nil {
			return err
		}
	}
	return fmt.Errorf("copy %s: no free file name after %d tries; empty the mailbox", c.Key, maxAttempts)
}

// show renames the files into the mailbox, in order, and makes that durable.
func (d *destination) show(s *sending) {
	fresh := s.fresh()
	if len(fresh) == 0 {
		return
	}
	shown, err := d.moveAll(s.batch, fresh)
	if concludeErr := d.conclude(s.batch, shown); concludeErr != nil {
		d.box.out.doubt = &doubt{batch: s.batch, copies: shown, announced: true}
		s.failFresh(fmt.Errorf("mailbox folder %s: ending a batch of %d: %w", d.path, len(fresh), errors.Join(err, concludeErr)))
		return
	}
	s.shown = true
	if err != nil {
		err = fmt.Errorf("mailbox folder %s: showing copy %s: %w", d.path, fresh[shown].Key, err)
		s.failFrom(slices.Index(s.copies, fresh[shown]), err)
	}
}

// moveAll says how many were shown, and why the next one was not.
func (d *destination) moveAll(b *batch, fresh []*outgoing) (int, error) {
	for i, c := range fresh {
		if err := d.moveOne(b, c); err != nil {
			return i, err
		}
	}
	return len(fresh), nil
}

// moveOne shows a file under its name, or when somebody has made a file of that
// name meanwhile, under the next one that is free.
func (d *destination) moveOne(b *batch, c *outgoing) error {
	for {
		err := moveNew(d.folder.priv, b.temp(c.slot), d.folder.dir, c.name, d.linked)
		if !errors.Is(err, unix.EEXIST) || c.try >= maxAttempts {
			return err
		}
		c.try++
		c.name = fileName(c.Delivery, c.xml, c.try)
	}
}

// conclude makes the batch's end durable: the first shown entries are the
// consumer's; the others are withdrawn, so that no recovery shows them behind
// the back of the engine, which sends them again.
func (d *destination) conclude(b *batch, shown int) error {
	for i := range b.entries {
		if i >= shown {
			if err := d.withdraw(b, i); err != nil {
				return err
			}
		} else if d.linked {
			if err := removeAt(d.folder.priv, b.temp(i)); err != nil {
				return err
			}
		}
	}
	return errors.Join(fsync(d.folder.dir), fsync(d.folder.priv))
}

// withdraw renames within the private folder, which needs no space on the disk.
// A temporary file that is missing was withdrawn by an earlier try, or somebody
// removed it: then an empty file says that its copy was not shown.
func (d *destination) withdraw(b *batch, i int) error {
	err := renameAt(d.folder.priv, b.temp(i), d.folder.priv, b.withdrawn(i))
	if errors.Is(err, unix.ENOENT) {
		var fd int
		if fd, err = openAt(d.folder.priv, b.withdrawn(i), unix.O_CREAT|unix.O_WRONLY, 0o600); err == nil {
			err = unix.Close(fd)
		}
	}
	if err != nil {
		return fmt.Errorf("withdrawing: %w", err)
	}
	b.entries[i].withdrawn = true
	return nil
}
