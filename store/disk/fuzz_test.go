package disk

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

// FuzzDecode gives the decoders anything: they answer with an error, never with a
// panic or with more memory than the input could fill.
func FuzzDecode(f *testing.F) {
	d := testDecision(3)
	d.Deliveries[0].Body = message.Compose(d.Envelope.Body, []message.Piece{{Length: 4}, {Literal: []byte("x")}})
	for typ, write := range map[recordType]func(e *encoder){
		recAccepted: func(e *encoder) { e.accepted(d, time.Unix(1, 0)) },
		recFinished: func(e *encoder) {
			e.finished([]message.Finished{{Key: message.Key{Seq: 7}, Queue: "q", Reason: "r", At: time.Unix(1, 0)}})
		},
		recAction: func(e *encoder) {
			e.action(&action{what: didResend, by: store.Person{Name: "n"}, owner: 40, queue: "q", made: d})
		},
		recSwitch: func(e *encoder) {
			e.pause(&store.Switch{Subject: store.Subject{Kind: "lane", Name: "q", Lane: "7"}, Paused: true})
		},
	} {
		e := newEncoder("bodies")
		write(e)
		f.Add(byte(typ), bytes.Clone(e.b[frameHeader:]))
	}
	e := newEncoder("bodies")
	e.action(&action{what: didReprocess, out: []outgoing{{queue: "q", state: message.Discarded}}, in: []incoming{{pos: 3}}, made: d})
	f.Add(byte(recAction), bytes.Clone(e.b[frameHeader:]))
	f.Fuzz(func(t *testing.T, typ byte, payload []byte) {
		for _, heads := range []bool{false, true} {
			dec := decoder{b: payload, bodies: "bodies", heads: heads}
			switch recordType(typ) {
			case recAccepted:
				d, _, err := dec.accepted()
				if err == nil && !heads {
					for i := range d.Deliveries {
						if _, isFile := d.Deliveries[i].Body.File(); !isFile {
							readAny(d.Deliveries[i].Body)
						}
					}
				}
			case recAction:
				_, _ = dec.action()
			case recSwitch:
				_, _ = dec.pause()
			default:
				_, _ = dec.finished()
			}
		}
	})
}

// readAny reads a body that may be composed of a file which does not exist.
func readAny(b message.Body) {
	if v, err := b.View(); err == nil {
		v.Close()
	}
}

// FuzzSegment opens a store whose only segment holds anything: it opens, or says
// that it needs a newer program, and takes a message afterwards.
func FuzzSegment(f *testing.F) {
	s := open(f, f.TempDir(), Options{})
	fill(f, s, 3)
	b, err := os.ReadFile(s.log.segs[0].path)
	if err != nil {
		f.Fatal(err)
	}
	s.Crash()
	b = bytes.TrimRight(b, "\x00")
	f.Add(b)
	f.Add(b[:len(b)-9])
	f.Add(append(bytes.Clone(b), b[segmentHeader:]...))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "log"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(segmentPath(filepath.Join(dir, "log"), 0), b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(dir, Options{MinFree: -1})
		if errors.Is(err, errNewer) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		d := testDecision(1)
		rec, err := s.Append(ctx, d)
		if err != nil || rec.Seq < segmentHeader {
			t.Fatalf("%+v %v", rec, err)
		}
		if _, err := s.Get(d.Envelope.ID); err != nil {
			t.Fatal(err)
		}
	})
}
