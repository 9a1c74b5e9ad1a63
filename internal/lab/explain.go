package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/internal/peer"
)

// runExplain runs every example, sends it real messages and its own by each of its
// ways in, and asks explain what it makes of each: by the running engine for what
// is stored, and by the command for the same bytes as a file.
//
// All destinations are paused before the first message, so that what is stored of
// a copy is what was decided and not what became of it.
func runExplain(ctx context.Context, l *lab) error {
	found, err := filepath.Glob(filepath.Join(l.examples, "*", "spine.yaml"))
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("there is no example in %s", l.examples)
	}
	items, err := readCorpus(l.corpus)
	if errors.Is(err, fs.ErrNotExist) {
		l.skip("explain: there is no folder %s; the examples' own messages are sent", l.corpus)
	} else if err != nil {
		return err
	}
	xml, err := xmlSamples(filepath.Join(l.corpus, "../../spine"))
	if err != nil {
		return err
	}
	for _, f := range found {
		x := &explaining{lab: l, items: items, xml: xml}
		if err := x.example(ctx, filepath.Dir(f)); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(filepath.Dir(f)), err)
		}
	}
	return nil
}

// xmlSamples are the XML files of a folder; none if it is not there.
func xmlSamples(dir string) (out [][]byte, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".xml" {
			return err
		}
		data, err := os.ReadFile(path)
		out = append(out, data)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return out, err
}

// explaining is the state of the experiment on one example.
type explaining struct {
	*lab
	items  []*item
	xml    [][]byte
	copy   *example
	engine *engine
	sent   [][]byte
	stored []*storedMessage
	bodies map[string][]byte // as received, by id
	tally  explainTally
}

type explainTally struct {
	copies, differ                             int
	files, fileCopies, fileDiffer, bytesDiffer int
	outcomes                                   map[string]int
	faults                                     []string
}

func (x *explaining) example(ctx context.Context, from string) (err error) {
	dir, err := x.sub("explain")
	if err != nil {
		return err
	}
	if x.copy, err = copyExample(from, filepath.Join(dir, filepath.Base(from))); err != nil {
		return err
	}
	x.engine = x.exampleEngine(x.copy)
	if err := x.engine.up(ctx); err != nil {
		return err
	}
	defer func() { x.engine.kill() }()
	for _, part := range []func(context.Context) error{x.pauseAll, x.sendAll, x.readStored, x.compareStored, x.compareFiles} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	x.judge()
	return nil
}

// pauseAll lets no copy leave.
func (x *explaining) pauseAll(ctx context.Context) error {
	s, err := x.engine.engineStatus(ctx)
	if err != nil {
		return err
	}
	for _, q := range s.Queues {
		order := map[string]string{"kind": "destination", "name": q.Name, "by": "lab", "reason": "only what is decided counts"}
		if _, err := x.engine.ask(ctx, http.MethodPost, "/v1/pause", order); err != nil {
			return err
		}
	}
	return nil
}

// own are the example's own messages.
func (x *explaining) own(endings ...string) (out []*item, err error) {
	files, err := filepath.Glob(filepath.Join(x.copy.dir, "messages", "*"))
	for _, f := range files {
		if !slices.Contains(endings, filepath.Ext(f)) {
			continue
		}
		data, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		for _, b := range bodies(data) {
			out = append(out, &item{file: f, body: b})
		}
	}
	return out, err
}

func (x *explaining) sendAll(ctx context.Context) error {
	for _, w := range x.copy.ways {
		if err := x.send(ctx, w); err != nil {
			return fmt.Errorf("%s: %w", w.kind, err)
		}
	}
	return nil
}

func (x *explaining) send(ctx context.Context, w way) error {
	switch w.kind {
	case "mllp":
		return x.sendMLLP(ctx, w)
	case "http":
		return x.post(ctx, w)
	}
	return x.drop(ctx, w)
}

// sendMLLP sends with a probe behind each message, as the experiment corpus does.
func (x *explaining) sendMLLP(ctx context.Context, w way) error {
	own, err := x.own(".hl7", ".bat")
	if err != nil {
		return err
	}
	all := slices.Concat(own, x.items)
	c := &corpusRun{lab: x.lab, items: all, gen: generator{prefix: 'X', seed: x.seed, size: 1000}, project: project{listen: w.at}}
	for i, it := range all {
		if err := c.item(ctx, i); err != nil {
			return fmt.Errorf("item %d of %d: %w", i+1, len(all), err)
		}
		if !it.framed {
			x.sent = append(x.sent, it.body)
		}
	}
	c.hangUp()
	return nil
}

func (x *explaining) post(ctx context.Context, w way) error {
	own, err := x.own(".xml")
	if err != nil {
		return err
	}
	p := peer.NewPoster("http://"+w.at+w.path, nil, w.bearer, 10*time.Second)
	defer p.Close()
	for _, it := range own {
		x.xml = append(x.xml, it.body)
	}
	for _, body := range x.xml {
		got, err := p.Post(ctx, body, peer.TypeXML)
		if err != nil {
			return err
		}
		if got.Status == http.StatusUnauthorized || got.Status >= 500 {
			return fmt.Errorf("answered with status %d", got.Status)
		}
		x.sent = append(x.sent, body)
	}
	return nil
}

// drop puts everything into a mailbox and waits until the engine has taken it.
func (x *explaining) drop(ctx context.Context, w way) error {
	own, err := x.own(".hl7", ".bat")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(w.at, 0o755); err != nil {
		return err
	}
	for i, it := range slices.Concat(own, x.items) {
		name := filepath.Join(w.at, fmt.Sprintf("%05d.hl7", i))
		if err := os.WriteFile(name, it.body, 0o644); err != nil {
			return err
		}
		if w.marker == "" {
			continue
		}
		if err := os.WriteFile(name+w.marker, nil, 0o644); err != nil {
			return err
		}
	}
	return eventually(ctx, 5*time.Minute, 100*time.Millisecond, func() (bool, error) {
		left, err := filepath.Glob(filepath.Join(w.at, "*.hl7"))
		claimed, err2 := filepath.Glob(filepath.Join(w.at, ".spine", "claimed", "*"))
		return len(left)+len(claimed) == 0, errors.Join(err, err2)
	})
}

// readStored reads everything that the engine has stored, oldest first.
func (x *explaining) readStored(ctx context.Context) error {
	x.bodies = map[string][]byte{}
	x.tally.outcomes = map[string]int{}
	const page = 1000
	for before := ""; ; {
		var list []listed
		q := url.Values{"limit": {fmt.Sprint(page)}}
		if before != "" {
			q.Set("before", before)
		}
		if err := x.engine.get(ctx, "/v1/messages?"+q.Encode(), &list); err != nil {
			return err
		}
		for _, m := range list {
			before = m.ID
			if err := x.readOne(ctx, m.ID); err != nil {
				return err
			}
		}
		if len(list) < page {
			break
		}
	}
	slices.Reverse(x.stored)
	return nil
}

func (x *explaining) readOne(ctx context.Context, id string) (err error) {
	m := &storedMessage{}
	if err := x.engine.get(ctx, "/v1/messages/"+id, m); err != nil {
		return err
	}
	if x.bodies[id], err = x.engine.ask(ctx, http.MethodGet, "/v1/messages/"+id+"/body", nil); err != nil {
		return err
	}
	for i := range m.Copies {
		c := &m.Copies[i]
		if c.body, err = x.engine.ask(ctx, http.MethodGet, "/v1/messages/"+id+"/body?copy="+c.Key, nil); err != nil {
			return err
		}
	}
	x.stored = append(x.stored, m)
	x.tally.outcomes[m.Outcome]++
	x.tally.copies += len(m.Copies)
	return nil
}

// compareStored asks the running engine to explain what it has stored.
func (x *explaining) compareStored(ctx context.Context) error {
	for _, m := range x.stored {
		var e explainedMessage
		if err := x.engine.get(ctx, "/v1/messages/"+m.ID+"/explain", &e); err != nil {
			return err
		}
		same := slices.Equal(m.lines(), e.lines())
		for i, c := range m.Copies {
			// The control id that a reply must name is the one that the copy shows.
			if same && bytes.HasPrefix(c.body, []byte("MSH|")) && string(controlID(c.body)) != e.Copies[i].Control {
				same = false
			}
		}
		if !same {
			x.tally.differ++
			x.fault(m, "stored", m.lines(), e.lines())
		}
	}
	return nil
}

func (x *explaining) fault(m *storedMessage, what string, stored, explained []string) {
	if len(x.tally.faults) < 3 {
		x.tally.faults = append(x.tally.faults, fmt.Sprintf("%s message %s (%d bytes, by %s):\n- %s\n+ %s", what, m.ID, m.Size, m.Source,
			strings.Join(stored, "\n- "), strings.Join(explained, "\n+ ")))
	}
}

// reached counts those of the sent messages whose bytes are stored.
func (x *explaining) reached() int {
	have := map[[32]byte]bool{}
	for _, b := range x.bodies {
		have[sha256.Sum256(b)] = true
	}
	n := 0
	for _, b := range x.sent {
		if have[sha256.Sum256(b)] {
			n++
		}
	}
	return n
}

func (x *explaining) judge() {
	t, n := &x.tally, len(x.stored)
	var kinds []string
	for _, w := range x.copy.ways {
		kinds = append(kinds, w.kind)
	}
	x.note("%s by %s: %d messages stored, %v, with %d copies", x.copy.name, strings.Join(kinds, " and "), n, t.outcomes, t.copies)
	reached := x.reached()
	x.check(reached == len(x.sent), "%s: the bytes of %d of %d messages sent are stored", x.copy.name, reached, len(x.sent))
	x.check(t.differ == 0, "%s: explained as stored: %d of %d differ", x.copy.name, t.differ, n)
	x.check(t.fileDiffer == 0, "%s: explained as files: %d of %d differ", x.copy.name, t.fileDiffer, t.files)
	x.check(t.bytesDiffer == 0, "%s: the bytes of %d copies of those: %d differ", x.copy.name, t.fileCopies, t.bytesDiffer)
	for _, f := range t.faults {
		x.note("%s", f)
	}
}
