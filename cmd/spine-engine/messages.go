package main

import (
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/spine-engine/spine-engine/internal/console"
)

func newMessages() *cobra.Command {
	cmd := &cobra.Command{Use: "messages", Short: "Stored messages: list, show, release, resend, discard"}
	cmd.AddCommand(newMessagesList(), newMessagesShow(),
		newMessageAction("release", "Decide a held message again, with the rule waived that held it"),
		newMessageAction("discard", "Give up a held message"),
		newMessagesResend())
	return cmd
}

// dirFlag is the project folder of commands whose arguments are ids.
func dirFlag(cmd *cobra.Command, v *string) {
	cmd.Flags().StringVarP(v, "project", "C", ".", "project folder")
}

func newMessagesList() *cobra.Command {
	var to target
	var outcome, state, feed, source, queue, before string
	var since time.Duration
	var limit int
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "Newest messages first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			params := url.Values{}
			for k, v := range map[string]string{"outcome": outcome, "copy": state, "feed": feed, "source": source, "queue": queue, "before": before} {
				if v != "" {
					params.Set(k, v)
				}
			}
			if since > 0 {
				params.Set("since", time.Now().Add(-since).UTC().Format(time.RFC3339))
			}
			params.Set("limit", strconv.Itoa(limit))
			client, done, err := to.connect(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			list, err := client.Messages(cmd.Context(), params)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), list)
			}
			return printMessages(cmd.OutOrStdout(), list)
		},
	}
	to.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&outcome, "outcome", "", "only routed, dropped, held, rejected, unrouted or quarantined ones")
	f.StringVar(&state, "copy", "", "only those with a copy that is queued, delivered, held, dead-lettered, expired or discarded")
	f.StringVar(&feed, "feed", "", "only those of a feed")
	f.StringVar(&source, "source", "", "only those of a source")
	f.StringVar(&queue, "queue", "", "only those with a copy for a queue")
	f.StringVar(&before, "before", "", "only those before this message id (the next page)")
	f.DurationVar(&since, "since", 0, "only those of the last while, like 2h")
	f.IntVar(&limit, "limit", 20, "how many at most")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func printMessages(w io.Writer, list []console.Message) error {
	rows := [][]string{{"ID", "RECEIVED", "SOURCE", "TYPE", "CONTROL ID", "OUTCOME", "COPIES", "WHY"}}
	for _, m := range list {
		rows = append(rows, []string{m.ID, m.Received.Local().Format("2006-01-02 15:04:05"), m.Source, m.Type, printable(m.Control),
			m.Outcome, states(m), why(m.Rule, m.Reason)})
	}
	return table(w, rows)
}

// states is "2 delivered, 1 queued".
func states(m console.Message) string {
	var parts []string
	for _, s := range slices.Sorted(maps.Keys(m.States)) {
		parts = append(parts, fmt.Sprintf("%d %s", m.States[s], s))
	}
	return strings.Join(parts, ", ")
}

func why(rule, reason string) string {
	if rule == "" {
		return reason
	}
	return strings.TrimSuffix(rule+": "+reason, ": ")
}

// printable keeps what a sender chose from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}

func newMessagesShow() *cobra.Command {
	var to target
	var key string
	var asJSON, body bool
	cmd := &cobra.Command{
		Use: "show ID", Short: "One message: outcome, copies, what people did; --body prints its bytes", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, done, err := to.connect(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			if body || key != "" {
				return client.Body(cmd.Context(), args[0], key, cmd.OutOrStdout())
			}
			d, err := client.Message(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return showMessage(cmd.OutOrStdout(), d, asJSON)
		},
	}
	to.flags(cmd)
	jsonFlag(cmd, &asJSON)
	cmd.Flags().BoolVar(&body, "body", false, "print the bytes as received: patient data")
	cmd.Flags().StringVar(&key, "copy", "", "print the bytes of this copy as sent: patient data")
	return cmd
}

func showMessage(w io.Writer, d console.Detail, asJSON bool) error {
	if asJSON {
		return printJSON(w, d)
	}
	fmt.Fprintf(w, "message   %s  %s  control id %s  %d bytes\nreceived  %s from %s %s\noutcome   %s  %s\nreply     %s\nplan      %s\n",
		d.ID, d.Type, printable(d.Control), d.Size, d.Received.Local().Format(time.RFC3339), d.Source, origin(d), d.Outcome, why(d.Rule, d.Reason), orDash(d.Reply), d.Plan)
	for _, p := range d.Parts {
		feed := p.Feed
		if p.Number > 0 {
			feed = fmt.Sprintf("%s part %d", feed, p.Number)
		}
		fmt.Fprintf(w, "feed      %s: %s %s\n", feed, p.Outcome, why(p.Rule, p.Reason))
		for _, f := range p.Findings {
			fmt.Fprintf(w, "  found   %s\n", why(f.Rule, f.Text))
		}
	}
	if len(d.CopyList) > 0 {
		rows := [][]string{{"COPY", "QUEUE", "STATE", "TRIES", "REPLY", "AT", "WHY"}}
		for _, c := range d.CopyList {
			state := c.State
			if c.Stopped {
				state += " (stopped: waits for a person)"
			}
			rows = append(rows, []string{c.Key, c.Queue, state, strconv.Itoa(c.Attempts), c.Code, clock(c.At), why(c.Rule, c.Reason)})
		}
		if err := table(w, rows); err != nil {
			return err
		}
	}
	for _, a := range d.ActionList {
		fmt.Fprintf(w, "%s  %s %s by %s %s\n", a.At.Local().Format(time.RFC3339), a.What, a.Copy, a.By, a.Reason)
	}
	return nil
}

func origin(d console.Detail) string {
	if d.File != "" {
		return fmt.Sprintf("(file %s, message %d)", printable(d.File), d.Index)
	}
	return d.Remote
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("15:04:05")
}

func orderFlags(cmd *cobra.Command, o *console.Order) {
	cmd.Flags().StringVar(&o.By, "by", whoami(), "who gives the order")
	cmd.Flags().StringVar(&o.Reason, "reason", "", "why, for the record")
}

// newOrder is a command that does one thing to each of its arguments, for a person.
func newOrder(use, short string, do func(cmd *cobra.Command, c *console.Client, arg string, o console.Order, asJSON bool) error) *cobra.Command {
	var to target
	var asJSON bool
	var order console.Order
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, done, err := to.connect(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			bar := progress(len(args), cmd.Name())
			for _, arg := range args {
				if err := do(cmd, client, arg, order, asJSON); err != nil {
					return fmt.Errorf("%s: %w", arg, err)
				}
				bar.Add(1)
			}
			return nil
		},
	}
	to.flags(cmd)
	jsonFlag(cmd, &asJSON)
	orderFlags(cmd, &order)
	return cmd
}

func newMessageAction(action, short string) *cobra.Command {
	return newOrder(action+" ID...", short, func(cmd *cobra.Command, c *console.Client, id string, o console.Order, asJSON bool) error {
		d, err := c.ActOnMessage(cmd.Context(), id, action, o)
		if err != nil {
			return err
		}
		return showMessage(cmd.OutOrStdout(), d, asJSON)
	})
}

func newMessagesResend() *cobra.Command {
	var to target
	var queue string
	var order console.Order
	cmd := &cobra.Command{
		Use: "resend ID", Short: "Send the finished copies of a message again: same bytes, same control id", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, done, err := to.connect(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			d, err := client.Message(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			sent := 0
			for _, c := range d.CopyList {
				if c.State == "queued" || queue != "" && c.Queue != queue {
					continue
				}
				out, err := client.ActOnCopy(cmd.Context(), c.Key, "resend", order)
				if err != nil {
					return err
				}
				sent++
				fmt.Fprintf(cmd.OutOrStdout(), "copy %s queued for %s\n", out["key"], c.Queue)
			}
			if sent == 0 {
				return fmt.Errorf("message %s has no finished copy to send again", args[0])
			}
			return nil
		},
	}
	to.flags(cmd)
	cmd.Flags().StringVar(&queue, "queue", "", "only the copy for this queue")
	orderFlags(cmd, &order)
	return cmd
}
