package disk

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/spine-engine/spine-engine/store"
)

// Switch records a pause, or its end.
func (s *Store) Switch(ctx context.Context, w store.Switch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.usable(); err != nil {
		return err
	}
	if w.Kind == "" || w.Name == "" {
		return fmt.Errorf("a pause without a kind or a name cannot be stored")
	}
	w.At = s.o.Now().UTC()
	r := requests.Get().(*request)
	defer r.free()
	r.ev.sw = &w
	r.enc = newEncoder(s.bodiesDir())
	r.enc.pause(&w)
	if err := r.finishEncoding(recSwitch); err != nil {
		return err
	}
	return s.do(r)
}

// Switches gives the pauses that have not ended, by subject.
func (s *Store) Switches() ([]store.Switch, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	now := s.o.Now()
	var out []store.Switch
	s.view.mu.RLock()
	for _, w := range s.view.switches {
		if w.Until.IsZero() || w.Until.After(now) {
			out = append(out, w)
		}
	}
	s.view.mu.RUnlock()
	slices.SortFunc(out, func(a, b store.Switch) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Lane, b.Lane))
	})
	return out, nil
}

func (e *encoder) pause(w *store.Switch) {
	e.string(w.Kind)
	e.string(w.Name)
	e.string(w.Lane)
	e.bool(w.Paused)
	e.time(w.Until)
	e.time(w.At)
	e.string(w.By.Name)
	e.string(w.By.Reason)
}

func (d *decoder) pause() (*store.Switch, error) {
	w := &store.Switch{}
	w.Kind, w.Name, w.Lane = d.string(), d.string(), d.string()
	w.Paused, w.Until, w.At = d.bool(), d.time(), d.time()
	w.By.Name, w.By.Reason = d.string(), d.string()
	return w, d.err
}

// switched takes a pause or its end into the view. v.mu is held.
func (v *view) switched(w *store.Switch) {
	v.active.switches[w.Subject] = struct{}{}
	if w.Paused {
		v.switches[w.Subject] = *w
	} else {
		delete(v.switches, w.Subject)
	}
}

func appendSubject(b []byte, s store.Subject) []byte {
	return appendName(appendName(appendName(b, s.Kind), s.Name), s.Lane)
}

func (w *flusher) pause(s store.Subject) {
	e := w.begin()
	e.b = appendSubject(e.b, s)
	now, paused := w.switches[s]
	if !paused {
		w.delete(inSwitches, &e)
		return
	}
	mid := len(e.b)
	e.pause(&now)
	w.put(inSwitches, &e, mid)
}

func (v *view) loadSwitches(tx *bolt.Tx) error {
	return tx.Bucket(bucketSwitches).ForEach(func(key, val []byte) error {
		d, err := openRow(key, val)
		if err != nil {
			return err
		}
		w, err := d.pause()
		if err != nil {
			return fmt.Errorf("%w: a pause cannot be read", errView)
		}
		v.switches[w.Subject] = *w
		return nil
	})
}
