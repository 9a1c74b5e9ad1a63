package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
	Code    string `json:"code"` // MSA-1; "" = no answer
	Text    string `json:"text,omitempty"`
	Error   string `json:"error,omitempty"`
}

func newSend() *cobra.Command {
	var to, mailbox string
	var timeout time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use: "send FILE...", Short: "Send messages by MLLP, or drop files into a mailbox", Args: cobra.MinimumNArgs(1),
		Long: "With --to, every message of the files goes over one MLLP connection, in order; batch files are split.\n" +
			"With --mailbox, the files are dropped whole into the folder. Exit status 1 unless every message was\naccepted (AA or CA). A file named - is standard input.",
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case (to == "") == (mailbox == ""):
				return usageError{errors.New("say where to: --to HOST:PORT or --mailbox DIR")}
			case mailbox != "":
				return dropFiles(cmd.OutOrStdout(), mailbox, args)
			}
			sent, err := sendFiles(cmd.Context(), to, args, cmd.InOrStdin(), timeout)
			return reportSent(cmd.OutOrStdout(), sent, err, asJSON)
		},
	}
	f := cmd.Flags()
	f.StringVar(&to, "to", "", "host:port of an MLLP listener")
	f.StringVar(&mailbox, "mailbox", "", "folder to drop the files into")
	f.DurationVar(&timeout, "timeout", 30*time.Second, "for the connection and for each answer")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func sendFiles(ctx context.Context, to string, files []string, stdin io.Reader, timeout time.Duration) ([]Sent, error) {
	client, err := peer.Dial(ctx, to, nil, timeout)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	bar := progress(len(files), "send")
	var out []Sent
	for _, name := range files {
		sent, err := sendFile(ctx, client, name, stdin)
		out = append(out, sent...)
		if err != nil {
			return out, err
		}
		bar.Add(1)
	}
	return out, nil
}

func sendFile(ctx context.Context, client *peer.Client, name string, stdin io.Reader) ([]Sent, error) {
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
	batch := hl7.NewBatchReader(in, 0)
	for ctx.Err() == nil {
		msg, err := batch.Next()
		if errors.Is(err, io.EOF) {
			if len(out) == 0 {
				return nil, fmt.Errorf("%s holds no HL7 message (no line begins with MSH)", name)
			}
			return out, nil
		}
		if err != nil {
			return out, fmt.Errorf("%s: %w", name, err)
		}
		s, err := sendOne(client, msg)
		s.File, s.Index = name, len(out)+1
		out = append(out, s)
		if err != nil {
			return out, fmt.Errorf("%s, message %d: %w", name, s.Index, err)
		}
	}
	return out, ctx.Err()
}

func sendOne(client *peer.Client, msg []byte) (Sent, error) {
	var s Sent
	if h, err := hl7.ParseHeader(msg); err == nil {
		s.Control = h.ControlID
	}
	reply, err := client.Ask(bytes.Clone(msg))
	if err != nil {
		s.Error = err.Error()
		return s, err
	}
	s.Code, s.Text = reply.Code, reply.Text
	if s.Text == "" && len(reply.Errors) > 0 {
		s.Text = reply.Errors[0].Text
	}
	if reply.ControlID != s.Control {
		s.Error = "the answer is to another message"
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
		refused = refused || s.Code != "AA" && s.Code != "CA" || s.Error != ""
		if !asJSON {
			fmt.Fprintf(w, "%s message %d, control id %s: %s %s%s\n", s.File, s.Index, printable(s.Control), orDash(s.Code), printable(s.Text), s.Error)
		}
	}
	if err == nil && refused {
		return errSaid
	}
	return err
}

// dropFiles copies files so that a reader never sees half of one: written under
// a dot name, then renamed.
func dropFiles(w io.Writer, dir string, files []string) error {
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		base := filepath.Base(name)
		tmp := filepath.Join(dir, "."+base+".tmp")
		if err := os.WriteFile(tmp, data, 0o644); err != nil {
			return err
		}
		if err := os.Rename(tmp, filepath.Join(dir, base)); err != nil {
			return err
		}
		fmt.Fprintf(w, "%s dropped into %s\n", base, dir)
	}
	return nil
}
