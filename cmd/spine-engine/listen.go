package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/spine-engine/spine-engine/internal/peer"
)

// listening is what the flags of listen ask for.
type listening struct {
	reply, script       string
	save, print         string
	count               int
	lasting             time.Duration
	cert, key, clientCA string
	bearerFile          string
	marker              string
	discard             bool
	out, status         io.Writer
	mu                  sync.Mutex
	seen                int
	enough              chan struct{}
	failed              error
	answered            map[string]int
}

func newListen() *cobra.Command {
	cmd := &cobra.Command{
		Use: "listen", Short: "Be the other side: take messages by MLLP, HTTP or mailbox, and answer by a script",
		Long: "Takes messages and prints a line for each: time, control id, type, bytes, answer. What they say is not\n" +
			"shown unless you ask (--print raw). A script says what to answer, message by message; its last act repeats:\n\n" +
			"  --script '[{wait: 40s, reply: AA}, {wrong_id: AA}, {close: true}, {refuse: true}, {nothing: true}, AE, AA]'\n\n" +
			"It ends at an interrupt, after --count messages, or after --for.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return usageError{errors.New("say what to listen on: listen mllp ADDR, listen http ADDR or listen mailbox DIR")}
		},
	}
	cmd.AddCommand(newListenMLLP(), newListenHTTP(), newListenMailbox())
	return cmd
}

func newListenMLLP() *cobra.Command {
	l := &listening{}
	cmd := &cobra.Command{
		Use: "mllp HOST:PORT", Short: "Take messages over MLLP", Args: oneArg("the address, such as 127.0.0.1:2600"),
		Example: "  spine-engine listen mllp 127.0.0.1:2600 --script '[AE, AA]' --count 10",
		RunE:    func(cmd *cobra.Command, args []string) error { return l.mllp(cmd, args[0]) },
	}
	l.answers(cmd)
	l.common(cmd)
	return cmd
}

func newListenHTTP() *cobra.Command {
	l := &listening{}
	cmd := &cobra.Command{
		Use: "http HOST:PORT", Short: "Take messages by HTTP POST on any path", Args: oneArg("the address, such as 127.0.0.1:8080"),
		RunE: func(cmd *cobra.Command, args []string) error { return l.http(cmd, args[0]) },
	}
	l.answers(cmd)
	l.common(cmd)
	cmd.Flags().StringVar(&l.bearerFile, "bearer-file", "", "file with the token that senders must bring")
	return cmd
}

func newListenMailbox() *cobra.Command {
	l := &listening{}
	cmd := &cobra.Command{
		Use: "mailbox DIR", Short: "Take files out of a mailbox, as the system that owns it would", Args: oneArg("the mailbox folder"),
		RunE: func(cmd *cobra.Command, args []string) error { return l.mailbox(cmd, args[0]) },
	}
	l.common(cmd)
	cmd.Flags().StringVar(&l.marker, "marker", "", "take only files that have one with this ending beside them, such as .ok")
	cmd.Flags().BoolVar(&l.discard, "discard", false, "remove the files that are taken, instead of saving them")
	return cmd
}

func oneArg(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError{fmt.Errorf("give %s; found %d arguments", what, len(args))}
		}
		return nil
	}
}

func (l *listening) common(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&l.save, "save", "", "folder to keep the messages in")
	f.StringVar(&l.print, "print", "fields", "fields (a line per message), raw (the message as well) or none")
	f.IntVar(&l.count, "count", 0, "end after so many messages; 0 = never")
	f.DurationVar(&l.lasting, "for", 0, "end after this time; 0 = never")
}

func (l *listening) answers(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&l.reply, "reply", "", "answer every message with this code: AA, AE, AR, CA, CE, CR (default AA)")
	f.StringVar(&l.script, "script", "", "file of acts, or the acts themselves: '[AE, {wait: 5s, reply: AA}]'")
	f.StringVar(&l.cert, "tls-cert", "", "certificate (PEM); makes it a TLS server")
	f.StringVar(&l.key, "tls-key", "", "its private key (PEM)")
	f.StringVar(&l.clientCA, "client-ca", "", "authorities (PEM) whose certificates senders must show")
}

// begin checks the flags that all ways share.
func (l *listening) begin(cmd *cobra.Command) error {
	switch l.print {
	case "fields", "raw", "none":
	default:
		return usageError{fmt.Errorf("--print %q is not one of fields, raw, none", l.print)}
	}
	if l.count < 0 || l.lasting < 0 {
		return usageError{errors.New("--count and --for cannot be less than nothing")}
	}
	l.out, l.status = cmd.OutOrStdout(), cmd.ErrOrStderr()
	l.enough, l.answered = make(chan struct{}), map[string]int{}
	if l.save != "" {
		return os.MkdirAll(l.save, 0o755)
	}
	return nil
}

func (l *listening) acts() ([]peer.Act, error) {
	switch {
	case l.script != "" && l.reply != "":
		return nil, usageError{errors.New("say --reply or --script, not both")}
	case l.script != "":
		return readScript(l.script)
	}
	a := peer.Act{Reply: l.reply}
	if err := a.Check(); err != nil {
		return nil, usageError{err}
	}
	return []peer.Act{a}, nil
}

func (l *listening) mllp(cmd *cobra.Command, address string) error {
	acts, tc, err := l.prepare(cmd)
	if err != nil {
		return err
	}
	s := peer.NewScripted(address, acts...)
	s.TLS, s.Saw = tc, l.saw
	if err := s.Start(); err != nil {
		return err
	}
	fmt.Fprintf(l.status, "listening on %s (MLLP)\n", s.Address())
	l.wait(cmd.Context())
	s.Stop()
	return l.sum()
}

func (l *listening) http(cmd *cobra.Command, address string) error {
	acts, tc, err := l.prepare(cmd)
	if err != nil {
		return err
	}
	s := peer.NewHTTPServer(address, acts...)
	s.TLS, s.Saw = tc, l.saw
	if l.bearerFile != "" {
		if s.Bearer, err = readToken(l.bearerFile); err != nil {
			return err
		}
	}
	if err := s.Start(); err != nil {
		return err
	}
	fmt.Fprintf(l.status, "listening on %s (HTTP)\n", s.Address())
	l.wait(cmd.Context())
	return errors.Join(s.Stop(), l.sum())
}

func (l *listening) prepare(cmd *cobra.Command) ([]peer.Act, *tls.Config, error) {
	if err := l.begin(cmd); err != nil {
		return nil, nil, err
	}
	acts, err := l.acts()
	if err != nil {
		return nil, nil, err
	}
	tc, err := serverTLS(l.cert, l.key, l.clientCA)
	return acts, tc, err
}

func (l *listening) mailbox(cmd *cobra.Command, dir string) error {
	if (l.save == "") == !l.discard {
		return usageError{errors.New("taking a file removes it from the mailbox: say --save DIR or --discard")}
	}
	if err := l.begin(cmd); err != nil {
		return err
	}
	ctx, cancel := l.until(cmd.Context())
	defer cancel()
	fmt.Fprintf(l.status, "taking files from %s\n", dir)
	t := peer.Taker{Dir: dir, Marker: l.marker, Into: l.save}
	if err := t.Run(ctx, l.tookFile); err != nil {
		return err
	}
	return l.sum()
}

// until is the context, ended by --for.
func (l *listening) until(ctx context.Context) (context.Context, context.CancelFunc) {
	if l.lasting > 0 {
		return context.WithTimeout(ctx, l.lasting)
	}
	return context.WithCancel(ctx)
}

func (l *listening) wait(ctx context.Context) {
	ctx, cancel := l.until(ctx)
	defer cancel()
	select {
	case <-ctx.Done():
	case <-l.enough:
	}
}
