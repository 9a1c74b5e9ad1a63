package main

import (
	"fmt"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/spine-engine/spine-engine/internal/console"
)

func newQueue() *cobra.Command {
	cmd := &cobra.Command{Use: "queue", Short: "Queues and their copies: list, show, release, resend, discard"}
	cmd.AddCommand(newQueueList(), newQueueShow(),
		newCopyAction("release", "Queue a held, dead-lettered or stopped copy again: same bytes, same control id"),
		newCopyAction("resend", "Send a finished copy once more"),
		newCopyAction("discard", "Give up a copy"))
	return cmd
}

func newQueueList() *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "All queues", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, done, err := connect(cmd.Context(), dir)
			if err != nil {
				return err
			}
			defer done()
			list, err := client.Queues(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), list)
			}
			rows := [][]string{{"QUEUE", "STATE", "QUEUED", "OLDEST", "LAST ERROR"}}
			for _, q := range list {
				rows = append(rows, []string{q.Name, q.State, strconv.Itoa(q.Queued), ago(q.Oldest), q.LastError})
			}
			return table(cmd.OutOrStdout(), rows)
		},
	}
	dirFlag(cmd, &dir)
	jsonFlag(cmd, &asJSON)
	return cmd
}

func newQueueShow() *cobra.Command {
	var dir, state string
	var asJSON bool
	var limit int
	cmd := &cobra.Command{
		Use: "show QUEUE", Short: "Copies of a queue, newest message first", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, done, err := connect(cmd.Context(), dir)
			if err != nil {
				return err
			}
			defer done()
			params := url.Values{"queue": {args[0]}, "copy": {state}, "limit": {strconv.Itoa(limit)}}
			list, err := client.Messages(cmd.Context(), params)
			if err != nil {
				return err
			}
			var copies []console.Copy
			for _, m := range list {
				d, err := client.Message(cmd.Context(), m.ID)
				if err != nil {
					return err
				}
				for _, c := range d.CopyList {
					if c.Queue == args[0] && c.State == state {
						copies = append(copies, c)
					}
				}
			}
			return showCopies(cmd, copies, asJSON)
		},
	}
	dirFlag(cmd, &dir)
	cmd.Flags().StringVar(&state, "state", "queued", "queued, delivered, held, dead-lettered, expired or discarded")
	cmd.Flags().IntVar(&limit, "limit", 20, "how many messages at most")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func showCopies(cmd *cobra.Command, copies []console.Copy, asJSON bool) error {
	if asJSON {
		return printJSON(cmd.OutOrStdout(), append([]console.Copy{}, copies...))
	}
	rows := [][]string{{"COPY", "MESSAGE", "STATE", "TRIES", "REPLY", "SINCE", "WHY"}}
	for _, c := range copies {
		st := c.State
		if c.Stopped {
			st = "stopped"
		}
		rows = append(rows, []string{c.Key, c.Message, st, strconv.Itoa(c.Attempts), c.Code, clock(c.At), why(c.Rule, c.Reason)})
	}
	return table(cmd.OutOrStdout(), rows)
}

func newCopyAction(action, short string) *cobra.Command {
	return newOrder(action+" COPY...", short, func(cmd *cobra.Command, c *console.Client, key string, o console.Order, asJSON bool) error {
		out, err := c.ActOnCopy(cmd.Context(), key, action, o)
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(cmd.OutOrStdout(), out)
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: copy %s\n", action, out["key"])
		return err
	})
}
