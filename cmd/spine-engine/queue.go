package main

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/spine-engine/spine-engine/internal/console"
	"github.com/spine-engine/spine-engine/internal/engine"
)

func newQueue() *cobra.Command {
	cmd := &cobra.Command{Use: "queue", Short: "Queues and their copies: list, show, reprocess, release, resend, discard"}
	cmd.AddCommand(newQueueList(), newQueueShow(), newQueueReprocess(),
		newCopyAction("release", "Queue a held, dead-lettered or stopped copy again: same bytes, same control id"),
		newCopyAction("resend", "Send a finished copy once more"),
		newCopyAction("discard", "Give up a copy"))
	return cmd
}

func newQueueList() *cobra.Command {
	var to target
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "All queues", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, done, err := to.connect(cmd.Context())
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
				rows = append(rows, []string{q.Name, queueState(q), strconv.Itoa(q.Queued), ago(q.Oldest), q.LastError})
			}
			return table(cmd.OutOrStdout(), rows)
		},
	}
	to.flags(cmd)
	jsonFlag(cmd, &asJSON)
	return cmd
}

// queueState is the state, of a paused queue with its end and who ordered it.
func queueState(q console.Queue) string {
	if q.State != "paused" {
		return q.State
	}
	return "paused" + untilText(q.PausedUntil) + " (" + printable(q.PausedBecause) + ")"
}

func newQueueShow() *cobra.Command {
	var to target
	var state string
	var asJSON bool
	var limit int
	cmd := &cobra.Command{
		Use: "show QUEUE", Short: "Copies of a queue, newest message first", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, done, err := to.connect(cmd.Context())
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
	to.flags(cmd)
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

func newQueueReprocess() *cobra.Command {
	var to target
	var asJSON bool
	var order console.ReprocessOrder
	cmd := &cobra.Command{
		Use: "reprocess QUEUE", Short: "Decide the undelivered copies of a queue again, from the messages as received", Args: cobra.ExactArgs(1),
		Long: `Decides every message with an undelivered copy in the queue again, under the project in
force, and puts what it makes for this queue into the old copy's place in the order. The
control id stays the message's own. What has been delivered, and what other queues have,
stays as it is. What is being sent ends first; the queue is kept still meanwhile.

A copy that the project does not make any more is discarded; one whose message it now
holds or rejects is held with its old bytes. --dry-run counts and changes nothing.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, done, err := to.connect(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			order.Queue = args[0]
			var bar *progressbar.ProgressBar
			out, err := client.Reprocess(cmd.Context(), order, func(done, total int) {
				if bar == nil {
					bar = progress(max(total, done), "reprocess")
				}
				bar.ChangeMax(max(total, done))
				bar.Set(done)
			})
			if bar != nil {
				bar.Finish()
			}
			return errors.Join(showReprocessed(cmd, out, asJSON), err)
		},
	}
	to.flags(cmd)
	cmd.Flags().StringVar(&order.State, "state", "queued", "which copies: queued, held or dead-lettered")
	cmd.Flags().BoolVar(&order.DryRun, "dry-run", false, "only count what would change")
	jsonFlag(cmd, &asJSON)
	orderFlags(cmd, &order.Order)
	return cmd
}

func showReprocessed(cmd *cobra.Command, r engine.Reprocessed, asJSON bool) error {
	if r.Queue == "" { // nothing was begun
		return nil
	}
	w := cmd.OutOrStdout()
	if asJSON {
		return printJSON(w, r)
	}
	what := "reprocessed"
	if r.DryRun {
		what = "dry run, nothing is changed"
	}
	fmt.Fprintf(w, "%s: %s; %d copies, plan %s\n", r.Queue, what, r.Copies, r.Plan)
	rows := [][]string{{strconv.Itoa(r.Replaced), "replaced, each in its place"}, {strconv.Itoa(r.Unchanged), "unchanged"},
		{strconv.Itoa(r.Discarded), "discarded"}, {strconv.Itoa(r.Held), "held"}, {strconv.Itoa(r.Left), "left as they were"},
		{strconv.Itoa(r.Added), "added"}}
	rows = slices.DeleteFunc(rows, func(row []string) bool { return row[0] == "0" })
	if err := table(w, rows); err != nil {
		return err
	}
	for _, why := range slices.Sorted(maps.Keys(r.Why)) {
		fmt.Fprintf(w, "  %d: %s\n", r.Why[why], why)
	}
	return nil
}
