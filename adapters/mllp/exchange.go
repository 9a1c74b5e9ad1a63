package mllp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
)

// MLLP block characters (HL7 Transport Specification: MLLP, Release 1), and the
// commit characters of Release 2, which some peers send ahead of their answer:
// 0B 06 1C 0D = have it, 0B 15 1C 0D = have it not.
const (
	startBlock = 0x0B
	endBlock   = 0x1C
	commitAck  = 0x06
	commitNak  = 0x15
)

const (
	maxText = 200
	// lastWord is how long a peer that has cut us off while we were writing may
	// have said why.
	lastWord = time.Second
)

// errStale: a link that was idle turned out to be closed, and nothing came back.
var errStale = errors.New("the peer has closed the idle connection")

// checkBytes: MLLP has no escape for its block characters.
func checkBytes(runs [][]byte) error {
	at := 0
	for _, r := range runs {
		for _, c := range []byte{startBlock, endBlock} {
			if i := bytes.IndexByte(r, c); i >= 0 {
				return fmt.Errorf("byte %d is %02X hex, which MLLP cannot carry in a message; take it out in a transform", at+i, c)
			}
		}
		at += len(r)
	}
	return nil
}

// exchange is one message out and one answer in.
type exchange struct {
	*link
	ctx     context.Context
	timeout time.Duration
	id      string // MSH-10 as sent

	written  bool
	answered bool   // with our id
	foreign  int    // answers with another
	fault    string // why an answer is none; never content
}

func (x *exchange) run(v message.View, size int64) (adapters.Reply, error) {
	x.unframed, x.heard = false, 0
	wait := x.timeout
	werr := x.write(v, size, x.timeout)
	if x.written = werr == nil; !x.written {
		if isTimeout(werr) || x.ctx.Err() != nil {
			return adapters.Reply{}, x.broken("writing", werr)
		}
		wait = min(wait, lastWord)
	}
	if err := x.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return adapters.Reply{}, x.broken("waiting for the answer", err)
	}
	if err := x.ctx.Err(); err != nil { // it may have ended before the deadline was set
		return adapters.Reply{}, err
	}
	reply, err := x.listen()
	if werr != nil && !x.answered {
		return adapters.Reply{}, x.broken("writing", werr)
	}
	return reply, err
}

// listen reads answers until ours comes or none can come any more.
func (x *exchange) listen() (adapters.Reply, error) {
	for {
		f, err := x.next()
		if err != nil {
			return x.ended(f, err)
		}
		if len(f.Body) == 1 && f.Body[0] == commitAck {
			continue
		}
		if r, done := x.judge(f.Body); done {
			return r, nil
		}
	}
}

// judge looks at one answer; done is false for one that belongs to another message.
func (x *exchange) judge(body []byte) (r adapters.Reply, done bool) {
	if len(body) == 1 && body[0] == commitNak {
		return x.unreadable("a commit block that says no (15 hex)"), true
	}
	a, err := hl7.ParseAck(body)
	if err != nil {
		return x.unreadable("no MSA segment can be read in it"), true
	}
	if a.ControlID != x.id {
		x.foreign++
		return r, false
	}
	switch a.Code {
	case "AA", "AE", "AR", "CA", "CE", "CR":
		x.answered = true
		return adapters.Reply{Code: a.Code, Text: cut(wordsOf(a))}, true
	}
	return x.unreadable("its MSA-1 is not a code of table 0008"), true
}

// ended turns the error that ended the wait into a reply, or an error where
// there is nothing to judge.
func (x *exchange) ended(f hl7.Frame, err error) (adapters.Reply, error) {
	var large *hl7.FrameTooLargeError
	var junk *hl7.JunkError
	switch {
	case x.ctx.Err() != nil:
		return adapters.Reply{}, x.ctx.Err()
	case errors.As(err, &large):
		return x.unreadable(fmt.Sprintf("it is larger than %d bytes", large.Limit)), nil
	case x.foreign > 0 && (gone(err) || isTimeout(err) || errors.Is(err, hl7.ErrTruncatedFrame)):
		return adapters.Reply{Code: adapters.WrongID, Text: "answers came, none of them to this message"}, nil
	case errors.Is(err, errUnframed), errors.As(err, &junk), f.Junk > 0 && !x.open && (gone(err) || isTimeout(err)):
		return x.unreadable("it is not framed: no start block (0B)"), nil
	case isTimeout(err):
		return adapters.Reply{Code: adapters.NoReply, Text: fmt.Sprintf("no answer within %s", x.timeout)}, nil
	}
	return adapters.Reply{}, x.broken("waiting for the answer", err)
}

func (x *exchange) unreadable(why string) adapters.Reply {
	x.fault = why
	return adapters.Reply{Code: adapters.Unreadable, Text: "the answer cannot be read: " + why}
}

// broken is the error of a connection that ended; a stale one may be made again.
func (x *exchange) broken(doing string, err error) error {
	switch {
	case x.ctx.Err() != nil:
		return x.ctx.Err()
	case x.used && x.heard == 0 && gone(err):
		return errStale
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%s: the peer closed the connection without an answer", doing)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// wordsOf are the peer's own words: MSA-3, or what its first ERR says.
func wordsOf(a hl7.AckReply) string {
	if a.Text != "" || len(a.Errors) == 0 {
		return a.Text
	}
	if e := a.Errors[0]; e.UserText != "" {
		return e.UserText
	}
	return a.Errors[0].Text
}

// cut keeps 200 bytes and no half character.
func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	s = s[:maxText]
	for range utf8.UTFMax - 1 {
		if r, n := utf8.DecodeLastRuneInString(s); r != utf8.RuneError || n != 1 {
			break
		}
		s = s[:len(s)-1]
	}
	return s
}
