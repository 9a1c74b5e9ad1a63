package mailbox

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// openAtOnce bounds the descriptors that a batch holds.
const openAtOnce = 256

// write makes the temporary files, durable one by one. All files of a group are
// written before the first is synced: then one commit of the file system's
// journal serves many.
func (d *destination) write(ctx context.Context, s *sending) {
	var made []*outgoing
	for group := range slices.Chunk(s.fresh(), openAtOnce) {
		made = append(made, group...)
		if err := ctx.Err(); err != nil {
			d.removeTemps(s.batch, len(made))
			s.failFresh(err)
			return
		}
		d.each(group, func(c *outgoing) error { return d.writeTemp(s.batch, c) })
		d.each(group, syncTemp)
		if slices.ContainsFunc(group, func(c *outgoing) bool { return c.err != nil }) {
			break
		}
	}
	d.keepWritten(s, made)
}

// keepWritten cuts the batch at the first file that could not be written.
func (d *destination) keepWritten(s *sending, made []*outgoing) {
	bad := slices.IndexFunc(made, func(c *outgoing) bool { return c.err != nil })
	if bad < 0 {
		return
	}
	for _, c := range made[bad:] {
		d.removeTemp(s.batch, c.slot)
	}
	err := fmt.Errorf("mailbox folder %s: writing copy %s (%d bytes): %w", d.path, made[bad].Key, made[bad].Body.Size(), made[bad].err)
	s.failFrom(slices.Index(s.copies, made[bad]), err)
}

// each runs do for all copies that have no error yet, on several workers.
func (d *destination) each(copies []*outgoing, do func(*outgoing) error) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(d.conf.workers, len(copies)) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(copies)); i = next.Add(1) - 1 {
				if c := copies[i]; c.err == nil {
					c.err = do(c)
				}
			}
		})
	}
	wg.Wait()
}

// writeTemp writes one copy whole and leaves the file open for syncTemp.
func (d *destination) writeTemp(b *batch, c *outgoing) error {
	fd, err := openAt(d.folder.priv, b.temp(c.slot), unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY, d.conf.mode)
	if err != nil {
		return err
	}
	if err := d.fill(fd, c); err != nil {
		unix.Close(fd)
		return err
	}
	c.fd = fd
	return nil
}

func (d *destination) fill(fd int, c *outgoing) error {
	if d.chmod {
		if err := unix.Fchmod(fd, d.conf.mode); err != nil {
			return err
		}
	}
	v, err := c.Body.View()
	if err != nil {
		return err
	}
	defer v.Close()
	var size int64
	for i, run := range v.Runs {
		if i == 0 {
			c.xml = looksXML(run)
		}
		if err := writeAll(fd, run); err != nil {
			return err
		}
		size += int64(len(run))
	}
	if size != c.Body.Size() {
		return fmt.Errorf("the body gave %d bytes instead of %d", size, c.Body.Size())
	}
	writeOut(fd)
	return nil
}

func syncTemp(c *outgoing) error {
	err := fsync(c.fd)
	if closeErr := unix.Close(c.fd); err == nil {
		err = closeErr
	}
	c.fd = -1
	return err
}

// removeTemp takes a temporary file back. One that stays is harmless: it stands
// in no manifest, so the next start removes it.
func (d *destination) removeTemp(b *batch, slot int) {
	if err := removeAt(d.folder.priv, b.temp(slot)); err != nil {
		d.env.Log.Warn().Err(err).Str("destination", d.env.Name).Msg("a temporary file stays in the mailbox's private folder until the next start")
	}
}

func (d *destination) removeTemps(b *batch, n int) {
	for slot := range n {
		d.removeTemp(b, slot)
	}
}
