package mailbox

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/message"
)

const privateOut = ".spine-out"

// destination writes into one mailbox directory.
type destination struct {
	conf destConfig
	env  adapters.DestinationEnv
	path string

	mu     sync.Mutex // guards what follows; the box's turn guards the folder itself
	folder *folder
	box    *box
	linked bool // moveNew must link and unlink here
	chmod  bool // the process's umask takes bits from the mode
	closed bool
}

var (
	_ adapters.Destination = (*destination)(nil)
	_ adapters.BatchSender = (*destination)(nil)
	_ adapters.Recoverer   = (*destination)(nil)
	_ adapters.Prober      = (*destination)(nil)
)

var errClosed = errors.New("the mailbox destination is closed")

// outState is what is known of a folder that is written into, shared by all
// destinations of this process that have it open, and guarded by the box's turn.
type outState struct {
	recent    recent
	unsettled map[string]*batch      // manifests of this process that are still there
	doubt     *doubt                 // a batch whose end could not be reached; nothing is sent before it is
	known     map[message.Key]*batch // delivered, but the engine was told an error; said when it asks again
}

func newOutState() outState {
	return outState{unsettled: map[string]*batch{}, known: map[message.Key]*batch{}}
}

// open binds the folder; the fields it sets are either all set or none.
func (d *destination) open() error {
	f, err := openFolder(d.path, privateOut)
	if err != nil {
		return err
	}
	box, err := d.conf.owners.take(f)
	if err != nil {
		return errors.Join(err, f.close())
	}
	if err := d.probe(f); err != nil {
		return errors.Join(fmt.Errorf("mailbox folder %s: %w", d.path, err), box.release(), f.close())
	}
	d.folder, d.box = f, box
	return nil
}

// probe learns how files are made and moved in this folder.
func (d *destination) probe(f *folder) (err error) {
	if d.linked, err = probeMoves(f.priv); err != nil {
		return err
	}
	fd, err := openAt(f.priv, "probe", unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY, d.conf.mode)
	if err != nil {
		return err
	}
	st, err := fstat(fd)
	d.chmod = uint32(st.Mode)&0o777 != d.conf.mode
	return errors.Join(err, unix.Close(fd), removeAt(f.priv, "probe"))
}

// Close gives the folder up. Batches that were not settled stay as they are and
// are reported by the next Recover.
func (d *destination) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	return errors.Join(d.folder.close(), d.box.release())
}

// Probe reports whether the folder is there and can be written into.
func (d *destination) Probe(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return errClosed
	}
	if err := d.folder.check(); err != nil {
		return err
	}
	for _, fd := range []int{d.folder.dir, d.folder.priv} {
		err := again(func() error { return unix.Faccessat(fd, ".", unix.W_OK|unix.X_OK, 0) })
		if err != nil {
			return fmt.Errorf("mailbox folder %s cannot be written into: %w", d.path, err)
		}
	}
	return nil
}

// begin takes the folder for one piece of work: the right folder, with nothing
// in doubt. The caller calls end when it has no error.
func (d *destination) begin(ctx context.Context) error {
	d.mu.Lock()
	err := d.beginLocked(ctx)
	if err != nil {
		d.mu.Unlock()
	}
	return err
}

func (d *destination) beginLocked(ctx context.Context) error {
	if d.closed {
		return errClosed
	}
	if err := d.folder.check(); errors.Is(err, errMoved) {
		if err := d.reopen(ctx); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	if err := d.box.enter(ctx); err != nil {
		return err
	}
	if err := d.mend(); err != nil {
		d.box.leave()
		return fmt.Errorf("mailbox folder %s: finishing an earlier batch: %w", d.path, err)
	}
	return nil
}

func (d *destination) end() {
	d.box.leave()
	d.mu.Unlock()
}

// reopen follows the path to the folder that is there now (moved, or mounted
// again). What a former run left there is finished like at a start, but the
// engine has asked its question already, so it is told copy by copy.
func (d *destination) reopen(ctx context.Context) error {
	old, oldBox := d.folder, d.box
	if err := d.open(); err != nil {
		return err
	}
	d.env.Log.Warn().Str("destination", d.env.Name).Str("folder", d.path).Msg("mailbox folder was replaced; going on in the one that is there now")
	if err := errors.Join(old.close(), oldBox.release()); err != nil {
		return err
	}
	if err := d.box.enter(ctx); err != nil {
		return err
	}
	defer d.box.leave()
	batches, err := d.recoverAll()
	for _, b := range batches {
		d.box.out.unsettled[b.id] = b
		d.box.out.remember(b, b.entries)
	}
	return err
}

// remember notes copies as delivered for when the engine sends them again.
func (o *outState) remember(b *batch, entries []entry) {
	for _, e := range entries {
		o.known[e.key] = b
		b.unasked++
	}
}
