package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/spine-engine/spine-engine/internal/console"
	"github.com/spine-engine/spine-engine/internal/engine"
)

func newRun() *cobra.Command {
	var o runOptions
	var level string
	cmd := &cobra.Command{
		Use: "run [DIR]", Short: "Run the engine on a project folder", Args: projectArgs,
		Long: "Runs until it is told to stop (SIGINT, SIGTERM). The project is read again when its files change.\nExit status 70 means that the store failed: start again, the start verifies it.\n\n" +
			"--shadow delivers nothing: each copy becomes a file, DIR/shadow/QUEUE/..., and no destination is\nopened. Listeners are opened as declared; mailboxes are left alone unless --take. The shadow has a\nstore and a socket of its own, beside the live ones.",
		RunE: func(cmd *cobra.Command, args []string) error {
			log, err := newLog(cmd.ErrOrStderr(), level)
			if err != nil {
				return err
			}
			if o.shadow != "" {
				log = log.With().Bool("shadow", true).Logger()
			}
			if o.take && o.shadow == "" {
				return usageError{errors.New("--take goes with --shadow; without it mailboxes are always read")}
			}
			return run(cmd.Context(), projectArg(args), o, log, cmd.ErrOrStderr())
		},
	}
	envFlag(cmd, &o.env)
	cmd.Flags().StringVar(&o.shadow, "shadow", "", "capture into this folder (default: shadow, in the project) instead of delivering")
	cmd.Flags().Lookup("shadow").NoOptDefVal = "shadow"
	cmd.Flags().BoolVar(&o.take, "take", false, "with --shadow: take messages out of mailboxes too")
	cmd.Flags().StringVar(&level, "log-level", "info", "debug, info, warn or error")
	return cmd
}

type runOptions struct {
	env    string
	shadow string
	take   bool
}

func newLog(w io.Writer, level string) (zerolog.Logger, error) {
	l, err := zerolog.ParseLevel(level)
	if err != nil {
		return zerolog.Nop(), usageError{fmt.Errorf("log level %q: write debug, info, warn or error", level)}
	}
	zerolog.TimeFieldFormat = time.RFC3339Nano
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		w = zerolog.ConsoleWriter{Out: f, TimeFormat: time.TimeOnly}
	}
	return zerolog.New(w).Level(l).With().Timestamp().Logger(), nil
}

func run(ctx context.Context, dir string, o runOptions, log zerolog.Logger, stderr io.Writer) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200) // the heap is small and short-lived: half the collections for a few MiB
	}
	e, problems, err := engine.Open(engine.Options{Project: dir, Environment: o.env, Kinds: kinds(), Log: log, OpenStore: openStore(log),
		Shadow: o.shadow, ShadowTakes: o.take})
	for _, p := range problems {
		fmt.Fprintln(stderr, p)
	}
	if err != nil {
		return err
	}
	if o.shadow != "" {
		fmt.Fprintf(stderr, "SHADOW: nothing is delivered; copies become files in %s\n", e.Status().Shadow)
	}
	stop, err := serveAdmin(e, dir, o.shadow != "", log)
	if err != nil {
		e.Close()
		return err
	}
	defer stop()
	return e.Run(ctx)
}

// serveAdmin serves the API on the project's socket, and health and metrics on
// the loopback listener when the project names one.
func serveAdmin(e *engine.Engine, dir string, shadow bool, log zerolog.Logger) (stop func(), err error) {
	settings := e.Plan().Settings
	api := console.API{Store: e.Store(), Release: e.ReleaseMessage, Reprocess: e.ReprocessQueue, Pause: e.Pause, Explain: e.Explain, Running: e}
	var servers []*http.Server
	serve := func(l net.Listener, h http.Handler) {
		s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
		servers = append(servers, s)
		go func() {
			if err := s.Serve(l); err != http.ErrServerClosed {
				log.Error().Err(err).Msg("admin listener ended")
			}
		}()
	}
	socket, err := listenSocket(socketPath(dir, settings, shadow))
	if err != nil {
		return nil, err
	}
	serve(socket, api.Handler())
	if settings.AdminListen != "" {
		l, err := net.Listen("tcp", settings.AdminListen)
		if err != nil {
			socket.Close()
			return nil, fmt.Errorf("admin listener: %w", err)
		}
		log.Info().Str("address", l.Addr().String()).Msg("metrics and health")
		serve(l, api.Health())
	}
	return func() {
		for _, s := range servers {
			s.Close()
		}
	}, nil
}
