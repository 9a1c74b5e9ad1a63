package disk

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
)

// decoder reads a payload. Its first fault sticks, and every read after it gives
// zero values, so callers ask once, at the end.
type decoder struct {
	b      []byte
	tail   []byte // inline bytes still to be handed out; nil when only a head is read
	heads  bool   // read heads only: inline bodies come back empty
	bodies string // folder of body files
	files  []string
	size   int64 // of the envelope's body, also when only heads are read
	err    error
}

func (d *decoder) fail() {
	if d.err == nil {
		d.err = fmt.Errorf("%w: a record ends early or holds an impossible number", errDamaged)
	}
	d.b, d.tail = nil, nil
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) raw(n int) []byte {
	if n < 0 || n > len(d.b) {
		d.fail()
		return nil
	}
	p := d.b[:n:n]
	d.b = d.b[n:]
	return p
}

func (d *decoder) byte() byte {
	if p := d.raw(1); p != nil {
		return p[0]
	}
	return 0
}

func (d *decoder) bool() bool     { return d.byte() != 0 }
func (d *decoder) string() string { return string(d.raw(d.count(1))) }

// count reads a number of things of at least size bytes each, so that a damaged
// count cannot ask for more memory than the record could fill.
func (d *decoder) count(size int) int {
	n := d.uint()
	if n > uint64(len(d.b)/size) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) time() time.Time {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return time.Time{}
	}
	d.b = d.b[n:]
	return fromNanos(v)
}

func fromNanos(v int64) time.Time {
	if v == 0 {
		return time.Time{}
	}
	return time.Unix(0, v).UTC()
}

// accepted reads what encoder.accepted wrote, with the time it was stored at.
func (d *decoder) accepted() (*message.Decision, time.Time, error) {
	lengths := d.raw(8)
	if d.err != nil {
		return nil, time.Time{}, d.err
	}
	n, sum := int(binary.LittleEndian.Uint32(lengths)), binary.LittleEndian.Uint32(lengths[4:])
	head := d.raw(n)
	if d.err != nil || checksum(head) != sum {
		d.fail()
		return nil, time.Time{}, d.err
	}
	d.b, d.tail = head, d.b
	stored := d.time()
	env := d.envelope()
	dec := d.decision()
	dec.Envelope = env
	if n := d.count(12); n > 0 {
		dec.Deliveries = make([]message.Delivery, n)
	}
	for i := range dec.Deliveries {
		d.delivery(&dec.Deliveries[i], env)
	}
	d.later(dec)
	return dec, stored, d.err
}

func (d *decoder) envelope() *message.Envelope {
	v := &message.Envelope{}
	copy(v.ID[:], d.raw(16))
	v.Received = d.time()
	v.Source = d.string()
	v.Origin = d.string()
	v.Format = message.Format(d.byte())
	v.Remote = d.string()
	v.File = d.string()
	v.Index = int(d.uint())
	v.Problem = d.string()
	d.size = int64(d.uint())
	v.Body = d.body(message.Body{})
	return v
}

func (d *decoder) decision() *message.Decision {
	v := &message.Decision{Outcome: message.Outcome(d.byte())}
	v.Type, v.Event, v.ControlID = d.string(), d.string(), d.string()
	copy(v.Plan[:], d.raw(len(v.Plan)))
	v.Reply.Code, v.Reply.Text = d.string(), d.string()
	if n := d.count(4); n > 0 {
		v.Reply.Errors = make([]message.ReplyError, n)
	}
	for i := range v.Reply.Errors {
		v.Reply.Errors[i] = message.ReplyError{Location: d.string(), Code: d.string(), Text: d.string(), Severity: d.string()}
	}
	if n := d.count(6); n > 0 {
		v.Parts = make([]message.Part, n)
	}
	for i := range v.Parts {
		v.Parts[i] = message.Part{Feed: d.string(), Outcome: message.Outcome(d.byte()), Rule: d.place(), Reason: d.string(), Copies: int(d.uint())}
	}
	return v
}

func (d *decoder) place() message.Place {
	return message.Place{File: d.string(), Line: int(d.uint())}
}

func (d *decoder) delivery(v *message.Delivery, env *message.Envelope) {
	v.Message = env.ID
	v.Queue, v.Feed, v.Lane = d.string(), d.string(), d.string()
	v.Name, v.ControlID = d.string(), d.string()
	v.Queued = d.time()
	v.State = message.CopyState(d.byte())
	v.Rule = d.place()
	v.Reason = d.string()
	v.Attempts = int(d.uint())
	v.Stopped = d.bool()
	v.Body = d.body(env.Body)
}

// body reads a description and, unless only heads are read, its inline bytes.
func (d *decoder) body(base message.Body) message.Body {
	switch d.byte() {
	case bodyInline:
		return message.InMemory(d.run())
	case bodyFile:
		return d.file()
	case bodySame:
		return base
	case bodyPieces:
		return d.compose(base)
	case bodyComposed:
		return d.compose(d.body(message.Body{}))
	}
	d.fail()
	return message.Body{}
}

// run takes the next inline bytes from behind the head.
func (d *decoder) run() []byte {
	n := d.uint()
	if d.heads || d.err != nil {
		return nil
	}
	if n > uint64(len(d.tail)) {
		d.fail()
		return nil
	}
	p := d.tail[:n:n]
	d.tail = d.tail[n:]
	return p
}

func (d *decoder) file() message.Body {
	f := message.File{}
	name := d.string()
	f.Size = int64(d.uint())
	copy(f.Sum[:], d.raw(len(f.Sum)))
	if !filepath.IsLocal(name) || f.Size < 0 {
		d.fail()
		return message.Body{}
	}
	d.files = append(d.files, name)
	f.Path = filepath.Join(d.bodies, name)
	return message.InFile(f)
}

func (d *decoder) compose(base message.Body) message.Body {
	ps := make([]message.Piece, d.count(2))
	for i := range ps {
		if d.bool() {
			if ps[i].Literal = d.run(); ps[i].Literal == nil {
				ps[i].Literal = []byte{}
			}
			continue
		}
		ps[i].Offset, ps[i].Length = int64(d.uint()), int64(d.uint())
		if ps[i].Offset < 0 || ps[i].Length < 0 || (!d.heads && ps[i].Length > base.Size()-ps[i].Offset) {
			d.fail()
		}
	}
	if d.err != nil {
		return message.Body{}
	}
	return message.Compose(base, ps)
}

func (d *decoder) finished() ([]message.Finished, error) {
	fs := make([]message.Finished, d.count(11))
	for i := range fs {
		f := &fs[i]
		f.Key = d.key()
		f.Pos = d.uint()
		f.Queue, f.Lane = d.string(), d.string()
		f.State = message.CopyState(d.byte())
		f.At = d.time()
		f.Attempts = int(d.uint())
		f.Stopped = d.bool()
		f.Code, f.Reason = d.string(), d.string()
	}
	return fs, d.err
}

func (d *decoder) key() message.Key {
	return message.Key{Seq: d.uint(), N: uint16(d.uint())}
}

// headLength is the length of the head of an accepted payload.
func headLength(payload []byte) int { return int(binary.LittleEndian.Uint32(payload)) }
