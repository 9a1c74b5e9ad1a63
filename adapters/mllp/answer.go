package mllp

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
)

// errMute: there is nothing that an answer could be made of.
var errMute = errors.New("the frame has no MSH that can be read, so no answer can be built")

// handle hands one whole frame to the engine and answers it. An error ends the
// connection.
func (c *conn) handle(ctx context.Context, f *hl7.Frame) error {
	now := time.Now()
	in, err := c.receive(f, now)
	var receipt message.Receipt
	if err == nil {
		c.l.env.Count("messages", 1)
		receipt, err = c.accept(ctx, in.env)
	}
	if err != nil {
		return c.notStored(in, f.Size, err)
	}
	return c.reply(in, receipt)
}

// inbound is a message on its way through the engine.
type inbound struct {
	env    *message.Envelope
	header *hl7.Header // nil when there is none to be read
}

// receive makes an envelope of a frame. Its error is the spool's.
func (c *conn) receive(f *hl7.Frame, now time.Time) (inbound, error) {
	env := &message.Envelope{Received: now.UTC(), Source: c.l.env.Name, Remote: c.remote}
	in := inbound{env: env}
	if isXML(f.Body) {
		env.Format = message.XML
	} else if h, err := hl7.ParseHeader(f.Body); err == nil {
		in.header = &h
	} else {
		env.Problem = "no MSH segment can be read"
	}
	if f.Size == 0 {
		env.Problem = "the frame is empty"
	}
	if !f.Spilled {
		c.drop() // a large frame that was begun anew as a small one
		env.Body = message.InMemory(append(make([]byte, 0, len(f.Body)), f.Body...))
		return in, nil
	}
	large := c.large
	c.large = nil
	var err error
	env.Body, err = large.finish()
	return in, err
}

// isXML: HL7 in XML and other documents begin with "<" (and ER7 never does).
func isXML(body []byte) bool {
	body = bytes.TrimPrefix(body[:min(len(body), 512)], []byte("\xEF\xBB\xBF"))
	body = trimNoise(body)
	return len(body) > 0 && body[0] == '<'
}

// reply spells the engine's answer.
func (c *conn) reply(in inbound, r message.Receipt) error {
	if r.Reply.Code == "" && c.l.cfg.answerAlways {
		r.Reply.Code = unasked(in.header, r.Outcome)
	}
	switch {
	case r.Reply.Code != "":
		return c.send(in.header, r.Reply)
	case in.header == nil && in.env.Format != message.XML:
		return errMute
	}
	c.l.env.Count("no_answer", 1)
	return nil
}

// unasked is the answer of answer_always for a sender that asks for none
// (MSH-15 and MSH-16 say NE) and waits all the same. An answer is never answered.
func unasked(h *hl7.Header, o message.Outcome) string {
	if h == nil || h.AcceptAck == "" && h.ApplicationAck == "" || isAnswer(h) {
		return ""
	}
	if o == message.Rejected || o == message.Quarantined {
		return "AE"
	}
	return "AA"
}

func isAnswer(h *hl7.Header) bool { return h.Response || h.Type == "ACK" || h.Type == "MCF" }

// notStored tells the sender to come again: nothing of its message is kept.
func (c *conn) notStored(in inbound, size int64, err error) error {
	c.l.env.Count("not_stored", 1)
	c.warn("not_stored", func(e *zerolog.Event) {
		e.Err(err).Int64("bytes", size).Bool("busy", errors.Is(err, adapters.ErrBusy)).Msg("message not stored; the sender is asked to send it again")
	})
	if in.header == nil {
		return errMute
	}
	return c.refuse(in.header, false, message.ReplyError{Code: "207", Text: "not stored, send again"})
}

// refuseLarge answers a frame above max_message, if it can be answered. The
// code is one that a sender does not repeat: it would never fit.
func (c *conn) refuseLarge(large *hl7.FrameTooLargeError) {
	h, err := hl7.ParseHeader(large.Head)
	if err != nil || isXML(large.Head) {
		return
	}
	text := fmt.Sprintf("message is larger than %d bytes", large.Limit)
	if err := c.refuse(&h, true, message.ReplyError{Code: "104", Text: text}); err != nil {
		c.l.log.Debug().Err(err).Str("remote", c.remote).Msg("refusal of a large message was not written")
	}
}

// refuse answers without the engine, in the mode the message asks for: AE or CE,
// for good AR or CR.
func (c *conn) refuse(h *hl7.Header, forGood bool, why message.ReplyError) error {
	plan := hl7.AckPlan(*h, false)
	if len(plan) == 0 {
		if !c.l.cfg.answerAlways || isAnswer(h) {
			c.l.env.Count("no_answer", 1)
			return nil
		}
		plan = []string{"AE"}
	}
	code := plan[0]
	if forGood {
		code = code[:1] + "R"
	}
	return c.send(h, message.Reply{Code: code, Text: why.Text, Errors: []message.ReplyError{why}})
}

// send writes one answer in one write.
func (c *conn) send(h *hl7.Header, r message.Reply) error {
	if h == nil {
		h = bareHeader()
	}
	ack := hl7.Ack{Code: r.Code, Text: r.Text}
	for _, e := range r.Errors {
		ack.Errors = append(ack.Errors, hl7.AckError{Location: e.Location, Code: e.Code, Text: e.Text, Severity: e.Severity})
	}
	now := time.Now()
	c.holdWrites(now)
	if err := hl7.WriteFrame(c.wire.conn, hl7.BuildAck(*h, ack, now, newControlID(now))); err != nil {
		c.l.env.Count("answer_failed", 1)
		return fmt.Errorf("the answer could not be written; the message is stored and will come again: %w", err)
	}
	c.linger = true
	c.l.env.Count("answers", 1)
	return nil
}

// bareHeader makes an answer to nobody: MSH|^~\&|||||time||ACK|id|P|2.5.1.
func bareHeader() *hl7.Header {
	return &hl7.Header{Delimiters: hl7.StandardDelimiters(), EncodingCharacters: `^~\&`, ProcessingID: "P", Version: "2.5.1"}
}

// holdWrites bounds how long a peer may refuse to read our answers. The deadline
// is moved only when half of it has gone by, which spares a timer per message.
func (c *conn) holdWrites(now time.Time) {
	limit := c.l.cfg.frameTimeout
	if now.Sub(c.written) < limit/2 {
		return
	}
	c.written = now
	c.raw.SetWriteDeadline(now.Add(limit + limit/2)) // a failure shows at the write
}

// newControlID is the front of a ULID: 10 characters of time and 10 of chance.
// MSH-10 has 20 characters before version 2.7.
func newControlID(now time.Time) string {
	var id ulid.ULID
	_ = id.SetTime(ulid.Timestamp(now)) // fails after the year 10889
	binary.BigEndian.PutUint64(id[6:], rand.Uint64())
	return id.String()[:20]
}
