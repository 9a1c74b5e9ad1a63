package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/spine-engine/spine-engine/store"
)

// Exit codes. Scripts and service managers decide by them.
const (
	exitFailed = 1  // the command did not do what was asked; the text says why
	exitUsage  = 2  // the command line is wrong
	exitStore  = 70 // the store failed: start again, the start verifies it
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go secondSignalEnds(ctx)
	os.Exit(execute(ctx, os.Args[1:]))
}

// secondSignalEnds lets a second signal force the end of a stop that takes long.
func secondSignalEnds(ctx context.Context) {
	<-ctx.Done()
	again := make(chan os.Signal, 1)
	signal.Notify(again, os.Interrupt, syscall.SIGTERM)
	<-again
	fmt.Fprintln(os.Stderr, "second signal: ending now; the journal decides at the next start")
	os.Exit(exitFailed)
}

func execute(ctx context.Context, args []string) int {
	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errSaid):
		return exitFailed
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "spine-engine: %v\nsee spine-engine help\n", err)
		return exitUsage
	case errors.Is(err, store.ErrFailed):
		fmt.Fprintf(os.Stderr, "spine-engine: %v\n", err)
		return exitStore
	default:
		fmt.Fprintf(os.Stderr, "spine-engine: %v\n", err)
		return exitFailed
	}
}

// errSaid ends a command with status 1 when it has already printed why.
var errSaid = errors.New("already reported")

type usageError struct{ error }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "spine-engine",
		Short:         "Message integration engine for HL7 v2: MLLP and mailboxes in, declared rules, durable queues out",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newInit(), newRun(), newDemo(), newCheck(), newExplain(), newSend(), newMessages(), newQueue(), newPause(), newResume(),
		newStatus(), newReload(), newVersion())
	root.AddCommand(newTest(), newGenerate(), newListen(), newFmt(), newSchema())
	return root
}

// projectArg is the project folder: the one argument, or the current folder.
func projectArg(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return "."
}

// projectArgs allows at most the project folder.
func projectArgs(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usageError{fmt.Errorf("at most one project folder, found %d arguments", len(args))}
	}
	return nil
}
