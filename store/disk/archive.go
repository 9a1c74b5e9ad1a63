package disk

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

// Activate stores the project's files under its hash and marks it as the one in
// force: plans/<hash>.zip first, then plans/active, each synced and renamed.
func (s *Store) Activate(h message.Hash, zip []byte) error {
	if err := s.usable(); err != nil {
		return err
	}
	name := hex.EncodeToString(h[:])
	path := filepath.Join(s.plansDir(), name+".zip")
	if old, err := os.ReadFile(path); err != nil || !bytes.Equal(old, zip) {
		if err := replaceFile(path, zip); err != nil {
			return fmt.Errorf("archiving project %s: %w", h, err)
		}
	}
	if err := replaceFile(filepath.Join(s.plansDir(), "active"), []byte(name+"\n")); err != nil {
		return fmt.Errorf("marking project %s as active: %w", h, err)
	}
	return nil
}

// Active gives the project in force; ErrNotFound before the first.
func (s *Store) Active() (message.Hash, []byte, error) {
	var h message.Hash
	if err := s.usable(); err != nil {
		return h, nil, err
	}
	name, err := os.ReadFile(filepath.Join(s.plansDir(), "active"))
	if errors.Is(err, os.ErrNotExist) {
		return h, nil, fmt.Errorf("no project was activated yet: %w", store.ErrNotFound)
	}
	if err != nil {
		return h, nil, fmt.Errorf("reading the active project: %w", err)
	}
	name = bytes.TrimSpace(name)
	if n, err := hex.Decode(h[:], name[:min(len(name), 2*len(h))]); err != nil || n != len(h) {
		return message.Hash{}, nil, fmt.Errorf("%s names no project; activate one", filepath.Join(s.plansDir(), "active"))
	}
	zip, err := os.ReadFile(filepath.Join(s.plansDir(), string(name)+".zip"))
	if err != nil {
		return h, nil, fmt.Errorf("reading the active project: %w", err)
	}
	return h, zip, nil
}

// replaceFile puts b under path in one step that a power cut cannot halve.
func replaceFile(path string, b []byte) error {
	f, err := os.OpenFile(path+tmpExt, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := writeSynced(f, b); err != nil {
		return err
	}
	if err := os.Rename(path+tmpExt, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}
