package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/spine-engine/spine-engine/internal/peer"
)

// sending is what the flags of send ask for.
type sending struct {
	timeout       time.Duration
	asJSON        bool
	tls           bool
	ca, cert, key string
	bearerFile    string
	mediaType     string
	marker        string
}

func newSend() *cobra.Command {
	s := &sending{}
	var to, mailbox string
	cmd := &cobra.Command{
		Use: "send", Short: "Send messages by MLLP or HTTP, or drop files into a mailbox", Args: cobra.ArbitraryArgs,
		Long: "Sends every message of the files, in order, and shows each answer; batch files are split. Exit status 1\n" +
			"unless every message was accepted. A file named - is standard input.\n\n" +
			"send --to HOST:PORT FILE... is send mllp, and send --mailbox DIR FILE... is send mailbox.",
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case (to == "") == (mailbox == ""):
				return usageError{errors.New("say where to: send mllp ADDR FILE, send http URL FILE, or send mailbox DIR FILE; several files may follow")}
			case len(args) == 0:
				return usageError{errors.New("say which files; - is standard input")}
			case mailbox != "":
				return s.drop(cmd, mailbox, args)
			}
			return s.mllp(cmd, to, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&to, "to", "", "host:port of an MLLP listener")
	f.StringVar(&mailbox, "mailbox", "", "folder to drop the files into")
	s.answered(cmd)
	cmd.AddCommand(newSendMLLP(), newSendHTTP(), newSendMailbox())
	return cmd
}

func newSendMLLP() *cobra.Command {
	s := &sending{}
	cmd := &cobra.Command{
		Use: "mllp HOST:PORT FILE...", Short: "Send messages over one MLLP connection", Args: whereAndFiles("host:port"),
		Example: "  spine-engine generate adt | spine-engine send mllp 127.0.0.1:2575 -",
		RunE:    func(cmd *cobra.Command, args []string) error { return s.mllp(cmd, args[0], args[1:]) },
	}
	s.answered(cmd)
	s.secured(cmd)
	cmd.Flags().BoolVar(&s.tls, "tls", false, "TLS with the authorities that the system trusts")
	return cmd
}

func newSendHTTP() *cobra.Command {
	s := &sending{}
	cmd := &cobra.Command{
		Use: "http URL FILE...", Short: "Send messages by HTTP POST, one request each", Args: whereAndFiles("the URL"),
		Example: "  spine-engine send http https://tie.rxx.example/adt message.hl7 --bearer-file token --ca ca.crt",
		RunE:    func(cmd *cobra.Command, args []string) error { return s.http(cmd, args[0], args[1:]) },
	}
	s.answered(cmd)
	s.secured(cmd)
	cmd.Flags().StringVar(&s.mediaType, "type", "", "Content-Type; default: "+peer.TypeER7+", or "+peer.TypeXML+" for what begins with <")
	cmd.Flags().StringVar(&s.bearerFile, "bearer-file", "", "file with the token to show")
	return cmd
}

func newSendMailbox() *cobra.Command {
	s := &sending{}
	cmd := &cobra.Command{
		Use: "mailbox DIR FILE...", Short: "Drop whole files into a mailbox folder", Args: whereAndFiles("the mailbox folder"),
		Long: "Each file is written under a temporary name, synced and renamed, so that a reader never sees half of it.\n" +
			"A file that is there already is never overwritten.",
		RunE: func(cmd *cobra.Command, args []string) error { return s.drop(cmd, args[0], args[1:]) },
	}
	cmd.Flags().StringVar(&s.marker, "marker", "", "then make an empty file with this ending beside each, such as .ok")
	return cmd
}

func whereAndFiles(where string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) < 2 {
			return usageError{fmt.Errorf("give %s and the files; - is standard input", where)}
		}
		return nil
	}
}

func (s *sending) answered(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&s.timeout, "timeout", 30*time.Second, "for the connection and for each answer")
	jsonFlag(cmd, &s.asJSON)
}

func (s *sending) secured(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.ca, "ca", "", "authorities (PEM) that the other side's certificate must come from")
	f.StringVar(&s.cert, "tls-cert", "", "certificate (PEM) to show")
	f.StringVar(&s.key, "tls-key", "", "its private key (PEM)")
}

func (s *sending) mllp(cmd *cobra.Command, to string, files []string) error {
	tc, err := clientTLS(s.ca, s.cert, s.key)
	if err != nil {
		return err
	}
	if s.tls && tc == nil {
		tc = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	client, err := peer.Dial(cmd.Context(), to, tc, s.timeout)
	if err != nil {
		return err
	}
	defer client.Close()
	carry := func(_ context.Context, msg []byte) (Sent, error) { return sendMLLP(client, msg) }
	sent, err := sendFiles(cmd.Context(), carry, split, files, cmd.InOrStdin())
	return reportSent(cmd.OutOrStdout(), sent, err, s.asJSON)
}

func (s *sending) http(cmd *cobra.Command, url string, files []string) error {
	tc, err := clientTLS(s.ca, s.cert, s.key)
	if err != nil {
		return err
	}
	token := ""
	if s.bearerFile != "" {
		if token, err = readToken(s.bearerFile); err != nil {
			return err
		}
	}
	p := peer.NewPoster(url, tc, token, s.timeout)
	defer p.Close()
	carry := func(ctx context.Context, msg []byte) (Sent, error) { return sendHTTP(ctx, p, msg, s.mediaType) }
	sent, err := sendFiles(cmd.Context(), carry, splitER7(s.mediaType), files, cmd.InOrStdin())
	return reportSent(cmd.OutOrStdout(), sent, err, s.asJSON)
}
