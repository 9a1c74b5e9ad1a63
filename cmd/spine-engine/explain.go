package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
)

type explainFlags struct {
	dir, with, env, source, at string
	show, json                 bool
}

func newExplain() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain FILE|ID",
		Short: "Every rule asked of a message, with its place and result, and each copy",
		Long: `Decides a message and tells all that led to the decision, in order: the feeds, their
rules, checks, steps and tables, the copies and the acknowledgement.

FILE is a message (or a batch of them) that has not been sent; --source says by which
listener or feed/source it would come. ID is a stored message: it is decided again by
the project as it is now, and what became of its copies is shown beside.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return explain(cmd, args[0], f) },
	}
	dirFlag(cmd, &f.dir)
	cmd.Flags().StringVar(&f.with, "with", "", "decide by the project in this folder instead")
	cmd.Flags().StringVar(&f.source, "source", "", "of a file: the listener, or feed/source, it comes by")
	cmd.Flags().StringVar(&f.at, "at", "", "the time it is decided at, like 2026-11-22T10:00:00Z (default: now)")
	cmd.Flags().BoolVar(&f.show, "show", false, "show the bytes of the copies and the codes looked up as well; they are patient data")
	envFlag(cmd, &f.env)
	jsonFlag(cmd, &f.json)
	return cmd
}

func explain(cmd *cobra.Command, what string, f explainFlags) error {
	if isStored(what) && f.with == "" && !f.show {
		return explainStored(cmd, what, f)
	}
	dir := f.dir
	if f.with != "" {
		dir = f.with
	}
	plan, problems := loadProject(dir, f.env)
	if plan == nil {
		printProblems(cmd.ErrOrStderr(), plan, problems)
		return errSaid
	}
	now := time.Now().UTC()
	if f.at != "" {
		t, err := time.Parse(time.RFC3339, f.at)
		if err != nil {
			return usageError{fmt.Errorf("--at: write 2026-11-22T10:00:00Z")}
		}
		now = t
	}
	if isStored(what) {
		return explainWith(cmd, plan, what, now, f)
	}
	return explainFile(cmd, plan, what, now, f)
}

// isStored tells an id from a file's name.
func isStored(what string) bool {
	_, notID := ulid.ParseStrict(what)
	_, noFile := os.Stat(what)
	return notID == nil && noFile != nil
}

// explainStored asks the engine, or the store when none runs.
func explainStored(cmd *cobra.Command, id string, f explainFlags) error {
	client, done, err := connect(cmd.Context(), f.dir)
	if err != nil {
		return err
	}
	defer done()
	x, err := client.Explain(cmd.Context(), id)
	if err != nil {
		return err
	}
	w := cmd.OutOrStdout()
	if f.json {
		return printJSON(w, x)
	}
	if err := showMessage(w, x.Stored, false); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nas plan %s decides it now:\n", x.Plan)
	files := map[string][]byte{}
	if plan, _ := loadProject(f.dir, f.env); plan != nil && plan.Hash().String() == x.Plan {
		files = plan.Files()
	}
	var trace []routes.Trace
	for _, t := range x.Trace {
		trace = append(trace, routes.Trace{Place: placeOf(t.Place), What: t.What, Result: t.Result, Key: t.Key})
	}
	if err := printTrace(w, files, trace); err != nil {
		return err
	}
	for _, p := range x.Parts {
		fmt.Fprintf(w, "feed %s: %s %s\n", p.Feed, p.Outcome, why(p.Rule, p.Reason))
	}
	for i, c := range x.Copies {
		fmt.Fprintf(w, "copy %d to %s: %s, %d bytes, control id %s %s\n", i+1, c.Queue, c.State, c.Size, orNone(printable(c.Control)), why(c.Rule, c.Reason))
	}
	fmt.Fprintf(w, "outcome: %s\nanswer: %s\n", x.Outcome, orNone(x.Reply))
	return nil
}

func placeOf(s string) message.Place {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return message.Place{}
	}
	line, err := strconv.Atoi(s[i+1:])
	if err != nil {
		return message.Place{File: s}
	}
	return message.Place{File: s[:i], Line: line}
}

// explainWith decides a stored message by another version of the project.
func explainWith(cmd *cobra.Command, plan *routes.Plan, id string, now time.Time, f explainFlags) error {
	client, done, err := connect(cmd.Context(), f.dir)
	if err != nil {
		return err
	}
	defer done()
	d, err := client.Message(cmd.Context(), id)
	if err != nil {
		return err
	}
	var body bytes.Buffer
	if err := client.Body(cmd.Context(), id, "", &body); err != nil {
		return err
	}
	return explainBytes(cmd, plan, ulid.MustParse(d.ID), d.Source, body.Bytes(), now, f)
}

// unsent is the id of a message that has none yet.
func unsent(now time.Time) message.ID {
	return ulid.MustNew(ulid.Timestamp(now), bytes.NewReader(make([]byte, 16)))
}

// explainBytes decides one message.
func explainBytes(cmd *cobra.Command, plan *routes.Plan, id message.ID, source string, b []byte, now time.Time, f explainFlags) error {
	env := &message.Envelope{ID: id, Received: now, Source: source, Body: message.InMemory(b)}
	if b := bytes.TrimLeft(b, " \t\r\n\ufeff"); len(b) > 0 && b[0] == '<' {
		env.Format = message.XML
	}
	d, trace := plan.Explain(env, now)
	if !f.show {
		for i, t := range trace {
			trace[i] = t.Masked()
		}
	}
	return printExplained(cmd.OutOrStdout(), plan, d, trace, f)
}

// explainFile decides every message of a file.
func explainFile(cmd *cobra.Command, plan *routes.Plan, file string, now time.Time, f explainFlags) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	source, err := sourceFor(plan, f.source)
	if err != nil {
		return err
	}
	bodies := messagesOf(data)
	for i, b := range bodies {
		if len(bodies) > 1 {
			fmt.Fprintf(cmd.OutOrStdout(), "--- message %d of %d\n", i+1, len(bodies))
		}
		if err := explainBytes(cmd, plan, unsent(now), source, b, now, f); err != nil {
			return err
		}
	}
	return nil
}

// messagesOf cuts a batch into its messages; anything else is one.
func messagesOf(data []byte) [][]byte {
	var out [][]byte
	r := hl7.NewBatchReader(bytes.NewReader(data), int64(len(data))+1)
	for b, err := r.Next(); err == nil; b, err = r.Next() {
		out = append(out, bytes.Clone(b))
	}
	if len(out) < 2 && !bytes.HasPrefix(data, []byte("FHS")) && !bytes.HasPrefix(data, []byte("BHS")) {
		return [][]byte{data}
	}
	return out
}

// sourceFor finds the source a file would come by.
func sourceFor(plan *routes.Plan, name string) (string, error) {
	var names []string
	for _, s := range plan.Sources() {
		if s.Name == name {
			return name, nil
		}
		names = append(names, s.Name)
	}
	switch {
	case name != "":
		hint := ""
		if k := conf.Suggest(name, names); k != "" {
			hint = fmt.Sprintf("; did you mean %q?", k)
		}
		return "", usageError{fmt.Errorf("the project has no source %q%s", name, hint)}
	case len(names) == 1:
		return names[0], nil
	}
	return "", usageError{errors.New("say by which source it comes: --source " + strings.Join(names, ", --source "))}
}

// printExplained writes a decision and what led to it.
func printExplained(w io.Writer, plan *routes.Plan, d *message.Decision, trace []routes.Trace, f explainFlags) error {
	if f.json {
		return printJSON(w, explanationOf(d, trace))
	}
	fmt.Fprintf(w, "%s  control id %s, %d bytes, by %s\n", typeOf(d), orNone(printable(d.ControlID)), d.Envelope.Body.Size(), d.Envelope.Source)
	if err := printTrace(w, plan.Files(), trace); err != nil {
		return err
	}
	for _, p := range d.Parts {
		fmt.Fprintf(w, "%s: %s %s\n", partName(p), p.Outcome, why(p.Rule.String(), p.Reason))
		for _, x := range p.Findings {
			fmt.Fprintf(w, "  also found: %s (%s)\n", x.Text, x.Rule)
		}
	}
	return printCopies(w, d, f.show)
}

func printTrace(w io.Writer, files map[string][]byte, trace []routes.Trace) error {
	rows := make([][]string, 0, len(trace))
	for _, t := range trace {
		what := t.Result
		if t.Key != "" {
			what = t.Key + ": " + t.Result
		}
		rows = append(rows, []string{"  " + t.Place.String(), t.What, what, lineOf(files, t.Place)})
	}
	return table(w, rows)
}

func printCopies(w io.Writer, d *message.Decision, show bool) error {
	for i := range d.Deliveries {
		c := &d.Deliveries[i]
		fmt.Fprintf(w, "copy %d to %s: %s, %d bytes, control id %s%s\n", i+1, c.Queue, c.State, c.Body.Size(), orNone(printable(c.ControlID)), heldBy(c))
		if !show {
			continue
		}
		b, err := c.Body.ReadAll()
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\n", bytes.ReplaceAll(bytes.TrimRight(b, "\r\n"), []byte("\r"), []byte("\n")))
	}
	fmt.Fprintf(w, "outcome: %s\nanswer: %s\n", d.Outcome, answerOf(d.Reply))
	return nil
}

func answerOf(r message.Reply) string {
	s := orNone(r.Code)
	if r.HTTP != 0 {
		s += fmt.Sprintf(", HTTP %d", r.HTTP)
	}
	if r.Text != "" {
		s += ", " + r.Text
	}
	return s
}

func heldBy(c *message.Delivery) string {
	if c.Reason == "" {
		return ""
	}
	return fmt.Sprintf(" (%s, %s)", c.Reason, c.Rule)
}

func typeOf(d *message.Decision) string {
	switch {
	case d.Type == "":
		return d.Envelope.Format.String()
	case d.Event == "":
		return d.Type
	}
	return d.Type + "^" + d.Event
}

func partName(p message.Part) string {
	switch {
	case p.Feed == "":
		return "the message"
	case p.Number > 0:
		return fmt.Sprintf("feed %s, part %d", p.Feed, p.Number)
	}
	return "feed " + p.Feed
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// lineOf is the line of a project file that a trace tells of, as it is written.
func lineOf(files map[string][]byte, at message.Place) string {
	lines := bytes.Split(files[at.File], []byte("\n"))
	if at.Line < 1 || at.Line > len(lines) {
		return ""
	}
	s := strings.TrimSpace(string(lines[at.Line-1]))
	if r := []rune(s); len(r) > 90 {
		s = string(r[:87]) + "..."
	}
	return s
}

// explanation is what --json prints. It holds no content of the message but the
// codes that tables were asked for.
type explanation struct {
	Type      string          `json:"type"`
	Event     string          `json:"event"`
	ControlID string          `json:"control_id"`
	Source    string          `json:"source"`
	Outcome   string          `json:"outcome"`
	Answer    string          `json:"answer"`
	Steps     []explainedStep `json:"steps"`
	Parts     []explainedPart `json:"parts"`
	Copies    []explainedCopy `json:"copies"`
}

type explainedStep struct {
	At     string `json:"at"`
	What   string `json:"what"`
	Key    string `json:"key,omitempty"`
	Result string `json:"result"`
}

type explainedPart struct {
	Feed     string            `json:"feed"`
	Number   int               `json:"number,omitempty"`
	Outcome  string            `json:"outcome"`
	Rule     string            `json:"rule"`
	Reason   string            `json:"reason"`
	Findings []message.Finding `json:"findings,omitempty"`
}

type explainedCopy struct {
	Queue     string `json:"queue"`
	State     string `json:"state"`
	ControlID string `json:"control_id"`
	Bytes     int64  `json:"bytes"`
	Rule      string `json:"rule,omitempty"`
	Reason    string `json:"reason,omitempty"`
}

func explanationOf(d *message.Decision, trace []routes.Trace) explanation {
	out := explanation{Type: d.Type, Event: d.Event, ControlID: d.ControlID, Source: d.Envelope.Source, Outcome: d.Outcome.String(), Answer: answerOf(d.Reply)}
	for _, t := range trace {
		out.Steps = append(out.Steps, explainedStep{t.Place.String(), t.What, t.Key, t.Result})
	}
	for _, p := range d.Parts {
		out.Parts = append(out.Parts, explainedPart{p.Feed, p.Number, p.Outcome.String(), p.Rule.String(), p.Reason, p.Findings})
	}
	for i := range d.Deliveries {
		c := &d.Deliveries[i]
		out.Copies = append(out.Copies, explainedCopy{c.Queue, c.State.String(), c.ControlID, c.Body.Size(), c.Rule.String(), c.Reason})
	}
	return out
}
