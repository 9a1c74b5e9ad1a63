package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/spine-engine/spine-engine/internal/console"
)

// pausable are the kinds of things that can be paused.
var pausable = []string{"source", "feed", "destination", "peer", "lane"}

func newPause() *cobra.Command {
	var to target
	var asJSON bool
	var until string
	var order console.PauseOrder
	cmd := &cobra.Command{
		Use:   "pause [source|feed|destination|peer|lane NAME]",
		Short: "Pause something until it is resumed or a time has come; alone it lists pauses",
		Long: `Pauses are recorded with who, when and why, and survive restarts.

source       stops taking messages: a listener closes its port, so that senders try again
             later; a mailbox is left alone. What is in hand is finished.
destination  sends nothing; its queue grows. A peer is a destination.
lane         sends nothing of one key of order: pause lane QUEUE --lane KEY.
feed         all sources and destinations that are the feed's own. Listeners and peers are
             shared with other feeds: pause them by their names.`,
		Example: `  spine-engine pause destination adt/epr --until 06:00 --reason "EPR upgrade"
  spine-engine pause peer lab --until 2h --reason "network change"
  spine-engine pause`,
		Args: pauseArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, done, err := to.connect(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			if len(args) == 0 {
				return showPauses(cmd, client, asJSON)
			}
			if order.Until, err = parseUntil(until, time.Now()); err != nil {
				return usageError{err}
			}
			if order.Reason == "" {
				return usageError{errors.New(`a pause needs --reason "why": whoever finds it later has nothing else`)}
			}
			return givePause(cmd, client, args, order, false)
		},
	}
	to.flags(cmd)
	jsonFlag(cmd, &asJSON)
	laneFlag(cmd, &order)
	cmd.Flags().StringVar(&until, "until", "", "end of the pause: 06:00, 2026-11-23 06:00, 2026-11-23T06:00:00Z, or a while like 90m, 2h, 3d; without it until resumed")
	orderFlags(cmd, &order.Order)
	return cmd
}

func newResume() *cobra.Command {
	var to target
	var order console.PauseOrder
	cmd := &cobra.Command{
		Use: "resume source|feed|destination|peer|lane NAME", Short: "End a pause",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{errors.New("resume what? See spine-engine pause")}
			}
			return pauseArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			client, done, err := to.connect(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			return givePause(cmd, client, args, order, true)
		},
	}
	to.flags(cmd)
	laneFlag(cmd, &order)
	orderFlags(cmd, &order.Order)
	return cmd
}

func laneFlag(cmd *cobra.Command, o *console.PauseOrder) {
	cmd.Flags().StringVar(&o.Lane, "lane", "", "with lane: its key of order, as read from the message; empty is the lane without a key")
}

func pauseArgs(_ *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case len(args) != 2:
		return usageError{fmt.Errorf("write what kind of thing and its name, like: destination adt/epr")}
	case !slices.Contains(pausable, args[0]):
		return usageError{fmt.Errorf("%q cannot be paused; write one of %s", args[0], strings.Join(pausable, ", "))}
	}
	return nil
}

func givePause(cmd *cobra.Command, client *console.Client, args []string, o console.PauseOrder, resume bool) error {
	o.Kind, o.Name = args[0], args[1]
	if o.Kind == "lane" && !cmd.Flags().Changed("lane") {
		return usageError{errors.New("which lane? Write --lane KEY")}
	}
	if o.Kind != "lane" && o.Lane != "" {
		return usageError{errors.New("--lane goes with: lane QUEUE")}
	}
	answer, err := client.Pause(cmd.Context(), o, resume)
	if err != nil {
		return err
	}
	w := cmd.OutOrStdout()
	word := "paused"
	if resume {
		word = "resumed"
	}
	fmt.Fprintf(w, "%s %s %s%s\n", word, o.Kind, o.Name, untilText(o.Until))
	if o.Kind == "feed" {
		fmt.Fprintf(w, "that is: %s; what it shares with other feeds (listeners, peers) goes on\n", strings.Join(answer.About, ", "))
	}
	if !answer.Now {
		fmt.Fprintln(w, "no engine runs: it counts when one starts")
	}
	return nil
}

func showPauses(cmd *cobra.Command, client *console.Client, asJSON bool) error {
	list, err := client.Pauses(cmd.Context())
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), list)
	}
	return printPauses(cmd.OutOrStdout(), list)
}

func printPauses(w io.Writer, list []console.Pause) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "nothing is paused by anybody")
		return err
	}
	rows := [][]string{{"KIND", "NAME", "SINCE", "UNTIL", "BY", "WHY"}}
	for _, p := range list {
		name := p.Name
		if p.Lane != nil {
			name += fmt.Sprintf(" --lane %q", *p.Lane)
		}
		rows = append(rows, []string{p.Kind, name, dateTime(p.At), orResumed(p.Until), printable(p.By), printable(p.Reason)})
	}
	return table(w, rows)
}

func orResumed(t time.Time) string {
	if t.IsZero() {
		return "resumed"
	}
	return dateTime(t)
}

func untilText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " until " + dateTime(t)
}

func dateTime(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

// parseUntil reads a time of the day (the next one to come), a date and time, or
// a while from now; "" is the zero time.
func parseUntil(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if d, err := parseWhile(s); err == nil {
		return now.Add(d), nil
	}
	if t, err := time.ParseInLocation("15:04", s, now.Location()); err == nil {
		at := time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), 0, 0, now.Location())
		if !at.After(now) {
			at = time.Date(now.Year(), now.Month(), now.Day()+1, t.Hour(), t.Minute(), 0, 0, now.Location())
		}
		return at, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04", "2006-01-02T15:04"} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("--until %q: write 06:00, 2026-11-23 06:00, 2026-11-23T06:00:00Z, or a while like 90m, 2h, 3d", s)
}

// parseWhile reads a duration; days are allowed.
func parseWhile(s string) (time.Duration, error) {
	if n, ok := strings.CutSuffix(s, "d"); ok {
		d, err := time.ParseDuration(n + "h")
		return 24 * d, err
	}
	return time.ParseDuration(s)
}
