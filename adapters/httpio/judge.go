package httpio

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/hl7"
)

const maxText = 200

// judge reads an answer: its status, and in a 2xx the acknowledgement it carries.
func (a *attempt) judge(resp *http.Response) (adapters.Reply, error) {
	defer drop(resp.Body)
	body, err := io.ReadAll(io.LimitReader(resp.Body, a.s.cfg.maxReply))
	code := fmt.Sprintf("%03d", resp.StatusCode)
	if isER7(resp.Header.Get("Content-Type")) && code[0] == '2' {
		if err != nil {
			return a.cutShort(err)
		}
		return judgeAck(code, body, a.d.ControlID), nil
	}
	// The status is the answer; a body that did not come whole takes nothing from it.
	text := strings.TrimSpace(code + " " + http.StatusText(resp.StatusCode))
	if words := plain(body); words != "" {
		text += ": " + words
	}
	return adapters.Reply{Code: code, Text: cut(text)}, nil
}

// cutShort: an acknowledgement began and did not end.
func (a *attempt) cutShort(err error) (adapters.Reply, error) {
	if r, err := a.failed(err); err == nil && r.Code == adapters.NoReply || a.ctx.Err() != nil {
		return r, err
	}
	return adapters.Reply{Code: adapters.Unreadable, Text: "the acknowledgement ended early"}, nil
}

// judgeAck reads an HL7 acknowledgement that came with a status of success:
// MSA-1 AA or CA leaves the status as the code, a refusal is its own code.
func judgeAck(status string, body []byte, id string) adapters.Reply {
	if len(body) == 0 {
		return adapters.Reply{Code: status, Text: "no acknowledgement"}
	}
	ack, err := hl7.ParseAck(body)
	if err != nil {
		return adapters.Reply{Code: adapters.Unreadable, Text: "the answer calls itself HL7, but no MSA segment can be read in it"}
	}
	if ack.ControlID != id {
		return adapters.Reply{Code: adapters.WrongID, Text: "the answer acknowledges another message"}
	}
	text := cut(wordsOf(ack))
	switch ack.Code {
	case "AA", "CA":
		return adapters.Reply{Code: status, Text: text}
	case "AE", "AR", "CE", "CR":
		return adapters.Reply{Code: ack.Code, Text: text}
	}
	return adapters.Reply{Code: adapters.Unreadable, Text: "MSA-1 of the answer is not a code of table 0008"}
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

// plain is the beginning of a body as one line of text, "" for what is none.
func plain(b []byte) string {
	b = b[:min(len(b), 2*maxText)]
	for range utf8.UTFMax - 1 {
		if r, n := utf8.DecodeLastRune(b); r != utf8.RuneError || n != 1 {
			break
		}
		b = b[:len(b)-1]
	}
	if !utf8.Valid(b) {
		return ""
	}
	return strings.Join(strings.FieldsFunc(string(b), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
}

// cut keeps 200 bytes and no half character.
func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "")
}

// harmless turns an error of the transport into one that may be logged: some of
// them quote what the other side has sent. What came and is no HTTP is an
// Unreadable answer.
func harmless(err error, heard bool) (adapters.Reply, error) {
	var refused *refusedAddress
	if errors.As(err, &refused) {
		return adapters.Reply{}, refused
	}
	for _, e := range []error{syscall.ECONNRESET, syscall.EPIPE, syscall.ETIMEDOUT, io.ErrUnexpectedEOF, io.EOF} {
		if errors.Is(err, e) && !isDial(err) {
			return adapters.Reply{}, fmt.Errorf("the connection ended without an answer (%w)", e)
		}
	}
	var record tls.RecordHeaderError
	if errors.As(err, &record) && string(record.RecordHeader[:]) == "HTTP/" {
		return adapters.Reply{}, errors.New("the other side speaks plain HTTP on this port; write http:// if that is meant")
	}
	if isNetwork(err) {
		return adapters.Reply{}, err
	}
	if strings.HasSuffix(err.Error(), "server closed idle connection") { // net/http gives it no name
		return adapters.Reply{}, errors.New("the connection ended without an answer")
	}
	if heard {
		return adapters.Reply{Code: adapters.Unreadable, Text: "the answer is no HTTP that can be read"}, nil
	}
	return adapters.Reply{}, fmt.Errorf("the request was not carried out (%T)", err)
}

func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// isNetwork: errors whose texts are made of addresses, names and certificates.
func isNetwork(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	var verify *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var host x509.HostnameError
	var slow net.Error
	return errors.As(err, &op) || errors.As(err, &dns) || errors.As(err, &verify) || errors.As(err, &record) ||
		errors.As(err, &alert) || errors.As(err, &host) || errors.As(err, &slow) && slow.Timeout() || strings.HasPrefix(err.Error(), "tls: ")
}
