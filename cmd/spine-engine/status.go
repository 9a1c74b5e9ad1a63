package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/spine-engine/spine-engine/internal/engine"
)

func newStatus() *cobra.Command {
	var asJSON bool
	var to target
	cmd := &cobra.Command{
		Use: "status [DIR]", Short: "What the running engine is doing", Args: projectArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			to.dir = projectArg(args)
			client, err := to.running(cmd.Context())
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
	to.shadowFlag(cmd)
	return cmd
}

func showStatus(cmd *cobra.Command, s engine.Status, asJSON bool) error {
	w := cmd.OutOrStdout()
	if asJSON {
		return printJSON(w, s)
	}
	fmt.Fprintf(w, "project      %s\nenvironment  %s\nplan         %s\nrunning for  %s\naccepting    %t\n",
		s.Project, s.Environment, s.Plan, ago(s.Started), s.Accepting)
	if s.Shadow != "" {
		fmt.Fprintf(w, "SHADOW       nothing is delivered; copies become files in %s\n", s.Shadow)
	}
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
		fmt.Fprintf(w, "destination  %s: %d queued, %d lanes retrying, %d stopped", q.Name, q.Queued, q.Retrying, q.Stopped)
		if q.Paused {
			fmt.Fprintf(w, ", paused%s (%s)", untilText(q.PausedUntil), printable(q.PausedBecause))
		}
		fmt.Fprintln(w)
	}
	for _, p := range s.Pauses {
		fmt.Fprintf(w, "PAUSED       %s %s%s since %s by %s: %s\n", p.Kind, p.Name, untilText(p.Until), dateTime(p.At), printable(p.By), printable(p.Reason))
	}
	return nil
}

func newReload() *cobra.Command {
	var to target
	cmd := &cobra.Command{
		Use: "reload [DIR]", Short: "Make the running engine read its project now", Args: projectArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			to.dir = projectArg(args)
			client, err := to.running(cmd.Context())
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
	to.shadowFlag(cmd)
	return cmd
}
