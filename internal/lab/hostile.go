package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	refusedWithin  = 100 * time.Millisecond
	hostileMemory  = 64 << 20
	exampleLargest = 1 << 20 // max_message of the example
)

// runHostile posts documents that were made to do harm to the example that takes
// XML, then looks at destinations whose names move and whose servers redirect.
func runHostile(ctx context.Context, l *lab) error {
	h := &hostile{lab: l}
	if err := h.documents(ctx); err != nil {
		return err
	}
	return l.runRebound(ctx)
}

type hostile struct {
	*lab
	copy   *example
	engine *engine
	way    way
}

func (h *hostile) begin(ctx context.Context) (err error) {
	dir, err := h.sub("hostile")
	if err != nil {
		return err
	}
	if h.copy, err = copyExample(filepath.Join(h.examples, "xml-to-hl7"), filepath.Join(dir, "xml-to-hl7")); err != nil {
		return err
	}
	for _, w := range h.copy.ways {
		if w.kind == "http" {
			h.way = w
		}
	}
	h.engine = h.exampleEngine(h.copy)
	return h.engine.up(ctx)
}

// hostileAnswer is what came of one document.
type hostileAnswer struct {
	doc    hostileDoc
	status int
	took   sample // ms
}

func (h *hostile) documents(ctx context.Context) error {
	if err := h.begin(ctx); err != nil {
		return err
	}
	defer func() { h.engine.kill() }()
	docs, err := hostileDocs(exampleLargest)
	if err != nil {
		return err
	}
	idle, err := rssAnon(h.engine.pid())
	if err != nil {
		return err
	}
	watch := watchOften(ctx, h.engine.pid(), 2*time.Millisecond)
	all := make([]hostileAnswer, len(docs))
	for range h.roundsOr(3) {
		for i, d := range docs {
			all[i].doc = d
			if err := h.post(ctx, &all[i]); err != nil {
				return fmt.Errorf("%s: %w", d.name, err)
			}
		}
	}
	peak, _ := watch.end()
	h.table(all)
	return h.judge(ctx, all, idle, peak)
}

// post sends one document on a connection of its own, as a stranger does. It asks
// first whether the body is wanted: who is refused for its length would else find
// the connection closed in the middle of it.
func (h *hostile) post(ctx context.Context, a *hostileAnswer) error {
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true, ExpectContinueTimeout: 10 * time.Second}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+h.way.at+h.way.path, bytes.NewReader(a.doc.body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/xml")
	req.Header.Set("Authorization", "Bearer "+h.way.bearer)
	req.Header.Set("Expect", "100-continue")
	if a.doc.gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	began := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	a.took = append(a.took, ms(time.Since(began)))
	a.status = resp.StatusCode
	return nil
}

func (h *hostile) table(all []hostileAnswer) {
	for _, a := range all {
		h.note("%-42s %8d bytes  status %d  %6.1f ms (at most %.1f)", a.doc.name, len(a.doc.body), a.status, a.took.median(), a.took.max())
	}
}

func (h *hostile) judge(ctx context.Context, all []hostileAnswer, idle, peak int64) error {
	var taken, slow []string
	var worst float64
	for _, a := range all {
		if a.status < 400 || a.status > 499 {
			taken = append(taken, a.doc.name)
		}
		if a.took.median() > ms(refusedWithin) {
			slow = append(slow, a.doc.name)
		}
		worst = max(worst, a.took.median())
	}
	h.check(len(taken) == 0, "%d documents, each is refused with a status of 4xx %s", len(all), strings.Join(taken, ", "))
	h.check(len(slow) == 0, "each within %s, posting it included: the slowest took %.1f ms (median of %d) %s", refusedWithin, worst, len(all[0].took), strings.Join(slow, ", "))
	h.check(peak <= hostileMemory, "RssAnon of the engine at most %d MiB (limit %d MiB); %d MiB before the first", peak>>20, hostileMemory>>20, idle>>20)
	t, err := h.engine.totals(ctx)
	if err != nil {
		return err
	}
	h.check(t.sum("copies") == 0, "no copy was made for anybody: %v", t)
	return h.stillThere(ctx)
}

// stillThere posts an ordinary document.
func (h *hostile) stillThere(ctx context.Context) error {
	good, err := os.ReadFile(filepath.Join(h.copy.dir, "messages", "batch.xml"))
	if err != nil {
		return err
	}
	a := hostileAnswer{doc: hostileDoc{name: "an ordinary one", body: good}}
	if err := h.post(ctx, &a); err != nil {
		return err
	}
	t, err := h.engine.totals(ctx)
	if err != nil {
		return err
	}
	h.check(a.status == http.StatusOK && t.sum("copies") > 0, "an ordinary document is taken afterwards: status %d, %v", a.status, t["copies"])
	return nil
}
