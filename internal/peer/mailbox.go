package peer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Drop puts a file into a mailbox as its readers need it: under a temporary name
// first, synced, then renamed, so that nobody ever sees half of it; then the marker
// (such as .ok), if one is asked for. A name that is taken is an error: nothing is
// ever overwritten.
func Drop(dir, name string, data []byte, marker string) error {
	if name != filepath.Base(name) || strings.HasPrefix(name, ".") || name == "" {
		return fmt.Errorf("the name %q cannot be used in a mailbox: no folders, and no dot in front", name)
	}
	if err := place(dir, name, data); err != nil {
		return err
	}
	if marker == "" {
		return nil
	}
	return place(dir, name+marker, nil)
}

// place renames rather than links: readers may refuse a file of two names, which a
// link is for a moment. So whoever makes the same name in the same instant loses.
func place(dir, name string, data []byte) error {
	tmp, err := os.CreateTemp(dir, ".drop-*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close())
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	to := filepath.Join(dir, name)
	if _, err := os.Lstat(to); err == nil {
		return fmt.Errorf("%s: %w; it stays as it is: wait until it has been taken, or use another name", to, fs.ErrExist)
	}
	if err := os.Rename(tmp.Name(), to); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Taker takes files out of a mailbox as its owner would: regular files only, oldest
// first, none with a dot in front, and with a marker only those that have one.
type Taker struct {
	Dir    string
	Marker string        // such as .ok; "" = files are whole when they appear
	Into   string        // folder they go to; "" = they are removed
	Every  time.Duration // how often it looks; 0 = 200 ms
}

// Run hands each file to saw, after it has been taken, until saw says that it is
// enough or the context ends.
func (t *Taker) Run(ctx context.Context, saw func(name string, data []byte) (enough bool)) error {
	every := t.Every
	if every <= 0 {
		every = 200 * time.Millisecond
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		names, err := t.ready()
		if err != nil {
			return err
		}
		for _, name := range names {
			data, err := t.take(name)
			if err != nil {
				return err
			}
			if saw(name, data) {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (t *Taker) ready() ([]string, error) {
	all, err := os.ReadDir(t.Dir)
	if err != nil {
		return nil, err
	}
	type aged struct {
		name string
		at   time.Time
	}
	var files []aged
	for _, e := range all {
		if !e.Type().IsRegular() || strings.HasPrefix(e.Name(), ".") || t.Marker != "" && strings.HasSuffix(e.Name(), t.Marker) {
			continue
		}
		if t.Marker != "" && !slices.ContainsFunc(all, func(m fs.DirEntry) bool { return m.Name() == e.Name()+t.Marker }) {
			continue
		}
		if info, err := e.Info(); err == nil { // else somebody else has taken it
			files = append(files, aged{e.Name(), info.ModTime()})
		}
	}
	slices.SortFunc(files, func(a, b aged) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return strings.Compare(a.name, b.name)
	})
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.name
	}
	return names, nil
}

// take reads a file, then moves or removes it: a file that could not be read stays.
func (t *Taker) take(name string) ([]byte, error) {
	from := filepath.Join(t.Dir, name)
	data, err := os.ReadFile(from)
	if err != nil {
		return nil, err
	}
	if t.Into != "" {
		if err := place(t.Into, name, data); err != nil {
			return nil, err
		}
	}
	if err := os.Remove(from); err != nil {
		return nil, err
	}
	if t.Marker != "" {
		err = os.Remove(from + t.Marker)
	}
	return data, err
}
