package mailbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/message"
)

// Send writes one copy. It cannot wait until its caller has recorded the result,
// so a crash between the two repeats the file; SendBatch has no such gap.
func (d *destination) Send(ctx context.Context, c *message.Delivery) (adapters.Reply, error) {
	results, settle := d.SendBatch(ctx, []*message.Delivery{c})
	return results[0].Reply, errors.Join(results[0].Err, settle())
}

// SendBatch shows the copies to the consumer, in order, each once:
//
//  1. every copy is written and fsynced as a temporary file in the private folder
//  2. a manifest of keys and names is written and fsynced there
//  3. the private folder is fsynced
//  4. the temporary files are renamed into the mailbox, never over another file
//  5. both folders are fsynced; the results are returned; the engine records them
//  6. settle removes the manifest
//
// From 3 on, a copy of the manifest without its temporary file has been shown,
// whatever the consumer has done with it since, and one with it has not.
//
// After the first copy that fails the rest is not tried.
func (d *destination) SendBatch(ctx context.Context, ds []*message.Delivery) ([]adapters.Result, func() error) {
	if len(ds) == 0 {
		return nil, func() error { return nil }
	}
	if err := d.begin(ctx); err != nil {
		return []adapters.Result{{Err: err}}, func() error { return nil }
	}
	defer d.end()
	s := d.take(ds)
	d.write(ctx, s)
	d.announce(s)
	d.show(s)
	d.count(s)
	folder, box := d.folder, d.box
	return s.results(), func() error { return d.settle(folder, box, s) }
}

// sending is a batch on its way. Steps may shorten copies: then fail says why
// the first one left out failed.
type sending struct {
	batch  *batch
	copies []*outgoing
	fail   error
	shown  bool // what is left of copies is with the consumer, durably
}

// outgoing is one copy of a batch.
type outgoing struct {
	*message.Delivery
	known bool // delivered already; only the answer is due
	slot  int  // its number within the batch's files
	fd    int  // of the temporary file while it is open, otherwise -1
	err   error
	xml   bool
	try   int    // which of its possible names it has; see fileName
	name  string // decided when the batch is announced
}

func (s *sending) failFrom(i int, err error) { s.copies, s.fail = s.copies[:i], err }

// fresh gives the copies to be written.
func (s *sending) fresh() []*outgoing {
	var out []*outgoing
	for _, c := range s.copies {
		if !c.known {
			out = append(out, c)
		}
	}
	return out
}

// failFresh fails at the first copy that is not known to be delivered.
func (s *sending) failFresh(err error) {
	for i, c := range s.copies {
		if !c.known {
			s.failFrom(i, err)
			return
		}
	}
}

func (s *sending) results() []adapters.Result {
	out := make([]adapters.Result, len(s.copies), len(s.copies)+1)
	for i := range out {
		out[i].Reply.Code = adapters.Written
	}
	if s.fail != nil {
		out = append(out, adapters.Result{Err: s.fail})
	}
	return out
}

// take lines the copies up, as far as their names are allowed.
func (d *destination) take(ds []*message.Delivery) *sending {
	s := &sending{batch: newBatch()}
	slots := 0
	for _, c := range ds {
		if c.Name != "" {
			if err := checkName(c.Name); err != nil {
				s.fail = adapters.Permanent(fmt.Errorf("copy %s: %w; mend the destination's name expression", c.Key, err))
				return s
			}
		}
		o := &outgoing{Delivery: c, known: d.box.out.known[c.Key] != nil, slot: slots, fd: -1}
		if !o.known {
			slots++
		}
		s.copies = append(s.copies, o)
	}
	return s
}

func (d *destination) count(s *sending) {
	var bytes int64
	fresh := s.fresh()
	for _, c := range fresh {
		bytes += c.Body.Size()
	}
	d.env.Count("files_written", len(fresh))
	d.env.Count("bytes_written", int(bytes))
	if s.fail != nil {
		d.env.Log.Warn().Err(s.fail).Str("destination", d.env.Name).Int("written", len(fresh)).Msg("mailbox batch ended early")
	}
}

// settle removes the manifest, once the engine has recorded the results, and
// those of earlier batches whose last copy this one answered for.
func (d *destination) settle(f *folder, b *box, s *sending) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || d.folder != f {
		return nil // the manifest stays; Recover says once more that its copies are delivered
	}
	if err := b.enter(context.Background()); err != nil {
		return err
	}
	defer b.leave()
	var err error
	for _, c := range s.copies {
		if old := b.out.known[c.Key]; c.known && old != nil {
			delete(b.out.known, c.Key)
			if old.unasked--; old.unasked == 0 {
				err = errors.Join(err, d.forget(old))
			}
		}
	}
	if s.shown {
		err = errors.Join(err, d.forget(s.batch))
	}
	return err
}
