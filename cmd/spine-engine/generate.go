package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/generate"
)

// generation is what the flags of generate ask for.
type generation struct {
	options    generate.Options
	events     []string
	all        bool
	count      int
	from       string
	dir, batch string
}

func newGenerate() *cobra.Command {
	var g generation
	cmd := &cobra.Command{
		Use: "generate KIND", Short: "Make synthetic patients and HL7 v2 messages",
		Long: "KIND is adt, oru, siu, mdm, orm, or day (all of them, as in a general hospital). Nobody in the messages\n" +
			"is real: NHS numbers are of the 999 range, telephone numbers and postcodes belong to nobody. The same\n" +
			"flags give the same bytes, every day and everywhere. Messages go to standard output, to one file each\n" +
			"(--out), or into a batch file (--batch).",
		Example: "  spine-engine generate day --count 500 --out messages\n" +
			"  spine-engine generate adt --event A01,A08 --count 2 | spine-engine send mllp 127.0.0.1:2575 -",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("say which kind: %s or day", kindList())}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return g.run(cmd.OutOrStdout(), args[0], cmd.Flags().Changed("count"))
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&g.events, "event", nil, "trigger events, taken in turn: A01,A08 (default: a plausible mix)")
	f.BoolVar(&g.all, "all", false, "every event of the kind, in the order of a patient's life")
	f.IntVar(&g.count, "count", 10, "how many messages; with --all: each event once")
	f.Uint64Var(&g.options.Seed, "seed", 1, "another seed, another story")
	f.StringVar(&g.from, "from", generate.Epoch().Format(time.RFC3339), "when the story begins")
	f.StringVar(&g.options.Version, "version", "2.4", "MSH-12: "+strings.Join(generate.Versions(), ", "))
	f.StringVar(&g.options.Charset, "charset", "UNICODE UTF-8", "MSH-18, such as 8859/1 or ASCII")
	f.StringVar(&g.options.Sending, "sending", "PAS^RXX", "MSH-3 and MSH-4")
	f.StringVar(&g.options.Receiving, "receiving", "SPINE^RXX", "MSH-5 and MSH-6")
	f.StringVar(&g.options.Processing, "processing", "P", "MSH-11")
	f.BoolVar(&g.options.PDF, "pdf", false, "results carry their report as a PDF as well")
	f.StringVar(&g.dir, "out", "", "folder for one file per message")
	f.StringVar(&g.batch, "batch", "", "batch file (FHS, BHS, messages, BTS, FTS) to write; - is standard output")
	return cmd
}

func kindList() string {
	var out []string
	for _, k := range generate.Kinds() {
		out = append(out, string(k))
	}
	return strings.Join(out, ", ")
}

func (g *generation) run(w io.Writer, kind string, counted bool) error {
	gen, err := g.prepare(kind, counted)
	if err != nil {
		return usageError{err}
	}
	msgs, err := g.messages(gen, kind)
	if err != nil {
		return err
	}
	switch {
	case g.dir != "":
		return writeGenerated(w, g.dir, msgs)
	case g.batch == "-":
		_, err := w.Write(gen.Batch(msgs))
		return err
	case g.batch != "":
		if err := os.WriteFile(g.batch, gen.Batch(msgs), 0o644); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w, "%d messages in %s\n", len(msgs), g.batch)
		return err
	}
	return printGenerated(w, msgs)
}

// prepare checks the flags against each other.
func (g *generation) prepare(kind string, counted bool) (*generate.Generator, error) {
	from, err := time.Parse(time.RFC3339, g.from)
	switch {
	case err != nil:
		return nil, fmt.Errorf("--from %q is not a time such as 2026-11-22T08:00:00Z", g.from)
	case kind != "day" && !slices.Contains(generate.Kinds(), generate.Kind(kind)):
		return nil, fmt.Errorf("kind %q is not one of %s, day", kind, kindList())
	case g.count < 0:
		return nil, fmt.Errorf("--count %d is less than nothing", g.count)
	case kind == "day" && (g.all || len(g.events) > 0):
		return nil, errors.New("a day is a mix; --event and --all belong to one kind, such as adt")
	case g.all && len(g.events) > 0:
		return nil, errors.New("say --all or --event, not both")
	case g.dir != "" && g.batch != "":
		return nil, errors.New("say --out or --batch, not both")
	}
	if g.all {
		if g.events = generate.Events(generate.Kind(kind)); !counted {
			g.count = len(g.events)
		}
	}
	for i, e := range g.events {
		g.events[i] = strings.ToUpper(strings.TrimSpace(e))
		if known := generate.Events(generate.Kind(kind)); !slices.Contains(known, g.events[i]) {
			return nil, fmt.Errorf("event %q of %s cannot be generated; there are %s", e, kind, strings.Join(known, ", "))
		}
	}
	g.options.From = from
	return generate.NewWith(g.options)
}

func (g *generation) messages(gen *generate.Generator, kind string) ([][]byte, error) {
	switch {
	case kind == "day":
		return gen.Day(g.count)
	case len(g.events) == 0:
		return gen.Mix(g.count, generate.Kind(kind))
	}
	var out [][]byte
	for i := range g.count {
		msg, err := gen.Message(generate.Kind(kind), g.events[i%len(g.events)])
		if err != nil {
			return nil, err
		}
		out = append(out, msg)
	}
	return out, nil
}

// printGenerated writes messages one after another. On a terminal, where a CR would
// write each line over the one before, lines end with LF.
func printGenerated(w io.Writer, msgs [][]byte) error {
	buffered := bufio.NewWriter(w)
	shown := onTerminal(w)
	for i, m := range msgs {
		if shown {
			m = bytes.ReplaceAll(m, []byte{'\r'}, []byte{'\n'})
			if i > 0 {
				m = append([]byte{'\n'}, m...)
			}
		}
		if _, err := buffered.Write(m); err != nil {
			return err
		}
	}
	return buffered.Flush()
}

func onTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// writeGenerated writes one file per message, named by number, type and event:
// 0001-ADT-A01.hl7.
func writeGenerated(w io.Writer, dir string, msgs [][]byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	bar := progress(len(msgs), "generate")
	for i, m := range msgs {
		h, err := hl7.ParseHeader(m)
		if err != nil {
			return err
		}
		name := filepath.Join(dir, fmt.Sprintf("%04d-%s-%s.hl7", i+1, h.Type, h.Event))
		if err := os.WriteFile(name, m, 0o644); err != nil {
			return err
		}
		bar.Add(1)
	}
	_, err := fmt.Fprintf(w, "%d messages in %s\n", len(msgs), dir)
	return err
}
