package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/spine-engine/spine-engine/internal/engine"
)

func newStatus() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status [DIR]", Short: "What the running engine is doing", Args: projectArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := connectRunning(cmd.Context(), projectArg(args))
			if err != nil {
				return err
			}
			s, err := client.Status(cmd.Context())
			if err != nil {
				return err
			}
			return showStatus(cmd, s, asJSON)
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func showStatus(cmd *cobra.Command, s engine.Status, asJSON bool) error {
	w := cmd.OutOrStdout()
	if asJSON {
		return printJSON(w, s)
	}
	fmt.Fprintf(w, "project      %s\nenvironment  %s\nplan         %s\nrunning for  %s\naccepting    %t\n",
		s.Project, s.Environment, s.Plan, ago(s.Started), s.Accepting)
	if s.ReloadError != "" {
		fmt.Fprintf(w, "PROJECT      the folder is not what runs: %s\n", s.ReloadError)
		for _, p := range s.Problems {
			fmt.Fprintf(w, "             %s\n", p)
		}
	}
	for _, name := range s.Sources {
		fmt.Fprintf(w, "source       %s\n", name)
	}
	for _, q := range s.Queues {
		fmt.Fprintf(w, "destination  %s: %d queued, %d lanes retrying, %d stopped\n", q.Name, q.Queued, q.Retrying, q.Stopped)
	}
	return nil
}

func newReload() *cobra.Command {
	return &cobra.Command{
		Use: "reload [DIR]", Short: "Make the running engine read its project now", Args: projectArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := connectRunning(cmd.Context(), projectArg(args))
			if err != nil {
				return err
			}
			s, err := client.Reload(cmd.Context())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "plan %s is in force\n", s.Plan)
			return err
		},
	}
}
