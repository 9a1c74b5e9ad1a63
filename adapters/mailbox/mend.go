package mailbox

import "slices"

// doubt is a batch whose end the disk refused. Until it is reached nothing else
// is sent: the engine was told an error and would send the copies again while
// recovery shows them too.
type doubt struct {
	batch     *batch
	announced bool // the manifest is durable, and the first copies entries were shown
	copies    int  // not announced: temporary files to take back
}

// mend ends what is in doubt.
func (d *destination) mend() error {
	out := &d.box.out
	if out.doubt == nil {
		return nil
	}
	b := out.doubt.batch
	if !out.doubt.announced {
		if err := d.takeBack(b); err != nil {
			return err
		}
		for slot := range out.doubt.copies {
			d.removeTemp(b, slot)
		}
		delete(out.unsettled, b.id)
		out.doubt = nil
		return nil
	}
	if err := d.conclude(b, out.doubt.copies); err != nil {
		return err
	}
	out.remember(b, b.entries[:out.doubt.copies])
	out.doubt = nil
	if b.unasked == 0 {
		return d.forget(b)
	}
	return nil
}

// forget removes the manifest of a batch whose results are recorded, and then
// what it withdrew. Without withdrawn files no sync is needed: a manifest that a
// power cut brings back is still true.
func (d *destination) forget(b *batch) error {
	if err := removeAt(d.folder.priv, b.manifest()); err != nil {
		return err
	}
	delete(d.box.out.unsettled, b.id)
	if !slices.ContainsFunc(b.entries, func(e entry) bool { return e.withdrawn }) {
		return nil
	}
	if err := fsync(d.folder.priv); err != nil {
		return err
	}
	for i, e := range b.entries {
		if e.withdrawn {
			if err := removeAt(d.folder.priv, b.withdrawn(i)); err != nil {
				return err
			}
		}
	}
	return nil
}
