package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// consumer is the reader of a mailbox: it looks all the time, reads what it sees
// whole, tells see, and removes it. What a mailbox must never show is a fault.
type consumer struct {
	dir    string
	see    func(name string, data []byte)
	keep   bool // look only, remove nothing
	faults []string
	files  int
}

// privateFolder is the engine's own folder within a mailbox.
const privateFolder = ".spine-out"

// run looks until ctx ends, then once more.
func (c *consumer) run(ctx context.Context) error {
	for {
		n, err := c.sweep()
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			_, err := c.sweep()
			return err
		}
		if n == 0 {
			time.Sleep(time.Millisecond)
		}
	}
}

// sweep takes everything that is there now.
func (c *consumer) sweep() (int, error) {
	names, err := namesIn(c.dir)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, name := range names {
		if name == privateFolder {
			continue
		}
		if strings.HasPrefix(name, ".") || strings.Contains(name, ".tmp") {
			c.faults = append(c.faults, "a temporary name is visible")
		}
		if err := c.take(name); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (c *consumer) take(name string) error {
	path := filepath.Join(c.dir, name)
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading a mailbox file: %w", err)
	}
	if len(data) == 0 {
		c.faults = append(c.faults, "an empty file is visible")
	}
	c.files++
	c.see(name, data)
	if c.keep {
		return nil
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("removing a mailbox file: %w", err)
	}
	return nil
}

// namesIn lists a folder; one that is not there yet is empty.
func namesIn(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking into the mailbox: %w", err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("looking into the mailbox: %w", err)
	}
	return names, nil
}

// sweeper takes files without reading them: the cheapest consumer there is, for
// measurements. It removes them, or moves them into another folder.
type sweeper struct {
	dir   string
	to    string // "" = remove
	taken int
}

func (s *sweeper) sweep() (int, error) {
	names, err := namesIn(s.dir)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, name := range names {
		if name == privateFolder {
			continue
		}
		if err := s.take(name); err != nil {
			return n, fmt.Errorf("taking a mailbox file: %w", err)
		}
		n++
	}
	s.taken += n
	return n, nil
}

func (s *sweeper) take(name string) error {
	if s.to == "" {
		return os.Remove(filepath.Join(s.dir, name))
	}
	return os.Rename(filepath.Join(s.dir, name), filepath.Join(s.to, name))
}
