package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/peer"
)

// runCorpus sends every message of a folder of real ones and accounts for each.
//
// Behind every item goes a probe, a message of our own, on the same connection.
// Its answer tells that the item has been dealt with, whether or not an item was
// due an answer, and its record separates the items in the engine's list.
func runCorpus(ctx context.Context, l *lab) error {
	items, err := readCorpus(l.corpus)
	if errors.Is(err, fs.ErrNotExist) {
		l.skip("corpus: there is no folder %s", l.corpus)
		return nil
	}
	if err != nil {
		return err
	}
	c, err := l.newCorpusRun(ctx, items)
	if err != nil {
		return err
	}
	defer c.engine.kill()
	for i := range items {
		if err := c.item(ctx, i); err != nil {
			return fmt.Errorf("item %d of %d: %w", i+1, len(items), err)
		}
	}
	if err := c.engine.drained(ctx, time.Minute); err != nil {
		return err
	}
	return c.judge(ctx)
}

// item is one body to send.
type item struct {
	file   string // within the corpus
	body   []byte
	framed bool // holds 0B or 1C, which MLLP cannot carry
	codes  []string
	closed bool // the connection ended instead of an answer
	hung   bool
}

// readCorpus makes the items. A batch file becomes its messages; everything else
// is sent as it is, message or not.
func readCorpus(dir string) ([]*item, error) {
	var items []*item
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		for _, body := range bodies(data) {
			items = append(items, &item{file: name, body: body, framed: bytes.ContainsAny(body, "\x0b\x1c")})
		}
		return err
	})
	return items, err
}

func bodies(file []byte) [][]byte {
	if bytes.ContainsAny(file, "\x0b\x1c") {
		return [][]byte{file}
	}
	r := hl7.NewBatchReader(bytes.NewReader(file), 64<<20)
	var parts [][]byte
	for {
		m, err := r.Next()
		if err != nil {
			break // the end, or something that is no batch: then it is sent whole
		}
		parts = append(parts, m)
	}
	if len(parts) > 1 || len(parts) == 1 && isBatch(file) {
		return parts
	}
	return [][]byte{file}
}

func isBatch(file []byte) bool {
	return bytes.HasPrefix(file, []byte("FHS")) || bytes.HasPrefix(file, []byte("BHS"))
}

// corpusRun is the state of the experiment.
type corpusRun struct {
	*lab
	items   []*item
	project project
	engine  *engine
	client  *peer.Client
	gen     generator
	probes  int
}

func (l *lab) newCorpusRun(ctx context.Context, items []*item) (*corpusRun, error) {
	dir, err := l.sub("corpus")
	if err != nil {
		return nil, err
	}
	listen, err := freePort()
	if err != nil {
		return nil, err
	}
	c := &corpusRun{lab: l, items: items, gen: generator{prefix: 'C', seed: l.seed, size: 1000},
		project: project{dir: dir, listen: listen, feed: "deliver:\n" + toMailbox("box", "") + "unrouted: hold\n"}}
	if err := c.project.write(); err != nil {
		return nil, err
	}
	c.engine = l.engine(c.project)
	return c, c.engine.up(ctx)
}

const itemTimeout = 10 * time.Second

// item sends one body and a probe, and notes the answers that come before the
// probe's own. A connection that the listener ends is made anew for the probe.
func (c *corpusRun) item(ctx context.Context, i int) error {
	it := c.items[i]
	if err := c.connect(ctx); err != nil {
		return err
	}
	frame := append(append([]byte{0x0b}, it.body...), 0x1c, '\r')
	if err := c.client.WriteRaw(frame); err != nil {
		it.closed = true
		c.hangUp()
	}
	for range 3 {
		done, err := c.probe(ctx, it, i)
		if done || err != nil {
			return err
		}
	}
	return errors.New("the listener ended three connections on which only a probe was sent")
}

func (c *corpusRun) connect(ctx context.Context) (err error) {
	if c.client == nil {
		c.client, err = peer.Dial(ctx, c.project.listen, nil, itemTimeout)
	}
	return err
}

func (c *corpusRun) hangUp() {
	c.client.Close()
	c.client = nil
}

// probe sends a probe and reads up to its answer; false when the connection ended.
func (c *corpusRun) probe(ctx context.Context, it *item, i int) (bool, error) {
	if err := c.connect(ctx); err != nil {
		return false, err
	}
	want := c.gen.id(0, i)
	if err := c.client.Write(c.gen.body(0, i)); err != nil {
		it.closed = true
		c.hangUp()
		return false, nil
	}
	for {
		raw, err := c.client.Read()
		if err != nil {
			var slow interface{ Timeout() bool }
			it.hung = it.hung || errors.As(err, &slow) && slow.Timeout()
			it.closed = true
			c.hangUp()
			return false, nil
		}
		a, err := hl7.ParseAck(raw)
		if err == nil && a.ControlID == want {
			return true, nil
		}
		it.codes = append(it.codes, a.Code)
	}
}

// list is everything the engine stored, oldest first.
func (c *corpusRun) list(ctx context.Context) ([]listed, error) {
	out, status, err := c.engine.command(ctx, "messages", "list", "-C", c.project.dir, "--json", "--limit", "10000")
	if err != nil || status != 0 {
		return nil, fmt.Errorf("messages list ended with status %d: %w", status, errOr(err))
	}
	var all []listed
	if err := json.Unmarshal(out, &all); err != nil {
		return nil, fmt.Errorf("messages list --json: %w", err)
	}
	slices.Reverse(all)
	return all, nil
}

// records splits the list at the probes: what lies before probe i belongs to item i.
func (c *corpusRun) records(all []listed) map[int][]listed {
	out := map[int][]listed{}
	from := 0
	for _, m := range all {
		conn, n, ok := c.gen.parseID([]byte(m.Control))
		if !ok || conn != 0 || n >= len(c.items) {
			out[from] = append(out[from], m)
			continue
		}
		c.probes++
		from = n + 1
	}
	return out
}

func (c *corpusRun) judge(ctx context.Context) error {
	all, err := c.list(ctx)
	if err != nil {
		return err
	}
	byItem := c.records(all)
	var files []string
	inBox := map[[32]byte]int{}
	probes := 0
	box := &consumer{dir: c.project.box("box"), keep: true, see: func(name string, data []byte) {
		if conn, n, ok := c.gen.parseID(controlID(data)); ok && bytes.Equal(data, c.gen.body(conn, n)) {
			probes++
			return
		}
		files = append(files, name)
		inBox[sha256.Sum256(data)]++
	}}
	if _, err := box.sweep(); err != nil {
		return err
	}
	t := c.tally(byItem, inBox)
	c.note("%d items of %d files; %d probes between them, %d of those delivered", len(c.items), c.countFiles(), c.probes, probes)
	c.note("sent %d = delivered identical %d + rejected %d + quarantined %d + held %d + refused unstored %d + frame bytes in the body %d + lost %d",
		len(c.items), t.delivered, t.rejected, t.quarantined, t.held, t.refused, t.framed, t.lost)
	c.check(t.total() == len(c.items), "the counts add up: %d", t.total())
	c.check(t.lost == 0, "nothing is lost %v", t.faults)
	c.check(t.hung == 0, "nothing hangs: %d items without an end within %s", t.hung, itemTimeout)
	c.check(t.altered == 0, "what is delivered is byte-identical: %d are not", t.altered)
	c.check(t.noReason == 0, "everything held or quarantined has a reason: %d have none", t.noReason)
	c.check(len(files) == t.delivered+t.framedDelivered, "the mailbox holds nothing else: %d files, %d expected", len(files), t.delivered+t.framedDelivered)
	c.check(c.probes == len(c.items), "every probe was stored once: %d of %d", c.probes, len(c.items))
	for _, line := range t.reasons() {
		c.note("%s", line)
	}
	for _, line := range t.framedLines {
		c.note("%s", line)
	}
	return c.engineEnds()
}

func (c *corpusRun) engineEnds() error {
	status, err := c.engine.stop()
	c.check(status == 0, "the engine has survived all of it: status %d", status)
	return err
}

func (c *corpusRun) countFiles() int {
	names := map[string]bool{}
	for _, it := range c.items {
		names[it.file] = true
	}
	return len(names)
}

func quoteCodes(codes []string) string {
	if len(codes) == 0 {
		return "no answer"
	}
	return fmt.Sprint("answered ", codes)
}
