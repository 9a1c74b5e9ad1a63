package disk

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	segmentHeader = 40
	segmentExt    = ".seg"
)

var segmentMagic = [8]byte{'S', 'P', 'I', 'N', 'E', 'L', 'O', 'G'}

// segment is one file of the log.
type segment struct {
	base    uint64 // offset of its first byte
	end     uint64 // offset behind its last byte
	created time.Time
	path    string
}

func segmentPath(dir string, base uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%020d%s", base, segmentExt))
}

// createSegment makes a new segment and returns its file, open for appending.
// It is durable, with its name, before it is used.
func createSegment(dir string, base uint64, now time.Time) (segment, *os.File, error) {
	s := segment{base: base, end: base + segmentHeader, created: now, path: segmentPath(dir, base)}
	f, err := os.OpenFile(s.path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return s, nil, fmt.Errorf("making a log segment: %w", err)
	}
	h := make([]byte, segmentHeader)
	copy(h, segmentMagic[:])
	h[8] = frameVersion
	binary.LittleEndian.PutUint64(h[16:], base)
	binary.LittleEndian.PutUint64(h[24:], uint64(now.UnixNano()))
	binary.LittleEndian.PutUint32(h[32:], checksum(h[:32]))
	if err := writeSynced(f, h); err != nil {
		f.Close()
		return s, nil, fmt.Errorf("making a log segment: %w", err)
	}
	if err := syncDir(dir); err != nil {
		f.Close()
		return s, nil, fmt.Errorf("making a log segment: %w", err)
	}
	return s, f, nil
}

func writeSynced(f *os.File, b []byte) error {
	if _, err := f.WriteAt(b, 0); err != nil {
		return err
	}
	return f.Sync()
}

// listSegments finds the segments of a folder in order of their base.
func listSegments(dir string) ([]segment, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []segment
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), segmentExt)
		base, err := strconv.ParseUint(name, 10, 64)
		if !ok || err != nil || !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		s := segment{base: base, end: base + uint64(info.Size()), created: info.ModTime(), path: filepath.Join(dir, e.Name())}
		s.readHeader()
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b segment) int { return compare(a.base, b.base) })
	return out, nil
}

// readHeader takes the time of creation from the file. Nothing else depends on a
// segment's header, so a damaged one costs no records.
func (s *segment) readHeader() {
	f, err := os.Open(s.path)
	if err != nil {
		return
	}
	defer f.Close()
	h := make([]byte, segmentHeader)
	if _, err := f.ReadAt(h, 0); err != nil || [8]byte(h[:8]) != segmentMagic {
		return
	}
	if binary.LittleEndian.Uint32(h[32:]) == checksum(h[:32]) {
		s.created = time.Unix(0, int64(binary.LittleEndian.Uint64(h[24:])))
	}
}

func compare(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// syncDir makes the names in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("syncing folder %s: %w", dir, err)
	}
	return nil
}

// mkdirSynced makes a folder whose parent exists, durably.
func mkdirSynced(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if os.IsExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

func fdatasync(f *os.File) error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if err != unix.EINTR {
			return err
		}
	}
}
