package hl7

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"

	"golang.org/x/text/transform"
)

// A BatchFinding is something wrong with a batch file that loses no message.
type BatchFinding struct {
	Offset int64 // bytes from the start of the file; of its UTF-8 form if it is UTF-16
	Text   string
}

// A BatchReport says what a batch file held.
type BatchReport struct {
	Messages int // that Next returned
	TooLarge int // that Next refused
	Batches  int // BHS segments
	Outside  int64
	Findings []BatchFinding // in order; at most 100
}

// A MessageTooLargeError: one message of a batch is above the limit. Next may
// be called again and goes on with the one after it.
type MessageTooLargeError struct {
	Limit  int64
	Offset int64  // of its MSH
	Head   []byte // its first bytes, for ParseHeader
}

func (e *MessageTooLargeError) Error() string {
	return fmt.Sprintf("hl7: the message at byte %d of the batch is larger than the limit of %d bytes", e.Offset, e.Limit)
}

// A BatchReader splits a file into its messages (chapter 2, "Batch protocol"):
//
//	FHS|...⏎ BHS|...⏎ MSH|...⏎PID|...⏎ MSH|...⏎PID|...⏎ BTS|2⏎ FTS|1⏎
//
// Any part of the envelope may be missing. A message begins at a line that
// starts with MSH and a separator, never at the letters elsewhere, and ends
// where the next envelope or header line begins. Segments come out ended by CR.
// It holds one message in memory at a time.
type BatchReader struct {
	r      *bufio.Reader
	max    int64
	off    int64 // bytes consumed
	report BatchReport

	sep     byte   // field separator of the message or header being read
	env     byte   // that of FHS or BHS, which BTS and FTS share; 0 = none seen
	lf      int    // 0 = no terminator seen yet in this unit, 1 = CR, 2 = LF
	msg     []byte // the message being read
	msgAt   int64
	inMsg   bool
	tooBig  bool
	inBatch int // messages since BHS, or since the last BTS
	ended   bool
	cr      []byte // a segment's end as it is written
}

// NewBatchReader reads from r; maxMessage bounds one message in bytes, 0 means
// DefaultMaxFrame. A byte order mark is skipped and UTF-16 decoded to UTF-8.
func NewBatchReader(r io.Reader, maxMessage int64) *BatchReader {
	if maxMessage <= 0 {
		maxMessage = DefaultMaxFrame
	}
	br := bufio.NewReaderSize(r, 64<<10)
	head, err := br.Peek(6)
	if err == nil || len(head) > 0 { // a read error comes back from Next
		if cs, ok := detectUTF16(head); ok {
			br = bufio.NewReaderSize(transform.NewReader(br, cs.enc.NewDecoder()), 64<<10)
		}
	}
	return &BatchReader{r: br, max: maxMessage, cr: []byte{'\r'}}
}

// Report says what has been read so far; complete after io.EOF.
func (b *BatchReader) Report() BatchReport { return b.report }

// Next returns the next message, in memory that is the caller's, or io.EOF. A
// *MessageTooLargeError does not end the file; any other error does.
func (b *BatchReader) Next() ([]byte, error) {
	for !b.ended {
		kind, err := b.kind()
		if err == io.EOF {
			b.ended = true
			break
		}
		if err != nil {
			return nil, b.failed(err)
		}
		if b.inMsg && kind != "" {
			return b.finish() // the line is read by the next call
		}
		if err := b.line(kind); err != nil {
			return nil, b.failed(err)
		}
	}
	if b.inMsg {
		return b.finish()
	}
	return nil, io.EOF
}

func (b *BatchReader) failed(err error) error {
	b.ended, b.inMsg = true, false
	return fmt.Errorf("hl7: reading a batch at byte %d: %w", b.off, err)
}

// kind looks at the line to come: MSH, FHS, BHS, BTS, FTS, or "" for any other.
// Blank lines and frame bytes before it are consumed.
func (b *BatchReader) kind() (string, error) {
	for {
		c, err := b.r.Peek(1)
		if err != nil {
			return "", err
		}
		skip := 1
		if c[0] == utf8BOM[0] && b.off == 0 {
			if bom, _ := b.r.Peek(3); bytes.Equal(bom, utf8BOM) {
				skip = 3
			}
		}
		if skip == 1 && c[0] != '\r' && c[0] != '\n' && c[0] != startBlock && c[0] != endBlock && c[0] != 0x1A && c[0] != 0 {
			break
		}
		if _, err := b.r.Discard(skip); err != nil {
			return "", err
		}
		b.off += int64(skip)
	}
	head, err := b.r.Peek(4)
	if err != nil && err != io.EOF {
		return "", err
	}
	if len(head) < 3 {
		return "", nil
	}
	switch id := string(head[:3]); id {
	case "MSH", "FHS", "BHS":
		if len(head) == 4 && delimiterOK(head[3]) {
			return id, nil
		}
	case "BTS", "FTS":
		if len(head) == 3 || head[3] <= ' ' || delimiterOK(head[3]) && (b.env == 0 || head[3] == b.env || head[3] == b.sep) {
			return id, nil
		}
	}
	return "", nil
}

// line consumes one line of the given kind.
func (b *BatchReader) line(kind string) error {
	at := b.off
	switch kind {
	case "MSH":
		b.begin(at)
		return b.copyLine(&b.msg, b.max)
	case "FHS", "BHS":
		b.header(kind)
		return b.copyLine(nil, 0)
	case "BTS", "FTS":
		var trailer []byte
		err := b.copyLine(&trailer, headSize)
		b.trailer(kind, trailer, at)
		return err
	}
	if b.inMsg {
		return b.copyLine(&b.msg, b.max)
	}
	err := b.copyLine(nil, 0)
	b.report.Outside += b.off - at
	b.find(at, "text outside a message: "+strconv.FormatInt(b.off-at, 10)+" bytes skipped")
	return err
}

func (b *BatchReader) begin(at int64) {
	b.inMsg, b.tooBig, b.msgAt, b.lf = true, false, at, 0
	b.msg = make([]byte, 0, len(b.msg)+len(b.msg)/8) // messages of a file are much of a size
	b.sep = b.fourth()
}

func (b *BatchReader) header(kind string) {
	b.sep, b.lf = b.fourth(), 0
	b.env = b.sep
	if kind == "BHS" {
		b.report.Batches++
		b.inBatch = 0
	}
}

// fourth is the separator of the line to come; kind has seen that it is there.
func (b *BatchReader) fourth() byte {
	head, err := b.r.Peek(4)
	if err != nil {
		return 0
	}
	return head[3]
}

// trailer compares the count of BTS-1 or FTS-1 with what was there.
func (b *BatchReader) trailer(kind string, line []byte, at int64) {
	have, what := b.inBatch, "batch has "
	if kind == "FTS" {
		have, what = b.report.Batches, "file has "
		if have == 0 && b.report.Messages > 0 {
			have = 1 // messages without BHS are one batch
		}
	} else {
		b.inBatch = 0
	}
	if len(line) < 5 {
		return
	}
	digits := bytes.TrimSpace(line[4:])
	if i := bytes.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 && digits[i] != line[3] {
		b.find(at, kind+"-1 is not a number")
		return
	} else if i >= 0 {
		digits = digits[:i]
	}
	if n, err := strconv.Atoi(string(digits)); err == nil && n != have {
		b.find(at, fmt.Sprintf("%s-1 says %d, %s%d", kind, n, what, have))
	}
}

// finish hands out the message that has been read.
func (b *BatchReader) finish() ([]byte, error) {
	b.inMsg = false
	b.inBatch++
	if b.tooBig {
		b.report.TooLarge++
		return nil, &MessageTooLargeError{Limit: b.max, Offset: b.msgAt, Head: b.msg[:min(len(b.msg), headSize)]}
	}
	b.report.Messages++
	return b.msg, nil
}

func (b *BatchReader) find(at int64, text string) {
	if len(b.report.Findings) < maxWarnings {
		b.report.Findings = append(b.report.Findings, BatchFinding{Offset: at, Text: text})
	}
}
