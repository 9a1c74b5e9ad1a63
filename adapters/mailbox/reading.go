package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
)

// reading is one go through a claimed file.
type reading struct {
	source *source
	ctx    context.Context
	accept adapters.Accept
	claim  *claim
	file   *os.File
	look   look

	details []string // of messages that were not taken as they are
	lost    int      // messages whose bytes are in no other place than the file
}

// wholeFile is the index in the Origin of a file that is one message, and so
// never that of a message out of a batch, however batch.split is set later.
const wholeFile = 0

func (r *reading) run() (*verdict, error) {
	xml, err := r.isXML()
	if err != nil {
		return nil, err
	}
	if xml || !r.source.conf.split {
		return r.whole(xml, "")
	}
	if r.source.conf.rejectFile && r.claim.accepted == 0 {
		if v, err := r.check(); v != nil || err != nil {
			return v, err
		}
	}
	return r.each()
}

// section reads the file's bytes as they were claimed; what is appended later
// shows as a change of the file.
func (r *reading) section() io.Reader {
	return faults{io.NewSectionReader(r.file, 0, r.look.size)}
}

// faults marks errors of reading, to be told from those of the engine.
type faults struct{ io.Reader }

func (f faults) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%w: %w", errReading, err)
	}
	return n, err
}

func (r *reading) isXML() (bool, error) {
	head := make([]byte, 512)
	n, err := io.ReadFull(r.section(), head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return false, err
	}
	return looksXML(head[:n]), nil
}

// ifChanged gives a verdict when somebody still writes to the file. It is asked
// after the bytes of a message were read and before they are handed on, so that
// no message is ever made of two states of a file.
func (r *reading) ifChanged() (*verdict, error) {
	st, err := fstat(int(r.file.Fd()))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errReading, err)
	}
	if lookOf(&st) == r.look {
		return nil, nil
	}
	r.source.env.Count("files_changed", 1)
	return &verdict{
		failed:  fmt.Sprintf("the file was changed while it was read; %d messages had been accepted", r.claim.accepted),
		details: r.details,
	}, nil
}

// maxDetails bounds a reason or report file.
const maxDetails = 100

func (r *reading) detail(format string, args ...any) {
	if len(r.details) < maxDetails {
		r.details = append(r.details, fmt.Sprintf(format, args...))
	}
}

// check reads the whole file before anything of it is accepted (reject_file).
func (r *reading) check() (*verdict, error) {
	bad := 0
	batch := hl7.NewBatchReader(r.section(), r.source.conf.maxMessage)
	for index := 1; ; index++ {
		if err := r.ctx.Err(); err != nil {
			return nil, err
		}
		b, err := batch.Next()
		if err == io.EOF {
			break
		}
		var tooLarge *hl7.MessageTooLargeError
		if err != nil && !errors.As(err, &tooLarge) {
			return nil, err
		}
		if err == nil {
			_, err = hl7.Parse(b)
		}
		if err != nil {
			bad++
			r.detail("message %d: %v", index, err)
		}
	}
	if bad == 0 {
		return nil, nil
	}
	return &verdict{failed: fmt.Sprintf("%d messages cannot be read, so none was accepted (bad_message: reject_file)", bad), details: r.details}, nil
}

// each hands on the file's messages, in order, from where it stopped before.
func (r *reading) each() (*verdict, error) {
	batch := hl7.NewBatchReader(r.section(), r.source.conf.maxMessage)
	for index := 1; ; index++ {
		b, err := batch.Next()
		if err == io.EOF {
			return r.conclude(batch.Report())
		}
		if err := r.ctx.Err(); err != nil {
			return nil, err
		}
		var tooLarge *hl7.MessageTooLargeError
		if errors.As(err, &tooLarge) {
			r.lost++
			r.detail("message %d, at byte %d: larger than max_message (%d bytes)", index, tooLarge.Offset, tooLarge.Limit)
			continue
		}
		if err != nil {
			return nil, err
		}
		if index <= r.claim.accepted {
			continue
		}
		if v, err := r.ifChanged(); v != nil || err != nil {
			return v, err
		}
		if err := r.one(b, index); err != nil {
			return nil, err
		}
		r.claim.accepted = index
	}
}

// one hands on one message of a batch.
func (r *reading) one(b []byte, index int) error {
	body, err := r.body(bytes.NewReader(b), b, int64(len(b)))
	if err != nil {
		return err
	}
	env := r.envelope(index, body, message.HL7)
	env.Index = index
	receipt, err := r.accept(r.ctx, env)
	if err != nil {
		return err
	}
	r.source.env.Count("messages", 1)
	if receipt.Outcome != message.Rejected {
		return nil
	}
	return r.source.setAside(r.claim, index, b, receipt)
}

func (r *reading) envelope(origin int, body message.Body, format message.Format) *message.Envelope {
	return &message.Envelope{
		Received: time.Now().UTC(),
		Source:   r.source.env.Name,
		Origin:   r.claim.origin(origin),
		Format:   format,
		File:     r.claim.name,
		Index:    1,
		Body:     body,
	}
}

// body keeps small messages in memory and spools large ones. mem may be nil when
// the bytes are only in rd.
func (r *reading) body(rd io.Reader, mem []byte, size int64) (message.Body, error) {
	env := &r.source.env
	if env.Spool != nil && env.InMemory > 0 && size > env.InMemory {
		r.source.env.Count("messages_spooled", 1)
		return env.Spool(rd, r.source.conf.maxMessage)
	}
	if mem == nil {
		mem = make([]byte, size)
		if _, err := io.ReadFull(rd, mem); err != nil {
			return message.Body{}, fmt.Errorf("%w: %w", errReading, err)
		}
	}
	return message.InMemory(mem), nil
}
