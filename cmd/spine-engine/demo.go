package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/console"
	"github.com/spine-engine/spine-engine/internal/peer"
)

func newDemo() *cobra.Command {
	var keep string
	cmd := &cobra.Command{
		Use: "demo", Short: "The main job on sample data: real sockets, real folders, a real crash", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDemo(cmd.Context(), cmd.OutOrStdout(), keep)
		},
	}
	cmd.Flags().StringVar(&keep, "dir", "", "new or empty folder for the demo's project (default: a temporary one)")
	return cmd
}

// demo is a project, an engine in a process of its own, and the other systems.
type demo struct {
	ctx    context.Context
	out    io.Writer
	dir    string
	pas    string // address of the engine's MLLP listener
	poct   string // address of its HTTP source
	lab    *peer.Server
	engine *exec.Cmd
	exited chan error
	client *console.Client

	mu      sync.Mutex
	arrived []string // control ids at the laboratory, in order
}

func runDemo(ctx context.Context, out io.Writer, dir string) error {
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "spine-demo-"); err != nil {
			return err
		}
	}
	d := &demo{ctx: ctx, out: out, dir: dir}
	defer d.end()
	for _, step := range []func() error{d.prepare, d.start, d.one, d.batch, d.posted, d.rejected, d.held, d.retried, d.killed, d.totals} {
		if err := step(); err != nil {
			return fmt.Errorf("demo: %w (the engine's log is %s)", err, filepath.Join(d.dir, "engine.log"))
		}
	}
	d.farewell()
	return nil
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.out, format+"\n", args...) }

// prepare writes the starter project with ports that are free here.
func (d *demo) prepare() error {
	if err := writeStarter(d.dir); err != nil {
		return err
	}
	d.lab = peer.NewServer("127.0.0.1:0", func(h hl7.Header, _ []byte) hl7.Ack {
		d.mu.Lock()
		d.arrived = append(d.arrived, h.ControlID)
		d.mu.Unlock()
		return hl7.Ack{Code: "AA"}
	})
	if err := d.lab.Start(); err != nil {
		return err
	}
	ports, err := peer.FreePorts(3)
	if err != nil {
		return err
	}
	d.pas, d.poct = ports[0], ports[2]
	values := fmt.Sprintf("pas_listen: %s\nlab: %s\npoct_listen: %s\n", d.pas, d.lab.Address(), d.poct)
	if err := os.WriteFile(filepath.Join(d.dir, "values", "test.yaml"), []byte(values), 0o644); err != nil {
		return err
	}
	spine := filepath.Join(d.dir, "spine.yaml")
	data, err := os.ReadFile(spine)
	if err != nil {
		return err
	}
	data = bytes.ReplaceAll(data, []byte("127.0.0.1:2580"), []byte(ports[1]))
	return os.WriteFile(spine, data, 0o644)
}

// start runs the engine as a process of its own, so that it can be killed.
func (d *demo) start() error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(d.dir, "engine.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	d.engine = exec.Command(exe, "run", d.dir)
	d.engine.Stderr = log
	if err := d.engine.Start(); err != nil {
		return err
	}
	d.exited = make(chan error, 1)
	go func(c *exec.Cmd, exited chan<- error) { exited <- c.Wait() }(d.engine, d.exited)
	if d.client == nil {
		d.say("project %s\nengine  process %d, MLLP %s, HTTP %s, mailbox %s", d.dir, d.engine.Process.Pid, d.pas, d.poct, "mailboxes/pas/in")
		d.say("lab     an MLLP peer on %s that answers AA", d.lab.Address())
	}
	return d.until("the engine runs", func() bool {
		client, err := connectRunning(d.ctx, d.dir)
		if err != nil {
			return false
		}
		d.client = client
		_, err = client.Status(d.ctx)
		return err == nil
	})
}

// until waits for a condition, at most 30 s.
func (d *demo) until(what string, ok func() bool) error {
	deadline := time.Now().Add(30 * time.Second)
	for !ok() {
		select {
		case err := <-d.exited:
			d.exited <- err
			return fmt.Errorf("the engine ended while the demo waited until %s: %w", what, err)
		case <-d.ctx.Done():
			return d.ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return errors.New("waited 30 s until " + what)
		}
	}
	return nil
}

// send sends a sample by MLLP with its control id replaced, and says the answer.
func (d *demo) send(file, control, want string) error {
	data, err := os.ReadFile(filepath.Join(d.dir, "messages", file))
	if err != nil {
		return err
	}
	msg, err := hl7.Parse(data)
	if err != nil {
		return err
	}
	if err := msg.Set(hl7.MustPath("MSH-10"), control); err != nil {
		return err
	}
	client, err := peer.Dial(d.ctx, d.pas, nil, 30*time.Second)
	if err != nil {
		return err
	}
	defer client.Close()
	reply, err := client.Ask(msg.Bytes())
	if err != nil {
		return err
	}
	text := reply.Text
	if text == "" && len(reply.Errors) > 0 {
		text = reply.Errors[0].Text
	}
	d.say("  sent %s %s^%s by MLLP; the engine answered %s %s", control, msg.Type(), msg.Event(), reply.Code, text)
	if reply.Code != want {
		return fmt.Errorf("expected %s", want)
	}
	return nil
}

// labHas waits until the laboratory has these control ids, in this order, as its latest.
func (d *demo) labHas(ids ...string) error {
	return d.until("the laboratory has "+strings.Join(ids, ", "), func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		n := len(d.arrived) - len(ids)
		return n >= 0 && slices.Equal(d.arrived[n:], ids)
	})
}

// mailboxHas waits until the community mailbox holds n files.
func (d *demo) mailboxHas(n int) error { return d.mailboxHolds("mailboxes/community/in", n) }

func (d *demo) mailboxHolds(dir string, n int) error {
	return d.until(fmt.Sprintf("%s holds %d files", dir, n), func() bool {
		files, err := filepath.Glob(filepath.Join(d.dir, dir, "*.hl7"))
		return err == nil && len(files) == n
	})
}

func (d *demo) one() error {
	d.say("\n1. An admission by MLLP goes to a mailbox and to the laboratory")
	if err := d.send("a01.hl7", "DEMO1", "AA"); err != nil {
		return err
	}
	if err := errors.Join(d.mailboxHas(1), d.labHas("DEMO1")); err != nil {
		return err
	}
	d.say("  it is in mailboxes/community/in and the laboratory has it, with MSH-3 and PID-8 as the feed says")
	return nil
}

func (d *demo) batch() error {
	d.say("\n2. A batch file dropped into a mailbox is split")
	if err := dropFiles(io.Discard, filepath.Join(d.dir, "mailboxes/pas/in"), []string{filepath.Join(d.dir, "messages/nightly.bat")}); err != nil {
		return err
	}
	d.say("  nightly.bat dropped into mailboxes/pas/in; it is taken when it has been still for 2 s")
	if err := errors.Join(d.mailboxHas(3), d.labHas("PAS0002", "PAS0003")); err != nil {
		return err
	}
	d.say("  its two messages arrived in order; the file is archived in mailboxes/pas/in/.spine/archive")
	return nil
}

func (d *demo) posted() error {
	d.say("\n3. XML posted by HTTP becomes an HL7 message by a template")
	body, err := os.ReadFile(filepath.Join(d.dir, "messages/glucose.xml"))
	if err != nil {
		return err
	}
	p := peer.NewPoster("http://"+d.poct+"/results", nil, "", 30*time.Second)
	defer p.Close()
	answer, err := p.Post(d.ctx, body, peer.TypeXML)
	if err != nil {
		return err
	}
	d.say("  posted glucose.xml; the engine answered %d %s", answer.Status, answer.Code)
	if answer.Status != 200 {
		return errors.New("expected 200")
	}
	if err := d.mailboxHolds("mailboxes/results/in", 1); err != nil {
		return err
	}
	d.say("  an ORU^R01 is in mailboxes/results/in; see feeds/poct.yaml and templates/oru.hl7")
	return nil
}

func (d *demo) rejected() error {
	d.say("\n4. A message that a rule refuses is answered so, and stored as rejected")
	return d.send("a01-no-identifier.hl7", "DEMO3", "AE")
}

func (d *demo) held() error {
	d.say("\n5. A message that a rule holds is acknowledged and waits for a person")
	if err := d.send("a08-test.hl7", "DEMO4", "AA"); err != nil {
		return err
	}
	return d.list("held")
}

func (d *demo) list(outcome string) error {
	list, err := d.client.Messages(d.ctx, map[string][]string{"outcome": {outcome}})
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return fmt.Errorf("no message is %s", outcome)
	}
	for _, m := range list {
		d.say("  %s %s %s: %s", m.Outcome, m.ID, m.Control, why(m.Rule, m.Reason))
	}
	return nil
}

// queued waits until the laboratory's queue holds n copies and has failed.
func (d *demo) queued(n int) error {
	return d.until(fmt.Sprintf("the laboratory's queue holds %d", n), func() bool {
		queues, err := d.client.Queues(d.ctx)
		i := slices.IndexFunc(queues, func(q console.Queue) bool { return q.Name == "lab" })
		return err == nil && i >= 0 && queues[i].Queued == n && queues[i].LastError != ""
	})
}

func (d *demo) retried() error {
	d.say("\n6. The laboratory is down: its copy waits and is tried again, the mailbox is not held up")
	d.lab.Stop()
	if err := d.send("a01.hl7", "DEMO5", "AA"); err != nil {
		return err
	}
	if err := errors.Join(d.mailboxHas(4), d.queued(1)); err != nil {
		return err
	}
	d.say("  the mailbox has it, the laboratory's queue holds 1 copy")
	if err := d.lab.Start(); err != nil {
		return err
	}
	if err := d.labHas("DEMO5"); err != nil {
		return err
	}
	d.say("  the laboratory is back and has it")
	return nil
}

func (d *demo) killed() error {
	d.say("\n7. The engine is killed (kill -9) with messages queued")
	d.lab.Stop()
	want := []string{"DEMO6A", "DEMO6B", "DEMO6C", "DEMO6D", "DEMO6E"}
	for _, id := range want {
		if err := d.send("a01.hl7", id, "AA"); err != nil {
			return err
		}
	}
	if err := d.queued(len(want)); err != nil {
		return err
	}
	if err := d.engine.Process.Kill(); err != nil {
		return err
	}
	<-d.exited
	d.say("  process %d killed; starting it again, and the laboratory with it", d.engine.Process.Pid)
	if err := errors.Join(d.lab.Start(), d.start()); err != nil {
		return err
	}
	if err := errors.Join(d.labHas(want...), d.mailboxHas(9)); err != nil {
		return err
	}
	d.say("  the laboratory has all five, in order; the mailbox has each exactly once")
	return nil
}

func (d *demo) totals() error {
	if err := d.until("every copy is finished", func() bool {
		t, err := d.client.Totals(d.ctx)
		return err == nil && t["copies"]["queued"] == 0
	}); err != nil {
		return err
	}
	t, err := d.client.Totals(d.ctx)
	if err != nil {
		return err
	}
	d.say("\nTotals: messages %v, copies %v", plain(t["messages"]), plain(t["copies"]))
	return nil
}

func plain(m map[string]int) string {
	var parts []string
	for k, n := range m {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, k))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// end stops the engine as a service manager would.
func (d *demo) end() {
	if d.lab != nil {
		defer d.lab.Stop()
	}
	if d.engine == nil || d.engine.Process == nil {
		return
	}
	d.engine.Process.Signal(os.Interrupt)
	select {
	case <-d.exited:
	case <-time.After(30 * time.Second):
		d.engine.Process.Kill()
	}
}

func (d *demo) farewell() {
	d.say(`
Look into %[1]s: feeds/adt.yaml is the feed, mailboxes/community/in is what arrived,
engine.log is what the engine said. Then type:
  spine-engine test %[1]s                                 (the feeds' own tests)
  spine-engine explain %[1]s/messages/a08-test.hl7 --source pas -C %[1]s
  spine-engine messages list -C %[1]s
  spine-engine messages list -C %[1]s --outcome held      (and: messages release ID -C ...)
  spine-engine run %[1]s                                  (edit feeds/adt.yaml while it runs)
  spine-engine init my-project                            (a project of your own)
(with go run: go run ./cmd/spine-engine messages list -C %[1]s)`, d.dir)
}
