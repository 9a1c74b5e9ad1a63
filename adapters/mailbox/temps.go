package mailbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// openAtOnce bounds the descriptors that a batch holds.
const openAtOnce = 256

// write makes the temporary files, durable one by one.
func (d *destination) write(ctx context.Context, s *sending) {
	var made []*outgoing
	for group := range slices.Chunk(s.fresh(), openAtOnce) {
		if err := ctx.Err(); err != nil {
			d.removeTemps(s.batch, made)
			s.failFresh(err)
			return
		}
		made = append(made, group...)
		bad := d.writeGroup(s.batch, group, d.conf.workers)
		if bad >= 0 && noSpace(group[bad].err) {
			// The workers raced for what space there was. In order, as many
			// as can be go first.
			d.removeTemps(s.batch, group[bad:])
			bad = d.writeGroup(s.batch, group[bad:], 1)
		}
		if bad >= 0 {
			break
		}
	}
	d.keepWritten(s, made)
}

func noSpace(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }

func failed(c *outgoing) bool { return c.err != nil }

// keepWritten cuts the batch at the first file that could not be written.
func (d *destination) keepWritten(s *sending, made []*outgoing) {
	bad := slices.IndexFunc(made, failed)
	if bad < 0 {
		return
	}
	d.removeTemps(s.batch, made[bad:])
	err := fmt.Errorf("mailbox folder %s: writing copy %s (%d bytes): %w", d.path, made[bad].Key, made[bad].Body.Size(), made[bad].err)
	s.failFrom(slices.Index(s.copies, made[bad]), err)
}

// writeGroup writes all files before it syncs the first: then one commit of the
// file system's journal serves many. It says which is the first that failed, or -1.
func (d *destination) writeGroup(b *batch, group []*outgoing, workers int) int {
	for _, c := range group {
		c.err = nil
	}
	each(group, workers, func(c *outgoing) error { return d.writeTemp(b, c) })
	each(group, workers, syncTemp)
	return slices.IndexFunc(group, failed)
}

// each runs do for all copies that have no error yet, on several workers.
func each(copies []*outgoing, workers int, do func(*outgoing) error) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(workers, len(copies)) {
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

// removeTemps takes temporary files back. One that stays is harmless: it stands
// in no manifest, so the next start removes it.
func (d *destination) removeTemps(b *batch, copies []*outgoing) {
	for _, c := range copies {
		d.removeTemp(b, c.slot)
	}
}

func (d *destination) removeTemp(b *batch, slot int) {
	if err := removeAt(d.folder.priv, b.temp(slot)); err != nil {
		d.env.Log.Warn().Err(err).Str("destination", d.env.Name).Msg("a temporary file stays in the mailbox's private folder until the next start")
	}
}
