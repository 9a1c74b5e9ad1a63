package hl7

import (
	"bytes"
	"io"
)

// copyLine consumes one line with its terminator and appends it, ended by one
// CR, to out, which may be nil. What ends a line is decided as for a message: CR
// always; LF if the unit's first terminator is LF, or if a segment id and
// separator follow. What is above limit is left out; of a message, that is
// noted in tooBig, and only its head is kept.
func (b *BatchReader) copyLine(out *[]byte, limit int64) error {
	give := func(p []byte) { b.give(out, p, limit) }
	for {
		if _, err := b.r.Peek(1); err != nil {
			give(b.cr)
			return ignoreEOF(err) // the file ends without a terminator
		}
		data, err := b.r.Peek(b.r.Buffered())
		if err != nil {
			return err
		}
		i := b.lineEnd(data)
		if i < 0 {
			give(data)
			if err := b.discard(len(data)); err != nil {
				return err
			}
			continue
		}
		c := data[i]
		give(data[:i])
		if err := b.discard(i + 1); err != nil {
			return err
		}
		if c == '\n' && !b.endsLine() {
			give([]byte{c})
			continue
		}
		b.terminated(c)
		give(b.cr)
		return nil
	}
}

func (b *BatchReader) give(out *[]byte, p []byte, limit int64) {
	switch {
	case out == nil || out == &b.msg && b.tooBig:
	case int64(len(*out)+len(p)) <= limit:
		*out = append(*out, p...)
	case out == &b.msg:
		b.tooBig = true
		b.msg = append(bytes.Clone(b.msg[:min(len(b.msg), headSize)]), p[:min(len(p), headSize)]...)
	}
}

// lineEnd finds the first CR or LF, or -1. It looks for what the unit has used
// so far first, so that it need not search the whole buffer for the other.
func (b *BatchReader) lineEnd(data []byte) int {
	const near = 256
	if i := bytes.IndexAny(data[:min(len(data), near)], "\r\n"); i >= 0 {
		return i
	}
	likely, other := byte('\r'), byte('\n')
	if b.lf == 2 {
		likely, other = other, likely
	}
	i := bytes.IndexByte(data, likely)
	if i >= 0 {
		data = data[:i]
	}
	if j := bytes.IndexByte(data, other); j >= 0 {
		return j
	}
	return i
}

func (b *BatchReader) discard(n int) error {
	k, err := b.r.Discard(n)
	b.off += int64(k)
	return err
}

// endsLine decides on an LF that has been consumed.
func (b *BatchReader) endsLine() bool {
	if b.lf != 1 {
		return true
	}
	next, err := b.r.Peek(4)
	if err != nil {
		return len(bytes.Trim(next, "\r\n")) == 0 // nothing but line ends follows
	}
	return startsSegment(next, b.sep) || startsSegment(next, next[3]) && isHeader(next) && delimiterOK(next[3])
}

func (b *BatchReader) terminated(c byte) {
	if b.lf == 0 {
		b.lf = 1
		if c == '\n' {
			b.lf = 2
		}
	}
}

func ignoreEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
