package disk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// scanner reads one segment from front to back through a window of memory.
type scanner struct {
	f   *os.File
	seg segment
	buf []byte
	at  uint64 // offset of buf[0]
}

const scanWindow = 1 << 20

// window gives at least n bytes from offset at, or as many as the segment has.
func (s *scanner) window(at uint64, n int) ([]byte, error) {
	if left := s.seg.end - at; uint64(n) > left {
		n = int(left)
	}
	if at >= s.at && at+uint64(n) <= s.at+uint64(len(s.buf)) {
		return s.buf[at-s.at:], nil
	}
	size := max(n, scanWindow)
	if left := s.seg.end - at; uint64(size) > left {
		size = int(left)
	}
	if cap(s.buf) < size {
		s.buf = make([]byte, size)
	}
	s.buf, s.at = s.buf[:size], at
	m, err := s.f.ReadAt(s.buf, int64(at-s.seg.base))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading %s: %w", s.seg.path, err)
	}
	s.buf = s.buf[:m]
	return s.buf, nil
}

// frame reads the record at an offset, verified. Its payload lives until the
// next call.
func (s *scanner) frame(at uint64) (frameHead, []byte, error) {
	b, err := s.window(at, frameHeader)
	if err != nil {
		return frameHead{}, nil, err
	}
	h, err := parseHead(b, at)
	if err != nil {
		return h, nil, err
	}
	whole := frameHeader + h.length
	if b, err = s.window(at, whole); err != nil {
		return h, nil, err
	}
	if len(b) < whole {
		return h, nil, fmt.Errorf("%w: the record at offset %d is cut short", errDamaged, at)
	}
	return h, b[frameHeader:whole], h.verify(b[:whole], at)
}

// resync looks for the next whole record from an offset on. A frame names its own
// offset, so bytes inside a message that look like one are not taken for it.
func (s *scanner) resync(at uint64) (uint64, bool, error) {
	for at+frameHeader <= s.seg.end {
		b, err := s.window(at, frameHeader)
		if err != nil || len(b) < frameHeader {
			return 0, false, err
		}
		i := bytes.Index(b, frameMagic[:])
		if i < 0 {
			at += uint64(len(b) - len(frameMagic) + 1)
			continue
		}
		at += uint64(i)
		_, _, err = s.frame(at)
		if err == nil || errors.Is(err, errNewer) {
			return at, true, nil
		}
		if !errors.Is(err, errDamaged) {
			return 0, false, err
		}
		at++
	}
	return 0, false, nil
}

// zeros says whether everything from an offset on is zero.
func (s *scanner) zeros(at uint64) bool {
	for at < s.seg.end {
		b, err := s.window(at, 1)
		if err != nil || len(b) == 0 || len(bytes.TrimLeft(b, "\x00")) > 0 {
			return false
		}
		at += uint64(len(b))
	}
	return true
}

// heads counts the places in a damaged range where a record plainly began.
func (s *scanner) heads(from, to uint64) int {
	n := 0
	for at := from; at+frameHeader <= to; {
		b, err := s.window(at, frameHeader)
		if err != nil || len(b) < frameHeader {
			return n
		}
		i := bytes.Index(b, frameMagic[:])
		if i < 0 {
			at += uint64(len(b) - len(frameMagic) + 1)
			continue
		}
		at += uint64(i)
		if b, err = s.window(at, frameHeader); err != nil {
			return n
		}
		if _, err := parseHead(b, at); err == nil && at < to {
			n++
		}
		at++
	}
	return n
}

// copyOut writes a range of the segment to a new file, durably.
func (s *scanner) copyOut(path string, from, to uint64) error {
	out, err := os.OpenFile(path+tmpExt, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := io.Copy(out, io.NewSectionReader(s.f, int64(from-s.seg.base), int64(s.trimmed(from, to)-from))); err != nil {
		return err
	}
	if err := out.Sync(); err != nil {
		return err
	}
	return os.Rename(path+tmpExt, path)
}

// trimmed is the end of a range without the zeros at its end.
func (s *scanner) trimmed(from, to uint64) uint64 {
	end := from
	for at := from; at < to; {
		b, err := s.window(at, 1)
		if err != nil || len(b) == 0 {
			return to
		}
		b = b[:min(uint64(len(b)), to-at)]
		if n := len(bytes.TrimRight(b, "\x00")); n > 0 {
			end = at + uint64(n)
		}
		at += uint64(len(b))
	}
	return end
}
