package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/peer"
)

// Sent is the answer to one message.
type Sent struct {
	File    string `json:"file"`
	Index   int    `json:"index"`
	Control string `json:"control_id"`
	Code    string `json:"code"`             // MSA-1; "" = no acknowledgement came
	Status  int    `json:"status,omitempty"` // of HTTP
	Text    string `json:"text,omitempty"`
	Error   string `json:"error,omitempty"`
	Millis  int64  `json:"ms"` // from the first byte sent to the answer
}

// accepted reports whether the answer is a positive one. A bare 2xx is.
func (s Sent) accepted() bool {
	code := s.Code == "AA" || s.Code == "CA"
	if s.Status != 0 {
		code = s.Status/100 == 2 && (code || s.Code == "")
	}
	return code && s.Error == ""
}

// answer is how a person reads it: AA, or 200 AA.
func (s Sent) answer() string {
	if s.Status == 0 {
		return orDash(s.Code)
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", s.Status, printable(s.Code)))
}

// carry takes one message across. An error ends the sending: what order the rest
// would arrive in is not known.
type carry func(ctx context.Context, msg []byte) (Sent, error)

// splitter gives the messages of a file.
type splitter func(in io.Reader) iter.Seq2[[]byte, error]

// split is for HL7 in ER7: batch envelopes are taken off.
func split(in io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		batch := hl7.NewBatchReader(in, 0)
		for {
			msg, err := batch.Next()
			if errors.Is(err, io.EOF) || !yield(msg, err) || err != nil {
				return
			}
		}
	}
}

// splitER7 splits what is ER7 and leaves everything else one message.
func splitER7(mediaType string) splitter {
	return func(in io.Reader) iter.Seq2[[]byte, error] {
		return func(yield func([]byte, error) bool) {
			data, err := io.ReadAll(in)
			if err != nil || len(data) == 0 {
				if err != nil {
					yield(nil, err)
				}
				return
			}
			if peer.TypeOf(data) == peer.TypeER7 && (mediaType == "" || strings.Contains(mediaType, "hl7-v2")) {
				split(bytes.NewReader(data))(yield)
				return
			}
			yield(data, nil)
		}
	}
}

func sendFiles(ctx context.Context, carry carry, split splitter, files []string, stdin io.Reader) ([]Sent, error) {
	bar := progress(len(files), "send")
	var out []Sent
	for _, name := range files {
		sent, err := sendFile(ctx, carry, split, name, stdin)
		out = append(out, sent...)
		if err != nil {
			return out, err
		}
		bar.Add(1)
	}
	return out, nil
}

func sendFile(ctx context.Context, carry carry, split splitter, name string, stdin io.Reader) ([]Sent, error) {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	var out []Sent
	for msg, err := range split(in) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return out, fmt.Errorf("%s: %w", name, err)
		}
		began := time.Now()
		s, err := carry(ctx, bytes.Clone(msg))
		s.File, s.Index, s.Millis = name, len(out)+1, time.Since(began).Milliseconds()
		out = append(out, s)
		if err != nil {
			return out, fmt.Errorf("%s, message %d: %w", name, s.Index, err)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s holds no HL7 message (no line begins with MSH)", name)
	}
	return out, nil
}

// controlOf is MSH-10; "" for what has none.
func controlOf(msg []byte) string {
	h, err := hl7.ParseHeader(msg)
	if err != nil {
		return ""
	}
	return h.ControlID
}

func sendMLLP(client *peer.Client, msg []byte) (Sent, error) {
	s := Sent{Control: controlOf(msg)}
	reply, err := client.Ask(msg)
	if err != nil {
		s.Error = err.Error()
		return s, err
	}
	s.Code, s.Text = reply.Code, reply.Text
	if s.Text == "" && len(reply.Errors) > 0 {
		s.Text = reply.Errors[0].Text
	}
	if reply.ControlID != s.Control {
		s.Error = errOther
	}
	return s, nil
}

const errOther = "the answer is to another message"

func sendHTTP(ctx context.Context, p *peer.Poster, msg []byte, mediaType string) (Sent, error) {
	if mediaType == "" {
		mediaType = peer.TypeOf(msg)
	}
	s := Sent{Control: controlOf(msg)}
	a, err := p.Post(ctx, msg, mediaType)
	s.Status, s.Code, s.Text = a.Status, a.Code, a.Text
	if err != nil {
		s.Error = err.Error()
		return s, err
	}
	if a.Code != "" && a.ToID != s.Control && peer.TypeOf(a.Body) == peer.TypeER7 {
		s.Error = errOther
	}
	return s, nil
}

func reportSent(w io.Writer, sent []Sent, err error, asJSON bool) error {
	if asJSON {
		if perr := printJSON(w, append([]Sent{}, sent...)); perr != nil {
			return perr
		}
	}
	refused := false
	for _, s := range sent {
		refused = refused || !s.accepted()
		if asJSON {
			continue
		}
		text := strings.TrimSpace(printable(s.Text) + " " + s.Error)
		if text != "" {
			text += " "
		}
		if _, perr := fmt.Fprintf(w, "%s message %d, control id %s: %s %s(%d ms)\n", s.File, s.Index, orDash(printable(s.Control)), s.answer(), text, s.Millis); perr != nil {
			return perr
		}
	}
	if err == nil && refused {
		return errSaid
	}
	return err
}

func (s *sending) drop(cmd *cobra.Command, dir string, files []string) error {
	for _, name := range files {
		if err := dropFile(cmd.OutOrStdout(), cmd.InOrStdin(), dir, name, s.marker); err != nil {
			return err
		}
	}
	return nil
}

// dropFiles drops files under their own names.
func dropFiles(w io.Writer, dir string, files []string) error {
	for _, name := range files {
		if err := dropFile(w, nil, dir, name, ""); err != nil {
			return err
		}
	}
	return nil
}

// dropFile drops a file under its own name. What comes from standard input is named
// by the control id of its first message.
func dropFile(w io.Writer, stdin io.Reader, dir, name, marker string) error {
	var data []byte
	var err error
	base := filepath.Base(name)
	if name == "-" {
		data, err = io.ReadAll(stdin)
		base = fileSafe(controlOf(data)) + "." + extension(data)
	} else {
		data, err = os.ReadFile(name)
	}
	if err != nil {
		return err
	}
	if err := peer.Drop(dir, base, data, marker); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s dropped into %s\n", base, dir)
	return err
}
