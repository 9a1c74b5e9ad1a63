package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	if code, ok := inner(os.Args[1:]); ok {
		os.Exit(code)
	}
	// Asked for, SIGPIPE would come for every socket whose other end was killed,
	// which is what the experiments do; ignored, a write says so by its error.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// settings are the flags; every experiment reads those that concern it.
type settings struct {
	seed     int64
	keep     bool
	dir      string        // parent of the temporary folder; "" = the system's
	corpus   string        // folder with .hl7 files
	examples string        // folder with the examples
	rounds   int           // kills, power cuts, or interleaved measurements; 0 = the experiment's own
	count    int           // messages; 0 = the experiment's own
	length   time.Duration // of a sustained run
	slice    time.Duration // of one short measurement
	fill     int64         // speed: bytes in the store before the start is timed
	take     string        // speed: what the consumer of the mailbox does with files
	profile  string        // decide: file for a profile
	out      string        // report as markdown
}

// experiment is one name on the command line.
type experiment struct {
	name, about string
	run         func(context.Context, *lab) error
}

func experiments() []experiment {
	return []experiment{
		{"corpus", "real messages arrive byte-identical, or are refused or quarantined with a reason", runCorpus},
		{"kill", "kill -9 under load: no acknowledged message lost, once in the mailbox", runKill},
		{"powercut", "power cuts under load: no acknowledged message lost (root)", runPowercut},
		{"reload", "a project edited under load; a broken edit changes nothing", runReload},
		{"reprocess", "3,000 queued under a wrong mapping are decided again, through kills, and arrive once, in order", runReprocess},
		{"explain", "what explain says of a message is what the running engine did with it, for every example", runExplain},
		{"hostile", "documents made to do harm are refused at once; names that move and redirects lead nowhere", runHostile},
		{"feedtests", "200 feed tests with retries and timeouts, a hundred times: one report, within seconds", runFeedtests},
		{"decide", "a decision of 10 rules, 15 steps and 4 destinations against parse and encode", runDecide},
		{"isolation", "a dead destination harms no other; its queue drains in order", runIsolation},
		{"speed", "accepting and delivering against what the disk allows; memory; start", runSpeed},
		{"large", "25 MB messages, four at once, to eight mailboxes", runLarge},
	}
}

func run(ctx context.Context, args []string, out, errs io.Writer) int {
	if len(args) == 0 {
		usage(errs)
		return 2
	}
	s, err := parse(args[1:], errs)
	if err != nil {
		return 2
	}
	chosen := choose(args[0])
	if len(chosen) == 0 {
		fmt.Fprintf(errs, "lab: no experiment %q\n", args[0])
		usage(errs)
		return 2
	}
	rep := newReport(out)
	if err := perform(ctx, s, chosen, rep); err != nil {
		fmt.Fprintln(errs, "lab:", err)
		return 1
	}
	if rep.failed > 0 {
		return 1
	}
	return 0
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage: go run ./internal/lab NAME[,NAME...]|all [flags]; -h after a name shows the flags")
	for _, e := range experiments() {
		fmt.Fprintf(w, "  %-10s %s\n", e.name, e.about)
	}
}

func choose(names string) []experiment {
	if names == "all" {
		return experiments()
	}
	var out []experiment
	for _, name := range strings.Split(names, ",") {
		i := slices.IndexFunc(experiments(), func(e experiment) bool { return e.name == name })
		if i < 0 {
			return nil
		}
		out = append(out, experiments()[i])
	}
	return out
}

func parse(args []string, errs io.Writer) (settings, error) {
	var s settings
	f := flag.NewFlagSet("lab", flag.ContinueOnError)
	f.SetOutput(errs)
	f.Int64Var(&s.seed, "seed", time.Now().UnixNano()%1_000_000_007, "seed of everything random")
	f.BoolVar(&s.keep, "keep", false, "keep the temporary folder")
	f.StringVar(&s.dir, "dir", "", "where to make the temporary folder; decides the file system measured")
	f.StringVar(&s.corpus, "corpus", "../shared/corpus/hl7/files", "corpus: folder of real messages")
	f.StringVar(&s.examples, "examples", "examples", "explain, hostile: folder of the examples")
	f.IntVar(&s.rounds, "rounds", 0, "kill, powercut: how many (20, 10); isolation, speed: measurements per median (5)")
	f.IntVar(&s.count, "messages", 0, "kill: messages in all (20000); isolation: messages to drain (50000); large: messages (4); explain: messages of each example that need a file of their own (60)")
	f.DurationVar(&s.length, "seconds", time.Minute, "speed: length of the sustained run, like 60s")
	f.DurationVar(&s.slice, "slice", 5*time.Second, "speed, isolation: length of one short measurement")
	f.Int64Var(&s.fill, "fill", 1<<30, "speed: bytes in the store before the start is timed; 0 = skip")
	f.StringVar(&s.take, "take", "auto", "speed: the consumer of the mailbox takes files by: remove, move, or auto (move where there is no journal)")
	f.StringVar(&s.profile, "profile", "", "decide: write a profile of the processor's time into this file")
	f.StringVar(&s.out, "out", "", "write the report as markdown to this file")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if !slices.Contains([]string{"auto", "move", "remove"}, s.take) {
		fmt.Fprintf(errs, "lab: -take %q: write auto, move or remove\n", s.take)
		return s, errors.New("usage")
	}
	if f.NArg() > 0 {
		fmt.Fprintf(errs, "lab: unexpected argument %q; flags come after the name\n", f.Arg(0))
		return s, errors.New("usage")
	}
	return s, nil
}

func perform(ctx context.Context, s settings, chosen []experiment, rep *report) (err error) {
	l, err := newLab(ctx, s, rep)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	rep.machine(l.dir, s.seed)
	for _, e := range chosen {
		rep.section(e.name, e.about)
		began := time.Now()
		if err := e.run(ctx, l); err != nil {
			rep.check(false, "%s did not run to its end: %v", e.name, err)
		}
		rep.note("took %s", time.Since(began).Round(time.Second))
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
	}
	rep.end()
	if s.out == "" {
		return nil
	}
	return os.WriteFile(s.out, []byte(rep.markdown()), 0o644)
}
