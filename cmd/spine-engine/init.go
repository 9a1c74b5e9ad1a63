package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

// starter is the project that init writes and the demo runs.
//
//go:embed all:starter
var starter embed.FS

func newInit() *cobra.Command {
	return &cobra.Command{
		Use: "init DIR", Short: "Write a small project that runs", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := writeStarter(args[0]); err != nil {
				return err
			}
			if err := writeSchemas(args[0]); err != nil { // editors complete and check from the start
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), `%[1]s is a project. Next:
  spine-engine check %[1]s
  spine-engine test %[1]s
  spine-engine run %[1]s
  spine-engine send --to 127.0.0.1:2575 %[1]s/messages/a01.hl7
  spine-engine messages list -C %[1]s
`, args[0])
			return err
		},
	}
}

// writeStarter fills an empty or new folder; it never overwrites.
func writeStarter(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("init: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("init: %s is not empty; name a new folder", dir)
	}
	files, err := fs.Sub(starter, "starter")
	if err != nil {
		return err
	}
	if err := os.CopyFS(dir, files); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	for _, d := range []string{"mailboxes/pas/in", "mailboxes/community/in", "mailboxes/results/in"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return fmt.Errorf("init: %w", err)
		}
	}
	return nil
}
